"""Request messages of 2.0: Prometheus's golden, and what google's protobuf reads out of ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from promfill.codecs.remote_write.version_2 import RequestEncoder, SymbolTable
from promfill.model.batch import LabelSet
from promfill.pb.remote_write_2_pb2 import Metadata, Request
from tests.support.fleets import fleet_of
from tests.support.golden import golden_bytes, golden_json
from tests.support.held_samples import read_2
from tests.support.remote_write import STEP, batch_of, golden_batch, grid, random_bits, samples_of


def in_symbols_of(message: bytes, texts: list[str]) -> bytes:
    """The same request with its symbols in another order, written by google's protobuf."""
    request = Request.FromString(message)
    at = {text: place for place, text in enumerate(texts)}
    translation = [at[text] for text in request.symbols]
    for series in request.timeseries:
        series.labels_refs[:] = [translation[reference] for reference in series.labels_refs]
        series.metadata.help_ref = translation[series.metadata.help_ref]
        series.metadata.unit_ref = translation[series.metadata.unit_ref]
    request.symbols[:] = texts
    return request.SerializeToString()


def test_a_request_is_prometheus_s_own_but_for_the_order_of_symbols() -> None:
    batch, golden = golden_batch(), golden_bytes("remote_write_2.bin")
    message = RequestEncoder(batch.fleet, 'a "help" text').encode(batch).tobytes()
    texts = list(Request.FromString(golden).symbols)
    assert texts == golden_json("remote_write.json")["symbols"]
    assert in_symbols_of(message, texts) == in_symbols_of(golden, texts)
    assert len(message) == len(golden)
    assert read_2(message) == read_2(golden)


def test_symbols_are_told_once_and_the_common_ones_first() -> None:
    one = fleet_of((("__name__", "m"), ("host", f"h{row}"), ("job", "x")) for row in range(300))
    message = RequestEncoder(one, "help", "seconds").encode(batch_of(one, grid(2), random_bits(2, 300)))
    request = Request.FromString(message.tobytes())
    assert request.symbols[0] == ""
    assert len(set(request.symbols)) == len(request.symbols) == 308
    assert set(request.symbols[1:6]) == {"__name__", "m", "host", "job", "x"}
    told = {(series.metadata.type, request.symbols[series.metadata.help_ref]) for series in request.timeseries}
    assert told == {(Metadata.METRIC_TYPE_GAUGE, "help")}
    assert {request.symbols[series.metadata.unit_ref] for series in request.timeseries} == {"seconds"}


def test_a_slice_tells_its_own_symbols_alone() -> None:
    one = fleet_of((("__name__", "m"), ("host", f"h{row:03}")) for row in range(30))
    batch = batch_of(one, grid(2), random_bits(2, 10), 10)
    message = RequestEncoder(one).encode(batch).tobytes()
    assert dict(read_2(message)) == samples_of(batch)
    assert set(Request.FromString(message).symbols) == {
        "",
        "__name__",
        "m",
        "host",
        *(f"h{row:03}" for row in range(10, 20)),
    }


def test_help_that_is_a_label_too() -> None:
    one = fleet_of([(("__name__", "m"), ("a", "help"))])
    request = Request.FromString(
        RequestEncoder(one, "help", "a").encode(batch_of(one, grid(1), random_bits(1, 1))).tobytes()
    )
    assert sorted(request.symbols) == ["", "__name__", "a", "help", "m"]
    assert request.symbols[request.timeseries[0].metadata.unit_ref] == "a"


def test_series_without_a_label_and_samples_that_are_not_there() -> None:
    one = fleet_of([(("__name__", "m"),), (("__name__", "m"), ("a", "x")), (("__name__", "m"), ("b", "y"))])
    present = np.array([[True, False, True], [False, False, True]])
    batch = batch_of(one, grid(2), random_bits(2, 3), present=present)
    assert dict(read_2(RequestEncoder(one, "h").encode(batch).tobytes())) == samples_of(batch)


@pytest.mark.parametrize("start", [-1_500_000, 0, (1 << 35) - STEP, (1 << 42) - STEP])
def test_times_outside_1971_to_2109(start: int) -> None:
    one = fleet_of((("__name__", "m"), ("host", f"h{row}")) for row in range(12))
    batch = batch_of(one, grid(3, start), random_bits(3, 12))
    assert dict(read_2(RequestEncoder(one).encode(batch).tobytes())) == samples_of(batch)


def test_no_start_timestamp_is_written() -> None:
    batch = golden_batch()
    request = Request.FromString(RequestEncoder(batch.fleet).encode(batch).tobytes())
    assert not any(sample.start_timestamp for series in request.timeseries for sample in series.samples)


def symbols(*label_sets: LabelSet, series: range | None = None, more: Sequence[str] = ()) -> list[str]:
    """The table of some series; each of the fleet's symbols that is in it has its place."""
    fleet = fleet_of(label_sets)
    table = SymbolTable(fleet, series or range(len(fleet)), list(more))
    for number, symbol in enumerate(fleet.symbols):
        if symbol.decode() in table.texts:
            assert table.texts[table.references[number]] == symbol.decode()
    assert [table.of(text) for text in table.texts] == list(range(len(table.texts)))
    return table.texts


def test_the_empty_string_is_the_first_symbol_even_of_one_label() -> None:
    """2.0 wants it: a reader takes the reference 0 for no text."""
    assert symbols((("a", "b"),)) == ["", "a", "b"]
    assert symbols((("a", "b"),), (("a", "c"),), (("a", "d"),)) == ["", "a", "b", "c", "d"]


def test_symbols_are_in_the_order_of_their_uses() -> None:
    """One that is both name and value counts as both."""
    label_sets = [(("n", "z"), ("z", str(number))) for number in range(3)] + [(("n", "n"), ("z", "y"))]
    assert symbols(*label_sets)[:3] == ["", "z", "n"]
    twice: list[LabelSet] = [(("a", "v"), ("b", "1")), (("a", "v"), ("b", "2")), (("a", "w"), ("b", "3"))]
    assert symbols(*twice)[:4] == ["", "a", "b", "v"]


def test_a_slice_has_no_symbols_of_other_series() -> None:
    label_sets: list[LabelSet] = [(("a", "1"),), (("a", "2"), ("zone", "x")), (("b", "3"),)]
    assert symbols(*label_sets, series=range(1)) == ["", "1", "a"]
    assert set(symbols(*label_sets, series=range(1, 2))) == {"", "a", "2", "zone", "x"}
    assert symbols(*label_sets, series=range(2, 3)) == ["", "3", "b"]


def test_texts_of_the_metadata_are_added_where_no_label_has_them() -> None:
    assert symbols((("a", "help"),), more=["help", "", "seconds", "seconds"]) == ["", "a", "help", "seconds"]
