"""Where a push goes: the options of the modes, and the target that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from promfill.cli.console import Console
from promfill.cli.options.destination import (
    AUTO,
    CONCURRENCY,
    CREDENTIALS,
    lanes,
    receiver_from,
    seconds,
    upload_from,
)
from promfill.cli.options.shared import Between, Values
from promfill.operations.settings import (
    BLOCKS_FOLDER,
    MODES,
    TEXT_FOLDER,
    BlocksTarget,
    OpenMetricsTarget,
    RemoteWriteTarget,
    ScriptTarget,
    Target,
)
from promfill.scenario.times import DAY_MS, parse_duration

SENDING = (
    click.option(
        "--protocol",
        type=click.Choice([AUTO, "1.0", "2.0"]),
        default=AUTO,
        show_default=True,
        help="Remote-write version; auto tries 2.0 first and falls back to 1.0.",
    ),
    *CONCURRENCY,
    click.option(
        "--max-samples-per-send", type=int, default=20_000, show_default=True, metavar="N", help="Samples per request."
    ),
    click.option(
        "--max-bytes-per-send",
        type=int,
        default=3 << 20,
        show_default=True,
        metavar="N",
        help="Bytes per request before compression.",
    ),
    click.option("--rate-limit", type=float, metavar="N", help="Maximum samples per second."),
    click.option(
        "--order",
        type=click.Choice([AUTO, "time", "any"]),
        default=AUTO,
        show_default=True,
        help="time keeps concurrent requests within one hour of samples, as Prometheus needs; auto means any for "
        "VictoriaMetrics, otherwise time.",
    ),
    click.option(
        "--on-reject",
        type=click.Choice(["fail", "skip"]),
        default="fail",
        show_default=True,
        help="What to do when a sample is rejected permanently: stop, or leave it out.",
    ),
)
"""How samples are sent."""

SENDING_NAMES = (
    "protocol",
    "max_samples_per_send",
    "max_bytes_per_send",
    "rate_limit",
    "order",
    "on_reject",
)


class _Directory(click.Path):
    """A path that is not empty: an unset variable gives "", which Path would take for the working directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty: give a directory, or leave the option out", param, ctx)
        return super().convert(value, param, ctx)


TARGET = (
    click.option("--mode", type=click.Choice(MODES), default="blocks", show_default=True, help="What to write."),
    click.option(
        "--output-dir",
        type=_Directory(path_type=Path, readable=False),
        metavar="DIR",
        help="Directory for files; created if missing.  [default: data for blocks, utils for openmetrics and script]",
    ),
    click.option(
        "--block-duration",
        default="auto",
        show_default=True,
        metavar="DURATION",
        help="Time range of a block: 2h, 24h, …; auto is 24h, aligned to UTC days.",
    ),
    click.option(
        "--workers",
        type=Between(1, 256),
        default=1,
        show_default=True,
        metavar="N",
        help="Number of processes.",
    ),
    *SENDING,
    click.option(
        "--backfill-script",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Script for --mode script.  [default: backfill.sh in the output directory, otherwise promfill's own]",
    ),
    click.option("--keep", is_flag=True, help="Keep local files after an upload."),
    click.option("--dry-run", is_flag=True, help="Print the plan; send and write nothing."),
)
"""Where to push: the second table of push."""

_FILES = frozenset({"blocks", "openmetrics", "script"})
SERVERS = frozenset({"remote-write", "script"})
"""The modes that use --remote-write-url."""
_REMOTE_WRITE = frozenset({"remote-write"})
_SENDERS = frozenset({"remote-write", "--upload"})

FITS: Mapping[str, frozenset[str]] = {
    "output_dir": _FILES,
    "block_duration": frozenset({"blocks"}),
    "workers": frozenset({"blocks", "openmetrics"}),
    "remote_write_url": SERVERS,
    "username": SERVERS | _SENDERS,
    "password_file": SERVERS | _SENDERS,
    **dict.fromkeys((*CREDENTIALS[2:], "timeout"), _SENDERS),
    **dict.fromkeys(SENDING_NAMES, _REMOTE_WRITE),
    "upload": frozenset({"blocks"}),
    **dict.fromkeys(("cdo_url", "env"), frozenset({"blocks", "remote-write", "script"})),
    **dict.fromkeys(("concurrency", "retry_for", "checkpoint", "resume"), _SENDERS),
    "accept_loss": frozenset({"blocks", "remote-write"}),
    "again": _REMOTE_WRITE,
    "stale_at_end": frozenset({"blocks", "remote-write"}),
    "verify": frozenset({"blocks", "remote-write"}),
    "query_url": frozenset({"blocks", "remote-write"}),
    "backfill_script": frozenset({"script"}),
    "keep": frozenset({"script", "--upload"}),
}
"""The modes (or --upload) in which an option has an effect. An option that is not listed works in every mode."""


def target_from(values: Values, console: Console) -> Target:
    """The target that the options describe. InputError: an option is not valid."""
    match values["mode"]:
        case "blocks":
            return _blocks(values, console)
        case "remote-write":
            return _remote_write(values)
        case "openmetrics":
            return OpenMetricsTarget(values["output_dir"] or TEXT_FOLDER, values["workers"])
        case _:
            return ScriptTarget(
                receiver_from(values),
                values["output_dir"] or TEXT_FOLDER,
                values["backfill_script"],
                keep=values["keep"],
                to_stderr=values["as_json"],
            )


def _blocks(values: Values, console: Console) -> BlocksTarget:
    text, upload = values["block_duration"], upload_from(values)
    if upload is None and values["env"] and not values["upload"] and _given("env"):
        console.warn("--env has no effect without CDO_TOKEN: the blocks stay here")
    return BlocksTarget(
        values["output_dir"] or BLOCKS_FOLDER,
        DAY_MS if text == AUTO else parse_duration(text, "--block-duration"),
        values["workers"],
        upload,
    )


def _remote_write(values: Values) -> RemoteWriteTarget:
    return RemoteWriteTarget(
        receiver_from(values),
        protocol=values["protocol"],
        lanes=lanes(values),
        max_samples=values["max_samples_per_send"],
        max_bytes=values["max_bytes_per_send"],
        rate_limit=values["rate_limit"],
        order=values["order"],
        skip_rejected=values["on_reject"] == "skip",
        retry_for=seconds(values, "retry_for"),
    )


def _given(name: str) -> bool:
    """Whether an option was given on the command line."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
