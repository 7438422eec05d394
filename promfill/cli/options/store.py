"""The options for reading a store, as `check`, `verify` and `push` do."""

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
        help="Base URL of the store's query API: the part before /api/v1.  [default: derived from the push URL]",
    ),
)
"""Where a store is queried."""

LOOK = (
    *QUERY,
    click.option("--accept-loss", is_flag=True, help="Push even if samples will be deleted or rejected."),
    click.option(
        "--again",
        is_flag=True,
        help="Push even if VictoriaMetrics already holds samples of these series in this range, and would keep both.",
    ),
)
"""The options of the look at a store before a push."""


VERIFY = (
    click.option(
        "--verify",
        is_flag=True,
        help="Read everything back afterwards, like `promfill verify`; waits up to --retry-for for late samples.",
    ),
)


def how_from(values: Values) -> How:
    """How to push or check: the options that both commands have."""
    keeps_state = values["mode"] == "remote-write" or (values["mode"] == "blocks" and uploads(values))
    return How(
        query=query_from(values),
        accept_loss=values["accept_loss"],
        again=values["again"],
        verify=values.get("verify", False),
        run=run_from(values) if keeps_state else None,
    )
