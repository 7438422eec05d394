"""Show settings as options: texts below the command line name fields, and each becomes its option here.

The options themselves are the table: a field is a parameter's name (``decimals``), or an option's name with
underscores (``round``). So ``noise_std`` is shown as ``--noise-std``, and ``headers`` as ``--header``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import click

from promfill.errors import Spell, spelled

_PREFIX = "promfill.cli."
_OTHERS = ("push", "verify", "upload", "tsdb.create_blocks_from")
"""Commands whose options a text may name even if another command prints it, as `upload` may name push's."""


def speller(command: click.Command | None) -> Spell:
    """How to show a setting to a user of this command: as one of its options, or as another command's."""

    def spell(field: str, value: str | None) -> str:
        for one in _commands(command):
            name = _find_name(one, field)
            if name:
                return name if value is None else f"{name} {value}"
        return field if value is None else f"{field}={value}"

    return spell


def in_options(text: str) -> str:
    """The text with each setting shown as an option of the running command."""
    context = click.get_current_context(silent=True)
    return spelled(text, speller(context.command if context else None))


def all_in_options(value: Any, spell: Spell) -> Any:
    """The same value with the settings in every text shown by `spell`."""
    if isinstance(value, str):
        return spelled(value, spell)
    if isinstance(value, Mapping):
        return {key: all_in_options(one, spell) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [all_in_options(one, spell) for one in value]
    return value


def _commands(command: click.Command | None) -> Iterator[click.Command]:
    """The command itself, then the others, each imported only when needed."""
    if command is not None:
        yield command
    for name in _OTHERS:
        yield importlib.import_module(_PREFIX + name).command


def _find_name(command: click.Command, field: str) -> str | None:
    """The main name of the option, or the argument's name in the help; None if the command has neither."""
    for parameter in _parameters(command):
        if field == parameter.name or field in map(_in_python, parameter.opts):
            if isinstance(parameter, click.Argument):
                return parameter.human_readable_name.strip("[]")
            return next((name for name in parameter.opts if name.startswith("--")), parameter.opts[0])
    return None


def _parameters(command: click.Command) -> Iterator[click.Parameter]:
    """The command's own parameters, and those of its subcommands that are already loaded."""
    yield from command.params
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _parameters(below)


def _in_python(spelling: str) -> str:
    return spelling.lstrip("-").replace("-", "_").replace(".", "_")
