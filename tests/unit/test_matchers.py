from __future__ import annotations

import pytest

from promfill.errors import InputError
from promfill.matchers import Matcher, parse_selector


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
        ("{}", []),
    ],
)
def test_parse(text: str, matchers: list[tuple[str, str, str]]) -> None:
    assert parse_selector(text) == [Matcher(*matcher) for matcher in matchers]


@pytest.mark.parametrize(
    "text",
    ["", "{", "up}", "up{a}", 'up{a="b}', 'up{a=b}', 'up{a=="b"}', 'up{a="b" c="d"}', 'up{1="b"}', 'up{a="\\q"}',
     'up{a="\\U99999999"}', "up{,}", 'up{a="b"} + 1'],
)  # fmt: skip
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(InputError):
        parse_selector(text)


@pytest.mark.parametrize(
    ("operator", "pattern", "value", "satisfied"),
    [
        ("=", "a", "a", True), ("=", "a", "ab", False), ("!=", "a", "ab", True), ("=~", "a|b", "b", True),
        ("=~", "a", "xa", False), ("=~", "a", "a\n", False), ("=~", ".", "\n", True), ("!~", "a.*", "abc", False),
        ("!~", "a.*", "xabc", True), ("=~", "", "", True),
    ],
)  # fmt: skip
def test_regular_expressions_are_anchored(operator: str, pattern: str, value: str, satisfied: bool) -> None:
    assert Matcher("x", operator, pattern).predicate()(value) is satisfied


def test_a_broken_regular_expression() -> None:
    with pytest.raises(InputError, match=r"regular expression '\(a'"):
        Matcher("x", "=~", "(a").predicate()
