"""What lines are, and the words of refusal. Whether promtool refuses the same is tested against promtool itself."""

from __future__ import annotations

import pytest

from promfill.codecs.openmetrics.lexer import Sample, parse_line, parse_series
from promfill.codecs.openmetrics.numbers import GrammarError, parse_number, parse_time

NAME = ("__name__", "a")


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        (b"a 1 2\n", Sample((NAME,), 2000, 1.0, False)),
        (b"a{} 1 2.5\n", Sample((NAME,), 2500, 1.0, False)),
        (b'a{z="1",b="x y"} -1e3 2\n', Sample((NAME, ("b", "x y"), ("z", "1")), 2000, -1000.0, False)),
        (b'a{b="\\\\n\\n\\"\\t"} 1 2\n', Sample((NAME, ("b", '\\n\n"\\t')), 2000, 1.0, False)),
        (b'a{b="",b="c"} 1 2\n', Sample((NAME, ("b", "c")), 2000, 1.0, False)),
        (b'a_total 1 2 # {t="u"} 3 4\n', Sample((("__name__", "a_total"),), 2000, 1.0, True)),
        (b"a_bucket 1 2 # {} 3\n", Sample((("__name__", "a_bucket"),), 2000, 1.0, True)),
    ],
)
def test_samples(line: bytes, sample: Sample) -> None:
    assert parse_line(line) == sample


@pytest.mark.parametrize("line", [b"# TYPE a gauge\n", b"# HELP a \n", b"# UNIT a_s s\n", b"# UNIT a \n"])
def test_metadata_is_no_sample(line: bytes) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize("line", [b"# EOF", b"# EOF\n"])
def test_the_end(line: bytes) -> None:
    assert parse_line(line) == "EOF"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"\n", r"'\n' does not begin with a metric name"),
        (b"# note\n", r"'# note\n' is neither HELP, TYPE nor UNIT of a metric, nor # EOF"),
        (b"# TYPE a untyped\n", "'untyped' is not a valid metric type"),
        (b"# UNIT a s\n", "the unit 's' does not end the name 'a'"),
        (b"# HELP a \xff\n", r"the help text '\\xff' is not UTF-8"),
        (b"a\n", r"expected one blank and the value at '\n'"),
        (b"a 1\n", "a sample without a timestamp"),
        (b"a 1 2", "the text does not end with # EOF"),
        (b"a 1 2 3\n", r"' 3\n' after the sample"),
        (b"a x 2\n", "'x' is not a valid number"),
        (b"a 0x1p4 2\n", "'0x1p4' is not a valid number"),
        (b"a 1_0 2\n", "'1_0' is not a valid number"),
        (b"a 1e999 2\n", "the number '1e999' is beyond float64"),
        (b"a 1 nan\n", "'nan' is not a valid time"),
        (b"a 1 -1\n", "the time '-1' is not between 1970 and 9999: no store holds it"),
        (b"a 1 1e300\n", "the time '1e300' is not between 1970 and 9999: no store holds it"),
        (b'a{b="c",} 1 2\n', r"""expected label="value" at '} 1 2\n'"""),
        (b'a{b="c" } 1 2\n', r"expected a comma or a closing brace at ' } 1 2\n'"),
        (b'a{b="c",b="d"} 1 2\n', "the label b appears twice"),
        (b'a{__name__="b"} 1 2\n', "the label __name__ appears twice"),
        (b'a{b="\xff"} 1 2\n', r"the label value '\\xff' is not UTF-8"),
        (b"a 1 2 # {} 3\n", "an exemplar on a, which does not end in _total or _bucket"),
        (b"a_total 1 2 # {}\n", r"expected one blank and the exemplar's value at '\n'"),
        (b"a_total 1 2 # {} 3 inf\n", "'inf' is not a valid time"),
        (b"a " + b"9" * 50 + b"x 1\n", "'" + "9" * 40 + "…' is not a valid number"),
    ],
)
def test_the_words_of_refusal(line: bytes, message: str) -> None:
    with pytest.raises(GrammarError) as caught:
        parse_line(line)
    assert str(caught.value) == message


def test_a_series_ends_where_its_text_does() -> None:
    assert parse_series(b'a{b="c"} 1 2\n') == ((NAME, ("b", "c")), 8)
    assert parse_series(b"a") == ((NAME,), 1)


@pytest.mark.parametrize(
    ("token", "milliseconds"),
    [(b"0", 0), (b"-0.0001", 0), (b"1.0009", 1000), (b"1565133713.989", 1565133713989), (b"1e10", 10**13)],
)
def test_times_are_cut_towards_zero(token: bytes, milliseconds: int) -> None:
    assert parse_time(token) == milliseconds


def test_what_an_error_repeats_is_one_line_of_printable_letters() -> None:
    with pytest.raises(GrammarError, match="is not a valid number") as caught:
        parse_number(b"\xff\x1b[0m")
    assert str(caught.value).isprintable()
