from __future__ import annotations

import sys
import warnings

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from promfill.blocks.label_regex import compile_label_regex, is_plain
from promfill.errors import InputError

PIECES = [
    "a",
    "b",
    "é",
    ".",
    ".*",
    "a+",
    "[ab]",
    "[^a-c]",
    "b?",
    "a{2}",
    "b{1,3}",
    "|",
    "(",
    "(?:",
    ")",
    ")?",
    r"\.",
    r"\d",
    "-",
]
VALUES = ["", "a", "b", "aa", "ab", "ba", "aab", "abb", "bbb", "é", "éa", ".", "1", "a1", "-", "a\n", "\n", "٣"]


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)


@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
def test_a_plain_pattern_means_the_same_to_re_as_to_re2(pattern: str) -> None:
    if not is_plain(pattern):
        return
    options = re2.Options()
    options.log_errors = False
    expected = [re2.fullmatch(pattern, value) is not None for value in VALUES]
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setitem(sys.modules, "re2", None)
        matches = compile_label_regex(pattern)
    assert [matches(value) for value in VALUES] == expected


@pytest.mark.parametrize(
    "pattern",
    ["", "host-1", "host-.*", "a|b", "(?:a|b)c", "web-(1|2)?", r"10\.0\.0\.\d+", "[a-z_]+", "x{3}", "(a|(b|c))"],
)
def test_what_everyday_patterns_are_is_plain(pattern: str) -> None:
    assert is_plain(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(x+)+y", "(a|a)*", "(a{2}){3}", "(?i)a", r"\pL", r"a$", "^a", "x{,2}", "x{1001}", r"\s", "[[:alpha:]]", "a**",
     "a+?", "[a--b]", "(?=a)", r"\1", "(", ")", "*", r"\Qa\E", r"\b", r"\é"],
)  # fmt: skip
def test_without_re2_what_re_reads_otherwise_or_for_ever_is_refused(pattern: str, without_re2: None) -> None:
    with pytest.raises(InputError, match=r"needs RE2: pip install 'promfill\[re2\]'"):
        compile_label_regex(pattern)


def test_without_re2_a_class_that_falls_is_refused(without_re2: None) -> None:
    with pytest.raises(InputError, match="is not valid"):
        compile_label_regex("[z-a]")


def test_a_repeat_of_repeats_takes_no_longer_than_its_value() -> None:
    assert not compile_label_regex("(x+)+y")("x" * 100_000)
