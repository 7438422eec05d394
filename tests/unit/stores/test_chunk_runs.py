from __future__ import annotations

import itertools

import numpy as np
import pytest

from promfill.codecs.remote_read.chunk_frames import parse_frame
from promfill.model.batch import STALE_NAN_BITS, LabelSet
from promfill.model.row_finder import RowFinder
from promfill.pb.remote_read_pb2 import Chunk, ChunkedReadResponse
from promfill.scenario.label_patterns import parse_labels
from promfill.sources.expand_labels import build_fleet
from promfill.stores import chunk_runs
from promfill.stores.chunk_runs import ChunkRuns
from tests.support import chunk_stream
from tests.support.ragged_reference import runs_of
from tests.support.xor2_streams import write_xor2_chunk

FLEET = build_fleet("m", parse_labels(["host={1..9}"]).patterns)
STRANGER: LabelSet = (("__name__", "m"), ("host", "x"))
Samples = list[tuple[int, int]]


def samples(seed: int, first: int, count: int) -> Samples:
    bits = np.random.default_rng(seed).normal(20, 3, count).view(np.uint64).tolist()
    return [(1_700_000_000_000 + 1_000 * (first + step), value) for step, value in enumerate(bits)]


def chunks(seed: int, *counts: int) -> list[Samples]:
    firsts = np.cumsum([0, *counts]).tolist()
    return [samples(seed + k, first, count) for k, (first, count) in enumerate(zip(firsts, counts, strict=False))]


def held(frames: list[bytes]) -> list[tuple[int, Samples]]:
    out = []
    for readings in ChunkRuns(RowFinder(FLEET)).readings(map(parse_frame, frames)):
        strangers = iter(readings.strangers)
        for row, run in runs_of(readings.samples):
            assert row >= 0 or next(strangers) == STRANGER
            out.append((row, run))
    return out


@pytest.mark.parametrize("batch", [1, 100, 250, 10_000])
def test_series_leave_whole_however_they_come(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_runs, "BATCH_SAMPLES", batch)
    rows = [FLEET.label_set(row) for row in range(3)]
    parts = [chunks(1, 120, 3, 120, 1), chunks(10, 7), chunks(20, 30, 200), chunks(30, 2)]
    frames = [
        chunk_stream.message([(rows[0], parts[0][:1])]),
        chunk_stream.message([(rows[0], parts[0][1:3])]),
        chunk_stream.message([]),
        chunk_stream.message([(rows[0], parts[0][3:]), (rows[1], parts[1]), (rows[2], parts[2][:1])]),
        chunk_stream.message([(rows[2], parts[2][1:]), (STRANGER, parts[3])]),
    ]
    flat = [[sample for chunk in part for sample in chunk] for part in parts]
    assert held(frames) == list(zip([0, 1, 2, -1], flat, strict=True))


def test_chunks_of_many_lengths_keep_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_runs, "_DECODED", 200)
    series = [(FLEET.label_set(row), chunks(row * 50, *(1 + (row * 7 + k) % 13 for k in range(9)))) for row in range(9)]
    wanted = [(row, [sample for chunk in one for sample in chunk]) for row, (_, one) in enumerate(series)]
    assert held([chunk_stream.message(series)]) == wanted


def test_nothing_comes_of_nothing() -> None:
    assert held([]) == []
    assert held([b""]) == []


@pytest.mark.parametrize("order", ["22", "1222", "2111", "12", "1112221"])
@pytest.mark.parametrize("batch", [1, 150, 10_000])
def test_xor2_chunks_are_read_beside_others(order: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Prometheus whose encoding was changed has chunks of both, in one series too."""
    monkeypatch.setattr(chunk_runs, "BATCH_SAMPLES", batch)
    kinds = [(Chunk.XOR, Chunk.XOR2)[int(kind) - 1] for kind in order]
    series = [
        (FLEET.label_set(row), chunks(row * 50, *(1 + (row * 37 + k * 11) % 130 for k in range(7)))) for row in range(9)
    ]
    series[4][1][2] = [
        (time, STALE_NAN_BITS if place % 3 else bits) for place, (time, bits) in enumerate(series[4][1][2])
    ]
    wanted = [(row, [sample for chunk in one for sample in chunk]) for row, (_, one) in enumerate(series)]
    whole = chunk_stream.message(series, itertools.cycle(kinds))
    assert held([whole]) == wanted
    each = itertools.cycle(kinds)
    assert held([chunk_stream.message([one], each) for one in series]) == wanted


def test_xor2_chunks_with_start_times_are_read() -> None:
    """What a scrape of counters leaves: promfill reads over the start timestamps."""
    one = samples(3, 0, 200)
    message = ChunkedReadResponse.FromString(chunk_stream.message([(FLEET.label_set(2), [one])], [Chunk.XOR2]))
    chunk = message.chunked_series[0].chunks[0]
    chunk.data = write_xor2_chunk(one, [time - 5_000 * (place // 50) for place, (time, _) in enumerate(one)])
    assert held([message.SerializeToString()]) == [(2, one)]
