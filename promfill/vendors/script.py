"""Mode script: writes the OpenMetrics file, then runs a ``backfill.sh`` that turns it into blocks and uploads them.

This is how the original tool works. Its script takes the password as an argument, which every user of the machine can
read; a script that contains `MARK`, such as promfill's own, takes it from the environment instead.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from promfill.errors import InputError, ScriptError, setting
from promfill.model.batch import SeriesBatch
from promfill.model.grid import Tile
from promfill.net.destination import BasicAuth, Destination, Secret
from promfill.protocols import SinkReport
from promfill.sinks.openmetrics import OpenMetricsSink

MARK = "# promfill: secrets by environment"
_AGAIN = "fix the cause and run the same command again"
SECRETS = ("PROMFILL_PASSWORD", "PROMFILL_BEARER_TOKEN", "CDO_TOKEN")
"""Removed from the environment of child processes, except for the password that a marked script needs."""

_GRACE_SECONDS = 10
_HOME = Path(__file__).resolve().parents[2]
"""The folder that this promfill is imported from: a script without promtool or mimirtool runs promfill instead."""
_PUSH_PATH = re.compile(r"/api/(prom|v1)/push/?$|/+$")


@dataclass(frozen=True, slots=True)
class Script:
    """A backfill script. `path` is absolute; `marked`: it takes the password from the environment."""

    path: Path
    marked: bool


def own_script() -> Path:
    """promfill's own backfill.sh."""
    return Path(str(resources.files("promfill") / "data" / "backfill.sh"))


def find_script(given: Path | None, output_dir: Path) -> Script:
    """The given script, else that of the output directory, else promfill's own. InputError if it cannot be run."""
    path = given or next((path for path in (output_dir / "backfill.sh",) if path.is_file()), own_script())
    if not path.is_file():
        fix = f"check {setting('backfill_script')}"
        raise InputError(f"the backfill script {path} does not exist", fix, field="backfill_script")
    if path != own_script() and not os.access(path, os.X_OK):
        raise InputError(
            f"the backfill script {path} is not executable", f"run chmod +x {path}", field="backfill_script"
        )
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return Script(path.absolute(), MARK in (line.strip() for line in lines))


@dataclass(frozen=True, slots=True)
class ScriptAccess:
    """The upload's destination: the base address, the user and the password."""

    url: str
    user: str
    password: Secret


def script_access(destination: Destination) -> ScriptAccess:
    """The script's three arguments. InputError if user and password are not set."""
    auth = destination.http.auth
    if not isinstance(auth, BasicAuth):
        raise InputError(
            f"{setting('mode', 'script')} needs {setting('username')} and {setting('password_file')}",
            "set both: backfill.sh uploads with them",
            field="username",
        )
    return ScriptAccess(_PUSH_PATH.sub("", destination.url), auth.username, auth.password)


class ScriptSink:
    """Writes the text, then runs the script. Its output goes where ours does, or all to stderr (`to_stderr`)."""

    def __init__(
        self, text: OpenMetricsSink, script: Script, access: ScriptAccess, *, keep: bool, to_stderr: bool
    ) -> None:
        self.report: SinkReport = text.report
        self._text, self._script, self._access, self._keep = text, script, access, keep
        self._to_stderr = to_stderr
        self._directory = text.path.parent.absolute()
        self._blocks = f"/{text.metric}_backfill_data/"

    def tiles(self) -> Iterator[Tile]:
        """The tiles of the text."""
        return self._text.tiles()

    def write(self, batch: SeriesBatch) -> None:
        """Write the next tile's lines."""
        self._text.write(batch)

    def commit(self) -> SinkReport:
        """Give the text its final name, and run the script on it. ScriptError if that fails; the text is kept."""
        self._text.commit()
        status = _run(self._command(), self._environment(), 2 if self._to_stderr else None)
        if status:
            raise ScriptError(f"{self._script.path} ended with exit code {status}: {self._what_is_left()}", _AGAIN)
        if not self._keep:
            shutil.rmtree(self._blocks_path, ignore_errors=True)
        return self.report

    def abort(self) -> None:
        """Remove an incomplete text."""
        self._text.abort()

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        """As for the text."""
        return self._text.bytes_per_sample(batch)

    @property
    def _blocks_path(self) -> Path:
        return Path(f"{self._directory}{self._blocks}")

    def _command(self) -> list[str]:
        password = "" if self._script.marked else self._access.password.reveal()
        shell = ["/bin/sh"] if self._script.path == own_script().absolute() else []
        address = (self._access.url, self._access.user, password)
        return [*shell, str(self._script.path), *address, str(self._directory), self._blocks, self._text.path.name]

    def _environment(self) -> Mapping[str, str]:
        environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
        environment |= {"PROMFILL_PYTHON": sys.executable, "PROMFILL_HOME": str(_HOME)}
        if self._script.marked:
            environment["PROMFILL_PASSWORD"] = self._access.password.reveal()
        if self._keep:
            environment["PROMFILL_KEEP"] = "1"
        return environment

    def _what_is_left(self) -> str:
        blocks = [path.name for path in self._blocks_path.glob("*") if path.is_dir()]
        left = f" and {len(blocks)} blocks in {self._blocks_path}" if blocks else ""
        return f"{self._text.path} is whole{left}"


def _run(command: list[str], environment: Mapping[str, str], stdout: int | None) -> int:
    """Run to the end, with `stdout` (None: our own). If we are interrupted, the script and all its child processes are
    ended, so that none goes on uploading in the background.
    """
    try:
        # a group of its own: a signal only to the shell would leave its mimirtool running
        child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, process_group=0)
    except OSError as error:
        raise ScriptError(f"cannot run {command[0]}: {error.strerror}") from error
    try:
        return child.wait()
    except BaseException:
        _end(child)
        raise


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # all processes have just ended
        os.killpg(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < deadline:  # the shell may end before its child processes
            child.poll()
            os.killpg(child.pid, 0)
            time.sleep(0.02)
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
