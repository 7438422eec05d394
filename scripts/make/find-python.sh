#!/bin/sh
# find-python.sh [NEWEST]: print the Python to make a virtual environment with, 3.11 or later (and not after NEWEST).
# $PYTHON if it is set (with NEWEST: if it fits); else python3 where it is new enough, else the newest python3.x in PATH.
newest=${1:-3.99}
limit=${1:+ (to $1)}

fits() {
    "$1" -c 'import sys, venv, ensurepip
newest = tuple(map(int, sys.argv[1].split(".")))
sys.exit(not (3, 11) <= sys.version_info[:2] <= newest)' "$newest" 2>/dev/null
}

if [ -z "$PYTHON" ] || [ -n "$limit" ]; then
    set -- ${PYTHON:+"$PYTHON"} python3 \
        python3.19 python3.18 python3.17 python3.16 python3.15 python3.14 python3.13 python3.12 python3.11
else
    set -- "$PYTHON"
fi
for candidate; do
    if fits "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done
echo "No Python 3.11 or later${limit} with venv and ensurepip in PATH${PYTHON:+ ($PYTHON is none)}:" \
    "install one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2
exit 1
