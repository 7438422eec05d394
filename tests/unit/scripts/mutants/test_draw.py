"""The same sources and seed draw the same mutants."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.mutants.__main__ import FOLDERS, ROOT
from scripts.mutants.draw import Mutant, draw


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "promfill" / "codecs"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text("def f(a, b):\n    return a + b * 3\n")
    (folder / "two.py").write_text("WIDTH = 120\n")
    (tmp_path / "promfill" / "three.py").write_text("x = a < b\n")
    return tmp_path


def told(mutants: list[Mutant]) -> list[tuple[str, str]]:
    return [(mutant.path, mutant.diff()) for mutant in mutants]


def test_all_are_drawn_where_there_are_fewer_one_a_place(project: Path) -> None:
    drawn = draw(project, ["promfill/codecs", "promfill/three.py"], 300, seed=1)
    sites = [mutant.site for mutant in drawn]
    assert len(sites) == len(set(sites)) == 6  # the sum, the product, the 3, what is returned, 120, the comparison
    assert sites == sorted(sites)
    assert ("promfill/three.py", "-x = a < b\n+x = a <= b") in told(drawn)


def test_a_seed_draws_the_same_and_another_others(project: Path) -> None:
    draws = [told(draw(project, ["promfill/codecs"], 2, seed)) for seed in range(20)]
    assert draws == [told(draw(project, ["promfill/codecs"], 2, seed)) for seed in range(20)]
    assert len({tuple(draw) for draw in draws}) > 5


def test_what_was_found_out_is_forgotten_where_the_source_changes(project: Path) -> None:
    before = {mutant.key for mutant in draw(project, ["promfill/codecs"], 300, seed=1)}
    (project / "promfill" / "codecs" / "two.py").write_text("WIDTH = 120  # samples\n")
    after = {mutant.key for mutant in draw(project, ["promfill/codecs"], 300, seed=1)}
    assert len(before - after) == 1


def test_a_change_elsewhere_draws_the_same(project: Path) -> None:
    """Lines above it, another module: then what was found out about the others still holds."""
    one = project / "promfill" / "codecs" / "one.py"
    for seed in range(20):
        one.write_text("def f(a, b):\n    return a + b * 3\n")
        before = told(draw(project, ["promfill/codecs"], 2, seed))
        one.write_text("import math\n\n\ndef f(a, b):\n    return a + b * 3\n")
        assert told(draw(project, ["promfill/codecs"], 2, seed)) == before
    (project / "promfill" / "codecs" / "new.py").write_text("SIZE = 5\nHEAD = 8\n")
    after = [told(draw(project, ["promfill/codecs"], 8, seed)) for seed in range(20)]
    for seed, drawn in enumerate(after):
        ours = [row for row in drawn if row[0] != "promfill/codecs/new.py"]
        assert len(ours) >= 5
        (project / "promfill" / "codecs" / "new.py").unlink()
        assert set(ours) <= set(told(draw(project, ["promfill/codecs"], 8, seed)))
        (project / "promfill" / "codecs" / "new.py").write_text("SIZE = 5\nHEAD = 8\n")


def test_equal_lines_are_drawn_as_well(project: Path) -> None:
    (project / "promfill" / "codecs" / "one.py").write_text("x = a < b\nx = a < b\nx = a < b")
    drawn = draw(project, ["promfill/codecs/one.py"], 300, seed=1)
    assert [mutant.edit.line for mutant in drawn] == [1, 2, 3]


def test_a_folder_without_modules_is_named(project: Path) -> None:
    with pytest.raises(FileNotFoundError, match="promfill/blocks holds no Python module"):
        draw(project, ["promfill/blocks"], 300, seed=1)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folders_of_make_mutants_are_there(folder: str) -> None:
    assert (ROOT / folder).exists(), "list the folder's new place in scripts/mutants/__main__.py"
