"""Lines and their last two blanks, found by one scan; and which lines have the usual shape."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from promfill.codecs.openmetrics.lines import WIDEST, split_lines
from promfill.model.scratch import Scratch

USUAL = ["m 1 2", 'm{a="b"} 1.5 1700000000', "up 0 0", "x y z"]
"""Whatever the tokens are: three, with one blank between them."""
USUAL_WITH_BLANKS = ['m{a="b c"} 1 2', 'm{a=" "} 1 2', 'm{a="\t"} 1 2']
UNUSUAL = [
    "",
    "m",
    "m 1",
    " 1 2",
    "m  2",
    "m 1 ",
    "m  ",
    "# EOF",
    "# TYPE m gauge",
    "#a 1 2",
    "m\t1\t2",
    "m 1\t2",
    "   ",
]


def found(texts: list[str], rest: str = "") -> list[tuple[str, str, str] | None]:
    """Series, value and time of each line that is usual, else None; and every line's bounds are right."""
    data = "".join(f"{text}\n" for text in texts)
    buffer = np.frombuffer((data + rest + "m 1 2\n" * 9).encode(), np.uint8)
    lines, usual = split_lines(buffer, len((data + rest).encode()), Scratch())
    assert len(lines) == usual.size == len(texts)

    def text(start: int, end: int) -> str:
        return buffer[start:end].tobytes().decode()

    parts: list[tuple[str, str, str] | None] = []
    for row, line in enumerate(texts):
        start, end = int(lines.starts[row]), int(lines.ends[row])
        assert text(start, end) == line
        blanks = int(lines.series_ends[row]), int(lines.value_ends[row])
        parts.append(
            (text(start, blanks[0]), text(blanks[0] + 1, blanks[1]), text(blanks[1] + 1, end)) if usual[row] else None
        )
    return parts


def wanted(line: str) -> tuple[str, str, str] | None:
    if line in UNUSUAL:
        return None
    series, value, time = line.rsplit(" ", 2)
    return series, value, time


@pytest.mark.parametrize("line", USUAL + USUAL_WITH_BLANKS + UNUSUAL)
def test_a_line_alone(line: str) -> None:
    assert found([line]) == [wanted(line)]


def test_lines_beside_one_another() -> None:
    """The blanks of one say nothing of the other, neither where all are usual nor where one is not."""
    for lines in itertools.product([*USUAL[:2], USUAL_WITH_BLANKS[0], *UNUSUAL], repeat=2):
        for text in (list(lines), [*lines, "m 1 2"], ["m 1 2", *lines]):
            assert found(text) == [wanted(line) for line in text], text


def test_three_blanks_a_line_in_all_are_not_two_a_line() -> None:
    """Their number is right, and their places are not."""
    for lines in (["m 1", 'm{a="b c"} 1 2'], ['m{a="b c"} 1 2', "m 1"], ["m", "a b c d e"], ["a b c d e", "m"]):
        assert found(lines)[lines.index(max(lines, key=len))] is not None
        assert found(lines) == [None if len(line.split()) < 3 else tuple(line.rsplit(" ", 2)) for line in lines]


def test_what_does_not_end_with_a_newline_is_no_line_yet() -> None:
    for rest in ("m 1 2", "m 1", "m", " "):
        assert found(["m 1 2", "n 3 4"], rest) == [("m", "1", "2"), ("n", "3", "4")]
        assert found([], rest) == []


@pytest.mark.parametrize(("more", "usual"), [(0, True), (1, False), (40, False)])
def test_value_and_time_may_be_so_wide(more: int, usual: bool) -> None:
    """Counted from the blank before them; a series may be as long as it likes."""
    time = "1" * (WIDEST - len(" 1 ") + more)
    for series in ("m", "m" * 300):
        assert found([f"{series} 1 {time}"]) == [(series, "1", time) if usual else None]
        assert found([f"{series} 1 {time}", "m 1 2"])[1] == ("m", "1", "2")


def test_lines_by_number() -> None:
    data = b"m 1 2\nnn 3 4\no 5 6\n"
    lines, _ = split_lines(np.frombuffer(data + bytes(64), np.uint8), len(data), Scratch())
    some = lines[np.array([2, 0])]
    assert [data[a:b] for a, b in zip(some.starts, some.ends, strict=True)] == [b"o 5 6", b"m 1 2"]
    assert (some.series_ends.tolist(), some.value_ends.tolist()) == ([14, 1], [16, 3])
