"""Mimir's rules for a block: each one broken alone and kept at its edge, and all of them against the double's table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promfill.rules.mimir import MAX_META_BYTES, MAX_RANGE, RULES, BlockFacts, breaches, range_breaches, upload_meta
from tests.support.mimir_rules import START_RULES, Limits

NOW = 1_700_000_000_000  # 22:13:20 UTC
DAY = 86_400_000
MIDNIGHT = NOW // DAY * DAY
SHARD = "__compactor_shard_id__"
FILES = {"index": 1_000, "chunks/000001": 500}


def facts(
    low: Any = MIDNIGHT - DAY,
    high: Any = MIDNIGHT,
    files: dict[str, int] | None = None,
    index: int | None = 2,
    version: Any = 1,
    **thanos: Any,
) -> BlockFacts:
    """A block of yesterday that Mimir takes, but for what is given."""
    document = {"ulid": "01M86VBYCAGN0NVX0WYDKCAS21", "minTime": low, "maxTime": high, "version": version}
    return BlockFacts({**document, **({"thanos": thanos} if thanos else {})}, FILES if files is None else files, index)


def broken(block: BlockFacts, now: int = NOW) -> list[str]:
    return [breach.rule.name for breach in breaches(block, now)]


@pytest.mark.parametrize(
    "block",
    [
        facts(),
        facts(index=None),
        facts(files={"index": 1}),
        facts(files={"index": 1, "chunks/999999": 1}),
        facts(MIDNIGHT, NOW),
        facts(5, 5),
        facts(0, DAY),
        facts(DAY - 1, DAY),
        facts(labels={}),
        facts(labels={SHARD: "1_of_4"}),
        facts(labels={SHARD: "4_of_4"}),
        facts(labels={SHARD: ""}),
        facts(labels={"__org_id__": "a", "__ingester_id__": "b", "__shard_id__": "c"}),
        facts(downsample={"resolution": 0}),
        facts(downsample={}),
        facts(source="compactor"),
        facts(labels=None, downsample=None),
    ],
)
def test_what_is_taken(block: BlockFacts) -> None:
    assert broken(block) == []


@pytest.mark.parametrize(
    ("block", "rule", "words"),
    [
        (facts(downsample={"resolution": 1}), "downsampled", "downsampled"),
        (facts(labels={"replica": "a"}), "external labels", "replica"),
        (facts(labels={"z": "a", "b": "a", "__org_id__": "1"}), "external labels", "label b"),
        (facts(labels={SHARD: "0_of_4"}), "external labels", "0_of_4"),
        (facts(labels={SHARD: "5_of_4"}), "external labels", "5_of_4"),
        (facts(labels={SHARD: "1_of_4 "}), "external labels", "1_of_4 "),
        (facts(labels={SHARD: "1"}), "external labels", "'1'"),
        (facts(files={**FILES, "chunks/1": 5}), "paths", "chunks/1"),
        (facts(files={**FILES, "chunks/0000001": 5}), "paths", "chunks/0000001"),
        (facts(files={**FILES, "tombstones": 9}), "paths", "tombstones"),
        (facts(files={"index": 9, "chunks/000001": 0}), "sizes", "chunks/000001"),
        (facts(files={"chunks/000001": 1}), "index", "missing"),
        (facts(index=1), "index", "version 1"),
        (facts(index=3), "index", "version 3"),
        (facts(version=2), "version", "version 2"),
        (facts(version=None), "version", "None"),
        (facts(-5, -1), "times", "-5"),
        (facts(6, 5), "times", "6"),
        (facts(MIDNIGHT, NOW + 1), "future", "2023-11-14"),
        (facts(DAY - 1, DAY + 1), "boundary", "0.001 s"),
        (facts(MIDNIGHT - DAY + 500, MIDNIGHT + 500), "boundary", "0.500 s"),
    ],
)
def test_a_rule_that_is_broken_alone(block: BlockFacts, rule: str, words: str) -> None:
    (breach,) = breaches(block, NOW)
    assert breach.rule.name == rule
    assert words in breach.words
    assert str(breach).startswith(breach.words)
    assert breach.rule.wants in str(breach)


def test_a_block_of_more_than_a_day_goes_past_midnight_as_well() -> None:
    assert broken(facts(0, MAX_RANGE + 1)) == ["range", "boundary"]
    (_, range_), _ = [(breach.rule.name, breach.words) for breach in breaches(facts(0, 2 * DAY), NOW)]
    assert "48.000 h" in range_


def test_an_end_long_after_now_is_named_by_the_later_time() -> None:
    assert broken(facts(NOW + 5, NOW + 4)) == ["times", "future"]


def test_now_is_the_callers() -> None:
    block = facts(MIDNIGHT, NOW)
    assert broken(block, NOW - 1) == ["future"]
    assert broken(block, NOW) == []


def test_what_is_looked_for_in_no_section_is_not_there() -> None:
    sections: list[Any] = [None, [], "text", 5]
    for section in sections:
        block = BlockFacts({"version": 1, "minTime": 0, "maxTime": 1, "thanos": section}, FILES, 2)
        assert (block.thanos, block.part("labels")) == ({}, {})
        assert broken(block) == []
    empty = BlockFacts({}, {})
    assert (empty.times, broken(empty)) == ((0, 0), ["index", "version"])


def test_the_body_of_a_start_lists_meta_json_first_and_without_a_size() -> None:
    block = facts(labels={SHARD: "1_of_2"}, source="x")
    body = json.loads(upload_meta(block))
    assert {name: body[name] for name in ("ulid", "minTime", "maxTime", "version")} == {
        "ulid": "01M86VBYCAGN0NVX0WYDKCAS21",
        "minTime": MIDNIGHT - DAY,
        "maxTime": MIDNIGHT,
        "version": 1,
    }
    assert body["thanos"] == {
        "labels": {SHARD: "1_of_2"},
        "downsample": {"resolution": 0},
        "source": "x",
        "version": 1,
        "files": [
            {"rel_path": "meta.json"},
            {"rel_path": "index", "size_bytes": 1_000},
            {"rel_path": "chunks/000001", "size_bytes": 500},
        ],
    }
    assert json.loads(upload_meta(facts(downsample={"resolution": 5})))["thanos"]["downsample"] == {"resolution": 5}


def test_meta_json_of_more_than_a_mebibyte() -> None:
    plain = len(upload_meta(facts(source="")))
    assert broken(facts(source="x" * (MAX_META_BYTES - plain))) == []
    (breach,) = breaches(facts(source="x" * (MAX_META_BYTES - plain + 1)), NOW)
    assert (breach.rule.name, "1,048,577" in breach.words) == ("meta size", True)


@pytest.mark.parametrize(
    ("low", "high", "rules"),
    [
        (MIDNIGHT - DAY, MIDNIGHT, []),
        (MIDNIGHT - DAY, MIDNIGHT + 1, ["range", "boundary"]),
        (MIDNIGHT - 1, MIDNIGHT + 1, ["boundary"]),
        (MIDNIGHT, NOW + 1, ["future"]),
        (-5, -1, ["times"]),
    ],
)
def test_times_alone(low: int, high: int, rules: list[str]) -> None:
    """Of a block that is still to be made: it has no files yet, and that is not held against it."""
    assert [breach.rule.name for breach in range_breaches(low, high, NOW)] == rules


def test_the_rules_have_names_of_their_own_and_sources() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(".go" in rule.source and rule.wants for rule in RULES)


times = st.sampled_from([-DAY, -1, 0, 1, DAY - 1, DAY, DAY + 1, MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1, 1 << 50])
labels = st.dictionaries(
    st.sampled_from(["a", "__org_id__", "__shard_id__", SHARD]),
    st.sampled_from(["", "1_of_4", "4_of_4", "5_of_4", "0_of_1", "x"]),
    max_size=3,
)
files = st.dictionaries(
    st.sampled_from(["index", "chunks/000001", "chunks/1", "meta"]), st.integers(0, 2), max_size=3
).map(lambda found: {"index": 1, **found})


@given(times, times, labels, files, st.sampled_from([1, 2]), st.sampled_from([0, 1]))
def test_the_double_of_a_mimir_refuses_what_breaks_a_rule_and_nothing_else(
    low: int, high: int, external: dict[str, str], sizes: dict[str, int], version: int, resolution: int
) -> None:
    """It has all of the rules but those of the index and of meta.json's size."""
    block = facts(low, high, sizes, None, version, labels=external, downsample={"resolution": resolution})
    body = json.loads(upload_meta(block))
    refused = any(check(body, Limits()) for _, _, check in START_RULES)
    assert bool(broken(block)) == refused
