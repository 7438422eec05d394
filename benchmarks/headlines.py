"""What the README says about speed: the chart, and the figures that most users ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.growth import read
from benchmarks.tables import rate

Known = Mapping[str, Any]


def section(known: Known) -> str:
    """The README's section between its marks."""
    machine = known["machine"]
    where = f"{machine['cores']} cores of a shared {machine['cpu']}, Python {machine['python']}"
    lines = [
        "![How many times as fast promfill is](docs/benchmarks/peers.svg)",
        "",
        *(f"- {text}" for text in headlines(known)),
        "",
        f"Measured by `make bench` at commit {known['commit']}, {known['date']}, on {where}; it measures yours, too.",
        "[docs/benchmarks.md](docs/benchmarks.md) has the rest: every size, memory, growth, what limits each stage.",
    ]
    return "\n".join(lines)


def headlines(known: Known) -> Iterable[str]:
    """Sentences with figures, about what was measured."""
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
        yield replay_headline(one)
    for growth in (read(one) for one in known.get("growth", [])):
        if (growth.name, growth.size) == ("memory", "days"):
            yield f"Memory of a push of 1,000 series: {max(growth.values):.0f} MB, whether a week or a year."


def replay_headline(one: Known) -> str:
    """A push against the receiver's own pace."""
    started = f", {one['started_ratio']:.2f} with start-up taken off" if one["started_ratio"] else ""
    control = f" (control: {one['control']:.2f})" if one["control"] else ""
    return (
        f"Against the pace at which VictoriaMetrics takes ready-made requests, a push of 1,000 series reaches "
        f"{one['ratio']:.2f}{started}{control}."
    )
