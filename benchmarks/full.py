"""`make bench`: everything, written to docs/benchmarks.json; `report` makes the page and the charts of it.

    python -m benchmarks.full [--large] [--only floors,matrix,rivals,growth] [--rivals original_1,…] [--json FILE]

`--only` measures some parts again, `--rivals` some comparisons, and both keep the others as the file has them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import growth, matrix, report, rivals
from benchmarks.__main__ import all_cases
from benchmarks.harness import machine, run_cases
from benchmarks.limits import read_limits
from benchmarks.processes import ROOT
from benchmarks.receivers import PEERS

PROGRAMS = {"promtool": ["--version"], "prometheus": ["--version"], "victoria-metrics": ["--version"]}


def measure_floors(large: bool, quick: bool = False) -> dict[str, Any]:
    """The cases of all modules, held against floors.toml."""
    results, failures = run_cases(all_cases(quick), read_limits())
    form = "in the short form" if quick else "in full"
    return {"floors": [asdict(result) for result in results], "floors_form": form, "failures": failures}


def measure_matrix(large: bool) -> dict[str, Any]:
    """Every stage over every fleet and range, and what limits each."""
    cells = []
    for cell in matrix.measure_all(large):
        cells.append(asdict(cell))
        shown = cell.note or f"{cell.samples_per_second / 1e6:8.2f} M samples/s {cell.peak_mb:6.0f} MB"
        print(f"{cell.stage:<30} {cell.series:>7} x {cell.days:>3} days  {shown}", flush=True)
    return {"cells": cells, "hot_spots": {stage: matrix.profile(stage) for stage in matrix.NAMES}}


def measure_rivals(large: bool) -> dict[str, Any]:
    """promfill beside its peers."""
    done, missing = rivals.measure_all()
    return {"comparisons": [asdict(one) for one in done], "missing": missing}


def merge_rivals(known: dict[str, Any], names: list[str]) -> None:
    """Measure the named comparisons again, in place of what is known of them."""
    done, missing = rivals.measure_all(names)
    fresh = {one.name: asdict(one) for one in done}
    kept = [fresh.pop(one["name"], one) for one in known.get("comparisons", [])]
    known["comparisons"] = [*kept, *fresh.values()]
    gone = [line for line in known.get("missing", []) if not any(f"({name})" in line for name in names)]
    known["missing"] = [*gone, *missing]


def measure_growth(large: bool) -> dict[str, Any]:
    """The exponents."""
    found = growth.measure_all()
    return {"growth": [{**asdict(one), "local_exponents": one.local_exponents, "range": one.range} for one in found]}


PARTS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "rivals": measure_rivals,
    "growth": measure_growth,
    "matrix": measure_matrix,
    "floors": measure_floors,
}
MORE_PARTS: dict[str, Callable[[bool], dict[str, Any]]] = {**PARTS, "quick": partial(measure_floors, quick=True)}


def circumstances() -> dict[str, Any]:
    """The machine, the versions, the date and the commit."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"date": today, "commit": commit(), "machine": machine(), "versions": {**programs(), **pins()}}


def commit() -> str:
    """The commit that was measured, with a plus where the checkout differs from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or "unknown"


def programs() -> dict[str, str]:
    """What the programs of the peers say of themselves, on their first line."""
    found = {}
    for name, arguments in PROGRAMS.items():
        if path := shutil.which(name):
            said = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
            first = (said.stdout + said.stderr).partition("\n")[0].partition(" (")[0]
            found[name] = first.removeprefix(f"{name}, version ") or "of a version that it does not tell"
        else:
            found[name] = "missing"
    return found


def pins() -> dict[str, str]:
    """The versions of the peers that are libraries."""
    lines = [
        line.split(" ")[0]
        for path in sorted((PEERS / "requirements").glob("*.in"))
        for line in path.read_text().splitlines()
        if "==" in line
    ]
    return dict(line.split("==", 1) for line in lines)


def save(path: Path, known: dict[str, Any]) -> None:
    """Write what is known so far: a run that is ended keeps its parts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, write the JSON, and make the page of it. Exit code 1 if a case fell or broke."""
    parser = argparse.ArgumentParser(description="Measure everything, and write docs/benchmarks.*")
    parser.add_argument("--large", action="store_true", help="run cells of up to 3e8 samples as well")
    parser.add_argument("--only", default=",".join(PARTS), help="some of " + ",".join(MORE_PARTS))
    parser.add_argument("--rivals", default="", help="names of benchmarks.rivals, to measure these alone")
    parser.add_argument("--json", type=Path, default=report.JSON)
    options = parser.parse_args()
    known = json.loads(options.json.read_text(encoding="utf-8")) if options.json.exists() else {}
    known |= circumstances()
    if options.rivals:
        merge_rivals(known, options.rivals.split(","))
        options.only = ""
    for part in filter(None, options.only.split(",")):
        begin = time.perf_counter()
        known |= MORE_PARTS[part](options.large)
        known.setdefault("took", {})[part] = round(time.perf_counter() - begin)
        save(options.json, known)
    save(options.json, known)
    report.write(known)
    for failure in known.get("failures", []):
        print(failure, file=sys.stderr)
    sys.exit(bool(known.get("failures")))


if __name__ == "__main__":
    main()
