from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promfill.model.batch import STALE_NAN_BITS, SeriesBatch
from promfill.model.ragged_batch import RaggedBatch
from tests.support import ragged_reference as reference
from tests.support.fleets import fleet_of
from tests.support.ragged_reference import Run, batch_of, runs_of

BITS = st.one_of(st.integers(0, (1 << 64) - 1), st.sampled_from([STALE_NAN_BITS, 0x7FF8000000000001, 0, 1 << 63]))
TIMES = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, 6))
SAMPLES = st.lists(st.tuples(TIMES, BITS), max_size=6)
RUNS = st.lists(st.tuples(st.integers(-1, 4), SAMPLES), max_size=7)


@given(RUNS)
def test_a_batch_tells_its_runs(runs: list[Run]) -> None:
    batch = batch_of(runs)
    assert len(batch) == len(runs)
    assert batch.counts.tolist() == [len(samples) for _, samples in runs]
    assert batch.owners.tolist() == [at for at, (_, samples) in enumerate(runs) for _ in samples]
    assert batch.values.view(np.uint64).tolist() == [bits for _, samples in runs for _, bits in samples]
    again = RaggedBatch.of_counts(batch.rows, batch.counts, batch.times, batch.bits)
    assert runs_of(again) == runs


@given(st.lists(RUNS, max_size=4))
def test_pieces_are_joined_in_their_order(pieces: list[list[Run]]) -> None:
    assert runs_of(RaggedBatch.join([batch_of(piece) for piece in pieces])) == [
        run for piece in pieces for run in piece
    ]


@given(RUNS.flatmap(lambda runs: st.tuples(st.just(runs), picks(len(runs)))))
def test_runs_are_taken_in_any_order_and_number(picked: tuple[list[Run], list[int]]) -> None:
    runs, which = picked
    assert runs_of(batch_of(runs).take(np.array(which, np.int64))) == [runs[at] for at in which]


def picks(runs: int) -> st.SearchStrategy[list[int]]:
    """Places of runs, often neighbours."""
    if not runs:
        return st.just([])
    spans = st.tuples(st.integers(0, runs), st.integers(0, runs)).map(lambda ends: list(range(min(ends), max(ends))))
    return st.one_of(st.lists(st.integers(0, runs - 1), max_size=8), spans)


@given(RUNS, st.data())
def test_a_mask_keeps_samples_and_all_runs(runs: list[Run], data: st.DataObject) -> None:
    total = sum(len(samples) for _, samples in runs)
    mask = data.draw(st.lists(st.booleans(), min_size=total, max_size=total))
    kept = batch_of(runs).keep(np.array(mask, np.bool_))
    assert runs_of(kept) == reference.keep(runs, lambda time, place: mask[place])


@given(RUNS, TIMES, TIMES)
def test_between_holds_both_ends(runs: list[Run], low: int, high: int) -> None:
    assert runs_of(batch_of(runs).between(low, high)) == reference.keep(runs, lambda time, place: low <= time <= high)


@given(RUNS)
def test_runs_are_put_in_the_order_of_rows_and_merged(runs: list[Run]) -> None:
    batch = batch_of(runs)
    assert runs_of(batch.merged()) == reference.merged(runs)
    assert runs_of(batch.by_row()) == reference.by_row(runs)
    assert runs_of(batch.by_row().merged()) == reference.merged(reference.by_row(runs))


@given(RUNS, st.integers(0, 5), st.data())
def test_runs_are_gathered_for_other_rows(runs: list[Run], rows: int, data: st.DataObject) -> None:
    wanted = list(range(10, 10 + rows))
    runs = runs if rows else []
    place = st.integers(0, max(0, rows - 1))
    places = sorted(data.draw(st.lists(place, min_size=len(runs), max_size=len(runs))))
    found = batch_of(runs).gathered(np.array(wanted, np.int64), np.array(places, np.int64))
    assert runs_of(found) == reference.gathered(runs, wanted, places)


@given(RUNS, st.booleans())
def test_every_run_rises_and_one_sample_of_a_time_stays(runs: list[Run], last_wins: bool) -> None:
    batch = batch_of(runs)
    expected = reference.in_order(runs, last_wins=last_wins)
    assert runs_of(batch.in_order(last_wins=last_wins)) == expected
    assert batch.rises == (runs == expected)
    assert batch.in_order(last_wins=last_wins).rises


@given(st.integers(1, 5), st.integers(1, 4), st.booleans(), st.booleans(), st.data())
def test_a_plane_becomes_the_samples_that_are_there(
    steps: int, series: int, own_times: bool, gaps: bool, data: st.DataObject
) -> None:
    def plane(cell: st.SearchStrategy[int]) -> list[list[int]]:
        row = st.lists(cell, min_size=series, max_size=series)
        return data.draw(st.lists(row, min_size=steps, max_size=steps))

    bits, present = plane(BITS), plane(st.sampled_from([0, 1] if gaps else [1]))
    shared = data.draw(st.lists(TIMES, min_size=steps, max_size=steps))
    times = plane(TIMES) if own_times else [[time] * series for time in shared]
    timestamps = np.array(times, np.int64) if own_times else np.array([row[0] for row in times], np.int64)
    batch = SeriesBatch(
        fleet_of((("__name__", "m"), ("i", str(i))) for i in range(series)),
        3,
        timestamps,
        np.array(bits, np.uint64).view(np.float64),
        np.array(present, np.bool_) if gaps else None,
    )
    there = [[bool(cell) for cell in row] for row in present]
    assert runs_of(RaggedBatch.of_plane(batch)) == reference.of_plane(3, times, bits, there)
