"""The command line: parse, build, call, print. A file per command; each is imported when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from promfill._version import __version__
from promfill.cli.console import Console, open_closed_streams, raise_on_signals, settle_streams
from promfill.cli.settings import load_dotenv, name_variables
from promfill.errors import InputError, PromfillError

INTERRUPTED = 130
DEBUG = "PROMFILL_DEBUG"

COMMANDS = {
    "push": "Generate series and send or write them.",
    "check": "Say what a store would do with a push; send nothing.",
    "verify": "Read back what a push sent, and compare it.",
    "tsdb": "Make blocks from text, and look into blocks.",
    "upload": "Upload existing blocks to a Mimir.",
    "config": "Print the settings in force, and where each comes from.",
    "completion": "Print the completion script of a shell.",
}
"""Every command with its first line of help, so that the list of commands imports none of them."""


class LazyGroup(click.Group):
    """Imports `promfill.cli.<command>` when that command is asked for: ``promfill --help`` stays fast."""

    prefix = "promfill.cli."
    table = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of use."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in self.table:
            return None
        module = importlib.import_module(self.prefix + cmd_name.replace("-", "_"))
        command: click.Command = module.command
        name_variables(command, (self.prefix + cmd_name).removeprefix("promfill.cli."))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; UsageError, which says where to look, for one that is not."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(f"{error.message.rstrip('.')}: {ctx.command_path} --help lists them", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands from the table above."""
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
    """Run the command line and leave with its exit code: no traceback reaches a user."""
    open_closed_streams()
    code = run(arguments)
    settle_streams()
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command line; every error has become one line on stderr."""
    console = Console()
    try:
        with raise_on_signals():
            cli.main(arguments, prog_name="promfill", standalone_mode=False, obj=load_dotenv())
    except PromfillError as error:
        console.error(str(error))
        return error.exit_code
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        console.say(error.format_message())
        return InputError.exit_code
    except click.ClickException as error:
        console.error(error.format_message())
        return InputError.exit_code
    except (KeyboardInterrupt, click.Abort):
        console.error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _close_stdout()
        return 1
    except OSError as error:
        console.error(f"{error.filename or 'the result'} cannot be read or written: {error.strerror or error}")
        _close_stdout()
        return 1
    except MemoryError:
        console.error("memory ran out: take fewer series or a shorter range at once, or allow this process more")
        return 1
    except Exception as error:
        if DEBUG in os.environ:
            raise
        console.error(f"a defect of promfill: {type(error).__name__}: {error} ({DEBUG}=1 shows where)")
        return 1
    return 0


def _close_stdout() -> None:
    """Whoever read our output is gone: keep the interpreter from writing into the closed pipe once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
