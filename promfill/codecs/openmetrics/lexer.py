"""One line of OpenMetrics text, exactly by promtool 2.42's grammar: the exact, slow path that the reader falls back on.

Source: prometheus/prometheus v2.42.0, model/textparse/openmetricslex.l and openmetricsparse.go. Stricter than the
specification (one blank between tokens, no blank in braces, no comma after the last label, exemplars only on names that
end in _total or _bucket), and looser (families may be interleaved, HELP, TYPE and UNIT may be missing or repeated).
NUL bytes are skipped where that lexer skips them: in label values and in the text after HELP, TYPE and UNIT.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from promfill.codecs.openmetrics.numbers import GrammarError, check_exemplar_time, parse_number, parse_time, show
from promfill.model.batch import LabelSet

_NAME = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(rb'([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\\0*[^\0\n]|[^\\"\n])*)"')
_EXEMPLAR_LABEL = re.compile(rb'([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\[^\0\n]|[^\\"\0\n])*)"')
_TOKEN = re.compile(rb" ([^ \n\0]+)")
_METADATA = re.compile(rb"# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) ([^\n]*)\n")
_ESCAPE = re.compile(rb'\\([\\n"])')

_TYPES = {b"counter", b"gauge", b"histogram", b"gaugehistogram", b"summary", b"info", b"stateset", b"unknown"}
_WITH_EXEMPLARS = (b"_total", b"_bucket")
EOF = b"# EOF"


@dataclass(frozen=True, slots=True)
class Sample:
    """A line that is a sample; `time` in Unix ms."""

    labels: LabelSet
    time: int
    value: float
    exemplar: bool


def parse_line(line: bytes) -> Sample | Literal["EOF"] | None:
    """Parse a line with its newline: a sample, the end, or None for metadata. GrammarError: what promtool 2.42 refuses.

    Only ``# EOF`` may lack its newline.
    """
    if line.rstrip(b"\n") == EOF:
        return "EOF"
    if line.startswith(b"#"):
        _check_metadata(line)
        return None
    return _parse_sample(line)


def parse_series(text: bytes) -> tuple[LabelSet, int]:
    """The label set that the text begins with, and where it ends. GrammarError: none, or not a valid one."""
    name = _NAME.match(text)
    if not name:
        raise GrammarError(f"{show(text)} does not begin with a metric name")
    labels, at = [(b"__name__", name[0])], name.end()
    if text.startswith(b"{", at):
        more, at = _parse_labels(text, at + 1, _LABEL)
        labels += more
    there = sorted(label for label in labels if label[1])
    for (label, _), (following, _) in pairwise(there):
        if label == following:
            raise GrammarError(f"the label {label.decode()} appears twice")
    return tuple((label.decode(), value.decode()) for label, value in there), at


def _parse_sample(line: bytes) -> Sample:
    labels, at = parse_series(line)
    value, at = _expect_token(line, at, "value")
    number, time = parse_number(value), None
    if not line.startswith(b" # {", at) and (token := _TOKEN.match(line, at)):
        time, at = parse_time(token[1]), token.end()
    exemplar = line.startswith(b" # {", at)
    if exemplar:
        at = _skip_exemplar(line, at + len(b" # {"), dict(labels).get("__name__", ""))
    if line[at:] != b"\n":
        raise GrammarError(f"{show(line[at:])} after the sample" if line[at:] else "the text does not end with # EOF")
    if time is None:
        raise GrammarError("a sample without a timestamp")
    return Sample(labels, time, number, exemplar)


def _check_metadata(line: bytes) -> None:
    parts = _METADATA.fullmatch(line)
    if not parts:
        raise GrammarError(f"{show(line)} is neither HELP, TYPE nor UNIT of a metric, nor # EOF")
    kind, name, text = parts.groups()
    if kind == b"TYPE" and text not in _TYPES:
        raise GrammarError(f"{show(text)} is not a valid metric type")
    if kind == b"UNIT" and text and not name.endswith(b"_" + text):
        raise GrammarError(f"the unit {show(text)} does not end the name {show(name)}")
    if kind == b"HELP":
        _check_utf8(text, "help text")


def _parse_labels(text: bytes, at: int, grammar: re.Pattern[bytes]) -> tuple[list[tuple[bytes, bytes]], int]:
    """The labels from just after ``{``, and the place after ``}``."""
    labels: list[tuple[bytes, bytes]] = []
    while not text.startswith(b"}", at) or labels:
        label = grammar.match(text, at)
        if not label:
            raise GrammarError(f'expected label="value" at {show(text[at:])}')
        _check_utf8(label[2], "label value")
        labels.append((label[1], _ESCAPE.sub(_unescape, label[2])))
        at = label.end()
        if text.startswith(b"}", at):
            break
        if not text.startswith(b",", at):
            raise GrammarError(f"expected a comma or a closing brace at {show(text[at:])}")
        at += 1
    return labels, at + 1


def _skip_exemplar(line: bytes, at: int, metric: str) -> int:
    """The end of the exemplar whose labels begin here."""
    if not metric.encode().endswith(_WITH_EXEMPLARS):
        raise GrammarError(f"an exemplar on {metric}, which does not end in _total or _bucket")
    _, at = _parse_labels(line, at, _EXEMPLAR_LABEL)
    value, at = _expect_token(line, at, "exemplar's value")
    parse_number(value)
    if token := _TOKEN.match(line, at):
        check_exemplar_time(token[1])
        at = token.end()
    return at


def _expect_token(line: bytes, at: int, what: str) -> tuple[bytes, int]:
    token = _TOKEN.match(line, at)
    if not token:
        raise GrammarError(f"expected one blank and the {what} at {show(line[at:])}")
    return token[1], token.end()


def _unescape(escape: re.Match[bytes]) -> bytes:
    return b"\n" if escape[1] == b"n" else escape[1]


def _check_utf8(text: bytes, what: str) -> None:
    try:
        text.decode()
    except UnicodeDecodeError:
        raise GrammarError(f"the {what} {show(text)} is not UTF-8") from None
