#!/bin/sh
# venv.sh FOLDER [NEWEST]: make FOLDER a virtual environment, unless its Python runs already.
set -e
if ! "$1/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(sh scripts/make/find-python.sh $2)
    echo "Making $1 with $("$python" --version)" >&2
    "$python" -m venv --clear "$1"
fi
