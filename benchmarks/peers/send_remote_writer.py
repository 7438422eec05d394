"""Ready-made values sent by PyPI's prometheus-remote-writer, a few whole series a request.

    .peers/remote-writer/bin/python benchmarks/peers/send_remote_writer.py URL VALUES SERIES STEPS START

VALUES: a file of float64, series by series; START in Unix seconds, steps of five minutes.
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
    together = max(1, REQUEST_SAMPLES // steps)
    with path.open("rb") as file, RemoteWriter(url=url) as writer:
        for first in range(0, series, together):
            writer.send([item(file, number, times) for number in range(first, min(first + together, series))])


def item(file, number, times):
    """The next series of the file, as the library takes it."""
    values = array("d")
    values.fromfile(file, len(times))
    labels = {"cpu": "total", "instance": f"peer-{number}", "job": "node", "tenant_uuid": "abc123", "uuid": "device-1"}
    return {"metric": {"__name__": "vpn", **labels}, "values": values.tolist(), "timestamps": times}


if __name__ == "__main__":
    main()
