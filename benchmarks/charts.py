"""Charts as SVG, drawn by hand: all that a page of figures needs, without a library.

Text is dark on a white background, so that a chart can be read on a dark page as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 800
FONT = "font-family='system-ui, sans-serif' font-size='13' fill='#222'"
LETTER = 7.2  # the greatest width of a letter, averaged over a label
COLOURS = ("#1f6fb4", "#d9622b", "#2f9156", "#8a4fa8", "#b8383d", "#6b7280", "#12a3a3", "#a38a12", "#222222", "#e58fb0")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: points (x, y), both above 0."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its value, and the text after it."""

    label: str
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis: decades from `low` to `high` over the pixels `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float) -> Axis:
        """From the decade below the least value to the one above the largest."""
        logs = [math.log10(value) for value in values]
        low, high = math.floor(min(logs) + 1e-9), math.ceil(max(logs) - 1e-9)
        return cls(low, max(high, low + 1), start, end)

    def at(self, value: float) -> float:
        """The pixel of a value."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """The powers of ten."""
        return [10.0**power for power in range(int(self.low), int(self.high) + 1)]


def line_chart(title: str, x_name: str, y_name: str, lines: Sequence[Line]) -> str:
    """Lines over two logarithmic axes, a legend beside them."""
    height, left, right, top, bottom = 400, 70, 240, 45, 50
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    x_axis = Axis.over(xs, left, WIDTH - right)
    y_axis = Axis.over(ys, height - bottom, top)
    parts = [text(left, 24, title, size=15, weight="bold")]
    for tick in x_axis.ticks:
        x = x_axis.at(tick)
        parts += [rule(x, top, x, height - bottom), text(x, height - bottom + 18, short(tick), anchor="middle")]
    for tick in y_axis.ticks:
        y = y_axis.at(tick)
        parts += [rule(left, y, WIDTH - right, y), text(left - 8, y + 4, short(tick), anchor="end")]
    parts.append(text((left + WIDTH - right) / 2, height - 10, x_name, anchor="middle"))
    parts.append(f"<g transform='rotate(-90 18 {height / 2})'>{text(18, height / 2, y_name, anchor='middle')}</g>")
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        parts += draw_line([(x_axis.at(x), y_axis.at(y)) for x, y in line.points], colour)
        y = top + 14 + 22 * number
        parts += [
            f"<circle cx='{WIDTH - right + 18}' cy='{y - 4}' r='5' fill='{colour}'/>",
            text(WIDTH - right + 30, y, line.name),
        ]
    return document(height, parts)


def draw_line(points: Sequence[tuple[float, float]], colour: str) -> list[str]:
    """A line and its points, in pixels."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>" for x, y in points]
    return [f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>", *dots]


def bar_chart(title: str, note: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars over a logarithmic axis that begins at 1, the labels before them."""
    left = 26 + round(LETTER * max((len(bar.label) for bar in bars), default=0))
    right, row, top = 60, 30, 62
    height = top + row * len(bars) + 34
    axis = Axis.over([1, *(bar.value for bar in bars)], left, WIDTH - right)
    parts = [text(16, 26, title, size=15, weight="bold"), text(16, 46, note)]
    for tick in axis.ticks:
        parts += [
            rule(axis.at(tick), top - 4, axis.at(tick), height - 28),
            text(axis.at(tick), height - 10, short(tick), anchor="middle"),
        ]
    for number, bar in enumerate(bars):
        y = top + row * number
        end = max(axis.at(bar.value), left + 2)
        parts += [
            text(left - 10, y + 17, bar.label, anchor="end"),
            f"<rect x='{left}' y='{y + 3}' width='{end - left:.1f}' height='{row - 10}' fill='{COLOURS[0]}'/>",
            text(end + 8, y + 17, bar.text, weight="bold"),
        ]
    return document(height, parts)


def document(height: float, parts: Iterable[str]) -> str:
    """The SVG file."""
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height:g}' viewBox='0 0 {WIDTH} {height:g}'>"
    )
    ground = f"<rect width='{WIDTH}' height='{height:g}' rx='6' fill='#fff'/>"
    return "\n".join([head, ground, *parts, "</svg>", ""])


def text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 13, weight: str = "normal") -> str:
    """Words at a place."""
    font = FONT.replace("'13'", f"'{size}'")
    return f"<text x='{x:.1f}' y='{y:.1f}' {font} text-anchor='{anchor}' font-weight='{weight}'>{escape(words)}</text>"


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    """A thin grey line."""
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='#ddd'/>"


def short(value: float) -> str:
    """1, 10, 1k, 1M, 0.01 …"""
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= bound:
            return f"{value / bound:g}{letter}"
    return f"{value:g}"
