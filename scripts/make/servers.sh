#!/bin/sh
# Install the servers that the tests push to, where they are missing: on Debian as root with apt, elsewhere say how.
# Tests that miss one are skipped, and fail where CI is set.
packages=""
command -v promtool >/dev/null && command -v prometheus >/dev/null || packages="prometheus"
command -v victoria-metrics >/dev/null && command -v vmagent >/dev/null || packages="$packages victoria-metrics"
[ -n "$packages" ] || exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "Tests against real servers are skipped. They want promtool, prometheus, victoria-metrics and vmagent in PATH:"
    echo "  Debian: sudo apt-get install prometheus victoria-metrics      macOS: brew install prometheus victoriametrics"
    exit 0
fi

export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; }; then
    echo "apt-get could not install:$packages" >&2
    [ -z "$CI" ]
    exit
fi
# The packages were not there a moment ago: whatever runs as their service was started by their installation.
for service in $packages; do
    service "$service" stop >/dev/null 2>&1 || true
done
