"""Turn every exception that ends a command into a failure that users and programs can act on."""

from __future__ import annotations

import signal

import click

from promfill.cli.outcome import Failure
from promfill.cli.spelling import speller
from promfill.errors import InputError, InternalError, OutputError, PromfillError, spelled

DEBUG = "PROMFILL_DEBUG"

INTERRUPTED = 130


def failure_of(error: BaseException, command: click.Command | None = None) -> Failure | None:
    """The failure for an exception. None if it only means that nobody reads our output any more.

    command: the command that failed; settings in the error are shown as its options.
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
            fix = "push fewer series or a shorter range at a time, or allow this process more memory"
            return Failure("memory", "out of memory", fix, 1)
        case _:
            bug = InternalError.of(error)
            return Failure(bug.code, bug.problem, f"set {DEBUG}=1 to see the traceback", bug.exit_code)


def _of_exit(code: object) -> Failure | None:
    """Signals exit with 128 + their number (`console.raise_on_signals`); click exits with 1 after a broken pipe."""
    if not isinstance(code, int) or code <= 128:
        return None
    return Failure("interrupted", f"interrupted by {signal.Signals(code - 128).name}", "", code)


def _click_field(error: click.ClickException) -> str:
    """The setting whose value click rejects; "" if the error is about something else."""
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
            return message, f"run {context.command_path} --help for its options"
        case _:
            return message, ""
