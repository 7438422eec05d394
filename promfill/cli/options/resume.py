"""``--checkpoint`` and ``--resume``: name a run, and continue it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from promfill.cli.options.destination import has_cdo_token
from promfill.cli.options.shared import Values
from promfill.operations.settings import RunSettings

RESUME = (
    click.option(
        "--checkpoint",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="File that keeps the state of the run.  [default: .promfill/<run>.json]",
    ),
    click.option("--resume", is_flag=True, help="Continue an interrupted run."),
)

# These do not identify a run: they only say how it is done, and where to read secrets.
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


def run_from(values: Values) -> RunSettings:
    """Where the run is kept: --checkpoint, or a file named after the run in the working directory."""
    from promfill.files.checkpoint import FOLDER, run_name

    options = _plain(values)
    return RunSettings(values["checkpoint"] or FOLDER / f"{run_name(options)}.json", values["resume"], options)


def _plain(values: Values) -> dict[str, Any]:
    """The options as they are stored in the checkpoint, where verify reads them."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in _typed(values).items()}


def _typed(values: Values) -> dict[str, Any]:
    from promfill.net.destination import show_url

    typed = {name: value for name, value in values.items() if name not in _HOW}
    typed |= {name: show_url(typed[name]) for name in _ADDRESSES if typed.get(name)}
    return {**typed, "cdo": has_cdo_token()}
