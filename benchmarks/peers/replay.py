"""Send ready-made requests over one connection: the pace at which a receiver takes them.

    python benchmarks/peers/replay.py HOST:PORT BODIES

BODIES: the compressed messages, each behind its length in four bytes, little-endian. Prints the seconds from the first
connection to the last answer: what Python takes to start is not in them.
"""

import http.client
import sys
import time
from pathlib import Path

HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


def main() -> None:
    """Post them all, one after the other."""
    begin = time.perf_counter()
    connection = http.client.HTTPConnection(sys.argv[1])
    with Path(sys.argv[2]).open("rb") as bodies:
        while length := bodies.read(4):
            connection.request("POST", "/api/v1/write", bodies.read(int.from_bytes(length, "little")), HEADERS)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 204:
                raise SystemExit(f"a replayed request was answered {answer.status}")
    print(time.perf_counter() - begin)


if __name__ == "__main__":
    main()
