"""A scalar reader of the OpenMetrics that promfill writes, by promtool's rules, and a reader of what promtool dumps."""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from promfill.model.batch import LabelSet
from tests.support.servers import run_promtool

Sample = tuple[LabelSet, int, int]
"""Label set, Unix milliseconds, bits of the value."""

PROMTOOL_NAN = 0x7FF8000000000001  # every NaN that promtool reads from text

_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
_LABELS = re.compile(rf"(?:{_PAIR.pattern})(?:,(?:{_PAIR.pattern}))*")
_LINE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{{({_LABELS.pattern})\}})? (\S+) (\S+)")
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
_DUMPED = re.compile(r"\{(.*)\} (\S+) (-?\d+)")
_DUMPED_PAIR = re.compile(r'([a-zA-Z0-9_]+)=("(?:[^"\\]|\\.)*")')


def bits(value: float) -> int:
    """The bits of a value as promtool keeps it."""
    return PROMTOOL_NAN if value != value else int.from_bytes(struct.pack(">d", value))


def read_openmetrics(text: bytes) -> tuple[list[str], list[Sample]]:
    """The metadata lines and the samples; ValueError where promtool would refuse the text."""
    lines = text.decode().split("\n")
    if lines[-2:] != ["# EOF", ""]:
        raise ValueError("data does not end with # EOF")
    comments = [line for line in lines[:-2] if line.startswith("# ")]
    return comments, [_read_line(line) for line in lines[len(comments) : -2]]


def dump_with_promtool(text: bytes, folder: Path) -> list[Sample]:
    """What promtool makes of the text: blocks, then their samples."""
    (folder / "input.txt").write_bytes(text)
    made = run_promtool("tsdb", "create-blocks-from", "openmetrics", folder / "input.txt", folder / "data")
    if made.returncode:
        raise ValueError(made.stderr)
    (folder / "data" / "wal").mkdir(parents=True, exist_ok=True)
    return list(_read_dump(run_promtool("tsdb", "dump", folder / "data").stdout))


def _read_line(line: str) -> Sample:
    found = _LINE.fullmatch(line)
    if not found:
        raise ValueError(f"not a sample: {line!r}")
    pairs = [(name, re.sub(r"\\.", lambda m: _ESCAPES[m[0]], value)) for name, value in _PAIR.findall(found[2] or "")]
    labels = tuple(sorted([("__name__", found[1]), *pairs]))
    *_, value, time = found.groups()
    return labels, int(float(time) * 1000), bits(float(value))


def _read_dump(text: str) -> Iterator[Sample]:
    for line in text.splitlines():
        found = _DUMPED.fullmatch(line)
        assert found, line
        labels = tuple((name, ast.literal_eval(value)) for name, value in _DUMPED_PAIR.findall(found[1]))
        yield labels, int(found[3]), bits(float(found[2]))
