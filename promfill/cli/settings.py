"""Where settings come from: flags, then the environment, then ``.env``, then defaults."""

from __future__ import annotations

import os

import click

from promfill.cli.console import Console
from promfill.cli.outcome import find_outcome
from promfill.errors import InputError


class _Lines(click.types.StringParamType):
    """Text of an option that may be repeated: a variable holds one a line, since labels and headers hold spaces."""

    envvar_list_splitter = "\n"


def load_dotenv() -> frozenset[str]:
    """Put the settings of the file ``.env`` in the working directory into the environment, which wins over it.

    Returns the names of those that were put there. InputError: it cannot be read, or what it sets cannot be set.
    """
    if not os.path.exists(".env"):  # noqa: PTH110  (pathlib would be the dearest import of --help)
        return frozenset()
    try:
        found = _read_dotenv()
    except (UnicodeDecodeError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f".env cannot be read: {reason}") from None
    new = {name: value for name, value in found.items() if name not in os.environ}
    try:
        os.environ.update(new)
    except ValueError:
        raise InputError(".env cannot be used: a NUL stands in it, or a = within a name") from None
    return frozenset(new)


def _read_dotenv() -> dict[str, str]:
    """Names and values of ``.env``. Warns of lines that are neither, which python-dotenv tells to a log."""
    import logging

    from dotenv import dotenv_values

    unread: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        unread.append(record.getMessage().split()[-1])
        return False

    log = logging.getLogger("dotenv.main")
    log.addFilter(keep)
    try:
        found = dotenv_values(".env")
    finally:
        log.removeFilter(keep)
    if unread:
        Console().warn(f".env: no NAME=value stands in line {', '.join(unread)}: left out")
    return {name: value for name, value in found.items() if value is not None}


def dotenv_names(context: click.Context) -> frozenset[str]:
    """The settings that came from ``.env``."""
    outcome = find_outcome(context)
    return outcome.dotenv if outcome else frozenset()


def name_variables(command: click.Command, name: str) -> None:
    """Let every option come from ``PROMFILL_<COMMAND>_<OPTION>``, by each of its long spellings."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            if parameter.multiple and parameter.type is click.STRING:
                parameter.type = _Lines()
            spellings = [spelling.lstrip("-") for spelling in parameter.opts if spelling.startswith("--")]
            names = [f"PROMFILL_{name}_{word}".upper().replace("-", "_").replace(".", "_") for word in spellings]
            given = [parameter.envvar] if isinstance(parameter.envvar, str) else list(parameter.envvar or ())
            parameter.envvar = list(dict.fromkeys([*names, *given]))
