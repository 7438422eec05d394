#!/bin/sh
# Turns an OpenMetrics file into TSDB blocks, and uploads them to a Mimir.
#
#   backfill.sh URL USER PASSWORD UTILS_DIR /METRIC_backfill_data/ FILE_NAME
#
# promtool and mimirtool are looked for in UTILS_DIR first, then in PATH; where one is missing, promfill does its work.
# The working directory stays the caller's.
# promfill: secrets by environment
# (The line above asks promfill for the password in PROMFILL_PASSWORD, and an empty third argument, so that no list of
# processes shows it. PROMFILL_KEEP=1 keeps the blocks after the upload. PROMFILL_PYTHON and PROMFILL_HOME say where
# promfill is; without them it is looked for in PATH.)
set -eu

case $#${5:-} in
6/?*_backfill_data/) ;;
*)
    echo "usage: backfill.sh URL USER PASSWORD UTILS_DIR /METRIC_backfill_data/ FILE_NAME" >&2
    exit 2
    ;;
esac
url=$1 user=$2 password=${PROMFILL_PASSWORD:-$3} utils=$4 blocks=$4$5 text=$4/$6
unset PROMFILL_PASSWORD

find_tool() {
    if [ -f "$utils/$1" ] && [ -x "$utils/$1" ]; then
        echo "$utils/$1"
    else
        command -v "$1" || true
    fi
}

run_promfill() {
    if [ -n "${PROMFILL_PYTHON:-}" ]; then
        PYTHONSAFEPATH=1 PYTHONPATH=${PROMFILL_HOME:-}${PYTHONPATH:+:$PYTHONPATH} "$PROMFILL_PYTHON" -m promfill "$@"
    elif command -v promfill >/dev/null; then
        promfill "$@"
    else
        echo "backfill.sh: no promtool, mimirtool or promfill in $utils or in PATH: put them there" >&2
        return 1
    fi
}

empty_blocks() {
    rm -rf "${blocks:?}"
    mkdir -p "$blocks"
}

make_blocks() {
    promtool=$(find_tool promtool)
    if [ -n "$promtool" ]; then
        "$promtool" tsdb create-blocks-from --max-block-duration=12h openmetrics "$text" "$blocks"
    else
        run_promfill tsdb create-blocks-from openmetrics --max-block-duration=12h "$text" "$blocks"
    fi
}

upload_blocks() {
    mimirtool=$(find_tool mimirtool)
    if [ -z "$mimirtool" ]; then
        # Empty ones win over those of a .env: the destination is the one that we were given. The user is the tenant
        # as well, as mimirtool has it: a Mimir without a gateway knows no other.
        (
            export PROMFILL_BEARER_TOKEN='' CDO_TOKEN='' PROMFILL_PASSWORD="$password"
            run_promfill upload "$blocks" --upload="$url" --username="$user" --tenant="$user" --keep
        )
        return
    fi
    for block in "$blocks"*/; do
        [ -d "$block" ] || continue
        echo "uploading ${block%/}"
        MIMIR_API_KEY=$password "$mimirtool" backfill --address="$url" --id="$user" "${block%/}"
    done
}

empty_blocks
make_blocks
upload_blocks
[ "${PROMFILL_KEEP:-0}" = 1 ] || empty_blocks
