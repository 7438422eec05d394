from __future__ import annotations

import pytest

from promfill.errors import InputError
from promfill.scenario.label_patterns import (
    LabelPattern,
    NumberRange,
    ParsedLabels,
    count_series,
    parse_labels,
    validate_metric_name,
)

VALUES = [
    ("a=b", ["b"]),
    ("a=b=c:d.e", ["b=c:d.e"]),
    ("a=käse 🧀", ["käse 🧀"]),
    ('a="x,y"', ["x,y"]),
    (r'a="say \"hi\" \\ now"', [r"say \"hi\" \ now".replace(r"\"", '"')]),
    (r'a="C:\new"', [r"C:\new"]),
    ('a="{1..3},{x,y}"', ["{1..3},{x,y}"]),
    ('a="two\nlines"', ["two\nlines"]),
    ('a=b"c', ['b"c']),
    (r"a=C:\new", [r"C:\new"]),
    ("a={1..100}", [NumberRange(1, 100)]),
    ("a={0..0}", [NumberRange(0, 0)]),
    ("a={001..100}", [NumberRange(1, 100, 3)]),
    ("a={01..100}", [NumberRange(1, 100, 3)]),
    ("a={1..007}", [NumberRange(1, 7, 3)]),
    ("a={a,b,c}", [("a", "b", "c")]),
    ("a=x{,y}", ["x", ("", "y")]),
    ("a={b=c,d}", [("b=c", "d")]),
    ("a=h-{1..2}.{eu,us}:9100", ["h-", NumberRange(1, 2), ".", ("eu", "us"), ":9100"]),
    (r"a=\{1..2\}", ["{1..2}"]),
    (r"a=\{1..2}", ["{1..2}"]),
    (r"a=\{x\}-{1..2}", ["{x}-", NumberRange(1, 2)]),
    (r"a={x\},y\{}", [("x}", "y{")]),
    (r"a={x\,y}", [("x\\", "y")]),
]


@pytest.mark.parametrize(("text", "parts"), VALUES)
def test_value(text: str, parts: list[object]) -> None:
    assert parse_labels([text]) == ParsedLabels([LabelPattern("a", tuple(parts))], [])  # type: ignore[arg-type]


def test_labels_of_several_texts_stand_in_the_order_given() -> None:
    patterns, warnings = parse_labels(['b="x,y",a={1..3}', " c = d", "", "  "])
    assert [(p.name, p.count) for p in patterns] == [("b", 1), ("a", 3), ("c", 1)]
    assert patterns[2].parts == (" d",)
    assert warnings == []


def test_no_texts_are_no_labels() -> None:
    assert parse_labels([]) == ParsedLabels([], [])


def test_the_original_example() -> None:
    text = "instance=127.0.0.2:9273,job=metrics_generator:8123,tenant_uuid=abc123,uuid=device-uuid-123,vpn=active"
    assert [(p.name, *p.parts) for p in parse_labels([text]).patterns] == [
        ("instance", "127.0.0.2:9273"),
        ("job", "metrics_generator:8123"),
        ("tenant_uuid", "abc123"),
        ("uuid", "device-uuid-123"),
        ("vpn", "active"),
    ]


def test_names_are_made_valid_with_a_warning_that_names_both() -> None:
    patterns, warnings = parse_labels(["test-label=a,123metric=b,größe=c,ok=d"])
    assert [p.name for p in patterns] == ["test_label", "_123metric", "gr__e", "ok"]
    assert warnings == [
        "label name 'test-label' became 'test_label'",
        "label name '123metric' became '_123metric'",
        "label name 'größe' became 'gr__e'",
    ]


def test_without_braces_they_are_plain_and_commas_split() -> None:
    patterns, _ = parse_labels([r'a={1..3},b=x{y\{,c="{p,q}"'], braces=False)
    assert [(p.name, *p.parts) for p in patterns] == [("a", "{1..3}"), ("b", r"x{y\{"), ("c", "{p,q}")]


ERRORS = [
    ("a=1,b", "label 'b' has no =: write name=value; put a value with a comma in double quotes"),
    ("a=1,", "labels 'a=1,' has an empty label: remove the comma"),
    ("a=1,,b=2", "labels 'a=1,,b=2' has an empty label: remove the comma"),
    ("=v", "label '=v' has no name before its =: write name=value"),
    ("a=", "label 'a' has an empty value, which Prometheus drops: add a value, or leave the label out"),
    ('a=""', "label 'a' has an empty value, which Prometheus drops: add a value, or leave the label out"),
    ("a={,x}", "label 'a' has an empty value, which Prometheus drops: add a value, or leave the label out"),
    ('a="x', 'the value \'"x\' has no closing quote: end it with "; write \\" for a quote inside the value'),
    (
        'a="x"y,b=1',
        """'y,b=1' follows the closing quote of '"x"': put a comma between; write \\" for a quote inside""",
    ),
    ("__name__=up", "label '__name__' is the metric's name: set it with metric_name"),
    ("-_name__=up", "label '-_name__' is the metric's name: set it with metric_name"),
    ("a=1,a=2", "label 'a' is given twice: remove one; for several values write a={a,b}"),
    ("a-b=1,a.b=2", "labels 'a-b' and 'a.b' both become 'a_b': rename one of the two"),
    ("a={x,y,x}", "'x' occurs twice in '{x,y,x}', so the same series would be made twice: remove one"),
    ("a={100..20}", "the range '{100..20}' is descending: write {20..100}"),
    ("a={1..10000001}", "the range '{1..10000001}' has 10,000,001 numbers: the maximum is 10,000,000"),
    (
        "a={1..1234567890123456789}",
        "the range '{1..1234567890123456789}' has a number of more than 18 digits: write the leading digits as text",
    ),
    (
        "a={1..4000},b={1..4000}",
        "the labels fan out to 16,000,000 series, and the maximum of a push is 10,000,000: use a smaller {…}",
    ),
    ("a=x\udcff", r"labels is not valid UTF-8, at 'a=x\udcff': encode it in UTF-8"),
    ("a\n=1,b", "label 'b' has no =: write name=value; put a value with a comma in double quotes"),
    ("a=1,b\nc", r"label 'b\nc' has no =: write name=value; put a value with a comma in double quotes"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_error(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_labels([text])
    assert str(caught.value) == message


BRACES = [
    ("a=x{y}", "{y}"),
    ("a={}", "{}"),
    ("a={1..}", "{1..}"),
    ("a={a..c}", "{a..c}"),
    ("a={-1..3}", "{-1..3}"),
    ("a=x{1,2", "{1,2"),
    ("a=x},b=1", "},b=1"),
    ("a={1,{2,3}}", "{1,{2,3}}"),
    (r"a=\{x}}", "}"),
]


@pytest.mark.parametrize(("text", "piece"), BRACES)
def test_a_brace_that_is_neither_range_nor_list_names_the_escape(text: str, piece: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_labels([text])
    assert str(caught.value) == (
        f"the brace in '{piece}' is neither a range such as {{1..100}} nor a list such as {{a,b,c}}: "
        "write \\{ for a literal brace"
    )


def test_a_name_that_comes_in_two_texts_is_found() -> None:
    with pytest.raises(InputError, match=r"^label 'a' is given twice"):
        parse_labels(["a=1", "a=2"])


def test_a_long_piece_is_shortened_to_one_line() -> None:
    with pytest.raises(InputError) as caught:
        parse_labels(["a={" + "x" * 10_000 + "}"])
    assert len(str(caught.value)) < 200
    assert "…" in str(caught.value)


def test_series_are_counted_before_anything_is_expanded() -> None:
    assert count_series(parse_labels(["a={1..5000}x{1..2000}"]).patterns) == 10_000_000


@pytest.mark.parametrize("name", ["up", "a:b", "_x", ":", "cpu_total"])
def test_valid_metric_name(name: str) -> None:
    validate_metric_name(name)


@pytest.mark.parametrize(
    ("name", "mended"), [("cpu-usage", "cpu_usage"), ("1x", "_1x"), ("a b", "a_b"), ("größe", "gr__e"), ("up\n", "up_")]
)
def test_invalid_metric_name(name: str, mended: str) -> None:
    with pytest.raises(InputError) as caught:
        validate_metric_name(name)
    shown = repr(name)
    assert str(caught.value) == (
        f"metric_name {shown} is not valid (letters, digits, _ and :, no digit first): write '{mended}'"
    )


def test_empty_metric_name() -> None:
    with pytest.raises(InputError, match=r"^metric_name is empty: write a name such as cpu_usage$"):
        validate_metric_name("")
