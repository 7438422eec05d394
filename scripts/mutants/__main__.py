"""Draw mutants, try them, and say which survive: ``python -m scripts.mutants [FOLDER…]``. README: CONTRIBUTING.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from scripts.mutants import report, trial
from scripts.mutants.chosen import judges, tests_of
from scripts.mutants.draw import Mutant, draw
from scripts.mutants.trial import Copy, Outcome

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [
    "promfill/codecs",
    "promfill/blocks",
    "promfill/sinks/remote_write",
    "promfill/sources",
]


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """0: as many were killed as the floor wants; 1: fewer; 2: the tests fail without any mutant."""
    options = _parse(arguments)
    folders = options.folders or FOLDERS
    results = root / options.results
    mutants = [
        mutant
        for mutant in draw(root, folders, options.count, options.seed)
        if not options.only or (root / mutant.path).is_relative_to(root / options.only)
    ]
    outcomes = report.load(results)
    known = {key for key, outcome in outcomes.items() if outcome.noticed or not options.again}
    if not mutants:
        print(f"no mutant is drawn below {options.only}", file=sys.stderr)
        return 2
    waiting = [mutant for mutant in mutants if mutant.key not in known]
    print(
        f"{len(mutants)} mutants drawn with seed {options.seed}; {len(mutants) - len(waiting)} are known from {results}"
    )
    if waiting:
        with tempfile.TemporaryDirectory(prefix="promfill-mutants-") as scratch:
            bench = _Bench(root, Path(scratch), options.jobs, results, near=options.near)
            if not bench.measure(list(dict.fromkeys(mutant.folder for mutant in waiting))):
                return 2
            bench.try_all(waiting)
        outcomes |= bench.outcomes
    print(*report.lines(mutants, outcomes), sep="\n")
    return int(report.share_noticed(outcomes[mutant.key] for mutant in mutants) < options.floor)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.mutants", description=__doc__)
    parser.add_argument("folders", nargs="*", help=f"folders or modules of the package (default: {' '.join(FOLDERS)})")
    parser.add_argument("--count", type=int, default=300, help="mutants to draw (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=18, help="another seed draws others (default: %(default)s)")
    parser.add_argument("--only", metavar="FOLDER", help="of those that are drawn, try and report the ones below this")
    parser.add_argument("--jobs", type=int, default=2, help="mutants tried at the same time (default: %(default)s)")
    parser.add_argument("--floor", type=float, default=90, help="per cent to kill (default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="try known survivors again, after tests were added")
    parser.add_argument(
        "--near",
        action="store_true",
        help="try the tests that import the module alone: soon done, and what survives is not kept",
    )
    parser.add_argument("--results", default=".mutants/results.jsonl", help="kept between runs (default: %(default)s)")
    return parser.parse_args(arguments)


class _Bench:
    """Copies of the checkout, one a job, and how long the tests of each folder take."""

    def __init__(self, root: Path, scratch: Path, jobs: int, results: Path, near: bool) -> None:
        self.scratch, self.jobs, self.results, self.near = scratch, jobs, results, near
        self.first = Copy.of(root, scratch / "0")
        self.copied = self.scratch / "tests"  # as they were when it began, whatever is written meanwhile
        self.first.again(self.copied)
        self.limits: dict[str, float] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.lock = Lock()

    def measure(self, folders: Sequence[str]) -> bool:
        """Run the tests of each folder as they are; False, and why: they fail, or there are none."""
        for folder in folders:
            tests = self._names(tests_of(self.copied, folder))
            outcome = self.first.baseline(tests) if tests else Outcome("untested", "no test file", 0.0)
            print(f"{folder}: {len(tests)} test files, {outcome.seconds:.0f} s", flush=True)
            if outcome.how != "survived":
                print(f"{folder}: the tests fail without a mutant: {outcome.by}", file=sys.stderr)
                return False
            self.limits[folder] = trial.GRACE_SECONDS + 3 * outcome.seconds
        return True

    def try_all(self, mutants: Sequence[Mutant]) -> None:
        """Try each, keeping its outcome as soon as it is known."""
        copies: SimpleQueue[Copy] = SimpleQueue()
        copies.put(self.first)
        for number in range(1, self.jobs):
            copies.put(self.first.again(self.scratch / str(number)))

        def try_one(mutant: Mutant) -> None:
            copy = copies.get()
            try:
                tests = self._names(judges(self.copied, mutant.folder, self.copied / mutant.path, near=self.near))
                outcome = copy.try_out(mutant, tests, self.limits[mutant.folder])
            finally:
                copies.put(copy)
            self._keep(mutant, outcome)

        with ThreadPoolExecutor(self.jobs) as pool:
            waiting = [pool.submit(try_one, mutant) for mutant in mutants]
            try:
                for future in waiting:
                    future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _keep(self, mutant: Mutant, outcome: Outcome) -> None:
        with self.lock:
            self.outcomes[mutant.key] = outcome
            if outcome.noticed or not self.near:
                report.append(self.results, mutant, outcome)
            place = f"{mutant.path}:{mutant.edit.line}"
            print(f"{outcome.how:<8} {outcome.seconds:5.1f} s  {place} {outcome.by}".rstrip(), flush=True)

    def _names(self, tests: Sequence[Path]) -> list[str]:
        return [path.relative_to(self.copied).as_posix() for path in tests]


if __name__ == "__main__":
    sys.exit(main())
