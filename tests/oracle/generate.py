"""Series as mockseries makes them, by bits. Run by a Python that has tests/oracle/requirements.txt, under TZ=UTC:

    TZ=UTC .oracle/bin/python tests/oracle/generate.py < cases.json > series.json

Reads a JSON list of cases ``{start, step, steps, coefficient, base, mean, std, seed}`` (start and step in Unix
milliseconds; seed 0 is unseeded there), writes a JSON list of strings: the float64 values, little-endian, in hex.
"""

import json
import sys
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import numpy as np

KEY_FRAMES = {
    0: 1.0,
    2: 10.8,
    4: 18.1,
    6: 19.5,
    8: 17.6,
    10: 15.8,
    12: 14.1,
    14: 12.8,
    16: 10.3,
    18: 8.7,
    20: 3.6,
    22: 1.8,
}


def generate(case: dict[str, Any]) -> Any:
    from mockseries.noise import GaussianNoise
    from mockseries.seasonality import DailySeasonality
    from mockseries.trend import LinearTrend
    from mockseries.utils import datetime_range

    trend = LinearTrend(coefficient=case["coefficient"], time_unit=timedelta(hours=1), flat_base=case["base"])
    season = DailySeasonality({timedelta(hours=hour): value for hour, value in KEY_FRAMES.items()})
    noise = GaussianNoise(mean=case["mean"], std=case["std"], random_seed=case["seed"])
    step = timedelta(milliseconds=case["step"])
    start = datetime.fromtimestamp(0) + timedelta(milliseconds=case["start"])  # naive, exact; the zone is UTC
    times = datetime_range(granularity=step, start_time=start, end_time=start + case["steps"] * step)
    assert len(times) == case["steps"]
    return (trend + season + noise).generate(times)


def leave_out_drawing() -> None:
    """mockseries imports matplotlib, which is large and has no part in the numbers."""
    for name in ("matplotlib", "matplotlib.pyplot"):
        sys.modules.setdefault(name, ModuleType(name))


def main() -> None:
    leave_out_drawing()
    assert datetime.fromtimestamp(0) == datetime(1970, 1, 1), "run this under TZ=UTC"
    json.dump([np.asarray(generate(case), "<f8").tobytes().hex() for case in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
