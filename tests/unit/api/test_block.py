"""Blocks on disk through `open_block`: labels, selections, samples, and what is damaged."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import promfill as pf
from promfill.pipeline.push import push
from promfill.sinks.blocks import BlockSink
from tests.support.sources import START, STEP, source_of

ANY: Any = pf  # wrong types, too


@pytest.fixture
def path(tmp_path: Path) -> Path:
    source = source_of("instance=h-{1..7},job=j", 288)
    sink = BlockSink(source.fleet, source.grid, source.identity(), tmp_path / "data", duration=10**9)
    (path,) = push(source, sink).paths
    return path


def test_a_block_prints_in_one_line_and_tells_what_it_holds(path: Path) -> None:
    with pf.open_block(path) as block:
        assert repr(block).startswith(f"Block {path.name}: 7 series, 2,016 samples, from 2023-11-1")
        assert block.ulid == path.name
        assert block.samples == 2016
        assert block.start <= dt.datetime.fromtimestamp(START / 1000, dt.UTC) < block.end
        assert len(block.series) == 7
        assert block.series[6] == {"__name__": "m", "instance": "h-7", "job": "j"}
        assert block.label_names() == ["__name__", "instance", "job"]
        assert block.label_values("instance") == [f"h-{n}" for n in range(1, 8)]
        assert block.label_values("none") == []


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", "1234567"),
        ("m", "1234567"),
        ('{instance="h-3"}', "3"),
        ('m{instance=~"h-[12]",job="j"}', "12"),
        ('m{instance!="h-3"}', "124567"),
        ("other", ""),
    ],
)
def test_a_selector_selects(path: Path, selector: str, found: str) -> None:
    with pf.open_block(path) as block:
        selection = block.select(selector)
        assert [labels["instance"][-1] for labels in selection.series] == list(found)
        assert len(selection) == len(found)
        assert repr(selection) == f"Selection: {len(found)} series of block {path.name}"
        assert sum(batch.samples for batch in selection.batches()) == 288 * len(found)


@pytest.mark.parametrize("samples", [1, 300, 1000, 600_000])
def test_batches_hold_the_samples_that_were_pushed(path: Path, samples: int) -> None:
    pushed = pf.Scenario(
        [pf.Metric("m", labels={"instance": pf.fan("h-{1..7}"), "job": "j"})],
        start=START / 1000,
        end=START / 1000 + 288 * 300,
    )
    (whole,) = pushed.batches()
    with pf.open_block(path) as block:
        batches = list(block.select("m").batches(samples))
    row = 0
    for batch in batches:
        assert batch.times.dtype == np.int64
        assert batch.values.dtype == np.float64
        for number, labels in enumerate(batch.series):
            part = slice(batch.bounds[number], batch.bounds[number + 1])
            assert np.array_equal(batch.times[part], whole.times)
            assert np.array_equal(batch.values[part], whole.values[:, row])
            assert labels == whole.series[row]
            row += 1
        assert batch.bounds[-1] == batch.samples
    assert row == 7
    assert repr(batches[0]).startswith("RaggedBatch: ")


def test_batches_are_yours_to_keep_and_to_change(path: Path) -> None:
    with pf.open_block(path) as block:
        batches = list(block.select().batches(300))
        kept = [batch.values.copy() for batch in batches]
        again = list(block.select().batches(300))
    assert all(np.array_equal(batch.values, values) for batch, values in zip(batches, kept, strict=True))
    for batch in batches:
        batch.values[:] = batch.times[:] = 0
    assert all(np.array_equal(batch.values, values) for batch, values in zip(again, kept, strict=True))


def test_times_are_at_or_after_the_start_and_before_the_end(path: Path) -> None:
    first, last = (dt.datetime.fromtimestamp((START + n * STEP) / 1000, dt.UTC) for n in (2, 4))
    with pf.open_block(path) as block:
        (batch,) = block.select('{instance="h-1"}', start=first, end=last).batches()
    assert batch.times.tolist() == [START + 2 * STEP, START + 3 * STEP]


def test_a_closed_block_says_so(path: Path) -> None:
    block = pf.open_block(path)
    block.close()
    block.close()
    with pytest.raises(pf.InputError, match="is closed"):
        block.select()
    assert block.ulid == path.name


@pytest.mark.parametrize(
    ("build", "field", "words"),
    [
        (lambda path: ANY.open_block(path / "none"), "path", "none"),
        (lambda path: ANY.open_block(""), "path", "path"),
        (lambda path: ANY.open_block(3), "path", "3"),
        (lambda path: ANY.open_block(path).select("{"), "selector", "'{'"),
        (lambda path: ANY.open_block(path).select('{a=~"("}'), "selector", "("),
        (lambda path: ANY.open_block(path).select(3), "selector", "3"),
        (lambda path: ANY.open_block(path).select(start="x"), "start", "'x'"),
        (lambda path: ANY.open_block(path).select().batches(0), "samples", "0"),
    ],
)
def test_a_wrong_value_is_an_input_error_with_its_field(path: Path, build: Any, field: str, words: str) -> None:
    with pytest.raises(pf.InputError) as caught:
        build(path)
    assert words in str(caught.value)
    assert caught.value.field == field


def test_damage_is_a_format_error(path: Path) -> None:
    chunks = path / "chunks" / "000001"
    data = bytearray(chunks.read_bytes())
    data[40] ^= 1
    chunks.write_bytes(bytes(data))
    with pf.open_block(path) as block, pytest.raises(pf.FormatError, match="chunks/000001"):
        list(block.select().batches())
