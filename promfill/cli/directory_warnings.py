"""What is said before blocks are written into a directory that a Prometheus uses."""

from __future__ import annotations

from pathlib import Path

from promfill.cli.console import Console
from promfill.plan import Grid
from promfill.times import format_time


def warn_of_prometheus(directory: Path, grid: Grid, console: Console) -> None:
    """Its log that would be cut, and its user who could not delete what is written here; each with its mend."""
    from promfill.sinks.prometheus_directory import RECENT_MS, foreign_owner, log_in_danger

    if danger := log_in_danger(directory, grid.last + 1):
        console.warn(
            f"{danger}, and the newest block ends within the last 3 hours: at its next start it drops what its own "
            f"log holds of the time before {format_time(grid.last)}. Push up to now-3h only, or write into another "
            f"directory and move the blocks here {RECENT_MS // 3_600_000} hours from now"
        )
    if owner := foreign_owner(directory):
        console.warn(
            f"{owner.path} belongs to user {owner.uid}, who will not be able to compact or delete what this user "
            f"writes: afterwards run chown -R {owner.uid}:{owner.gid} {directory}"
        )
