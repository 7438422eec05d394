r"""Parses the text of labels to label patterns. Nothing is expanded here.

    labels  = label *("," label)
    label   = name "=" ( quoted / pattern )
    quoted  = <"> *( "\"" / "\\" / any other character ) <">      no fan-out; commas are ordinary characters
    pattern = *( "\{" / "\}" / range / list / any character but a comma or a brace )
    range   = "{" digits ".." digits "}"           {1..100}; {001..100} pads with zeros to the width of the longer bound
    list    = "{" text 1*("," text) "}"            {a,b,c}; its commas do not end the label

A backslash is an ordinary character unless it precedes a brace (in quotes: a quote or a backslash). ``}`` is an
ordinary character if it closes a ``\{``. A descending range is an error: it names the same series as the ascending
one, and is more often a typo (``{100..20}``) than intended. Spaces around a label's name are dropped, values are kept
unchanged. A text of only spaces has no labels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from promfill.errors import InputError, setting

MAX_SERIES = 10_000_000
"""The maximum number of series in a push, and of numbers in a range."""

_MAX_DIGITS = 18  # of a range's bound: below 2^63
_SHOWN = 60  # how many characters of the input a message quotes

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NAME = re.compile(r"[^=,]*")
_UNQUOTED = re.compile(r"[^,]*")
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_QUOTED_ESCAPE = re.compile(r'\\(["\\])')
_TOKEN = re.compile(
    r"(?P<plain>[^,{}\\]+|\\(?![{}]))|\\(?P<brace>[{}])|(?P<group>\{(?:[^{}\\]|\\[{}]|\\(?![{}]))*\})", re.DOTALL
)
_BRACE_ESCAPE = re.compile(r"\\([{}])")
_RANGE = re.compile(r"\{([0-9]+)\.\.([0-9]+)\}")


@dataclass(frozen=True, slots=True)
class NumberRange:
    """The decimal numbers from first to last, inclusive; padded with zeros to `width` digits unless that is 0."""

    first: int
    last: int
    width: int = 0

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return self.last - self.first + 1


Part = str | tuple[str, ...] | NumberRange
"""A piece of a value: plain text, a list or a range."""


@dataclass(frozen=True, slots=True)
class LabelPattern:
    """A label with a value that may fan out: its values are the product of its parts, joined."""

    name: str
    parts: tuple[Part, ...]

    @property
    def count(self) -> int:
        """How many values the label has."""
        return math.prod(_count(part) for part in self.parts)


class ParsedLabels(NamedTuple):
    """The result of `parse_labels`: the patterns in input order, and a warning for each name that was changed."""

    patterns: list[LabelPattern]
    warnings: list[str]


def parse_labels(texts: Sequence[str], *, braces: bool = True) -> ParsedLabels:
    """The labels of all texts. Without `braces`, braces and backslashes outside quotes are ordinary characters.

    InputError: a syntax error, two labels whose valid names are the same, `__name__`, an empty
    value, text that is not UTF-8, a duplicate value in a list, more than MAX_SERIES series.
    """
    patterns: dict[str, LabelPattern] = {}
    written: dict[str, str] = {}
    for text in texts:
        for given, parts in _read_labels(_check_utf8(text), braces):
            name = _check_name(given, written)
            patterns[name] = LabelPattern(name, _check_value(given, parts))
            written[name] = given
    warnings = [f"label name {_show(given)} became '{name}'" for name, given in written.items() if name != given]
    count_series(patterns.values())
    return ParsedLabels(list(patterns.values()), warnings)


def count_series(patterns: Iterable[LabelPattern]) -> int:
    """How many series the patterns make; InputError above MAX_SERIES."""
    count = math.prod(pattern.count for pattern in patterns)
    if count > MAX_SERIES:
        raise _wrong(
            f"the labels fan out to {count:,} series, and the maximum of a push is {MAX_SERIES:,}", "use a smaller {…}"
        )
    return count


def validate_metric_name(name: str) -> None:
    """InputError, with a valid name as the fix, if Prometheus does not accept this one."""
    if _METRIC.fullmatch(name):
        return
    if not name:
        raise InputError.about("metric_name", "is empty", "write a name such as cpu_usage")
    valid = re.sub("[^a-zA-Z0-9_:]", "_", name)
    valid = f"_{valid}" if valid[0].isdigit() else valid
    words = f"{_show(name)} is not valid (letters, digits, _ and :, no digit first)"
    raise InputError.about("metric_name", words, f"write {_show(valid)}")


def _wrong(problem: str, fix: str) -> InputError:
    return InputError(problem, fix, field="labels")


def parse_pattern(text: str) -> tuple[Part, ...]:
    """A single value that may fan out: a comma outside braces is an ordinary character. InputError: a syntax error."""
    return tuple(_read_pattern(_check_utf8(text), 0, commas=True)[0])


def exact_label(name: str, parts: Sequence[Part]) -> LabelPattern:
    """A label whose name is not changed. InputError: an invalid name, an empty value."""
    if not name:
        raise _wrong("a label has an empty name", "write name=value")
    for text in (name, *parts):
        if isinstance(text, str):
            _check_utf8(text)
    valid = _check_name(name, {})
    if valid != name:
        raise _wrong(f"the label name {_show(name)} is not valid (letters, digits and _)", f"write {_show(valid)}")
    return LabelPattern(name, _check_value(name, list(parts)))


def _read_labels(text: str, braces: bool) -> Iterator[tuple[str, list[Part]]]:
    """(name as written, parts) of each label of one text."""
    at = 0 if text.strip() else len(text) + 1
    while at <= len(text):
        name, at = _read_name(text, at)
        if text.startswith('"', at):
            parts, at = _read_quoted(text, at)
        elif braces:
            parts, at = _read_pattern(text, at)
        else:
            parts, at = _read_plain(text, at)
        yield name, parts
        at += 1  # past the comma, or past the end


def _read_name(text: str, at: int) -> tuple[str, int]:
    """The name, and the position after its equals sign."""
    end = _match(_NAME, text, at).end()
    name = text[at:end].strip()
    if not text.startswith("=", end):
        if not name:
            raise _wrong(f"{setting('labels')} {_show(text)} has an empty label", "remove the comma")
        raise _wrong(f"label {_show(name)} has no =", "write name=value; put a value with a comma in double quotes")
    if not name:
        raise _wrong(f"label {_show(text[at:])} has no name before its =", "write name=value")
    return name, end + 1


def _read_quoted(text: str, at: int) -> tuple[list[Part], int]:
    found = _QUOTED.match(text, at)
    if not found:
        raise _wrong(
            f"the value {_show(text[at:])} has no closing quote",
            'end it with "; write \\" for a quote inside the value',
        )
    end = found.end()
    if end < len(text) and text[end] != ",":
        raise _wrong(
            f"{_show(text[end:])} follows the closing quote of {_show(found.group())}",
            'put a comma between; write \\" for a quote inside',
        )
    return [_QUOTED_ESCAPE.sub(r"\1", found.group(1))], end


def _read_plain(text: str, at: int) -> tuple[list[Part], int]:
    end = _match(_UNQUOTED, text, at).end()
    return [text[at:end]], end


def _read_pattern(text: str, at: int, commas: bool = False) -> tuple[list[Part], int]:
    """Text, ranges and lists up to the next comma outside braces; with `commas`, commas are ordinary characters."""
    parts: list[Part] = []
    plain_open = 0  # escaped opening braces that are not closed yet
    while at < len(text) and (commas or text[at] != ","):
        token = _TOKEN.match(text, at)
        if token is None and not (text[at] == "," or (text[at] == "}" and plain_open)):
            raise _brace_error(text[at:])
        if token and token["group"]:
            parts.append(_parse_group(token["group"]))
        else:
            literal = (token["plain"] or token["brace"]) if token else text[at]
            plain_open += {"{": 1, "}": -1}.get(literal, 0)
            _append_text(parts, literal)
        at = token.end() if token else at + 1
    return parts, at


def _append_text(parts: list[Part], text: str) -> None:
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)


def _parse_group(group: str) -> Part:
    """A range or a list, including its braces."""
    found = _RANGE.fullmatch(group)
    if found:
        return _parse_range(group, *found.groups())
    items = tuple(_BRACE_ESCAPE.sub(r"\1", item) for item in group[1:-1].split(","))
    if len(items) == 1:
        raise _brace_error(group)
    if len(set(items)) < len(items):
        twice = next(item for item in items if items.count(item) > 1)
        raise _wrong(
            f"{_show(twice)} occurs twice in {_show(group)}, so the same series would be made twice", "remove one"
        )
    return items


def _parse_range(group: str, first: str, last: str) -> NumberRange:
    if max(len(first), len(last)) > _MAX_DIGITS:
        raise _wrong(
            f"the range {_show(group)} has a number of more than {_MAX_DIGITS} digits",
            "write the leading digits as text",
        )
    padded = any(bound[0] == "0" and len(bound) > 1 for bound in (first, last))
    numbers = NumberRange(int(first), int(last), max(len(first), len(last)) if padded else 0)
    if numbers.count < 1:
        raise _wrong(f"the range {_show(group)} is descending", f"write {{{last}..{first}}}")
    if numbers.count > MAX_SERIES:
        raise _wrong(f"the range {_show(group)} has {numbers.count:,} numbers", f"the maximum is {MAX_SERIES:,}")
    return numbers


def _check_utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        piece = text[max(0, error.start - 10) : error.end + 10]
        problem = f"{setting('labels')} is not valid UTF-8, at {_show(piece)}"
        raise _wrong(problem, "encode it in UTF-8") from None
    return text


def _check_name(given: str, written: dict[str, str]) -> str:
    """The valid form of a name. InputError if an earlier label already uses it."""
    name = re.sub("[^a-zA-Z0-9_]", "_", given)
    name = f"_{name}" if name[0].isdigit() else name
    if name == "__name__":
        raise _wrong(f"label {_show(given)} is the metric's name", f"set it with {setting('metric_name')}")
    if given in written.values():
        raise _wrong(f"label {_show(given)} is given twice", f"remove one; for several values write {name}={{a,b}}")
    if name in written:
        raise _wrong(f"labels {_show(written[name])} and {_show(given)} both become '{name}'", "rename one of the two")
    return name


def _check_value(given: str, parts: list[Part]) -> tuple[Part, ...]:
    if all(part == "" or (isinstance(part, tuple) and "" in part) for part in parts):
        raise _wrong(
            f"label {_show(given)} has an empty value, which Prometheus drops", "add a value, or leave the label out"
        )
    return tuple(parts)


def _brace_error(text: str) -> InputError:
    return _wrong(
        f"the brace in {_show(text)} is neither a range such as {{1..100}} nor a list such as {{a,b,c}}",
        "write \\{ for a literal brace",
    )


def _count(part: Part) -> int:
    if isinstance(part, NumberRange):
        return part.count
    return len(part) if isinstance(part, tuple) else 1


def _match(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    found = pattern.match(text, at)
    assert found is not None  # these patterns also match the empty text
    return found


def _show(text: str) -> str:
    """A part of the input, as messages quote it: shortened and on one line."""
    short = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return f"'{short}'" if short.isprintable() else repr(short)
