#!/bin/sh
# Turns an OpenMetrics file into TSDB blocks with promtool, and uploads them to a Mimir with mimirtool.
#
#   backfill.sh URL USER PASSWORD UTILS_DIR /METRIC_backfill_data/ FILE_NAME
#
# promtool and mimirtool are looked for in UTILS_DIR first, then in PATH. The working directory stays the caller's.
# promfill: secrets by environment
# (The line above asks promfill for the password in PROMFILL_PASSWORD, and an empty third argument, so that no list of
# processes shows it. PROMFILL_KEEP=1 keeps the blocks after the upload.)
set -eu

if [ $# -ne 6 ]; then
    echo "usage: backfill.sh URL USER PASSWORD UTILS_DIR /METRIC_backfill_data/ FILE_NAME" >&2
    exit 2
fi
url=$1 user=$2 password=${PROMFILL_PASSWORD:-$3} utils=$4 blocks=$4$5 text=$4/$6
unset PROMFILL_PASSWORD

find_tool() {
    if [ -x "$utils/$1" ]; then
        echo "$utils/$1"
    elif ! command -v "$1"; then
        echo "backfill.sh: no $1 in $utils or in PATH: put it there" >&2
        return 1
    fi
}

empty_blocks() {
    rm -rf "${blocks:?}"
    mkdir -p "$blocks"
}

promtool=$(find_tool promtool)
mimirtool=$(find_tool mimirtool)

empty_blocks
"$promtool" tsdb create-blocks-from --max-block-duration=12h openmetrics "$text" "$blocks"
for block in "$blocks"*/; do
    echo "uploading ${block%/}"
    MIMIR_API_KEY=$password "$mimirtool" backfill --address="$url" --id="$user" "${block%/}"
done
[ "${PROMFILL_KEEP:-0}" = 1 ] || empty_blocks
