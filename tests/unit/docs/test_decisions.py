"""The decisions: numbered without gaps, each in the list, each with its three answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "docs" / "decisions"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def test_numbers_have_no_gap_and_none_comes_twice() -> None:
    assert PAGES
    assert [path.name[:5] for path in PAGES] == [f"{number:04}-" for number in range(1, len(PAGES) + 1)]


def test_the_list_links_every_page_once_in_order() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^- \[(\d{4})\]\(([^)]+)\): \S", text, re.M) == [(path.name[:4], path.name) for path in PAGES]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_each_page_has_its_number_and_three_answers(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(rf"# {path.name[:4]}: \S", text)
    parts = re.split(r"^## (.*)$", text, flags=re.M)[1:]
    assert parts[::2] == ["Question", "Measurement", "Choice"]
    assert all(answer.strip() for answer in parts[1::2])
