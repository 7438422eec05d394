"""`make bench`: everything, written to docs/benchmarks.json; `report` makes the page and the charts from it.

    python -m benchmarks.full [--only rivals,growth,matrix,quick,floors] [--rivals original_1,…] [--stages blocks,…]

`--only` measures some parts again, `--rivals` some comparisons, `--stages` some stages, all at the file's commit, and
keeps the rest of the file. Every figure is written as soon as it is there, so an interrupted run keeps them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import growth, matrix, report, rivals
from benchmarks.__main__ import all_cases
from benchmarks.comparison import Comparison
from benchmarks.harness import failure_told, machine, run_cases
from benchmarks.limits import FLOORS, read_limits, with_measured
from benchmarks.processes import ROOT
from benchmarks.receivers import PEERS

PROGRAMS = {"promtool": ["--version"], "prometheus": ["--version"], "victoria-metrics": ["--version"]}
OUTPUTS = ("docs/benchmarks", "docs/benchmarks.json", "docs/benchmarks.md", "README.md", "benchmarks/floors.toml")


@dataclass
class Record:
    """The known figures, and the file to which they are written at every step."""

    path: Path
    known: dict[str, Any]

    def put(self, kind: str, entry: dict[str, Any], *keys: str) -> None:
        """Add an entry to a list, replacing the entry with the same values of `keys`."""
        kept: list[dict[str, Any]] = self.known.setdefault(kind, [])
        for place, old in enumerate(kept):
            if all(old[key] == entry[key] for key in keys):
                kept[place] = entry
                break
        else:
            kept.append(entry)
        self.save()

    def drop(self, kind: str, **values: object) -> None:
        """Remove the entries of a list with these values, or (if none are given) all."""
        old = self.known.get(kind, [])
        self.known[kind] = [one for one in old if any(one[key] != value for key, value in values.items())]

    def save(self) -> None:
        """Write the file completely, or leave it unchanged."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(self.known, indent=1) + "\n", encoding="utf-8")
        beside.replace(self.path)


def measure_rivals(record: Record, names: Sequence[str] = ()) -> None:
    """promfill against its peers: the named comparisons, or all."""
    if not names:
        record.drop("comparisons")
        record.drop("unmade")
    for found in rivals.measure_all(names):
        made = isinstance(found, Comparison)
        record.drop("unmade" if made else "comparisons", name=found.name)
        record.put("comparisons" if made else "unmade", asdict(found), "name")


def measure_growth(record: Record) -> None:
    """How time and memory grow."""
    record.drop("growth")
    for found in growth.measure_all():
        record.put("growth", asdict(found), "name", "size")


def measure_matrix(record: Record, stages: Sequence[str] = ()) -> None:
    """The named stages, or all, over every fleet and range, and what limits each."""
    if not stages:
        record.drop("cells")
        record.known["profiles"] = {}
    failures: list[str] = []
    for stage in stages or matrix.NAMES:
        for cell in matrix.measure_stage(stage):
            record.put("cells", asdict(cell), "stage", "series", "days")
            shown = cell.note or f"{cell.samples_per_second / 1e6:8.2f} M samples/s {cell.peak_mb:6.0f} MB"
            print(f"{stage:<30} {cell.series:>7} x {cell.days:>3} days  {shown}", flush=True)
        with failure_told(failures, f"the profile of {stage} failed: "):
            record.known.setdefault("profiles", {})[stage] = asdict(matrix.profile(stage))
    record.known["profile_failures"] = failures


def measure_floors(record: Record, quick: bool = False) -> None:
    """The cases of all modules, compared with floors.toml, where each figure is written beside its limit."""
    results, failures = run_cases(all_cases(quick), read_limits())
    form = "in the short form" if quick else "in full"
    record.known |= {"floors": [asdict(result) for result in results], "floors_form": form, "floor_failures": failures}
    if quick:
        measured = {result.case: result.value for result in results}
        FLOORS.write_text(with_measured(FLOORS.read_text(encoding="utf-8"), measured), encoding="utf-8")


def measure_quick(record: Record) -> None:
    """The same in the short form that CI runs."""
    measure_floors(record, quick=True)


BENCH = ("rivals", "growth", "matrix", "quick")
PARTS: dict[str, Callable[[Record], None]] = {
    "rivals": measure_rivals,
    "growth": measure_growth,
    "matrix": measure_matrix,
    "quick": measure_quick,
    "floors": measure_floors,
}


def failures_of(known: dict[str, Any]) -> list[str]:
    """A line for each case that broke, or missed its limit."""
    unmade = [one for one in known.get("unmade", []) if one["failed"]]
    return [
        *(f"{one['name']} failed: {one['why']}" for one in unmade),
        *matrix.failures_of(known.get("cells", [])),
        *known.get("profile_failures", []),
        *known.get("floor_failures", []),
        *known.get("broken_parts", {}).values(),
    ]


def circumstances() -> dict[str, Any]:
    """The machine, the versions, the date and the commit."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"date": today, "commit": commit(), "machine": machine(), "versions": {**programs(), **pins()}}


def commit() -> str:
    """The measured commit, with a plus if the checkout differs from it in more than what a run writes."""
    excluded = [f":(exclude){path}" for path in OUTPUTS]
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", *excluded)
    return f"{git('rev-parse', '--short', 'HEAD') or 'unknown'}{'+' if changed else ''}"


def git(*arguments: str) -> str:
    """What git prints in this checkout; nothing if it fails."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def programs() -> dict[str, str]:
    """The versions that the peers' programs print, from their first line."""
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


def opened(path: Path, now: dict[str, Any], whole: bool) -> Record:
    """A new record for a whole run; for a part, the file's record is kept, too.

    ValueError if the file belongs to another commit: one page describes one commit.
    """
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() and not whole else {}
    if known.get("commit", now["commit"]) != now["commit"]:
        raise ValueError(
            f"{path} is of commit {known['commit']}, this is {now['commit']}: measure all of it (make bench), or write "
            "another file (--json FILE)"
        )
    return Record(path, known | now)


def measure(record: Record, part: str, run: Callable[[Record], None]) -> None:
    """Run one part, and record how long it took if it was measured in full. A failure is recorded, not raised."""
    begin = time.perf_counter()
    failures: list[str] = []
    with failure_told(failures, f"{part} broke off: "):
        run(record)
    record.known.setdefault("broken_parts", {}).pop(part, None)
    if failures:
        record.known["broken_parts"][part] = failures[0]
    if run is PARTS[part]:
        record.known.setdefault("took", {})[part] = round(time.perf_counter() - begin)
    record.known["failures"] = failures_of(record.known)
    record.save()


def wanted(parser: argparse.ArgumentParser, options: argparse.Namespace) -> dict[str, Callable[[Record], None]]:
    """The parts to measure; exit code 2 for an unknown name."""

    def names(option: str, known: Iterable[str]) -> list[str]:
        found: list[str] = list(filter(None, getattr(options, option).split(",")))
        if unknown := set(found) - set(known):
            parser.error(f"--{option}: not valid: {', '.join(sorted(unknown))}")
        return found

    some: dict[str, Callable[[Record], None]] = {}
    if comparisons := names("rivals", [rival.name for rival in rivals.rivals()]):
        some["rivals"] = partial(measure_rivals, names=comparisons)
    if stages := names("stages", matrix.NAMES):
        some["matrix"] = partial(measure_matrix, stages=stages)
    return some or {part: PARTS[part] for part in names("only", PARTS)}


def main() -> None:
    """Measure, write the JSON, and make the page from it. Exit code 1 if a case broke or missed its limit."""
    parser = argparse.ArgumentParser(description="Measure everything, and write docs/benchmarks.*")
    parser.add_argument("--only", default=",".join(BENCH), help="some of " + ",".join(PARTS))
    parser.add_argument("--rivals", default="", help="names of benchmarks.rivals, to measure these alone")
    parser.add_argument("--stages", default="", help="stages of benchmarks.matrix, to measure these alone")
    parser.add_argument("--json", type=Path, default=report.JSON)
    options = parser.parse_args()
    parts = wanted(parser, options)
    try:
        record = opened(options.json, circumstances(), whole=set(BENCH) <= set(parts))
    except ValueError as error:
        parser.error(str(error))
    for part, run in parts.items():
        measure(record, part, run)
    if options.json == report.JSON:
        report.write(record.known)
    for failure in record.known["failures"]:
        print(failure, file=sys.stderr)
    sys.exit(bool(record.known["failures"]))


if __name__ == "__main__":
    main()
