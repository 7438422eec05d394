"""The original script's pipeline, written anew: mockseries makes series, jinja2 the text, promtool blocks of it.

    .peers/original/bin/python benchmarks/peers/original.py FOLDER SERIES DAYS

Kinder to it than it was: one process and one file for all series, rendered series by series; drawing is left out.
"""

# mypy: ignore-errors
# Runs in its own environment, whose libraries the checks do not have.

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

START = 1_700_006_400
SEASON = {0: 1.0, 2: 10.8, 4: 18.1, 6: 19.5, 8: 17.6, 10: 15.8, 12: 14.1, 14: 12.8, 16: 10.3, 18: 8.7, 20: 3.6, 22: 1.8}
TEMPLATE = "{% for time, value in samples %}{{ name }}{{ labels }} {{ value }} {{ time }}\n{% endfor %}"


def generate(number: int, days: float) -> tuple[list[int], list[float]]:
    """Times and values of one series."""
    from mockseries.noise import GaussianNoise
    from mockseries.seasonality import DailySeasonality
    from mockseries.trend import LinearTrend
    from mockseries.utils import datetime_range

    trend = LinearTrend(coefficient=0.1, time_unit=timedelta(hours=1), flat_base=5.0)
    season = DailySeasonality({timedelta(hours=hour): value for hour, value in SEASON.items()})
    noise = GaussianNoise(mean=0, std=3, random_seed=42 + number)
    start = datetime.fromtimestamp(START)
    times = datetime_range(granularity=timedelta(minutes=5), start_time=start, end_time=start + timedelta(days=days))
    values: Any = (trend + season + noise).generate(times)
    return [int(time.timestamp()) for time in times], list(values)


def write_text(path: Path, series: int, days: float) -> None:
    """The OpenMetrics file."""
    import jinja2

    template = jinja2.Template(TEMPLATE)
    with path.open("w") as file:
        file.write("# HELP vpn Backfilled metric data\n# TYPE vpn gauge\n")
        for number in range(series):
            labels = (
                f'{{cpu="total",instance="host-{number + 1}",job="node",tenant_uuid="abc123",uuid="device-uuid-123"}}'
            )
            samples = zip(*generate(number, days), strict=True)
            file.write(template.render(name="vpn", labels=labels, samples=samples))
        file.write("# EOF\n")


def main() -> None:
    """Series, text, blocks: as backfill.sh calls promtool."""
    for name in ("matplotlib", "matplotlib.pyplot"):  # mockseries imports it to draw with
        sys.modules.setdefault(name, ModuleType(name))
    folder, series, days = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    text = folder / f"vpn_backfill_{START}.txt"
    write_text(text, series, days)
    make_blocks = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=12h", "openmetrics"]
    subprocess.run([*make_blocks, str(text), str(folder / "blocks")], check=True)


if __name__ == "__main__":
    main()
