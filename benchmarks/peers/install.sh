#!/bin/sh
# install.sh NAME…: give each peer of the benchmarks an environment of its own, .peers/NAME, as requirements/NAME.txt locks it.
# What cannot be had is told and left missing: the benchmarks name it then. Run from the project's root.
here=benchmarks/peers

newest_python() {
    case $1 in
    original) echo 3.12 ;; # numpy 1.26 and SciPy 1.11 have no wheels for later ones
    *) echo 3.14 ;;
    esac
}

install_peer() {
    sh scripts/make/venv.sh ".peers/$1" "$(newest_python "$1")" &&
        ".peers/$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
            -r "$here/requirements/$1.txt" &&
        cp "$here/requirements/$1.txt" ".peers/$1/.installed"
}

for name in "$@"; do
    cmp -s "$here/requirements/$name.txt" ".peers/$name/.installed" || install_peer "$name" ||
        echo "The peer $name could not be installed: the benchmarks say so, and go on without it." >&2
done
exit 0
