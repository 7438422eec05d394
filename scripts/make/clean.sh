#!/bin/sh
# Remove what promfill generated: the paths in .promfill/made, one a line, and the list. Nothing else.
list=.promfill/made
here=$(pwd -P)
unset CDPATH

# Whether the path is no proper target: nothing, a way up, or a folder that the working directory lies in.
is_unsafe() {
    case "/$1/" in
    // | */../*) return 0 ;;
    esac
    target=$(cd -P -- "$1" 2>/dev/null && pwd -P) || return 1
    case "$here/" in
    "${target%/}/"*) return 0 ;;
    esac
    return 1
}

if [ ! -f "$list" ]; then
    echo "Nothing to remove: promfill keeps what it makes in $list, and there is none here."
    exit 0
fi
while IFS= read -r path || [ -n "$path" ]; do
    if is_unsafe "$path"; then
        echo "Not removed, since it is no file of promfill's: '$path'" >&2
    elif [ -e "$path" ] || [ -L "$path" ]; then
        rm -rf -- "$path" && echo "Removed $path"
    fi
done <"$list"
rm -f "$list"
rmdir .promfill 2>/dev/null || true
