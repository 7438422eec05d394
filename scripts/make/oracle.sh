#!/bin/sh
# Give the tests mockseries, the oracle of the default signal, in .oracle: it pins libraries that want Python below 3.13.
# Golden files stand in where it cannot be had; in CI a failing installation is a failure.
install_oracle() {
    sh scripts/make/venv.sh .oracle 3.12 &&
        .oracle/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
            -r tests/oracle/requirements.txt && touch .oracle/.installed
}

if ! sh scripts/make/find-python.sh 3.12 >/dev/null 2>&1; then
    echo "No Python 3.11 or 3.12 for the oracle mockseries: its tests are skipped, golden files stand in."
elif ! install_oracle; then
    echo "The oracle mockseries could not be installed${CI:+, and CI is set}: golden files stand in for it." >&2
    rm -rf .oracle
    [ -z "$CI" ]
fi
