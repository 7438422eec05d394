"""``promfill completion``: the script that lets a shell complete our commands and options."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Example:
      promfill completion bash > ~/.local/share/bash-completion/completions/promfill
    """
    from click.shell_completion import get_completion_class

    from promfill.cli import cli

    completer = get_completion_class(shell)
    assert completer is not None  # click brings these three
    click.echo(completer(cli, {}, "promfill", "_PROMFILL_COMPLETE").source())
