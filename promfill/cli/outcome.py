"""The result for programs: one JSON object on stdout, printed when a command ends, however it ends.

    outcome = Outcome(words)
    …                                  # commands add facts as they learn them: `Console.json`
    outcome.print(failure)

So a command that fails or is interrupted still reports what it knows: what was stored, and where its checkpoint is.
docs/json.md describes the object for people, docs/json-schema.json for programs.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from promfill.cli.spelling import all_in_options, speller

SCHEMA = 1
"""The version of the object. New keys do not change it; removing a key or changing its meaning does."""

COMMANDS = (
    "push",
    "check",
    "verify",
    "upload",
    "config",
    "tsdb create-blocks-from openmetrics",
    "tsdb list",
    "tsdb analyze",
    "tsdb verify",
)
"""The commands that have --json."""

_TRUE = frozenset(("1", "true", "t", "yes", "y", "on"))  # what click accepts as true


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command failed. code: a stable word. message: what is wrong. fix: what to do about it; may be empty.

    line: message and fix as stderr shows them. field: the setting that is wrong, or "".
    """

    code: str
    message: str
    fix: str
    exit_code: int
    line: str = ""
    field: str = ""

    def __str__(self) -> str:
        return self.line or (f"{self.message}: {self.fix}" if self.fix else self.message)

    def facts(self) -> dict[str, Any]:
        """For ``--json``."""
        words = {"code": self.code, "message": self.message, "fix": self.fix, "field": self.field}
        return {**words, "exit_code": self.exit_code}


class Outcome:
    """What a command line has learned so far.

    command: the command's words, such as ``tsdb list``; None if that command has no --json. as_json: whether to print
    JSON; guessed from the words and the environment until click has parsed them, because parsing may fail. dotenv: the
    settings from ``.env``. opened: the command that click found.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.command = find_command(words)
        self.as_json = _says_json(words)
        self.dotenv: frozenset[str] = frozenset()
        self.facts: dict[str, Any] = {}
        self.opened: click.Command | None = None

    def read_environment(self, dotenv: frozenset[str]) -> None:
        """Read the environment, including what ``.env`` added to it."""
        self.dotenv = dotenv
        if self.command:
            name = f"PROMFILL_{self.command}_JSON".upper().replace("-", "_").replace(" ", "_")
            self.as_json |= os.environ.get(name, "").strip().lower() in _TRUE

    def print(self, failure: Failure | None) -> None:
        """Print the object if --json was given. A success without facts, such as --help, has printed its text."""
        if self.as_json and (failure or self.facts):
            _echo(self.document(failure))

    def document(self, failure: Failure | None) -> dict[str, Any]:
        """The whole object."""
        error = {} if failure is None else {"error": failure.facts()}
        facts = all_in_options(self.facts, speller(self.opened))
        return {"schema": SCHEMA, "command": self.command, **error, **facts}


def find_command(words: Sequence[str]) -> str | None:
    """The command with --json that a command line calls. Options and their values may stand between its words."""
    path: list[str] = []
    for word in words:
        if any(name.split()[: len(path) + 1] == [*path, word] for name in COMMANDS):
            path.append(word)
        elif not path and not word.startswith("-"):
            break
    return " ".join(path) if " ".join(path) in COMMANDS else None


def settle_json(context: click.Context, parameter: click.Parameter, value: bool) -> bool:
    """Take --json from click, now that it has parsed the command line."""
    outcome = find_outcome(context)
    if outcome:
        outcome.as_json = value
    return value


def find_outcome(context: click.Context | None) -> Outcome | None:
    """The outcome that a command adds its facts to; None outside `promfill.cli.run`, as in shell completion."""
    found = context.find_root().obj if context else None
    return found if isinstance(found, Outcome) else None


def _says_json(words: Sequence[str]) -> bool:
    options = words[: words.index("--")] if "--" in words else words
    return any(word == "--json" or word.startswith("--json=") for word in options)


def _echo(document: Mapping[str, Any]) -> None:
    """Print as UTF-8 if stdout can encode it, otherwise with escapes: file names may not be valid UTF-8."""
    plain = _without_nan(document)
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(plain, allow_nan=False)
    click.echo(text)


def _without_nan(value: Any) -> Any:
    """The same value, with null for what JSON cannot represent: NaN and infinities."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return value
