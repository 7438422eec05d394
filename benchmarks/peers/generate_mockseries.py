"""Series by mockseries alone: prints the wall and the CPU seconds that they took, imports left out.

.peers/original/bin/python benchmarks/peers/generate_mockseries.py SERIES DAYS
"""

# mypy: ignore-errors
# Runs in its own environment, whose libraries the checks do not have.

import sys
import time
from types import ModuleType

import original


def main() -> None:
    """As the original script makes its one, again and again."""
    for name in ("matplotlib", "matplotlib.pyplot"):
        sys.modules.setdefault(name, ModuleType(name))
    original.generate(0, 1)
    begin, cpu = time.perf_counter(), time.process_time()
    for number in range(int(sys.argv[1])):
        original.generate(number, float(sys.argv[2]))
    print(time.perf_counter() - begin, time.process_time() - cpu)


if __name__ == "__main__":
    main()
