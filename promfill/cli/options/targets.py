"""Where a push goes: the options of the modes, and the target that they say."""

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
from promfill.cli.options.shared import Values
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
        help="Message of remote write; auto asks for 2.0, and falls back to 1.0.",
    ),
    *CONCURRENCY,
    click.option(
        "--max-samples-per-send", type=int, default=20_000, show_default=True, metavar="N", help="Samples of a request."
    ),
    click.option(
        "--max-bytes-per-send",
        type=int,
        default=3 << 20,
        show_default=True,
        metavar="N",
        help="Bytes of a request before compression.",
    ),
    click.option("--rate-limit", type=float, metavar="N", help="Samples per second at most."),
    click.option(
        "--order",
        type=click.Choice([AUTO, "time", "any"]),
        default=AUTO,
        show_default=True,
        help="time keeps requests in flight within an hour, as a Prometheus wants it; auto is time, and any where the "
        "receiver is a VictoriaMetrics.",
    ),
    click.option(
        "--on-reject",
        type=click.Choice(["fail", "skip"]),
        default="fail",
        show_default=True,
        help="What a sample does that the receiver refuses for good.",
    ),
)
"""How it is sent."""

SENDING_NAMES = (
    "protocol",
    "max_samples_per_send",
    "max_bytes_per_send",
    "rate_limit",
    "order",
    "on_reject",
)


class _Directory(click.Path):
    """A path; an empty one, as of a variable that is not set, is no directory, though Path takes it for this one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty: name a directory, or leave the option out", param, ctx)
        return super().convert(value, param, ctx)


TARGET = (
    click.option("--mode", type=click.Choice(MODES), default="blocks", show_default=True, help="What is written."),
    click.option(
        "--output-dir",
        type=_Directory(path_type=Path, readable=False),
        metavar="DIR",
        help="Where files go; made if missing.  [default: data for blocks, utils for openmetrics and script]",
    ),
    click.option(
        "--block-duration",
        default="auto",
        show_default=True,
        metavar="DURATION",
        help="Range of a block: 2h, 24h, …; auto is 24h, aligned to UTC days.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 256),
        default=1,
        show_default=True,
        metavar="N",
        help="Processes that write.",
    ),
    *SENDING,
    click.option(
        "--backfill-script",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Mode script.  [default: backfill.sh of the output directory if it is there, else promfill's own]",
    ),
    click.option("--keep", is_flag=True, help="Keep files that would be removed after an upload."),
    click.option("--dry-run", is_flag=True, help="Print the plan; write nothing."),
)
"""Where to: push's second table."""

_FILES = frozenset({"blocks", "openmetrics", "script"})
SERVERS = frozenset({"remote-write", "script"})
"""The modes that go to a server, by --remote-write-url."""
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
"""The modes in which an option means something, or blocks with --upload; an option that is not named fits all."""


def target_from(values: Values, console: Console) -> Target:
    """Where the options say that it goes. InputError where one cannot be read."""
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
        console.warn("--env without CDO_TOKEN names no destination: the blocks stay here")
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
    """Whether an option stands on the command line."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
