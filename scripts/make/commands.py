#!/usr/bin/env python3
"""Write docs/commands/*.md from each command's own help: ``make docs``. A test holds them against it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "commands"
WIDTH = 100


def pages() -> dict[str, str]:
    """Every page by its file name: one a command, and README.md, the list of them."""
    from promfill.cli import cli

    found = {f"{'-'.join(words)}.md": page(words, help_text) for words, help_text in helps(cli, ())}
    lines = [f"- [`promfill {words}`]({words.replace(' ', '-')}.md): {first}" for words, first in firsts(cli, ())]
    note = "Made from `promfill … --help` by `make docs`."
    return {"README.md": "\n".join(["# Commands", "", note, "", *lines, ""]), **found}


def helps(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each command's words and help, depth first; the top's own is no page."""
    context = context_of(command, words)
    if words:
        yield words, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from helps(child(command, context, name), (*words, name))


def firsts(group: click.Group, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each command's words and the first sentence of its help."""
    context = context_of(group, words)
    for name in group.list_commands(context):
        command = child(group, context, name)
        yield " ".join([*words, name]), command.get_short_help_str(200)
        if isinstance(command, click.Group):
            yield from firsts(command, (*words, name))


def context_of(command: click.Command, words: tuple[str, ...]) -> click.Context:
    """A context that prints as the command is called, at a width of its own."""
    name = " ".join(["promfill", *words])
    return click.Context(command, info_name=name, max_content_width=WIDTH, terminal_width=WIDTH)


def child(group: click.Group, context: click.Context, name: str) -> click.Command:
    """A command of a group."""
    command = group.get_command(context, name)
    assert command is not None
    return command


def page(words: tuple[str, ...], help_text: str) -> str:
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
