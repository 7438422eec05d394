"""Whatever ends a command, as a failure that users and programs can act on."""

from __future__ import annotations

import signal

import click

from promfill.cli.outcome import Failure
from promfill.cli.spelling import speller
from promfill.errors import InputError, InternalError, OutputError, PromfillError, spelled

DEBUG = "PROMFILL_DEBUG"

INTERRUPTED = 130


def failure_of(error: BaseException, command: click.Command | None = None) -> Failure | None:
    """The failure that an exception is; None where it says only that the reader of our output is gone.

    command: the one that failed, whose options are named where the error names settings.
    """
    match error:
        case PromfillError():
            spell = speller(command)
            problem, fix, note = error.parts(spell)
            message = f"{problem}. {note}" if note else problem
            return Failure(error.code, message, fix, error.exit_code, spelled(error.marked, spell), error.field)
        case click.ClickException():
            return Failure(InputError.code, *_click_words(error), InputError.exit_code, field=_click_field(error))
        case KeyboardInterrupt() | click.Abort():
            return Failure("interrupted", "interrupted", "", INTERRUPTED)
        case SystemExit():
            return _of_exit(error.code)
        case BrokenPipeError():
            return None
        case OSError():
            what = f"{error.filename or 'the result'} cannot be read or written: {error.strerror or error}"
            return Failure(OutputError.code, what, "", 1)
        case MemoryError():
            fix = "take fewer series or a shorter range at once, or allow this process more"
            return Failure("memory", "memory ran out", fix, 1)
        case _:
            bug = InternalError.of(error)
            return Failure(bug.code, bug.problem, f"{DEBUG}=1 shows where", bug.exit_code)


def _of_exit(code: object) -> Failure | None:
    """A signal ends us by 128 and its number (`console.raise_on_signals`); click, after a broken pipe, by 1."""
    if not isinstance(code, int) or code <= 128:
        return None
    return Failure("interrupted", f"interrupted by {signal.Signals(code - 128).name}", "", code)


def _click_field(error: click.ClickException) -> str:
    """The setting whose value click refuses; "" where it is about something else."""
    parameter = error.param if isinstance(error, click.BadParameter) else None
    return (parameter.name or "") if parameter else ""


def _click_words(error: click.ClickException) -> tuple[str, str]:
    """What is wrong with the command line, and the fix."""
    message = error.format_message().rstrip(".")
    match error:
        case click.NoSuchOption(possibilities=[_, *_] as names):
            return error.message.rstrip("."), f"did you mean {' or '.join(sorted(names))}?"
        case click.MissingParameter():
            return message, "add it"
        case click.BadParameter():
            return message, ""
        case click.UsageError(ctx=click.Context() as context):
            return message, f"{context.command_path} --help lists what it takes"
        case _:
            return message, ""
