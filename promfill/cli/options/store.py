"""Options of what reads a store: `check`, `verify`, and a push that looks before and after."""

from __future__ import annotations

import click

from promfill.cli.options.destination import query_from, uploads
from promfill.cli.options.resume import run_from
from promfill.cli.options.shared import Values
from promfill.operations.settings import How

QUERY = (
    click.option(
        "--query-url",
        metavar="URL",
        help="Base address of the store's query API, what stands before /api/v1.  [default: beside the push URL]",
    ),
)
"""Where a store is asked."""

LOOK = (
    *QUERY,
    click.option("--accept-loss", is_flag=True, help="Push although samples will be deleted or refused."),
    click.option(
        "--again",
        is_flag=True,
        help="Push although a VictoriaMetrics holds samples of these series in this range, and would keep both.",
    ),
)
"""What a first look needs."""


VERIFY = (
    click.option(
        "--verify",
        is_flag=True,
        help="Read back afterwards, as `promfill verify` does; what a store shows late is waited for (--retry-for).",
    ),
)


def how_from(values: Values) -> How:
    """How a push is done, or looked at: what the options of both commands say."""
    keeps_state = values["mode"] == "remote-write" or (values["mode"] == "blocks" and uploads(values))
    return How(
        query=query_from(values),
        accept_loss=values["accept_loss"],
        again=values["again"],
        verify=values.get("verify", False),
        run=run_from(values) if keeps_state else None,
    )
