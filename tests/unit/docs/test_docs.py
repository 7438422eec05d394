"""The documents: each command has its page, made from its help, and the examples of the original work."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from promfill.cli import COMMANDS
from tests.support.cdo import TOKEN, Cdo
from tests.support.cli import Promfill
from tests.support.mimir import Mimir

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
SPEC = importlib.util.spec_from_file_location("commands", ROOT / "scripts" / "make" / "commands.py")
assert SPEC
assert SPEC.loader
commands = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(commands)


def test_pages_of_commands_are_made_from_their_help() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "commands").glob("*.md")}
    assert there == commands.pages(), "run make docs"


def test_every_command_has_its_page() -> None:
    assert {f"{name}.md" for name in COMMANDS} <= {path.name for path in (DOCS / "commands").glob("*.md")}


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        assert "://" in target or (path.parent / target).exists(), target


def examples() -> list[str]:
    text = (DOCS / "coming-from-backfill-py.md").read_text(encoding="utf-8")
    block = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[1]
    return [line for line in block.replace("\\\n", "").splitlines() if line.startswith("python3")]


@pytest.mark.parametrize("example", examples())
def test_examples_of_the_original_work_as_written(
    promfill: Promfill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example: str
) -> None:
    monkeypatch.setenv("CDO_TOKEN", TOKEN)
    script = str(ROOT / "scripts" / "backfill.py")
    words = [sys.executable, *shlex.split(example.replace("scripts/backfill.py", script))[1:]]
    with Mimir(tmp_path / "bucket") as mimir, Cdo(mimir.url) as cdo:
        monkeypatch.setenv("CDO_BASE_URL", cdo.url)
        run = subprocess.run([*words, "--output-dir", "out"], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert len(mimir.completed) > 80  # 21 days in blocks of 6 hours
    assert not list(Path("out").glob("*_data/*"))


def test_make_targets_are_those_that_the_page_names() -> None:
    text = (DOCS / "coming-from-backfill-py.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^make ([a-z0-9-]+)", text, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets >= {"backfill-21d", "backfill-7d", "backfill-1d", "backfill", "clean", "help", "install"}
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
