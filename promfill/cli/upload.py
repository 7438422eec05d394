"""``promfill upload``: upload existing blocks to Mimir."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from promfill.cli.console import Console
from promfill.cli.options.destination import CDO, CONCURRENCY, DESTINATION, RETRY, UPLOAD, query_from, upload_from
from promfill.cli.options.shared import VERBOSITY, build_console, with_options
from promfill.cli.options.store import QUERY
from promfill.cli.text.upload import found_facts, plan_text, upload_facts, upload_lines
from promfill.operations.reports import BlocksFound, Uploaded

_WHAT = (
    click.argument("paths", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)),
    click.option("--dry-run", is_flag=True, help="Check the blocks against Mimir's rules; send nothing."),
    click.option("--wait", "wait", is_flag=True, help="Wait until every sample can be queried."),
    click.option("--keep", is_flag=True, help="Keep the local copies of blocks that promfill made."),
)


@click.command()
@with_options(_WHAT, UPLOAD, CDO, DESTINATION[1:], CONCURRENCY, RETRY, QUERY, VERBOSITY)
def command(**values: Any) -> None:
    """Upload existing blocks to Mimir.

    DIR is a block or a directory of blocks. All blocks are checked before anything is sent. When Mimir reports a block
    as complete, the local copy is removed if promfill made it (see .promfill/made), unless --keep is given. To continue
    after a failure, run the same command again: complete blocks are not sent again.

    \b
    Example:
      promfill upload data --upload https://mimir.example.com --tenant team-a
    """
    console = build_console(values)
    console.on_found = lambda part: _tell(part, console)
    to, paths = upload_from(values), values["paths"]
    from promfill.operations.upload import plan_upload, upload

    if values["dry_run"]:
        planned = plan_upload(paths, to, console)
        console.json({"destination": planned.destination, "dry_run": True})
        if not values["as_json"]:
            console.result(plan_text(planned))
        return
    from promfill.files import generated_list

    ours = generated_list.recorded()
    done = upload(paths, to, wait=values["wait"], query=query_from(values), ours=ours, notices=console)
    console.json({"seconds": round(done.seconds, 3), "queryable": done.queryable})
    if not values["as_json"]:
        lines = upload_lines(done.uploaded)
        console.result("\n".join([lines[0], "query  every sample can be queried"] if done.queryable else lines))


def _tell(part: object, console: Console) -> None:
    """Add a part of the result to the JSON."""
    match part:
        case BlocksFound():
            console.json(found_facts(part))
        case Uploaded():
            console.json(upload_facts(part))
