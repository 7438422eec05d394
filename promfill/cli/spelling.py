"""Settings as the command line writes them: texts of the core name fields, and here each becomes its option.

The options themselves are the table: a field is a parameter's name (``decimals``), or one of its spellings in Python's
letters (``round``). So ``noise_std`` is ``--noise-std``, and ``headers`` is ``--header``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import click

from promfill.errors import Spell, spelled

_PREFIX = "promfill.cli."
_OTHERS = ("push", "verify", "upload", "tsdb.create_blocks_from")
"""Commands whose options a text may name though another command says it: what `upload` cannot do, `push` can."""


def speller(command: click.Command | None) -> Spell:
    """How a user of this command writes a setting: by its own options, else by another command's."""

    def spell(field: str, value: str | None) -> str:
        for one in _commands(command):
            name = _find_name(one, field)
            if name:
                return name if value is None else f"{name} {value}"
        return field if value is None else f"{field}={value}"

    return spell


def in_options(text: str) -> str:
    """A text with its settings as the running command's options."""
    context = click.get_current_context(silent=True)
    return spelled(text, speller(context.command if context else None))


def all_in_options(value: Any, spell: Spell) -> Any:
    """The same value with every text in it spelled so."""
    if isinstance(value, str):
        return spelled(value, spell)
    if isinstance(value, Mapping):
        return {key: all_in_options(one, spell) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [all_in_options(one, spell) for one in value]
    return value


def _commands(command: click.Command | None) -> Iterator[click.Command]:
    """The command itself, and then the others, each imported when it is looked at."""
    if command is not None:
        yield command
    for name in _OTHERS:
        yield importlib.import_module(_PREFIX + name).command


def _find_name(command: click.Command, field: str) -> str | None:
    """The option's main spelling, or an argument's name in the help; None where the command has neither."""
    for parameter in _parameters(command):
        if field == parameter.name or field in map(_in_python, parameter.opts):
            if isinstance(parameter, click.Argument):
                return parameter.human_readable_name.strip("[]")
            return next((name for name in parameter.opts if name.startswith("--")), parameter.opts[0])
    return None


def _parameters(command: click.Command) -> Iterator[click.Parameter]:
    """Its own, and those of the commands below it that are there already."""
    yield from command.params
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _parameters(below)


def _in_python(spelling: str) -> str:
    return spelling.lstrip("-").replace("-", "_").replace(".", "_")
