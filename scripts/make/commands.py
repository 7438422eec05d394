#!/usr/bin/env python3
"""Write docs/commands/*.md from each command's own help: ``make docs``. A test holds them against it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "commands"
WIDTH = 100


def pages() -> dict[str, str]:
    """Every page by its file name: one a command, and README.md, the list of them."""
    found, lines = {}, []
    for context in contexts(context_of(cli_group(), "promfill", None)):
        words = context.command_path.split()[1:]
        name = f"{'-'.join(words)}.md"
        found[name] = page(words, context.get_help())
        lines.append(f"- [`{context.command_path}`]({name}): {context.command.get_short_help_str(200)}")
    note = "Made from `promfill … --help` by `make docs`."
    return {"README.md": "\n".join(["# Commands", "", note, "", *lines, ""]), **found}


def cli_group() -> click.Group:
    """promfill itself, imported late: this script is run from anywhere."""
    from promfill.cli import cli

    return cli


def contexts(parent: click.Context) -> Iterator[click.Context]:
    """Every command below, as it is when it is called, depth first."""
    group = parent.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(parent):
        context = context_of(child(group, parent, name), name, parent)
        yield context
        yield from contexts(context)


def context_of(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """A context that prints at a width of its own."""
    return click.Context(
        command,
        parent,
        info_name=name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )


def child(group: click.Group, context: click.Context, name: str) -> click.Command:
    """A command of a group."""
    command = group.get_command(context, name)
    assert command is not None
    return command


def page(words: Sequence[str], help_text: str) -> str:
    """The page of one command."""
    name = " ".join(["promfill", *words])
    prefix = "_".join(["PROMFILL", *(word.upper().replace("-", "_") for word in words)])
    variables = f"Every option can also come from the environment, or from `.env`, as `{prefix}_<OPTION>`."
    return "\n".join([f"# {name}", "", variables, "", "```", help_text.rstrip(), "```", ""])


def main() -> None:
    """Write what has changed, and remove the pages of commands that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
