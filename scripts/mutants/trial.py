"""A copy of the checkout, one mutant in it, and its tests. Nothing is ever changed in the checkout itself."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scripts.mutants.draw import Mutant

MEMORY_BYTES = 4 << 30  # a changed size may ask for all there is
GRACE_SECONDS = 20.0  # a hanging mutant takes this longer than three times what the tests take
PASSED, FAILED, INTERRUPTED = 0, 1, 2  # pytest's exit codes; a file that cannot be imported interrupts
PYTEST = ["-m", "pytest", "-x", "-q", "-rfE", "--tb=no", "--no-header", "-p", "no:cacheprovider", "-n", "0"]
HYPOTHESIS = ["--hypothesis-profile=mutants", "--hypothesis-seed=0"]  # tests/conftest.py: does not shrink


@dataclass(frozen=True, slots=True)
class Outcome:
    """`how`: killed, hung, survived or untested; `by`: the test that failed, if one did; `seconds`: of wall time."""

    how: str
    by: str
    seconds: float

    @property
    def noticed(self) -> bool:
        """Whether the tests told the mutant from the original. A run that does not end would be seen."""
        return self.how in {"killed", "hung"}


class Copy:
    """A copy of what git knows of the checkout and does not ignore."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._scratch = folder.with_name(f"{folder.name}-tmp")

    @classmethod
    def of(cls, root: Path, folder: Path) -> Copy:
        """Copy the checkout at `root`."""
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=root, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            if (root / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, folder / name)
        return cls(folder)

    def again(self, folder: Path) -> Copy:
        """Another copy, with the compiled modules of this one."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Copy(folder)

    def baseline(self, tests: Sequence[str]) -> Outcome:
        """Run the tests on the code as it is, and keep what Python compiles on the way."""
        return self._run(tests, limit=None, keep_compiled=True)

    def try_out(self, mutant: Mutant, tests: Sequence[str], limit: float) -> Outcome:
        """Run the tests, in this order, on the mutant, until one fails; one that takes over `limit` seconds hangs."""
        if not tests:
            return Outcome("untested", "", 0.0)
        path = self.folder / mutant.path
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()  # within a second, and of the same size, it would be taken for the mutant's
        path.write_bytes(mutant.changed)
        try:
            return self._run(tests, limit, keep_compiled=False)
        finally:
            path.write_bytes(mutant.source)

    def _run(self, tests: Sequence[str], limit: float | None, keep_compiled: bool) -> Outcome:
        self._scratch.mkdir(exist_ok=True)
        surroundings = os.environ | {
            "PYTHONPATH": str(self.folder),  # before the checkout that an editable installation names
            "PYTHONDONTWRITEBYTECODE": "" if keep_compiled else "1",
            "TMPDIR": str(self._scratch),
        }
        began = time.monotonic()
        with subprocess.Popen(
            [sys.executable, *PYTEST, *HYPOTHESIS, *tests],
            cwd=self.folder,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            if hasattr(resource, "prlimit"):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            try:
                output, _ = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                return Outcome("hung", "", time.monotonic() - began)
            finally:
                _end_group(process.pid)
                shutil.rmtree(self._scratch, ignore_errors=True)
        return Outcome(*_read(process.returncode, output), time.monotonic() - began)


def _end_group(leader: int) -> None:
    """End the tests and whatever they have started."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _read(code: int, output: str) -> tuple[str, str]:
    """How a run of pytest ended, and by which test. RuntimeError: it could not run at all."""
    if code == PASSED:
        return "survived", ""
    if code not in (FAILED, INTERRUPTED) and code > 0:
        raise RuntimeError(f"pytest ended with {code}: {output.strip()[-2000:]}")
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.M)
    return "killed", failed[1] if failed else f"exit code {code}"
