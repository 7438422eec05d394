"""Build the commands that a push prints for its user, with exact times and quoted for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

import click

from promfill.cli.options.shared import Values
from promfill.model.grid import Grid
from promfill.scenario.times import format_seconds

MASK = "•••"
"""Replaces a secret."""
ADDRESSES = ("remote_write_url", "upload", "cdo_url", "query_url")
"""The options that hold addresses, which may contain a user and a password."""


def what_words(values: Values, parameters: Iterable[click.Parameter], grid: Grid) -> list[str]:
    """The options that describe what was generated, with resolved times and without defaults."""
    return _words({**values, **resolved_times(grid)}, parameters)


def resolved_times(grid: Grid) -> dict[str, str]:
    """The --start and --end of this grid, exact."""
    return {"start": format_seconds(grid.start), "end": format_seconds(grid.time(grid.steps))}


def typed_command(context: click.Context, **others: Any) -> str:
    """The command of a context as it was typed, with some of its options replaced by `others`.

    Header values, and users and passwords in addresses, are masked: the user has to put them in again.
    """
    values = {**context.params, **others}
    values |= {name: show_address(values[name]) for name in ADDRESSES if values.get(name)}
    values["headers"] = tuple(map(show_header, values.get("headers", ())))
    return shlex.join([*context.command_path.split(), *_words(values, context.command.params)])


def show_address(text: str) -> str:
    """An address, even an invalid one, without user, password and query."""
    from promfill.net.destination import show_url

    return show_url(text) if "://" in text else text.rpartition("@")[2].partition("?")[0]


def show_header(text: str) -> str:
    """A header without its value. Text without a colon is masked as a whole: it may be a secret."""
    return f"{text.partition(':')[0]}: {MASK}" if ":" in text else MASK


def _words(values: Values, parameters: Iterable[click.Parameter]) -> list[str]:
    """These values as options, without those that are at their defaults."""
    words: list[str] = []
    for parameter in parameters:
        name = parameter.name or ""
        value = values.get(name)
        if value is None or value is False or value == parameter.default:
            continue
        for one in value if isinstance(value, tuple) else (value,):
            words += [parameter.opts[0]] if one is True else [parameter.opts[0], str(one)]
    return words
