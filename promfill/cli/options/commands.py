"""Commands that a push prints for its user: exact, and ready for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

import click

from promfill.cli.options.shared import Values
from promfill.model.grid import Grid
from promfill.scenario.times import format_seconds

MASK = "•••"
"""Stands where a secret was."""
ADDRESSES = ("remote_write_url", "upload", "cdo_url", "query_url")
"""The options that hold addresses, and with them perhaps a user and a password."""


def what_words(values: Values, parameters: Iterable[click.Parameter], grid: Grid) -> list[str]:
    """The options that say what was generated, with resolved times, leaving out those at their defaults."""
    return _words({**values, **resolved_times(grid)}, parameters)


def resolved_times(grid: Grid) -> dict[str, str]:
    """The options of these times, exact."""
    return {"start": format_seconds(grid.start), "end": format_seconds(grid.time(grid.steps))}


def typed_command(context: click.Context, **others: Any) -> str:
    """The command of a context as it was typed, with `others` in the place of some of its options.

    What a header holds and the user and password in an address are not shown: they have to be put in again.
    """
    values = {**context.params, **others}
    values |= {name: show_address(values[name]) for name in ADDRESSES if values.get(name)}
    values["headers"] = tuple(map(show_header, values.get("headers", ())))
    return shlex.join([*context.command_path.split(), *_words(values, context.command.params)])


def show_address(text: str) -> str:
    """An address, or what was given for one, without user, password and query."""
    from promfill.net.destination import show_url

    return show_url(text) if "://" in text else text.rpartition("@")[2].partition("?")[0]


def show_header(text: str) -> str:
    """A header without its value; what is no header may be all value."""
    return f"{text.partition(':')[0]}: {MASK}" if ":" in text else MASK


def _words(values: Values, parameters: Iterable[click.Parameter]) -> list[str]:
    """The options of these values, leaving out those at their defaults."""
    words: list[str] = []
    for parameter in parameters:
        name = parameter.name or ""
        value = values.get(name)
        if value is None or value is False or value == parameter.default:
            continue
        for one in value if isinstance(value, tuple) else (value,):
            words += [parameter.opts[0]] if one is True else [parameter.opts[0], str(one)]
    return words
