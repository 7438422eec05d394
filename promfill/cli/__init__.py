"""The command line: parse, build, call, print. One file per command, imported when the command is called."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from promfill._version import __version__
from promfill.cli.console import Console, open_closed_streams, raise_on_signals, settle_streams
from promfill.cli.failures import DEBUG, failure_of
from promfill.cli.outcome import Failure, Outcome, find_outcome
from promfill.cli.settings import load_dotenv, name_variables
from promfill.errors import InputError, InternalError

COMMANDS = {
    "push": "Generate series and send or write them.",
    "check": "Predict what a store will do with a push; send nothing.",
    "verify": "Read back what a push sent and compare it.",
    "tsdb": "Make blocks from text; list, dump, analyze and verify blocks.",
    "upload": "Upload existing blocks to Mimir.",
    "config": "Print the current settings and where each comes from.",
    "completion": "Print the completion script for a shell.",
}
"""Every command with its first line of help, so that listing the commands imports none of them."""


class LazyGroup(click.Group):
    """Imports `promfill.cli.<command>` only when that command is used, so ``promfill --help`` stays fast."""

    prefix = "promfill.cli."
    table = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which they are typically used."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with this name, or None."""
        if cmd_name not in self.table:
            return None
        module = importlib.import_module(self.prefix + cmd_name.replace("-", "_"))
        command: click.Command = module.command
        name = (self.prefix + cmd_name).removeprefix("promfill.cli.")
        name_variables(command, name)
        for below, inner in command.commands.items() if isinstance(command, click.Group) else ():
            name_variables(inner, f"{name}_{below}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments start with. InputError, which says where to look, if there is none."""
        try:
            found = super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise InputError(error.message.rstrip("."), f"run {ctx.command_path} --help for the list") from None
        outcome = find_outcome(ctx)
        if outcome:
            outcome.opened = found[1]
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "PROMFILL"})
@click.version_option(__version__, prog_name="promfill", message="%(prog)s %(version)s")
def cli() -> None:
    """Weeks of history for any Prometheus-compatible store, in one command.

    \b
    Example:
      promfill push --metric-name vpn --labels 'instance=host-{1..40},job=vpn' --start now-21d
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code: users never see a traceback."""
    open_closed_streams()
    code = run(arguments)
    settle_streams()
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code. Prints the result, and every error as one line on stderr."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    outcome, console = Outcome(words), Console()
    with raise_on_signals():
        try:
            outcome.read_environment(load_dotenv())
            left = cli.main(words, prog_name="promfill", standalone_mode=False, obj=outcome)
            code, failure = left if isinstance(left, int) else 0, None
        except click.exceptions.NoArgsIsHelpError as error:
            console.say(error.format_message())
            return InputError.exit_code
        except BaseException as error:
            failure = failure_of(error, outcome.opened)
            if failure is None:  # nobody reads our output any more
                return 1
            code = failure.exit_code
            console.error(str(failure))
            if failure.code == InternalError.code and DEBUG in os.environ:
                traceback.print_exception(error)
        return code if _print(outcome, failure, console) else code or 1


def _print(outcome: Outcome, failure: Failure | None, console: Console) -> bool:
    """Print the result for programs. Returns False if it cannot be written."""
    try:
        outcome.print(failure)
    except BrokenPipeError:
        return False
    except OSError as error:
        console.error(str(failure_of(error)))
        return False
    return True
