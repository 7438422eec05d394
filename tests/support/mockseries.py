"""The original's series, from mockseries itself or from tests/golden/mockseries.json, and ours beside them.

The golden file is made with the oracle's environment in place:

    python -m tests.support.mockseries
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.model.grid import Grid
from promfill.scenario.scenario import Signal
from promfill.sources.signals.noise import MersenneNoise
from promfill.sources.signals.shape import shape
from tests.support.golden import FOLDER, golden_json

ROOT = Path(__file__).resolve().parents[2]
Case = dict[str, Any]
Floats = NDArray[np.float64]

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


def _case(
    start: int, step: int, steps: int, coefficient: float = 0.1, base: float = 5.0, std: float = 3.0, seed: int = 42
) -> Case:
    values = {"start": start, "step": step, "steps": steps}
    return values | {"coefficient": coefficient, "base": base, "mean": 0.0, "std": std, "seed": seed}


def _cases() -> list[Case]:
    even, odd, leap = 1_762_128_000_000, 1_764_000_123_457, 1_709_150_399_001
    starts = [even, odd, leap, 1_711_846_799_999, 0, -12_345_678_901]
    steps = [1, 500, 999, SECOND, 1500, 15 * SECOND, 30 * SECOND, 7 * MINUTE + 13, HOUR, 2 * HOUR, 3 * HOUR + 1, DAY]
    cases = [
        _case(even, 5 * MINUTE, 6048),
        _case(1_702_800_000_000, 5 * MINUTE, 6048, 0.5, 10.0),  # the original's example of the metric cpu
        _case(odd, 5 * MINUTE, 6048, -0.37, 7.25, seed=2**32 - 1),
        _case(leap, 5 * MINUTE, 6048, 0.0, 20.0, seed=1),
        _case(even, MINUTE, 30_240),
        _case(odd, MINUTE, 30_240, -1.7, -3.0, seed=7),
        _case(even, 15 * MINUTE, 2880, 0.05, 10.0),
        _case(odd, 15 * MINUTE, 2880, 0.0, 0.0, std=0.25, seed=123_456_789),
        _case(even, 15 * MINUTE, 2880, std=0.0),
        _case(odd, 5 * MINUTE, 1),
        _case(odd, 5 * MINUTE, 2, 1e9, -1e9) | {"mean": 1.5},
    ]
    coefficients = [0.1, 0.5, -0.37, 0.0, 1 / 3]
    for number, (start, step) in enumerate((start, step) for start in starts for step in steps):
        cases.append(_case(start, step, 500 + number, coefficients[number % 5], number / 7, seed=1000 * number + 1))
    return cases


CASES = _cases()


def grid_of(case: Case) -> Grid:
    return Grid(case["start"], case["step"], case["steps"])


def ours(case: Case) -> Floats:
    """float64 (steps,): promfill's series of one case."""
    noise = np.empty((case["steps"], 1))
    MersenneNoise(case["seed"], case["mean"], case["std"], case["steps"]).fill(noise, 0, 0)
    signal = Signal(trend_coefficient=case["coefficient"], flat_base=case["base"])
    return shape(signal, grid_of(case), 0, case["steps"]) + noise[:, 0]


def oracle_python() -> Path | None:
    """The Python that has mockseries: PROMFILL_ORACLE_PYTHON, or the one of .oracle/; None where there is none."""
    named = os.environ.get("PROMFILL_ORACLE_PYTHON")
    places = [Path(named)] if named else [ROOT / ".oracle/bin/python", ROOT / ".oracle/Scripts/python.exe"]
    return next((place for place in places if place.exists()), None)


def ask_oracle(python: Path, cases: list[Case]) -> list[Floats]:
    """mockseries' series, in an environment and a process of its own."""
    script = ROOT / "tests/oracle/generate.py"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {"TZ": "UTC"}
    done = subprocess.run(
        [python, script], input=json.dumps(cases), stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    return [np.frombuffer(bytes.fromhex(series), "<f8") for series in json.loads(done.stdout)]


def summary(values: Floats) -> dict[str, str]:
    """What the golden file keeps of a series: a hash of all its bits, and both ends to look at."""
    data = values.astype("<f8").tobytes()
    return {
        "sha256": hashlib.sha256(data).hexdigest(),
        "first": float(values[0]).hex(),
        "last": float(values[-1]).hex(),
    }


def golden() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = golden_json("mockseries.json")
    return entries


def main() -> None:
    python = oracle_python()
    if python is None:
        sys.exit("no .oracle/: make it first (tests/golden/README.md)")
    entries = [{"case": case} | summary(values) for case, values in zip(CASES, ask_oracle(python, CASES), strict=True)]
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    (FOLDER / "mockseries.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
