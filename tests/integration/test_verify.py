"""verify against real stores: it finds each thing that can be wrong, and nothing where nothing is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from promfill.errors import RefusedError
from promfill.model.batch import LabelSet
from promfill.model.grid import Grid
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.operations.verify import VerifyReport, verify
from promfill.pb.remote_read_pb2 import ReadRequest
from promfill.pipeline.push import push
from promfill.scenario.scenario import Signal
from promfill.sinks.blocks import BlockSink
from promfill.sources.generated import Source
from promfill.stores.api import Api
from promfill.stores.blocks import BlockStore
from promfill.stores.find import open_store
from promfill.stores.query import QueryStore
from promfill.stores.remote_read import RemoteReadStore
from promfill.stores.victoriametrics import VictoriaMetricsStore
from tests.support import readback
from tests.support.cli import runner
from tests.support.comparison_reference import as_bits, as_float
from tests.support.injection import make_blocks, send
from tests.support.pushes import scenario
from tests.support.receiver import Answer, Receiver, Taken
from tests.support.servers import Server, start_prometheus, start_victoriametrics

pytestmark = pytest.mark.server

STEP = 300_000
START = int(time.time()) * 1000 // STEP * STEP - 90 * STEP - 40 * 86_400_000
GRID = Grid(START, STEP, 150)
Samples = dict[LabelSet, list[tuple[int, int]]]
Fault = Callable[[Samples], None]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that takes the cases one after the other, each of the same times as the last."""
    config = "storage:\n  tsdb:\n    out_of_order_time_window: 2d\n"
    with start_prometheus(tmp_path_factory.mktemp("verify") / "prometheus", config=config) as server:
        yield server


@pytest.fixture(scope="module")
def victoriametrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_victoriametrics(tmp_path_factory.mktemp("verify") / "vm") as server:
        yield server


def source_of(case: str, signal: Signal | None = None) -> Source:
    """12 series that no other case has: the case is one of their labels."""
    return Source(scenario("m", f'host={{1..6}},zone={{a,"é\\" x"}},case={case}'.replace('"', ""), GRID, signal))


def api_of(server: Server, prefix: str = "") -> Api:
    return Api(make_client(build_destination(server.url + prefix)))


def samples_of(source: Source) -> Samples:
    return {labels: list(samples.items()) for labels, samples in readback.of_source(source).items()}


def third(samples: Samples) -> list[tuple[int, int]]:
    return samples[list(samples)[3]]


def nothing(samples: Samples) -> None:
    pass


def one_bit(samples: Samples) -> None:
    time, bits = third(samples)[40]
    third(samples)[40] = (time, bits ^ 1)


def by_a_billionth(samples: Samples) -> None:
    time, bits = third(samples)[40]
    third(samples)[40] = (time, as_bits(as_float(bits) * (1 + 1e-9)))


def one_removed(samples: Samples) -> None:
    del third(samples)[40]


def one_added(samples: Samples) -> None:
    third(samples).insert(41, (GRID.time(40) + 1_000, as_bits(5.0)))


def series_missing(samples: Samples) -> None:
    del samples[list(samples)[3]]


def series_too_many(samples: Samples) -> None:
    labels = dict(next(iter(samples))) | {"host": "7"}
    samples[tuple(sorted(labels.items()))] = [(GRID.time(40), as_bits(5.0))]


def one_doubled(samples: Samples) -> None:
    third(samples).insert(41, third(samples)[40])


T40 = GRID.time(40)
FAULTS: list[tuple[Fault, dict[str, int], tuple[int, int]]] = [
    (nothing, {}, (0, 0)),
    (one_bit, {"different": 1}, (T40, T40)),
    (one_removed, {"missing": 1}, (T40, T40)),
    (one_added, {"unexpected": 1}, (T40 + 1_000, T40 + 1_000)),
    (series_missing, {"missing": 150}, (GRID.start, GRID.last)),
    (series_too_many, {"unexpected": 1}, (T40, T40)),
]
VM_FAULTS = [
    FAULTS[0],
    (by_a_billionth, {"different": 1}, (T40, T40)),
    *FAULTS[2:],
    (one_doubled, {"doubled": 1}, (T40, T40)),
]


def check(report: VerifyReport, expected: dict[str, int], when: tuple[int, int]) -> None:
    assert {name: fault.samples for name, fault in report.faults.items() if fault.samples} == expected
    assert [fault.ranges.first(9) for fault in report.faults.values() if fault.samples] == [[when]] * len(expected)
    assert report.tally.found == 1_800 - expected.get("missing", 0) - expected.get("different", 0)
    assert report.right is (not expected)
    assert report.stranger_count == (1 if "unexpected" in expected and when == (T40, T40) else 0)


@pytest.mark.parametrize(("fault", "expected", "when"), FAULTS)
def test_prometheus(prometheus: Server, fault: Fault, expected: dict[str, int], when: tuple[int, int]) -> None:
    source = source_of(fault.__name__)
    samples = samples_of(source)
    fault(samples)
    send(prometheus.url, samples)
    report = verify(source, open_store(api_of(prometheus)))
    assert report.rule == "by bits"
    check(report, expected, when)
    by_query = verify(source, QueryStore(api_of(prometheus), "Prometheus"))
    assert "staleness" in by_query.unchecked
    check(by_query, expected, when)


@pytest.mark.parametrize(("fault", "expected", "when"), VM_FAULTS)
def test_victoriametrics(
    victoriametrics: Server, fault: Fault, expected: dict[str, int], when: tuple[int, int]
) -> None:
    source = source_of(fault.__name__)
    samples = samples_of(source)
    fault(samples)
    send(victoriametrics.url, samples)
    report = verify(source, open_store(api_of(victoriametrics, "/prometheus")))
    assert "VictoriaMetrics's rounding" in report.rule
    assert report.tally.rounded > 1_000
    check(report, expected, when)


@pytest.mark.parametrize("signal", [Signal(resolution=2.0**-7), Signal(decimals=3), Signal(decimals=10)], ids=repr)
def test_victoriametrics_keeps_values_of_few_digits_by_bits(victoriametrics: Server, signal: Signal) -> None:
    source = source_of(f"bits{signal.decimals}", signal)
    send(victoriametrics.url, samples_of(source))
    report = verify(source, open_store(api_of(victoriametrics)))
    assert report.right
    assert report.rule == "by bits"
    assert report.tally.rounded == 0


@pytest.mark.parametrize(("fault", "expected", "when"), FAULTS)
def test_blocks(tmp_path: Path, fault: Fault, expected: dict[str, int], when: tuple[int, int]) -> None:
    source = source_of(fault.__name__)
    samples = samples_of(source)
    fault(samples)
    make_blocks(tmp_path / "data", samples)
    check(verify(source, BlockStore(tmp_path / "data")), expected, when)


def test_blocks_of_our_own_of_any_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promfill.stores.blocks._OPEN_BLOCKS", 2)
    source = source_of("own")
    push(source, BlockSink(source.fleet, source.grid, source.identity(), tmp_path, duration=7_200_000))
    store = BlockStore(tmp_path)
    assert verify(source, store).right
    block = min(tmp_path.iterdir())
    assert verify(source, BlockStore(block)).tally.found == source.samples - verify(source, BlockStore(block)).missing
    block.rename(tmp_path / "gone")
    assert not verify(source, BlockStore(tmp_path)).right


def test_blocks_that_hold_everything_twice(tmp_path: Path) -> None:
    source = source_of("twice")
    for duration, identity in ((7_200_000, b"one"), (86_400_000, b"another")):  # never a block of the same name
        push(source, BlockSink(source.fleet, source.grid, identity, tmp_path, duration=duration))
    report = verify(source, BlockStore(tmp_path))
    assert (report.tally.found, report.tally.doubled.samples) == (1_800, 1_800)


def test_labels_that_prometheus_adds_to_its_answers(tmp_path: Path) -> None:
    config = "global: {external_labels: {cluster: c, zone: elsewhere}}\n"
    with start_prometheus(tmp_path / "data", config=config) as server:
        source = source_of("external")
        send(server.url, samples_of(source))
        assert verify(source, open_store(api_of(server))).right


def test_staleness_markers_and_nans_are_seen_by_remote_read(prometheus: Server) -> None:
    source = source_of("nan")
    samples = samples_of(source)
    third(samples)[40] = (T40, 0x7FF0000000000002)
    send(prometheus.url, samples)
    check(verify(source, open_store(api_of(prometheus))), {"different": 1}, (T40, T40))


@pytest.mark.parametrize("samples", [12, 13, 300, 1_799, 1_800])
def test_a_remote_read_that_is_cut_at_a_size_is_asked_for_less(prometheus: Server, samples: int) -> None:
    """As Mimir 3.0 answers more than 100 MiB: 413, before a byte of the series."""
    source = source_of(f"cut{samples}")
    send(prometheus.url, samples_of(source))
    asked: list[int] = []

    def answer(taken: Taken) -> Answer:
        headers = {"Content-Type": taken.headers.get("content-type", ""), "Content-Encoding": "snappy"}
        if taken.path == "/api/v1/read":
            query = ReadRequest.FromString(taken.message).queries[0]
            steps = (min(query.end_timestamp_ms, GRID.last) - query.start_timestamp_ms) // STEP + 1
            asked.append(12 * steps)
            if query.end_timestamp_ms and asked[-1] > samples:
                return Answer(413, b"received message larger than max (104886573 vs. 104857600)\n")
        url = f"{prometheus.url}{taken.path}"
        passed = httpx.request(taken.method, url, content=taken.body, headers=headers, trust_env=False)
        return Answer(passed.status_code, passed.content, {"Content-Type": passed.headers["Content-Type"]})

    with Receiver(answer) as mimir:
        api = Api(make_client(build_destination(mimir.url.removesuffix("/api/v1/write"))))
        check(verify(source, RemoteReadStore(api, "Mimir")), {}, (0, 0))
    assert sum(steps > samples for steps in asked) <= 8
    assert sum(steps for steps in asked if steps <= samples) == 1_800


def test_a_query_of_too_many_samples_is_asked_in_parts(tmp_path: Path) -> None:
    with start_prometheus(tmp_path / "data", "--query.max-samples=1000") as server:
        source = source_of("max-samples")
        send(server.url, samples_of(source))
        check(verify(source, QueryStore(api_of(server), "Prometheus")), {}, (0, 0))


def test_a_limit_of_series_is_told_in_the_servers_words(tmp_path: Path) -> None:
    """Less time does not help: the end is soon, and the long story before the words is left out."""
    with start_victoriametrics(tmp_path / "vm", "-search.maxExportSeries=5", "-search.maxUniqueTimeseries=5") as server:
        source = source_of("series-limit")
        send(server.url, samples_of(source))
        with pytest.raises(RefusedError) as error:
            verify(source, VictoriaMetricsStore(api_of(server)))
    told = str(error.value)
    assert "answered 400 Bad Request: … " in told
    assert "exceeds 5; either narrow down the search or increase -search.max" in told
    assert told.endswith("(asked for one step of all series): raise that limit of the server's")
    assert len(told) < 600


@pytest.mark.parametrize("flags", [("-forceFlushAuthKey=x",), ("-forceFlushAuthKey=x", "-metricsAuthKey=y")])
def test_a_victoriametrics_that_is_not_ours_to_flush_is_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    with start_victoriametrics(tmp_path / "vm", *flags) as server:
        write = f"{server.url}/api/v1/write"
        to = ("--mode", "remote-write", "--remote-write-url", write, "--verify", "--json")
        what = ("push", "--metric-name", "late", "--labels", "i={1..20}", "--start", "now-2d")
        pushed = runner(capsys)(*what, *to)
    assert pushed.code == 0, pushed.err
    assert pushed.json["verified"]["missing"] == pushed.json["verified"]["not_yet_visible"] == 0
    assert ("waiting up to" in pushed.err) == (pushed.json["verified"]["waited_seconds"] > 0)
