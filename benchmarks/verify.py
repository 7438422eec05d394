"""Verify: whole comparisons against reading the same answers and discarding them, and the command's memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import snappy

from benchmarks.harness import Case, Ratio, Result, main
from benchmarks.processes import run_process
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.operations.verify import verify
from promfill.pb.remote_read_pb2 import LabelMatcher, Query, ReadRequest
from promfill.sources.generated import Source
from promfill.stores.api import Api
from promfill.stores.find import open_store
from tests.support.servers import Server, start_prometheus, start_victoriametrics
from tests.support.sources import source_of

LABELS, SERIES = "host=host-{1..1000},job=node", 1_000
Read = Callable[[Server, Source], None]


def cases(quick: bool) -> Iterator[Case]:
    """Three weeks of a thousand series; a week in the short form."""
    steps = 2_016 if quick else 6_048
    yield Verify("verify_prometheus", start_prometheus, read_chunks, steps)
    yield Verify("verify_victoriametrics", start_victoriametrics, read_export, steps)
    yield VerifyMemory("verify_memory", steps)


@dataclass(frozen=True, slots=True)
class Verify:
    """A whole comparison, as a share of the speed at which its answers can be read from the same server."""

    name: str
    start: Callable[[Path], Server]
    read: Read
    steps: int

    def measure(self) -> Result:
        """Push once, then read and compare in turns. RuntimeError if the store does not hold the push."""
        source = source_of(LABELS, self.steps)
        with ExitStack() as stack:
            server = pushed(stack, self.start, source)
            api = Api(stack.enter_context(make_client(build_destination(server.url, environment={}))))
            return Ratio(
                self.name, lambda: compare(source, api), lambda: self.read(server, source), source.samples
            ).measure()


@dataclass(frozen=True, slots=True)
class VerifyMemory:
    """The memory of the command itself, against a Prometheus."""

    name: str
    steps: int

    def measure(self) -> Result:
        """One run."""
        source = source_of(LABELS, self.steps)
        with ExitStack() as stack:
            server = pushed(stack, start_prometheus, source)
            command = promfill("verify", source, "--query-url", server.url)
            return Result(self.name, run_process(command, watch=True).peak_mb, "MB")


def pushed(stack: ExitStack, start: Callable[[Path], Server], source: Source) -> Server:
    """A server that holds the push, until the stack ends."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    server = stack.enter_context(start(Path(folder) / "data"))
    url = f"{server.url}/api/v1/write"
    subprocess.run(promfill("push", source, "--mode", "remote-write", "--remote-write-url", url, "-q"), check=True)
    return server


def promfill(command: str, source: Source, *options: str) -> list[str]:
    """A command line for this source."""
    end = str(source.grid.time(source.grid.steps) // 1000)
    what = ("--metric-name", "m", "--labels", LABELS, "--start", str(source.grid.start // 1000), "--end", end)
    return [sys.executable, "-m", "promfill", command, *what, *options]


def compare(source: Source, api: Api) -> None:
    """The measured comparison."""
    report = verify(source, open_store(api))
    if not report.right:
        raise RuntimeError(f"{report.store} does not hold the push: {report.faults}")


def read_chunks(server: Server, source: Source) -> None:
    """Read by remote read, and discard."""
    query = Query(
        start_timestamp_ms=source.grid.start,
        end_timestamp_ms=source.grid.last,
        matchers=[LabelMatcher(name="__name__", value="m")],
    )
    body = ReadRequest(queries=[query], accepted_response_types=[ReadRequest.STREAMED_XOR_CHUNKS])
    drain(httpx.Request("POST", f"{server.url}/api/v1/read", content=snappy.compress(body.SerializeToString())))


def read_export(server: Server, source: Source) -> None:
    """Read the export, and discard it."""
    httpx.get(f"{server.url}/internal/force_flush", trust_env=False)
    times = {"start": source.grid.start / 1000, "end": source.grid.last / 1000}
    drain(httpx.Request("GET", f"{server.url}/api/v1/export", params={"match[]": "m", "nocache": 1, **times}))


def drain(request: httpx.Request) -> None:
    """Read the whole answer, without compression, and discard it."""
    request.headers["Accept-Encoding"] = "identity"
    with httpx.Client(trust_env=False, timeout=60) as client:
        response = client.send(request, stream=True)
        if response.status_code != 200 or not sum(map(len, response.iter_raw(1 << 18))):
            raise RuntimeError(f"the answer is {response.status_code}")
        response.close()


if __name__ == "__main__":
    main(cases)
