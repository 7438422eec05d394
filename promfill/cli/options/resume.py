"""``--checkpoint`` and ``--resume``: what a run is called, and where it goes on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.options.destination import has_cdo_token
from promfill.cli.text.commands import typed_command
from promfill.errors import InputError
from promfill.scenario.scenario import describe_times
from promfill.scenario.times import format_seconds

if TYPE_CHECKING:
    from promfill.files.checkpoint import Checkpoint
    from promfill.operations.reruns import Earlier
    from promfill.sources.generated import Source

RESUME = (
    click.option(
        "--checkpoint",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Where the state of the run is kept.  [default: .promfill/<run>.json]",
    ),
    click.option("--resume", is_flag=True, help="Go on with a run that ended early."),
)

# What does not change which run it is: how it is done, and where secrets are read.
_HOW = frozenset(
    (
        *(
            "checkpoint",
            "resume",
            "dry_run",
            "quiet",
            "verbose",
            "as_json",
            "verify",
            "query_url",
            "accept_loss",
            "again",
            "keep",
        ),
        *("workers", "concurrency", "rate_limit", "timeout", "retry_for", "order", "protocol", "on_reject"),
        *("max_samples_per_send", "max_bytes_per_send", "backfill_script", "allow_future"),
        *("password_file", "bearer_token_file", "headers", "http_config_file"),
        *("tls_ca", "tls_cert", "tls_key", "tls_insecure"),
    )
)
_ADDRESSES = ("remote_write_url", "upload", "cdo_url")


@dataclass(frozen=True, slots=True)
class Run:
    """A push and its checkpoint: the one that is gone on with, if there is one. `values` holds resolved times.

    overwritten: a finished one in its place, as it was.
    """

    name: str
    path: Path
    values: Mapping[str, Any]
    earlier: Checkpoint | None
    overwritten: Checkpoint | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return bool(self.earlier and self.earlier.finished)

    def facts(self) -> dict[str, Any]:
        """What an earlier run pushed, and its checkpoint."""
        if self.earlier is None:
            return {}
        return {
            "metric": self.earlier.options.get("metric_name"),
            **describe_times(self.earlier.start, self.earlier.end),
            "checkpoint": str(self.path),
        }

    def open(self, source: Source) -> Checkpoint:
        """The checkpoint to write to, saved once. InputError where the noise is no longer what it was."""
        from promfill.files.checkpoint import Checkpoint

        grid, fingerprint = source.grid, list(source.fingerprint())
        if self.earlier is None:
            end = grid.time(source.scenario.sampled.steps)
            checkpoint = Checkpoint(self.path, self.name, grid.start, end, fingerprint, options=_plain(self.values))
            checkpoint.save()
            return checkpoint
        if self.earlier.fingerprint != fingerprint:
            raise InputError(
                f"the checkpoint {self.path} is of a run whose noise was another",
                "resume it with the promfill and numpy that began it, or remove the file to begin anew",
            )
        return self.earlier


def find_run(values: Mapping[str, Any], console: Console) -> Run:
    """The run that these options are. InputError: an unfinished one is there without --resume, or another's."""
    from promfill.files.checkpoint import FOLDER, Checkpoint, run_name

    name = run_name(_typed(values))
    path = values["checkpoint"] or FOLDER / f"{name}.json"
    earlier = Checkpoint.load(path)
    if earlier and (values["resume"] or not earlier.finished):
        resume = typed_command(click.get_current_context(), resume=True)
        console.json({"checkpoint": str(path)} | ({} if earlier.finished else {"resume": resume}))
    if not values["resume"]:
        return Run(name, path, values, None, overwritten=_finished(earlier))
    if earlier is None:
        console.note(f"there is no checkpoint {path}: the run begins at its start")
        return Run(name, path, values, None)
    if earlier.run != name:
        raise InputError(f"the checkpoint {path} is of a run with other options", "give the same, or another file")
    times = {"start": format_seconds(earlier.start), "end": format_seconds(earlier.end)}
    return Run(name, path, {**values, **times}, earlier)


def finished_before(values: Mapping[str, Any]) -> Earlier | None:
    """The finished push whose checkpoint this one would overwrite, if there is one. InputError: it cannot be read."""
    from promfill.files.checkpoint import FOLDER, Checkpoint, run_name
    from promfill.operations.reruns import Earlier

    name = run_name(_typed(values))
    path = values["checkpoint"] or FOLDER / f"{name}.json"
    found = Checkpoint.load(path)
    if values["resume"] or found is None or not found.finished:
        return None
    age = time.time() - path.stat().st_mtime
    doubles = found.done.get("doubles") is True
    same, uploaded = found.run == name, values["mode"] == "blocks"
    return Earlier(path, found.start, found.end, doubles=doubles, same_run=same, age=age, uploaded=uploaded)


def _finished(earlier: Checkpoint | None) -> Checkpoint | None:
    """The same. InputError where it is of a run that is not finished."""
    if earlier and not earlier.finished:
        raise InputError(
            f"{earlier.path} is of a run of this command that ended early",
            "go on by --resume, or remove the file to begin anew",
        )
    return earlier


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same options for the checkpoint, so that verify can take them from there."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in _typed(values).items()}


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    from promfill.net.destination import show_url

    typed = {name: value for name, value in values.items() if name not in _HOW}
    typed |= {name: show_url(typed[name]) for name in _ADDRESSES if typed.get(name)}
    return {**typed, "cdo": has_cdo_token()}
