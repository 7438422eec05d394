"""What fills a block, counted by hand; promtool's own figures are compared in tests/integration/test_tsdb_verify.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from promfill.blocks.block import Block, open_block
from promfill.errors import FormatError
from promfill.model.batch import LabelSet
from promfill.promtool.analysis import Ranking, analyze, chunk_fullness, fullness_lines, lines
from tests.support.blocks import Chunks, record, write_block
from tests.support.xor_streams import Sample

A: LabelSet = (("__name__", "a"), ("job", "x"))
B: LabelSet = (("__name__", "a"), ("job", "y"), ("zone", "zz"))
C: LabelSet = (("__name__", "b"), ("job", "x"))


def samples(start: int, count: int, step: int = 10) -> list[Sample]:
    return [(start + step * place, place << 50) for place in range(count)]


def block_of(directory: Path, series: Mapping[LabelSet, Chunks]) -> Block:
    return open_block(write_block(directory, series))


@pytest.fixture
def block(tmp_path: Path) -> Block:
    """From 0 to 1000: A is there all of the time, B for a tenth of it, C for one millisecond."""
    return block_of(tmp_path, {A: [samples(0, 50), samples(500, 51)], B: [samples(0, 11)], C: [samples(999, 1)]})


def test_the_figures_of_a_block(block: Block) -> None:
    found = analyze(block, 20)
    assert (found.ulid, found.range, found.series) == (block.meta.ulid, 1001, 3)
    assert (found.label_names, found.pairs, found.entries) == (3, 5, 7)
    rows = {ranking.title: ranking.rows for ranking in found.rankings}
    open_ = {"A": 1, "B": 901, "C": 1001}  # ms of the range that each series leaves
    pair_sums = {
        "__name__=a": open_["A"] + open_["B"],
        "__name__=b": open_["C"],
        "job=x": open_["A"] + open_["C"],
        "job=y": open_["B"],
        "zone=zz": open_["B"],
    }
    name_sums = {"__name__": 1903, "job": 1903, "zone": 901}
    assert rows == {
        "Label pairs most involved in churning": ranked({name: sum_ // 1001 for name, sum_ in pair_sums.items()}),
        "Label names most involved in churning": ranked({name: sum_ // 1001 for name, sum_ in name_sums.items()}),
        "Most common label pairs": ranked({"__name__=a": 2, "__name__=b": 1, "job=x": 2, "job=y": 1, "zone=zz": 1}),
        "Label names with highest cumulative label value length": ranked({"__name__": 2, "job": 2, "zone": 2}),
        "Highest cardinality labels": ranked({"__name__": 2, "job": 2, "zone": 1}),
        "Highest cardinality metric names": ranked({"a": 2, "b": 1}),
    }


def ranked(figures: Mapping[str, int]) -> list[tuple[int, str]]:
    return sorted(((figure, name) for name, figure in figures.items()), key=lambda row: (-row[0], row[1]))


@pytest.mark.parametrize("limit", range(7))
def test_a_limit_keeps_the_first_of_each_ranking(block: Block, limit: int) -> None:
    for few, all_ in zip(analyze(block, limit).rankings, analyze(block, 20).rankings, strict=True):
        assert few == Ranking(all_.title, all_.rows[:limit])


def test_of_many_equal_figures_the_first_names_stay(tmp_path: Path) -> None:
    series: dict[LabelSet, Chunks] = {
        (("__name__", f"m{number:03}"), ("n", str(number % 7))): [samples(0, 2)] for number in range(100)
    }
    found = {ranking.title: ranking.rows for ranking in analyze(block_of(tmp_path, series), 3).rankings}
    assert found["Highest cardinality metric names"] == [(1, "m000"), (1, "m001"), (1, "m002")]
    counts = Counter(str(number % 7) for number in range(100))
    assert found["Most common label pairs"] == ranked({f"n={n}": count for n, count in counts.items()})[:3]


def test_names_are_in_the_order_of_the_texts_that_are_printed(tmp_path: Path) -> None:
    """Not in that of the labels: a stands before a0, and a0=x before a=x."""
    series: dict[LabelSet, Chunks] = {
        (("A", number), ("__name__", "m"), ("a", "x"), ("a0", "x")): [samples(0, 2)] for number in "12"
    }
    found = {ranking.title: ranking.rows for ranking in analyze(block_of(tmp_path, series), 9).rankings}
    assert found["Most common label pairs"] == [(2, "__name__=m"), (2, "a0=x"), (2, "a=x"), (1, "A=1"), (1, "A=2")]
    assert found["Highest cardinality metric names"] == [(2, "m")], "whatever stands before __name__"


def test_a_block_of_one_sample_leaves_all_of_its_millisecond(tmp_path: Path) -> None:
    found = analyze(block_of(tmp_path, {A: [samples(7, 1)]}), 9)
    assert (found.range, found.rankings[0].rows) == (1, [(1, "__name__=a"), (1, "job=x")])


def test_a_chunk_that_says_it_holds_nothing_is_among_the_emptiest(tmp_path: Path) -> None:
    path = write_block(tmp_path, {A: [samples(0, 1)]})
    (path / "chunks" / "000001").write_bytes(bytes.fromhex("85bd40dd01000000") + record(bytes(11)))
    assert chunk_fullness(open_block(path)) == [1, *[0] * 9]


def test_no_metric_has_a_name(tmp_path: Path) -> None:
    found = analyze(block_of(tmp_path, {(("job", "x"),): [samples(0, 2)]}), 20)
    assert found.rankings[-1] == Ranking("Highest cardinality metric names", [])


def test_a_series_without_chunks_is_damage(block: Block) -> None:
    object.__setattr__(block.series, "chunk_bounds", np.array([0, 2, 2, 4]))
    with pytest.raises(FormatError, match="a series without chunks"):
        analyze(block, 20)


@pytest.mark.parametrize(
    ("count", "bucket"),
    [(1, 0), (11, 0), (12, 0), (13, 1), (24, 1), (60, 4), (61, 5), (108, 8), (109, 9), (120, 9), (121, 9), (250, 9)],
)
def test_how_full_a_chunk_is(tmp_path: Path, count: int, bucket: int) -> None:
    full = chunk_fullness(block_of(tmp_path, {A: [samples(0, count)]}))
    assert full == [int(place == bucket) for place in range(10)]


def test_all_chunks_are_counted(tmp_path: Path) -> None:
    block = block_of(tmp_path, {A: [samples(0, 120), samples(2000, 5)], B: [samples(0, 120), samples(2000, 70)]})
    assert chunk_fullness(block) == [1, 0, 0, 0, 0, 1, 0, 0, 0, 2]


def test_the_text(block: Block) -> None:
    text = list(lines(analyze(block, 1), "1.001s"))
    assert text[:9] == [
        f"Block ID: {block.meta.ulid}",
        "Duration: 1.001s",
        "Series: 3",
        "Label names: 3",
        "Postings (unique label pairs): 5",
        "Postings entries (total label pairs): 7",
        "",
        "Label pairs most involved in churning:",
        "1 __name__=b",
    ]
    assert len(text) == 6 + 6 * 3


def test_the_text_of_fullness() -> None:
    text = list(fullness_lines([1, 0, 0, 0, 0, 0, 0, 0, 0, 3]))
    assert text[:3] == ["", "Compaction analysis:", "Fullness: Amount of samples in chunks (100% is 120 samples)"]
    assert (text[3], text[4], text[-1]) == ("     10%: " + "#" * 25, "     20%: ", "    100%: " + "#" * 75)
    assert list(fullness_lines([0] * 10))[-1] == "    100%: "
