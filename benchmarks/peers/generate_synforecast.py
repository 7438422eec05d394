"""Seasonal series by Nixtla's synforecast: prints the wall and the CPU seconds that they took, imports left out.

.peers/synforecast/bin/python benchmarks/peers/generate_synforecast.py SERIES DAYS
"""

# mypy: ignore-errors
# Runs in its own environment, whose libraries the checks do not have.

import sys
import time

from synforecast.generators import SeasonalGenerator


def main() -> None:
    """One frame of all series."""
    steps = round(float(sys.argv[2]) * 288)
    generator = SeasonalGenerator(
        min_length=steps, max_length=steps, freq="5min", seasonality_period=288, seasonality_amplitude=10.0, seed=42
    )
    generator.generate(n_series=1)
    begin, cpu = time.perf_counter(), time.process_time()
    frame = generator.generate(n_series=int(sys.argv[1]))
    print(time.perf_counter() - begin, time.process_time() - cpu)
    assert len(frame) == steps * int(sys.argv[1])


if __name__ == "__main__":
    main()
