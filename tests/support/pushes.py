"""The pushes that tests share: the original tool's examples, and a fleet with everything that fans out."""

from __future__ import annotations

import time

from promfill.model.grid import Grid
from promfill.scenario.label_patterns import parse_labels
from promfill.scenario.scenario import Scenario, Signal, make_grid
from promfill.scenario.times import DAY_MS
from promfill.sources.generated import Source

STEP = 300_000
FLEET_LABELS = r'instance=host-{01..10}:9100,zone={eu,us},quoted="a,b \"c\" \\ {1..3} é✓",job=node'


def scenario(
    metric: str, labels: str, grid: Grid, signal: Signal | None = None, description: str = "", unit: str = ""
) -> Scenario:
    """A scenario from labels as typed."""
    return Scenario(metric, tuple(parse_labels([labels]).patterns), grid, signal or Signal(), description, unit)


def example_1(now: int | None = None) -> Source:
    """Metric vpn, five labels, 21 days to now."""
    now = int(time.time()) * 1000 if now is None else now
    labels = (
        "instance=127.0.0.2:9273,job=metrics_generator:8123,tenant_uuid=abc123,uuid=device-uuid-123,"
        "vpn=active_ravpn_tunnels"
    )
    grid = make_grid(now - 21 * DAY_MS, now, STEP)
    return Source(scenario("vpn", labels, grid, description="Active RAVPN tunnels"))


def example_2() -> Source:
    """Metric cpu, three labels, three weeks around New Year 2024."""
    labels = "cpu=lina_cp_avg,tenant_uuid=xyz789,uuid=device-xyz"
    grid = make_grid(1_702_800_000_000, 1_704_614_400_000, STEP)
    return Source(scenario("cpu", labels, grid, Signal(0.5, 10.0), description="CPU utilization"))


def fleet_40() -> Source:
    """40 series: ranges, lists and a quoted value with everything that needs an escape."""
    grid = make_grid(1_702_800_000_000, 1_703_000_000_000, STEP)
    return Source(scenario("node_load1", FLEET_LABELS + ",rack={a,b}", grid))


PUSHES = {"example 1": example_1, "example 2": example_2, "fleet": fleet_40}
