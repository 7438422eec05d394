"""Where settings come from: flags, then the environment, then ``.env``, then defaults. The first one wins."""

from __future__ import annotations

import os

import click

from promfill.cli.console import Console
from promfill.cli.outcome import find_outcome
from promfill.errors import InputError


class _Lines(click.types.StringParamType):
    """A text option that may be repeated. Its variable holds one value per line: labels and headers contain spaces."""

    envvar_list_splitter = "\n"


def load_dotenv() -> frozenset[str]:
    """Add the settings in ``.env`` (in the working directory) to the environment, which overrides them.

    Returns the names that were added. InputError: the file cannot be read, or a setting in it cannot be used.
    """
    if not os.path.exists(".env"):  # noqa: PTH110  (pathlib would be the slowest import of --help)
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
        raise InputError(".env cannot be used: it contains a NUL character, or a name that contains =") from None
    return frozenset(new)


def _read_dotenv() -> dict[str, str]:
    """Names and values in ``.env``. Warns about lines that python-dotenv cannot parse (it only logs them)."""
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
        Console().warn(f".env: ignored line {', '.join(unread)}: not NAME=value")
    return {name: value for name, value in found.items() if value is not None}


def dotenv_names(context: click.Context) -> frozenset[str]:
    """The names of the settings that came from ``.env``."""
    outcome = find_outcome(context)
    return outcome.dotenv if outcome else frozenset()


def name_variables(command: click.Command, name: str) -> None:
    """Read every option from ``PROMFILL_<COMMAND>_<OPTION>`` as well, for each of its long names."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            if parameter.multiple and parameter.type is click.STRING:
                parameter.type = _Lines()
            spellings = [spelling.lstrip("-") for spelling in parameter.opts if spelling.startswith("--")]
            names = [f"PROMFILL_{name}_{word}".upper().replace("-", "_").replace(".", "_") for word in spellings]
            given = [parameter.envvar] if isinstance(parameter.envvar, str) else list(parameter.envvar or ())
            parameter.envvar = list(dict.fromkeys([*names, *given]))
