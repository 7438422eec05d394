"""Ready-made values sent by PyPI's prometheus-remote-writer.

    .peers/remote-writer/bin/python benchmarks/peers/send_remote_writer.py URL VALUES SERIES STEPS START ORDER

VALUES: a file of float64, series by series; START in Unix seconds, steps of five minutes. ORDER: `series` sends a few
whole series a request, `time` a window of all series, which is the order that a Prometheus takes.
"""

# mypy: ignore-errors
# Runs in its own environment, whose libraries the checks do not have.

import sys
from array import array
from pathlib import Path

from prometheus_remote_writer import RemoteWriter

REQUEST_SAMPLES = 20_000


def main() -> None:
    """Send them all."""
    url, path, series, steps, start = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:6])
    times = [1000 * (start + 300 * step) for step in range(steps)]
    values = array("d", path.read_bytes())
    columns = [values[first : first + steps].tolist() for first in range(0, series * steps, steps)]
    with RemoteWriter(url=url) as writer:
        for rows, window in requests(sys.argv[6], series, steps):
            writer.send([item(number, columns[number][window], times[window]) for number in rows])


def requests(order, series, steps):
    """(numbers of the series, slice of the steps) of each request."""
    if order == "series":
        together = max(1, REQUEST_SAMPLES // steps)
        return [(range(at, min(at + together, series)), slice(None)) for at in range(0, series, together)]
    together = max(1, REQUEST_SAMPLES // series)
    return [(range(series), slice(at, at + together)) for at in range(0, steps, together)]


def item(number, values, times):
    """One series, as the library takes it."""
    labels = {"cpu": "total", "instance": f"peer-{number}", "job": "node", "tenant_uuid": "abc123", "uuid": "device-1"}
    return {"metric": {"__name__": "vpn", **labels}, "values": values, "timestamps": times}


if __name__ == "__main__":
    main()
