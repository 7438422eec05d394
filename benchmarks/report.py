"""docs/benchmarks.md, its charts and the README's figures, from docs/benchmarks.json.

`python -m benchmarks.report` writes them again; the words of the page are in page.md.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.charts import Bar, Line, bar_chart, line_chart
from benchmarks.limits import read_limits
from benchmarks.matrix import NAMES, RANGES, WHOLE
from benchmarks.processes import ROOT

DOCS = ROOT / "docs"
JSON = DOCS / "benchmarks.json"
PAGE = DOCS / "benchmarks.md"
CHARTS = DOCS / "benchmarks"
README = ROOT / "README.md"
TEMPLATE = Path(__file__).with_name("page.md")
MARKS = ("<!-- benchmarks -->", "<!-- /benchmarks -->")

COMPARISON = ("promfill against", "series", "times as fast", "turns", "spread", "control")
SIDE = ("wall s", "CPU s", "M samples/s", "B/sample", "peak MB")

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


def write(known: Known) -> None:
    """The page, the charts and the README's section."""
    CHARTS.mkdir(parents=True, exist_ok=True)
    for name, chart in charts(known).items():
        (CHARTS / f"{name}.svg").write_text(chart, encoding="utf-8")
    PAGE.write_text(page(known), encoding="utf-8")
    README.write_text(with_section(README.read_text(encoding="utf-8"), readme_section(known)), encoding="utf-8")


def with_section(text: str, section: str) -> str:
    """The text with what stands between the marks replaced; ValueError where it has none."""
    before, begin, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise ValueError(f"the README lacks {MARKS[0]} … {MARKS[1]}")
    return f"{before}{MARKS[0]}\n{section}\n{MARKS[1]}{after}"


def charts(known: Known) -> dict[str, str]:
    """By name."""
    found = {"peers": peers_chart(known)}
    for stages, name, title in (
        (list(WHOLE), "whole", "Whole processes, 21 days at 5m"),
        ([name for name in NAMES if name not in WHOLE], "stages", "The stages inside, 21 days at 5m"),
    ):
        lines = [Line(stage, points) for stage in stages if (points := rates(known, stage))]
        if lines:
            found[name] = line_chart(title, "series", "samples/s", lines)
    for name, unit in (("time", "seconds"), ("memory", "MB")):
        for size in ("series", "days"):
            if growth := growth_of(known, name, size):
                title = f"Pushes into blocks: {name} against {size}"
                found[f"{name}-{size}"] = line_chart(title, size, unit, growth_lines(growth))
    return found


def growth_lines(growth: Known) -> list[Line]:
    """The points, and the power law through them."""
    points = list(zip(growth["sizes"], growth["values"], strict=True))
    slope, count = growth["exponent"], len(points)
    middle = [sum(math.log(point[axis]) for point in points) / count for axis in (0, 1)]
    law = [(x, math.exp(middle[1] + slope * (math.log(x) - middle[0]))) for x, _ in (points[0], points[-1])]
    return [Line("measured", points), Line(f"fitted: exponent {slope:.2f}", law)]


def rates(known: Known, stage: str) -> list[tuple[float, float]]:
    """(series, samples/s) of the cells of 21 days that were run."""
    return [
        (cell["series"], cell["samples_per_second"])
        for cell in known.get("cells", [])
        if cell["stage"] == stage and cell["days"] == 21 and not cell["note"]
    ]


def peers_chart(known: Known) -> str:
    """How many times as fast."""
    bars = [
        Bar(f"{short_peer(one)}, {one['series']:,} series", one["ratio"], times(one["ratio"]))
        for one in known.get("comparisons", [])
        if one["ratio"] >= 1
    ]
    note = "21 days at 5m; whole processes, but for generation alone; logarithmic"
    return bar_chart("How many times as fast promfill is", note, bars)


def short_peer(one: Known) -> str:
    """The peer's name for a chart."""
    if one["name"].startswith("original"):
        return "mockseries + jinja2 + promtool"
    return (
        str(one["peer"])
        .replace("opentelemetry-exporter-prometheus-remote-write", "OpenTelemetry's exporter")
        .replace(", text ready, blocks of", ",")
        .replace(", against create-blocks-from", " (create-blocks-from)")
        .replace(" a request", "")
        .replace("a window of all series", "windows")
    )


def page(known: Known) -> str:
    """docs/benchmarks.md: the words of page.md, with the figures."""
    filled = TEMPLATE.read_text(encoding="utf-8").format(
        circumstances=circumstances(known),
        comparisons=table(COMPARISON, comparison_rows(known)),
        sides=table(("promfill against", *SIDE, *(f"peer: {name}" for name in SIDE)), side_rows(known)),
        missing=missing(known),
        goals=table(("", "measured", "must", "aim"), goal_rows(known)),
        growth=table(("", "measured", "exponent between neighbours", "fitted"), growth_rows(known)),
        knees="\n".join(f"- {name}: {words}" for name, words in KNEES.items()),
        stages="\n\n".join(part for stage in NAMES for part in stage_parts(known, stage)),
        form=known.get("floors_form", "in full"),
        floors=table(("case", "figure", "", "M samples/s", "spread", "limit"), floor_rows(known)),
    )
    return re.sub(r"\n{3,}", "\n\n", filled)


def circumstances(known: Known) -> str:
    """The circumstances."""
    machine = ", ".join(f"{key} {value}" for key, value in known["machine"].items())
    versions = ", ".join(f"{name} {version}" for name, version in known["versions"].items())
    took = sum(known.get("took", {}).values())
    run = f"The run took {took / 60:.0f} minutes."
    return f"{known['date']}, commit {known['commit']}: {machine}. Peers: {versions}. {run}"


def table(header: Row, rows: Iterable[Row]) -> str:
    """A Markdown table, the figures to the right; nothing where there is no row."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(header)} |", "|" + "---|" + "---:|" * (len(header) - 1), *lines])


def comparison_rows(known: Known) -> list[Row]:
    """One a comparison."""
    return [
        (
            one["peer"],
            series_text(one),
            times(one["ratio"]),
            str(one["turns"]),
            f"{one['spread']:.0%}" if one["turns"] > 1 else "",
            f"{one['control']:.2f}" if one["control"] else "",
        )
        for one in known.get("comparisons", [])
    ]


def side_rows(known: Known) -> list[Row]:
    """One a comparison: both sides."""
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


def missing(known: Known) -> str:
    """The peers that could not be had, by name."""
    lines = known.get("missing", [])
    return "Missing in this run:\n\n" + "\n".join(f"- {line}" for line in lines) if lines else "No peer was missing."


def goal_rows(known: Known) -> list[Row]:
    """What the benchmarks are to show."""
    ratios = {one["name"]: one["ratio"] for one in known.get("comparisons", [])}
    rows: list[Row] = [
        (what, times(ratios[name]) if name in ratios else "missing", times(must), times(aim))
        for name, (what, must, aim) in GOALS.items()
    ]
    if growth := growth_of(known, "time", "series"):
        rows.append(
            (
                "time against series, 100 to 100,000, 7 days, start-up off (exponent)",
                f"{growth['exponent']:.2f} (steepest {max(growth['local_exponents']):.2f})",
                "1.05",
                "1.0",
            )
        )
    if growth := growth_of(known, "memory", "days"):
        rows.append(
            ("memory against range, 1 week to 1 year, 1,000 series", f"within {growth['range']:.0%}", "10%", "3%")
        )
    return rows


def growth_of(known: Known, name: str, size: str) -> Any:
    """One of the growths, or None."""
    return next((one for one in known.get("growth", []) if (one["name"], one["size"]) == (name, size)), None)


KNEES = {
    "time against series": "below 1 between small fleets, as a block (its files, its syncs) costs the same however few "
    "series share it; it nears 1 where samples are most of the work. A step beyond 1 in one run was noise of a busy "
    "machine when it was looked into: three repeats of the last gave 1.01 in wall time and 1.00 in CPU time.",
    "time against days": "every day is a block of its own, made like the one before. Likewise, three repeats of the "
    "last step gave 0.91 in wall time and 0.86 in CPU time.",
    "memory against series": "flat while the scratch arrays of a tile are the most there is; it bends upwards where "
    "the fleet's labels and the chunk references of a block have outgrown them.",
    "memory against days": "a block depends on nothing but its tile: a longer range is more of the same tiles.",
}


def growth_rows(known: Known) -> list[Row]:
    """The points, the slopes between them, and the fit."""
    return [
        (
            f"{one['name']} against {one['size']}",
            ", ".join(f"{size:,}: {value:.3g}" for size, value in zip(one["sizes"], one["values"], strict=True))
            + f" {one['unit']}",
            ", ".join(f"{slope:.2f}" for slope in one["local_exponents"]),
            f"{one['exponent']:.2f}",
        )
        for one in known.get("growth", [])
    ]


def stage_parts(known: Known, stage: str) -> list[str]:
    """A stage's table, and what limits it."""
    spots = known.get("hot_spots", {}).get(stage, [])
    limits = ", ".join(f"`{name}` {share:.0%}" for name, share in spots)
    rows = [cell_row(cell) for cell in known.get("cells", []) if cell["stage"] == stage]
    kind = "whole process" if stage in WHOLE else "inside"
    header = ("series x range", "wall s", "CPU s", "M samples/s", "B/sample", "peak MB")
    parts = [f"### {stage} ({kind})", table(header, rows)]
    return [*parts, f"Most time of its own (profile, 1,000 series x 21 days): {limits}."] if limits else parts


def cell_row(cell: Known) -> Row:
    """One cell."""
    ranges = {days: name for name, days in RANGES.items()}
    name = f"{cell['series']:,} x {ranges[cell['days']]}"
    if cell["note"]:
        return (name, cell["note"].replace("\n", " ").replace("|", "/"), "", "", "", "")
    size = f"{cell['bytes_per_sample']:.2f}" if cell["bytes_per_sample"] else ""
    return (
        name,
        f"{cell['seconds']:.3g}",
        f"{cell['cpu_seconds']:.3g}",
        rate(cell["samples_per_second"]),
        size,
        f"{cell['peak_mb']:.0f}",
    )


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


def readme_section(known: Known) -> str:
    """What the README says: the chart, and the figures most users ask for."""
    machine = known["machine"]
    where = f"{machine['cores']} cores of a shared {machine['cpu']}, Python {machine['python']}"
    lines = [
        "![How many times as fast promfill is](docs/benchmarks/peers.svg)",
        "",
        *(f"- {text}" for text in headlines(known)),
        "",
        f"Measured on {where}; `make bench` measures it on yours.",
        "[docs/benchmarks.md](docs/benchmarks.md) has the rest: every size, memory, growth, what limits each stage.",
    ]
    return "\n".join(lines)


def headlines(known: Known) -> Iterable[str]:
    """Sentences of figures, of what was measured."""
    ratios = {one["name"]: one for one in known.get("comparisons", [])}
    if one := ratios.get("original_1000"):
        yield (
            f"21 days of 1,000 series (6,048,000 samples) as blocks, interpreter start included: "
            f"{one['own']['seconds']:.1f} s and {one['own']['peak_mb']:.0f} MB; "
            f"mockseries, jinja2 and promtool: {one['other']['seconds']:.0f} s."
        )
    run = [cell for cell in known.get("cells", []) if not cell["note"]]
    cells = {(cell["stage"], cell["series"], cell["days"]): cell for cell in run}
    for stage, series, what in (
        ("blocks", 10_000, "blocks, generated, encoded, indexed and synced"),
        ("openmetrics", 1_000, "OpenMetrics text"),
        ("remote_write_victoriametrics", 1_000, "remote write into VictoriaMetrics"),
        ("remote_write_prometheus", 1_000, "remote write into Prometheus"),
        ("verify_prometheus", 1_000, "verify against Prometheus, by bits"),
    ):
        if cell := cells.get((stage, series, 21)):
            yield f"{what}: {rate(cell['samples_per_second'])} M samples/s ({series:,} series x 21 days, one process)."
    if one := ratios.get("remote_write_replay"):
        yield (
            f"Against the pace at which VictoriaMetrics takes ready-made requests, a push of 1,000 series reaches "
            f"{one['ratio']:.2f} (control: {one['control']:.2f})."
        )
    if growth := growth_of(known, "memory", "days"):
        yield f"Memory of a push of 1,000 series: {max(growth['values']):.0f} MB, whether a week or a year."


def rate(samples_per_second: float) -> str:
    """In millions."""
    millions = samples_per_second / 1e6
    return f"{millions:.0f}" if millions >= 100 else f"{millions:.2g}"


def times(ratio: float) -> str:
    """A ratio, with as many digits as it deserves."""
    return f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 2 else f"{ratio:.2f}"


def main() -> None:
    """Write all of it again."""
    write(json.loads(JSON.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
