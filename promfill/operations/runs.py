"""Runs: names a push, keeps its progress in a checkpoint, and finds out where to resume.

A run's name is a hash of its options, which are plain values (`settings.RunSettings.options`). The options are kept as
the user typed them, so ``now-21d`` is the same run tomorrow; the checkpoint holds the times that this meant.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promfill.errors import InputError, setting
from promfill.operations.reports import KeptRun
from promfill.operations.settings import BlocksTarget, RemoteWriteTarget, RunSettings, Server, Target

if TYPE_CHECKING:
    from promfill.files.checkpoint import Checkpoint
    from promfill.operations.notices import Notices
    from promfill.operations.reruns import Earlier
    from promfill.scenario.scenario import Scenario
    from promfill.sources.generated import Source


@dataclass(frozen=True, slots=True)
class Run:
    """A push and its checkpoint. earlier: the checkpoint to resume from; None if the run begins at its start.

    options: the requested options. overwritten: the checkpoint of a finished run in the same file, to be overwritten.
    claims: the claims on the file that keep other runs out.
    """

    name: str
    path: Path
    options: dict[str, Any]
    earlier: Checkpoint | None
    overwritten: Checkpoint | None = None
    claims: list[int] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return bool(self.earlier and self.earlier.finished)

    def at_its_times(self, scenario: Scenario) -> Scenario:
        """The scenario with the start and end of the resumed run; unchanged if no run is resumed."""
        if self.earlier is None:
            return scenario
        grid, start = scenario.grid, self.earlier.start
        steps = (self.earlier.end - start) // grid.step + scenario.stale_at_end
        return replace(scenario, grid=replace(grid, start=start, steps=steps))

    def open(self, source: Source) -> Checkpoint:
        """Open the checkpoint; a new one is saved at once. InputError: the noise differs from the earlier run."""
        from promfill.files.checkpoint import Checkpoint

        grid, fingerprint = source.grid, list(source.fingerprint())
        if self.earlier is None:
            end = grid.time(source.scenario.sampled.steps)
            checkpoint = Checkpoint(self.path, self.name, grid.start, end, fingerprint, options=self.options)
            self._claim(checkpoint, self.overwritten)
            checkpoint.save()
            return checkpoint
        if self.earlier.fingerprint != fingerprint:
            raise InputError(
                f"the checkpoint {self.path} is of a run whose noise was another",
                "resume it with the promfill and numpy that began it, or remove the file to start over",
                field="checkpoint",
            )
        self._claim(self.earlier, self.earlier)
        return self.earlier

    def _claim(self, checkpoint: Checkpoint, seen: Checkpoint | None) -> None:
        held = checkpoint.claim(seen)
        if held is not None:
            self.claims.append(held)

    def release(self) -> None:
        """Release the checkpoint file, because the run has ended: another run may begin."""
        from promfill.files.claims import release_file

        while self.claims:
            release_file(self.path, self.claims.pop())


def find_run(settings: RunSettings, scenario: Scenario, target: Target, notices: Notices) -> Run:
    """Find the run for these settings.

    InputError: the checkpoint is of an unfinished run and `resume` is not set, or it is of a run with other options.
    """
    from promfill.files.checkpoint import Checkpoint, run_name
    from promfill.files.claims import refuse_claimed

    options = _options(settings, scenario, target)
    name, path = run_name(options), settings.checkpoint
    refuse_claimed(path)
    earlier = Checkpoint.load(path)
    if earlier and (settings.resume or not earlier.finished):
        notices.found(KeptRun(path, earlier.finished))
    if not settings.resume:
        return Run(name, path, options, None, overwritten=_finished(earlier))
    if earlier is None:
        notices.note(f"there is no checkpoint {path}: the run begins at its start")
        return Run(name, path, options, None)
    if earlier.run != name:
        raise InputError(
            f"the checkpoint {path} is of a run with other options",
            "give the same, or another file",
            field="checkpoint",
        )
    return Run(name, path, options, earlier)


def finished_before(settings: RunSettings | None, scenario: Scenario, target: Target) -> Earlier | None:
    """The finished push whose checkpoint this push would overwrite, or None. InputError: the file cannot be read."""
    if settings is None or settings.resume:
        return None
    from promfill.files.checkpoint import Checkpoint, run_name
    from promfill.operations.reruns import Earlier

    name, path = run_name(_options(settings, scenario, target)), settings.checkpoint
    found = Checkpoint.load(path)
    if found is None or not found.finished:
        return None
    age = time.time() - path.stat().st_mtime
    doubles = found.done.get("doubles") is True
    same, uploaded = found.run == name, isinstance(target, BlocksTarget)
    return Earlier(path, found.start, found.end, doubles=doubles, same_run=same, age=age, uploaded=uploaded)


def describe_run(scenario: Scenario, target: Target) -> dict[str, Any]:
    """Plain values that identify a run of a scenario and a target, without times, secrets and default settings."""
    return {
        "metric": scenario.metric,
        "labels": [asdict(label) for label in scenario.labels],
        "step": scenario.grid.step,
        "stale_at_end": scenario.stale_at_end,
        "description": scenario.description,
        "unit": scenario.unit,
        "signal": dict(_changed(scenario.signal)),
        "mode": target.mode,
        **_address(target),
    }


def _changed(signal: object) -> Iterator[tuple[str, Any]]:
    """The settings of a signal that differ from the defaults."""
    for one in fields(signal):  # type: ignore[arg-type]
        value = getattr(signal, one.name)
        if value != one.default:
            yield one.name, value


def _address(target: Target) -> dict[str, Any]:
    """The target's address or directory, without secrets."""
    from promfill.net.destination import show_url

    def server_options(server: Server) -> dict[str, Any]:
        url = show_url(server.url) if server.url else None
        return {"url": url, "tenant": server.credentials.tenant, "user": server.credentials.username}

    if isinstance(target, RemoteWriteTarget):
        return server_options(target.server)
    place = {"directory": str(target.directory)}
    upload = getattr(target, "upload", None)
    return {**place, **(server_options(upload.server) if upload else {})}


def _options(settings: RunSettings, scenario: Scenario, target: Target) -> dict[str, Any]:
    return dict(describe_run(scenario, target) if settings.options is None else settings.options)


def _finished(earlier: Checkpoint | None) -> Checkpoint | None:
    """Return the checkpoint unchanged. Raise InputError if its run is not finished."""
    if earlier and not earlier.finished:
        raise InputError(
            f"{earlier.path} is of a run of this command that ended early",
            f"go on by {setting('resume')}, or remove the file to start over",
            field="resume",
        )
    return earlier
