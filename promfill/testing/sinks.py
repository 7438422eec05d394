"""Check a sink: its tiles cover every sample, it keeps no arrays of a batch, and it leaves no half-written output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from promfill.model.grid import Grid, Tile
from promfill.model.types import BoolArray
from promfill.protocols import Sink, SinkReport, Source
from promfill.testing.checks import check

MakeSink = Callable[[Path], Sink]
"""Makes a new sink that writes into the given folder, which is empty."""

Arrived = Callable[[Path], Mapping[str, object]]
"""Returns what the sink of a folder has made visible, by name: the bytes of a file, or the samples of a request."""


def files(folder: Path) -> Mapping[str, object]:
    """The bytes of every file below a folder, by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_sink(make_sink: MakeSink, source: Source, folder: Path, *, arrived: Arrived = files) -> None:
    """Check a sink: push a small source several times, each time into a new folder below `folder`.

    make_sink: makes a sink for such a folder. arrived: returns what the sink has made visible, by default the files of
    the folder; equal pushes must give equal results. AssertionError: the sink breaks a rule.
    """
    places = _folders(folder)
    _check_tiles(make_sink(next(places)), source)
    _check_estimate(make_sink, source, next(places), arrived)
    whole = _check_push(make_sink, source, next(places), arrived)
    place = next(places)
    _run(make_sink(place), source, spoil=True)
    check(arrived(place) == whole, "a sink must not keep a batch's arrays: they are filled again after write()")
    tiles = sum(1 for _ in make_sink(next(places)).tiles())
    for count in sorted({0, 1, tiles // 2, tiles - 1, tiles}):
        _check_abort(make_sink, source, next(places), arrived, whole, count)


def _folders(folder: Path) -> Iterator[Path]:
    number = 0
    while True:
        number += 1
        place = folder / f"push-{number}"
        place.mkdir(parents=True)
        yield place


def _check_tiles(sink: Sink, source: Source) -> None:
    """Check that the tiles cover every sample exactly once."""
    grid: Grid = source.grid
    asked: BoolArray = np.zeros((grid.steps, len(source.fleet)), np.bool_)
    for tile in sink.tiles():
        end_step, end_series = tile.first_step + tile.steps, tile.first_series + tile.series
        inside = 0 <= tile.first_step < end_step <= grid.steps and 0 <= tile.first_series < end_series <= asked.shape[1]
        check(inside, f"tiles() must stay within {grid.steps} steps and {asked.shape[1]} series: {tile}")
        part = asked[tile.first_step : end_step, tile.first_series : end_series]
        check(not part.any(), f"tiles() must not ask for a sample twice: {tile}")
        part[:] = True
    check(bool(asked.all()), f"tiles() must ask for every sample: {np.count_nonzero(~asked):,} were not")
    check(sink.report.samples == 0, "report must count nothing before the first write()")
    sink.abort()


def _check_estimate(make_sink: MakeSink, source: Source, place: Path, arrived: Arrived) -> None:
    sink = make_sink(place)
    tile = next(iter(sink.tiles()))
    estimate = sink.bytes_per_sample(source.batch(Tile(tile.first_step, min(tile.steps, 240), tile.first_series, 1)))
    check(0 < estimate < 1000, f"bytes_per_sample() must be a likely number of bytes, not {estimate}")
    check(not arrived(place), "bytes_per_sample() must write nothing")
    sink.abort()


def _check_push(make_sink: MakeSink, source: Source, place: Path, arrived: Arrived) -> Mapping[str, object]:
    sink = make_sink(place)
    report = _run(sink, source)
    check(report is sink.report, "commit() must return the sink's report")
    check(report.samples == source.samples, f"report must count {source.samples:,} samples, not {report.samples:,}")
    check(report.bytes > 0, "report must count bytes")
    for path in report.paths:
        check(path.exists(), f"report names {path}, which is not there")
        check(path.is_relative_to(place), f"report names {path}, which is not below {place}")
    found = arrived(place)
    check(bool(found), "nothing has arrived after commit()")
    return found


def _run(sink: Sink, source: Source, *, spoil: bool = False) -> SinkReport:
    """Push everything. spoil: overwrite the values of each batch after the sink has written it."""
    before = 0
    for tile in sink.tiles():
        batch = source.batch(tile)
        sink.write(batch)
        if spoil:
            batch.values[:] = np.nan
        check(sink.report.samples >= before, "report must not count backwards")
        before = sink.report.samples
    return sink.commit()


def _check_abort(
    make_sink: MakeSink, source: Source, place: Path, arrived: Arrived, whole: Mapping[str, object], count: int
) -> None:
    """Abort a push after `count` tiles, and check that each visible output is equal to that of the whole push."""
    sink = make_sink(place)
    for tile in islice(sink.tiles(), count):
        sink.write(source.batch(tile))
    sink.abort()
    left = arrived(place)
    half = [name for name, content in left.items() if whole.get(name) != content]
    check(not half, f"abort() after {count} tiles must leave nothing half written: {', '.join(half[:3])}")
    for path in sink.report.paths:
        check(path.exists(), f"abort() after {count} tiles: report names {path}, which is not there")
    check(sink.report.samples <= source.samples, "report must not count more than was written")
