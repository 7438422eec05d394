from __future__ import annotations

import pytest

from promfill.blocks.matchers import Matcher, parse_selector
from promfill.errors import InputError
from tests.support.re2 import REFUSED, TAKEN, VALUES


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ("up", [("__name__", "=", "up")]),
        (" job:up:sum ", [("__name__", "=", "job:up:sum")]),
        ('up{job="a"}', [("__name__", "=", "up"), ("job", "=", "a")]),
        ('{a!="b", c=~"d|e",f!~"g",}', [("a", "!=", "b"), ("c", "=~", "d|e"), ("f", "!~", "g")]),
        ("{a='b',c=`d\\`}", [("a", "=", "b"), ("c", "=", "d\\")]),
        ('{a="x\\n\\"\\\\\\u00e4\\x41\\101,}"}', [("a", "=", 'x\n"\\äAA,}')]),
        ('{"up.x", "la bel"="b"}', [("__name__", "=", "up.x"), ("la bel", "=", "b")]),
        ("{}", [("", "!=", "")]),
        (r'{a="\xc3\xa9\303\251\u00e9"}', [("a", "=", "ééé")]),
    ],
)
def test_parse(text: str, matchers: list[tuple[str, str, str]]) -> None:
    assert parse_selector(text) == [Matcher(*matcher) for matcher in matchers]


@pytest.mark.parametrize(
    "text",
    ["", "{", "up}", "up{a}", 'up{a="b}', 'up{a=b}', 'up{a=="b"}', 'up{a="b" c="d"}', 'up{1="b"}', 'up{a="\\q"}',
     'up{a="\\U99999999"}', r'{a="\ud800"}', r'{a="\xff"}', r'{a="\400"}', r"""{a="\'"}""", "up{,}", 'up{a="b"} + 1'],
)  # fmt: skip
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(InputError):
        parse_selector(text)


@pytest.mark.parametrize(
    ("operator", "pattern", "value", "satisfied"),
    [
        ("=", "a", "a", True), ("=", "a", "ab", False), ("!=", "a", "ab", True), ("=~", "a|b", "b", True),
        ("=~", "a", "xa", False), ("=~", "a", "a\n", False), ("=~", ".", "\n", False), ("=~", "(?s:.)", "\n", True),
        ("!~", "a.*", "abc", False),
        ("!~", "a.*", "xabc", True), ("=~", "", "", True),
    ],
)  # fmt: skip
def test_regular_expressions_are_anchored(operator: str, pattern: str, value: str, satisfied: bool) -> None:
    assert Matcher("x", operator, pattern).predicate()(value) is satisfied


def test_a_broken_regular_expression() -> None:
    with pytest.raises(InputError, match=r"regular expression '\(a'"):
        Matcher("x", "=~", "(a").predicate()


@pytest.mark.parametrize("pattern", TAKEN)
def test_patterns_mean_what_they_mean_to_re2(pattern: str) -> None:
    satisfied = Matcher("x", "=~", pattern).predicate()
    assert [value for value in VALUES if satisfied(value)] == TAKEN[pattern]
    refused = Matcher("x", "!~", pattern).predicate()
    assert [value for value in VALUES if not refused(value)] == TAKEN[pattern]


@pytest.mark.parametrize("pattern", REFUSED)
def test_patterns_refused(pattern: str) -> None:
    with pytest.raises(InputError) as refusal:
        Matcher("x", "=~", pattern).predicate()
    assert "\n" not in str(refusal.value)
