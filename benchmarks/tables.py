"""The tables of docs/benchmarks.md, and the format of figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.growth import Growth
from benchmarks.limits import read_limits
from benchmarks.matrix import RANGES, cap_of, limits_of
from benchmarks.whole import WHOLE

SIDE = ("wall s", "CPU s", "M samples/s", "B/sample", "peak MB")
COMPARISON = ("promfill against", "series", "times as fast", "turns", "their extent", "control", "start-up off")
SIDES = ("promfill against", *SIDE, *(f"peer: {name}" for name in SIDE))
CELL = ("series x range", *SIDE, "runs")
FLOORS = ("case", "figure", "", "M samples/s", "spread", "limit")
ONE_TURN = "one turn"

Known = Mapping[str, Any]
Row = Sequence[str]

GOALS: dict[str, tuple[str, float, float]] = {
    "original_1": ("blocks against the original's pipeline, 1 series", 4, 8),
    "original_100": ("… 100 series", 25, 50),
    "original_1000": ("… 1,000 series", 120, 300),
    "promtool_2h_100": ("blocks against promtool on ready text: blocks of 2h, 100 series", 80, 150),
    "promtool_longest_100": ("… its largest range, 100 series", 12, 25),
    "promtool_longest_1000": ("… its largest range, 1,000 series", 12, 25),
    "remote_writer_1000": ("remote write into VictoriaMetrics, 1,000 series, against prometheus-remote-writer", 20, 40),
    "remote_writer_windows_1000": ("… which sends windows of all series, as a Prometheus takes them", 20, 40),
    "remote_write_replay": ("… against the replay of ready-made requests", 0.85, 0.95),
}


def table(header: Row, rows: Iterable[Row]) -> str:
    """A Markdown table, with the figures to the right; nothing if there are no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(header)} |", "|" + "---|" + "---:|" * (len(header) - 1), *lines])


def comparison_rows(known: Known) -> list[Row]:
    """A row for each comparison; broken ones are in their place."""
    made = [
        (
            one["peer"],
            series_text(one),
            times(one["ratio"]),
            str(one["turns"]),
            f"{one['extent']:.0%}" if one["turns"] > 1 else ONE_TURN,
            f"{one['control']:.2f} ({one['control_extent']:.0%})" if one["control"] else "",
            times(one["started_ratio"]) if one["started_ratio"] else "",
        )
        for one in known.get("comparisons", [])
    ]
    failed = [(one["peer"], "", cut(f"failed: {one['why']}"), "", "", "", "") for one in failed_of(known)]
    return [*made, *failed]


def failed_of(known: Known) -> Iterator[Known]:
    """The comparisons that broke."""
    return (one for one in known.get("unmade", []) if one["failed"])


def side_rows(known: Known) -> list[Row]:
    """A row for each comparison: both sides."""
    return [
        (f"{one['peer']}, {series_text(one)}", *side(one["own"]), *side(one["other"]))
        for one in known.get("comparisons", [])
    ]


def side(taken: Known) -> Row:
    """One side's figures."""
    size = f"{taken['bytes_per_sample']:.1f}" if taken["bytes_per_sample"] else ""
    return (
        f"{taken['seconds']:.2f}",
        f"{taken['cpu_seconds']:.2f}",
        rate(taken["samples_per_second"]),
        size,
        f"{taken['peak_mb']:.0f}",
    )


def series_text(one: Known) -> str:
    """How many series each side had."""
    peer = f" (peer: {one['peer_series']:,})" if one["peer_series"] != one["series"] else ""
    return f"{one['series']:,}{peer}"


def goal_rows(known: Known, growths: Iterable[Growth]) -> list[Row]:
    """The goals of the benchmarks."""
    ratios = {one["name"]: one["ratio"] for one in known.get("comparisons", [])}
    rows: list[Row] = [
        (what, times(ratios[name]) if name in ratios else "not measured", times(must), times(aim))
        for name, (what, must, aim) in GOALS.items()
    ]
    found = {(growth.name, growth.size): growth for growth in growths}
    if growth := found.get(("time", "series")):
        steepest = max(step.exponent for step in growth.steps)
        what = "time against series, 100 to 100,000, 7 days, start-up off (exponent)"
        rows.append((what, f"{growth.exponent:.2f} (steepest {steepest:.2f})", "1.05", "1.0"))
    if growth := found.get(("memory", "days")):
        what = "memory against range, 1 week to 1 year, 1,000 series"
        rows.append((what, f"within {growth.range:.1%}", "10%", "3%"))
    return rows


def growth_rows(growths: Iterable[Growth]) -> list[Row]:
    """The points, the slopes between them (median of the rounds, least and most), and the fit."""
    return [
        (
            growth.title,
            ", ".join(f"{size:,}: {value:.3g}" for size, value in zip(growth.sizes, growth.values, strict=True))
            + f" {growth.unit}",
            ", ".join(f"{step.exponent:.2f} ({step.least:.2f}–{step.most:.2f})" for step in growth.steps),
            f"{growth.exponent:.2f}",
        )
        for growth in growths
    ]


def stage_parts(known: Known, stage: str) -> list[str]:
    """A stage's table, and what limits it."""
    rows = [cell_row(cell) for cell in known.get("cells", []) if cell["stage"] == stage]
    kind = "whole process" if stage in WHOLE else "inside"
    cap = f"Run up to {cap_of(stage) / 1e6:,.0f} million samples."
    found = known.get("profiles", {}).get(stage)
    limits = limits_of(stage, found["kinds"]) + spots_text(found["spots"]) if found else ""
    return [f"### {stage} ({kind})", table(CELL, rows), f"{cap} {limits}".strip()] if rows else []


def spots_text(spots: Iterable[tuple[str, float]]) -> str:
    """The functions with most time of their own."""
    return (
        " Most time of their own: " + ", ".join(f"`{name}` {share:.0%}" for name, share in spots if share >= 0.01) + "."
    )


def cell_row(cell: Known) -> Row:
    """One cell."""
    ranges = {days: name for name, days in RANGES.items()}
    name = f"{cell['series']:,} x {ranges[cell['days']]}"
    if cell["note"]:
        return (name, cut(cell["note"]), "", "", "", "", "")
    size = f"{cell['bytes_per_sample']:.2f}" if cell["bytes_per_sample"] else ""
    return (
        name,
        f"{cell['seconds']:.3g}",
        f"{cell['cpu_seconds']:.3g}",
        rate(cell["samples_per_second"]),
        size,
        f"{cell['peak_mb']:.0f}",
        str(cell["runs"]),
    )


def cut(text: str) -> str:
    """The text on one line, safe in a table."""
    return " ".join(text.split()).replace("|", "/")


def floor_rows(known: Known) -> list[Row]:
    """The cases of floors.toml."""
    limits = read_limits()
    return [
        (
            one["case"],
            f"{one['value']:.4g}",
            one["unit"],
            rate(one["rate"]) if one["rate"] else "",
            f"{one['spread']:.0%}" if one["spread"] else "",
            str(limits.get(one["case"], "")),
        )
        for one in known.get("floors", [])
    ]


def rate(samples_per_second: float) -> str:
    """In millions."""
    millions = samples_per_second / 1e6
    return f"{millions:.0f}" if millions >= 100 else f"{millions:.2g}"


def times(ratio: float) -> str:
    """A ratio, with a suitable number of digits."""
    return f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 2 else f"{ratio:.2f}"
