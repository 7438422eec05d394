"""Every source and every sink of ours passes the suites of `promfill.testing`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from promfill.model.grid import Tile
from promfill.net.destination import Destination, Secret
from promfill.net.http import make_client
from promfill.pipeline.push import push
from promfill.protocols import Sink
from promfill.sinks import blocks, openmetrics
from promfill.sinks.blocks import BlockSink
from promfill.sinks.openmetrics import OpenMetricsSink
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from promfill.sources.generated import Source
from promfill.testing import MemorySink, check_sink, check_source
from promfill.vendors.script import Script, ScriptAccess, ScriptSink
from tests.support.receiver import Receiver
from tests.support.remote_write import read_request
from tests.support.sources import source_of

SOURCES = {
    "one series": source_of("", 700),
    "fleet": source_of("instance=h-{1..13},zone={eu,us}", 300),
    "one step": source_of("instance=h-{1..13}", 1),
    "snapped": source_of("instance=h-{1..3}", 300, signal={"resolution": 0.25}),
    "rounded": source_of("instance=h-{1..3}", 300, signal={"decimals": 1}),
    "stale at its end": source_of("instance=h-{1..3}", 300, stale_at_end=True),
    "without a season": source_of("instance=h-{1..3}", 300, signal={"seasonality": "none", "noise_std": 0.0}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_generated_source_conforms(name: str) -> None:
    check_source(SOURCES[name])


@pytest.mark.parametrize("name", ["one series", "fleet", "one step"])
@pytest.mark.parametrize("samples", [100, 600_000])
def test_blocks_conform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, samples: int) -> None:
    monkeypatch.setattr(blocks, "TILE_SAMPLES", samples)
    source = SOURCES[name]

    def make(folder: Path) -> Sink:
        identity = source.identity()
        return BlockSink(source.fleet, source.grid, identity, folder, duration=7_200_000)

    check_sink(make, source, tmp_path)


@pytest.mark.parametrize("name", ["one series", "fleet", "one step"])
@pytest.mark.parametrize("samples", [100, 600_000])
def test_texts_conform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, samples: int) -> None:
    monkeypatch.setattr(openmetrics, "TILE_SAMPLES", samples)
    source = SOURCES[name]

    def make(folder: Path) -> Sink:
        return OpenMetricsSink(source.fleet, source.grid, "m", "", "", folder)

    check_sink(make, source, tmp_path)


def test_scripts_conform(tmp_path: Path) -> None:
    source = SOURCES["fleet"]
    script = tmp_path / "backfill.sh"
    script.write_text('#!/bin/sh\ncp "$4/$6" "$4/uploaded"\n')
    script.chmod(0o755)

    def make(folder: Path) -> Sink:
        text = OpenMetricsSink(source.fleet, source.grid, "m", "", "", folder)
        access = ScriptAccess("http://127.0.0.1:9", "user", Secret("made up"))
        return ScriptSink(text, Script(script, marked=True), access, keep=False, to_stderr=True)

    check_sink(make, source, tmp_path / "pushes")


@pytest.mark.parametrize("name", ["one series", "fleet", "one step"])
def test_remote_write_conforms(tmp_path: Path, name: str) -> None:
    source = SOURCES[name]
    receivers: dict[Path, Receiver] = {}

    def make(folder: Path) -> Sink:
        receiver = receivers.setdefault(folder, Receiver())
        receiver.__enter__()
        sending = Sending(limits=Limits(samples=50), protocol="1.0", lanes=2)
        return open_remote_write(source, lambda: make_client(Destination(receiver.url), 10.0), sending, None)

    def arrived(folder: Path) -> Mapping[str, object]:
        held = [read_request(taken.message) for taken in receivers[folder].taken]
        return {f"{labels} {time}": bits for one in held for labels, run in one.items() for time, bits in run}

    try:
        check_sink(make, source, tmp_path, arrived=arrived)
    finally:
        for receiver in receivers.values():
            receiver.__exit__()


@pytest.mark.parametrize("samples", [100, 600_000])
def test_the_memory_sink_conforms(tmp_path: Path, samples: int) -> None:
    source = SOURCES["fleet"]
    sinks: dict[Path, MemorySink] = {}

    def make(folder: Path) -> Sink:
        sinks[folder] = MemorySink(source.fleet, source.grid, samples)
        return sinks[folder]

    def arrived(folder: Path) -> Mapping[str, object]:
        return {str(number): batch.values.tobytes() for number, batch in enumerate(sinks[folder].batches)}

    check_sink(make, source, tmp_path, arrived=arrived)


def test_the_memory_sink_holds_the_plane() -> None:
    source = SOURCES["fleet"]
    sink = MemorySink(source.fleet, source.grid, 1000)
    report = push(source, sink)
    assert sink.committed
    assert not sink.aborted
    assert report.samples == source.samples
    assert np.array_equal(sink.values, source.batch(Tile(0, 300, 0, 26)).values)


class _Wrapped:
    """A source that answers as another does, but for one thing."""

    def __init__(self, source: Source, **other: Any) -> None:
        self.source, self.other = source, other

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("source", "other"):
            raise AttributeError(name)
        return self.other[name] if name in self.other else getattr(self.source, name)


class _Drifts(_Wrapped):
    """Each answer differs from the one before."""

    asked = 0

    def batch(self, tile: Tile) -> Any:
        self.asked += 1
        batch = self.source.batch(tile)
        batch.values[-1, -1] += self.asked * 1e-9
        return batch


class _Reshapes(_Wrapped):
    """Answers the transposed plane, in C order."""

    def batch(self, tile: Tile) -> Any:
        batch = self.source.batch(tile)
        return type(batch)(batch.fleet, batch.first_series, batch.timestamps, np.ascontiguousarray(batch.values.T))


class _Shifts(_Wrapped):
    """The times of its tiles begin at the plane's."""

    def batch(self, tile: Tile) -> Any:
        batch = self.source.batch(tile)
        times = self.source.timestamps(0, tile.steps)
        return type(batch)(batch.fleet, batch.first_series, times, batch.values)


class _CountsFromTheTile(_Wrapped):
    """Its values depend on where the tile begins: any tiling that is not the plane's differs."""

    def batch(self, tile: Tile) -> Any:
        return self.source.batch(Tile(0, tile.steps, tile.first_series, tile.series))


class _MisplacesValues(_Wrapped):
    """Its times are right, and its values those of the plane's first steps."""

    def batch(self, tile: Tile) -> Any:
        batch = self.source.batch(Tile(0, tile.steps, tile.first_series, tile.series))
        times = self.source.timestamps(tile.first_step, tile.steps)
        return type(batch)(batch.fleet, batch.first_series, times, batch.values)


class _FloatTimes(_Wrapped):
    """Its times are floats."""

    def batch(self, tile: Tile) -> Any:
        batch = self.source.batch(tile)
        return type(batch)(batch.fleet, batch.first_series, batch.timestamps.astype(float), batch.values)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (_Drifts(SOURCES["fleet"]), "bits of the whole plane"),
        (_Reshapes(SOURCES["fleet"]), "values must be"),
        (_Shifts(SOURCES["fleet"]), "timestamps must be from"),
        (_CountsFromTheTile(SOURCES["fleet"]), "timestamps must be from"),
        (_MisplacesValues(SOURCES["fleet"]), "the tile .* must hold the bits"),
        (_FloatTimes(SOURCES["fleet"]), "timestamps must be int64"),
        (_Wrapped(SOURCES["fleet"], samples=3), "samples"),
        (_Wrapped(SOURCES["fleet"], identity=lambda: b"short"), "32 bytes"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, _Wrapped) else value,
)
def test_a_source_that_breaks_a_rule_is_told(source: Any, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_source(source)


class _Faulty(MemorySink):
    """A sink with one fault."""

    def __init__(self, fault: str, folder: Path) -> None:
        source = SOURCES["fleet"]
        super().__init__(source.fleet, source.grid, 1000)
        self.fault, self.folder = fault, folder

    def tiles(self) -> Any:
        tiles = list(super().tiles())
        match self.fault:
            case "forgets a tile":
                return iter(tiles[:-1])
            case "asks twice":
                return iter([*tiles, tiles[0]])
            case "asks beyond":
                return iter([*tiles, Tile(300, 1, 0, 1)])
        return iter(tiles)

    def write(self, batch: Any) -> None:
        super().write(batch)
        if self.fault == "keeps arrays":
            self.batches[-1] = batch
        if self.fault == "does not count":
            self.report.samples = 0
        if self.fault == "names what is not there":
            self.report.paths.append(self.folder / "none")
        if self.fault == "writes elsewhere":
            self.report.paths.append(Path(__file__))

    def commit(self) -> Any:
        report = super().commit()
        return type(report)(report.samples, report.bytes) if self.fault == "another report" else report

    def bytes_per_sample(self, batch: Any) -> float:
        if self.fault == "writes an estimate":
            self.write(batch)
        return 0.0 if self.fault == "no estimate" else 8.0

    def abort(self) -> None:
        super().abort()
        if self.fault == "leaves half":
            self.batches.append(SOURCES["one series"].batch(Tile(0, 1, 0, 1)))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("forgets a tile", "ask for every sample"),
        ("asks twice", "sample twice"),
        ("asks beyond", "stay within"),
        ("keeps arrays", "keep a batch's arrays"),
        ("does not count", "report must count"),
        ("names what is not there", "which is not there"),
        ("writes elsewhere", "not below"),
        ("another report", "return the sink's report"),
        ("writes an estimate", "write nothing"),
        ("no estimate", "likely number"),
        ("leaves half", "nothing half written"),
    ],
)
def test_a_sink_that_breaks_a_rule_is_told(tmp_path: Path, fault: str, words: str) -> None:
    sinks: dict[Path, _Faulty] = {}

    def make(folder: Path) -> Sink:
        sinks[folder] = _Faulty(fault, folder)
        return sinks[folder]

    def arrived(folder: Path) -> Mapping[str, object]:
        return {str(number): batch.values.tobytes() for number, batch in enumerate(sinks[folder].batches)}

    with pytest.raises(AssertionError, match=words):
        check_sink(make, SOURCES["fleet"], tmp_path, arrived=arrived)
