"""OpenMetrics as promtool 2.42 reads it, a token at a time: the slow, plain truth for the reader's tests.

The rules are those of prometheus/prometheus v2.42.0, model/textparse/openmetricslex.l: in each state the longest match
wins. Shares nothing with promfill's reader. Refuses times before 1970 and after 9999 as well, as promfill does.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction

LAST_MS = 253402300799999
TYPES = {"counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown"}

Labels = tuple[tuple[str, str], ...]

_QUOTED = (rb'"(\\\0*[^\0\n]|[^\\"\n])*"', rb'"(\\[^\0\n]|[^\\"\0\n])*"')
_RULES = {
    "init": [(rb"# ", "comment", ""), (rb"[a-zA-Z_:][a-zA-Z0-9_:]*", "value", "name")],
    "comment": [(rb"(HELP|TYPE|UNIT) ", "meta1", "kind"), (rb"EOF\n?", "init", "eof")],
    "meta1": [(rb"[a-zA-Z_:][a-zA-Z0-9_:]*", "meta2", "name")],
    "meta2": [(rb" [^\n]*\n", "init", "text")],
    "value": [(rb"\{", "labels", "open"), (rb" [^ \n\0]+", "timestamp", "number")],
    "labels": [
        (rb"[a-zA-Z_][a-zA-Z0-9_]*", "labels", "label"),
        (rb"\}", "value", "close"),
        (rb"=", "labelvalue", "equal"),
        (rb",", "labels", "comma"),
    ],
    "labelvalue": [(_QUOTED[0], "labels", "quoted")],
    "timestamp": [
        (rb" [^ \n\0]+", "timestamp", "number"),
        (rb"\n", "init", "newline"),
        (rb" # \{", "exemplar", "exemplar"),
    ],
    "exemplar": [
        (rb"[a-zA-Z_][a-zA-Z0-9_]*", "exemplar", "label"),
        (rb"\}", "exvalue", "close"),
        (rb"=", "exvalue", "equal"),
        (rb",", "exemplar", "comma"),
    ],
    "exvalue": [(_QUOTED[1], "exemplar", "quoted"), (rb" [^ \n\0]+", "extimestamp", "number")],
    "extimestamp": [(rb" [^ \n\0]+", "extimestamp", "number"), (rb"\n", "init", "newline")],
}
_COMPILED = {
    state: [(re.compile(rule), after, token) for rule, after, token in rules] for state, rules in _RULES.items()
}


class RefusedError(Exception):
    """What promtool refuses; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass
class _Parser:
    text: bytes
    at: int = 0
    state: str = "init"
    line: int = 1
    samples: list[tuple[Labels, int, float]] = field(default_factory=list)
    exemplars: int = 0

    def refuse_unless(self, good: object) -> None:
        if not good:
            raise RefusedError(self.line)

    def token(self) -> tuple[str, bytes]:
        if self.at >= len(self.text):
            return "end", b""
        matches = [
            (match.end(), after, kind)
            for rule, after, kind in _COMPILED[self.state]
            if (match := rule.match(self.text, self.at))
        ]
        self.refuse_unless(matches)
        end, self.state, kind = max(matches)
        start, self.at = self.at, end
        return self.token() if not kind else (kind, self.text[start:end])

    def expect(self, *kinds: str) -> tuple[str, bytes]:
        kind, text = self.token()
        self.refuse_unless(kind in kinds)
        return kind, text

    def run(self) -> None:
        while True:
            kind, text = self.token()
            if kind == "eof":
                self.line += text.endswith(b"\n")
                self.refuse_unless(self.at == len(self.text))
                return
            self.refuse_unless(kind in ("name", "kind"))
            if kind == "kind":
                self.metadata(text[:4].decode())
            else:
                self.sample(text)
            self.line += 1

    def metadata(self, kind: str) -> None:
        _, name = self.expect("name")
        text = self.expect("text")[1][1:-1]
        if kind == "HELP":
            self.refuse_unless(_is_utf8(text))
        elif kind == "TYPE":
            self.refuse_unless(text.decode("latin-1") in TYPES)
        else:
            self.refuse_unless(not text or name.endswith(b"_" + text))

    def sample(self, name: bytes) -> None:
        labels = [("__name__", name.decode())]
        kind, text = self.expect("open", "number")
        if kind == "open":
            labels += self.labels()
            _, text = self.expect("number")
        value, time = self.number(text[1:]), None
        kind, text = self.expect("newline", "number", "exemplar")
        if kind == "number":
            time = self.time(text[1:])
            kind, text = self.expect("newline", "exemplar")
        if kind == "exemplar":
            self.exemplar(name)
        self.refuse_unless(time is not None and 0 <= time <= LAST_MS)
        there = sorted(label for label in labels if label[1])
        self.refuse_unless(len({label for label, _ in there}) == len(there))
        self.samples.append((tuple(there), time or 0, value))

    def labels(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        kind, text = self.expect("close", "label")
        while kind != "close":
            self.expect("equal")
            quoted = self.expect("quoted")[1][1:-1]
            self.refuse_unless(_is_utf8(quoted))
            found.append((text.decode(), _unescape(quoted.decode())))
            kind, _ = self.expect("close", "comma")
            if kind == "comma":
                kind, text = self.expect("label")
        return found

    def exemplar(self, name: bytes) -> None:
        self.refuse_unless(name.endswith((b"_total", b"_bucket")))
        self.labels()
        self.number(self.expect("number")[1][1:])
        kind, text = self.expect("newline", "number")
        if kind == "number":
            self.time(text[1:])
            self.expect("newline")
        self.exemplars += 1

    def number(self, text: bytes) -> float:
        try:
            value = float(text.decode("ascii", "strict"))
        except ValueError:
            raise RefusedError(self.line) from None
        self.refuse_unless(b"_" not in text and text.strip() == text)
        bare = text.lower().lstrip(b"+-")
        self.refuse_unless(not math.isinf(value) or bare in (b"inf", b"infinity"))
        self.refuse_unless(not math.isnan(value) or text.lower() == b"nan")
        return value

    def time(self, text: bytes) -> int:
        seconds = self.number(text)
        self.refuse_unless(math.isfinite(seconds))
        product = seconds * 1000
        return int(Fraction(product)) if math.isfinite(product) else LAST_MS + 1


def parse(text: bytes) -> tuple[list[tuple[Labels, int, float]], int]:
    """All samples in order, and how many exemplars went with them. RefusedError: the line that promtool stops at."""
    parser = _Parser(text)
    parser.run()
    return parser.samples, parser.exemplars


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unescape(text: str) -> str:
    out, at = [], 0
    while at < len(text):
        pair = text[at : at + 2]
        if pair in ("\\\\", '\\"', "\\n"):
            out.append("\n" if pair == "\\n" else pair[1])
            at += 2
        else:
            out.append(text[at])
            at += 1
    return "".join(out)
