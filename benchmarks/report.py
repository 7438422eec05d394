"""docs/benchmarks.md, its charts and the README's figures, from docs/benchmarks.json.

`python -m benchmarks.report` writes them again; the page's words are in page.md.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.charts import Bar, Line, bar_chart, line_chart
from benchmarks.growth import Growth, read
from benchmarks.headlines import section
from benchmarks.knees import explain
from benchmarks.matrix import NAMES
from benchmarks.processes import ROOT
from benchmarks.whole import WHOLE

DOCS = ROOT / "docs"
JSON = DOCS / "benchmarks.json"
PAGE = DOCS / "benchmarks.md"
CHARTS = DOCS / "benchmarks"
README = ROOT / "README.md"
TEMPLATE = Path(__file__).with_name("page.md")
MARKS = ("<!-- benchmarks -->", "<!-- /benchmarks -->")

Known = Mapping[str, Any]


def write(known: Known) -> None:
    """The page, the charts and the README's section."""
    CHARTS.mkdir(parents=True, exist_ok=True)
    for name, chart in charts(known).items():
        (CHARTS / f"{name}.svg").write_text(chart, encoding="utf-8")
    PAGE.write_text(page(known), encoding="utf-8")
    README.write_text(with_section(README.read_text(encoding="utf-8"), section(known)), encoding="utf-8")


def with_section(text: str, words: str) -> str:
    """The text with the part between the marks replaced; ValueError if it has no marks."""
    before, begin, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise ValueError(f"the README lacks {MARKS[0]} … {MARKS[1]}")
    return f"{before}{MARKS[0]}\n{words}\n{MARKS[1]}{after}"


def page(known: Known) -> str:
    """docs/benchmarks.md: the words of page.md, with the figures."""
    growths = [read(one) for one in known.get("growth", [])]
    filled = TEMPLATE.read_text(encoding="utf-8").format(
        circumstances=circumstances(known),
        broken=broken(known),
        comparisons=tables.table(tables.COMPARISON, tables.comparison_rows(known)),
        sides=tables.table(tables.SIDES, tables.side_rows(known)),
        missing=missing(known),
        goals=tables.table(("", "measured", "must", "aim"), tables.goal_rows(known, growths)),
        growth=tables.table(("", "measured", "exponent between neighbours", "fitted"), tables.growth_rows(growths)),
        knees="\n".join(f"- {growth.title}: {explain(growth)}" for growth in growths),
        stages="\n\n".join(part for stage in NAMES for part in tables.stage_parts(known, stage)),
        form=known.get("floors_form", "in the short form"),
        floors=tables.table(tables.FLOORS, tables.floor_rows(known)),
    )
    return re.sub(r"\n{3,}", "\n\n", filled)


def circumstances(known: Known) -> str:
    """The machine, the versions, and what the run took."""
    machine = ", ".join(f"{key} {value}" for key, value in known["machine"].items())
    versions = ", ".join(f"{name} {version}" for name, version in known["versions"].items())
    took = sum(known.get("took", {}).values())
    run = f"The run took {took / 60:.0f} minutes."
    return f"{known['date']}, commit {known['commit']}: {machine}. Peers: {versions}. {run}"


def broken(known: Known) -> str:
    """What failed in this run: nothing is left out silently."""
    lines = known.get("failures", [])
    text = "\n".join(f"- {' '.join(line.split())}" for line in lines)
    return f"**Failed in this run:**\n\n{text}" if lines else ""


def missing(known: Known) -> str:
    """The peers that were not available, by name."""
    lines = [f"- {one['peer']} ({one['name']}): {one['why']}" for one in known.get("unmade", []) if not one["failed"]]
    return "Missing in this run:\n\n" + "\n".join(lines) if lines else "No peer was missing."


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
    for one in known.get("growth", []):
        growth = read(one)
        unit = "seconds" if growth.name == "time" else "MB"
        title = f"Pushes into blocks: {growth.title}"
        found[f"{growth.name}-{growth.size}"] = line_chart(title, growth.size, unit, growth_lines(growth))
    return found


def growth_lines(growth: Growth) -> list[Line]:
    """The points, and the power law through them."""
    points = list(zip(growth.sizes, growth.values, strict=True))
    slope, count = growth.exponent, len(points)
    middle = [sum(math.log(point[axis]) for point in points) / count for axis in (0, 1)]
    law = [(x, math.exp(middle[1] + slope * (math.log(x) - middle[0]))) for x, _ in (points[0], points[-1])]
    return [Line("measured", points), Line(f"fitted: exponent {slope:.2f}", law)]


def rates(known: Known, stage: str) -> list[tuple[float, float]]:
    """(series, samples/s) of the measured cells of 21 days."""
    return [
        (cell["series"], cell["samples_per_second"])
        for cell in known.get("cells", [])
        if cell["stage"] == stage and cell["days"] == 21 and not cell["note"]
    ]


def peers_chart(known: Known) -> str:
    """How many times as fast as the alternatives; the replay is a yardstick, and not an alternative."""
    bars = [
        Bar(f"{short_peer(one)}, {one['series']:,} series", one["ratio"], tables.times(one["ratio"]))
        for one in known.get("comparisons", [])
        if one["ratio"] >= 1 and "replay" not in one["name"]
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
        .replace(", whole series a request", "")
        .replace(", a window of all series a request", ", windows")
        .replace(", into VictoriaMetrics", "")
        .replace(", into Prometheus", " (Prometheus)")
    )


def main() -> None:
    """Write all of it again."""
    write(json.loads(JSON.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
