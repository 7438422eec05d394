"""The whole tool, its trials made up: what is kept, what is tried again, and how it ends."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="mutants are tried where processes have groups and limits")

from scripts.mutants.__main__ import main
from scripts.mutants.draw import Mutant
from scripts.mutants.trial import Copy, Outcome

FILES = {
    "promfill/codecs/numbers.py": "def f(a, b, c):\n    x = a + b\n    y = b < c\n    z = a // c\n    w = b << c\n",
    "promfill/codecs/forgotten.py": "x = a + b\n",
    "tests/unit/codecs/test_numbers.py": "import promfill.codecs.numbers\n",
}


class Trials:
    """Stands in for pytest: kills the mutants of these lines."""

    def __init__(self, *killed: int) -> None:
        self.killed: Iterable[int] = killed
        self.tried: list[int] = []
        self.baseline = "survived"

    def try_out(self, mutant: Mutant, tests: Sequence[str], limit: float) -> Outcome:
        assert limit > 0
        if not tests:
            return Outcome("untested", "", 0.0)
        assert list(tests) == ["tests/unit/codecs/test_numbers.py"]
        self.tried.append(mutant.edit.line)
        return Outcome("killed" if mutant.edit.line in self.killed else "survived", "", 0.5)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Trials:
    made = Trials(2, 3, 4)
    monkeypatch.setattr(Copy, "try_out", lambda _, mutant, tests, limit: made.try_out(mutant, tests, limit))
    monkeypatch.setattr(Copy, "baseline", lambda _, tests: Outcome(made.baseline, ", ".join(tests), 1.0))
    return made


def mutants(project: Path, *arguments: str) -> int:
    return main(["promfill/codecs", *arguments], root=project)


def rows(project: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (project / ".mutants" / "results.jsonl").read_text().splitlines()]


def test_survivors_are_listed_with_their_lines_and_the_share(
    project: Path, trials: Trials, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mutants(project) == 1
    said = capsys.readouterr().out
    assert "promfill/codecs/numbers.py:5: survived (operator)\n    -    w = b << c\n    +    w = b >> c\n" in said
    assert "promfill/codecs/forgotten.py:1: untested (operator)\n    -x = a + b\n    +x = a - b\n" in said
    assert "numbers.py:2: survived" not in said
    assert said.endswith("all: killed 3 of 5 (60.0 %), 0 of them by hanging\n")


def test_only_those_below_a_folder(project: Path, trials: Trials, capsys: pytest.CaptureFixture[str]) -> None:
    assert mutants(project, "--only", "promfill/codecs/forgotten.py") == 1
    assert capsys.readouterr().out.endswith("all: killed 0 of 1 (0.0 %), 0 of them by hanging\n")
    assert mutants(project, "--only", "promfill/blocks") == 2
    assert capsys.readouterr().err == "no mutant is drawn below promfill/blocks\n"


@pytest.mark.parametrize(("floor", "code"), [("60", 0), ("60.1", 1)])
def test_the_floor_decides_how_it_ends(project: Path, trials: Trials, floor: str, code: int) -> None:
    assert mutants(project, "--floor", floor) == code


def test_tests_that_are_written_meanwhile_are_left_for_the_next_run(
    project: Path, trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    def baseline(_: Copy, tests: Sequence[str]) -> Outcome:
        (project / "tests/unit/codecs/test_new.py").write_text("import promfill.codecs.numbers\n")
        return Outcome("survived", "", 1.0)

    monkeypatch.setattr(Copy, "baseline", baseline)
    mutants(project)  # Trials looks at the names of the tests
    assert sorted(trials.tried) == [2, 3, 4, 5]


def test_tests_that_reach_the_module_through_others_are_left_out_where_that_is_asked_for(
    project: Path, trials: Trials
) -> None:
    """What they might have noticed is tried again by the next run."""
    (project / "promfill/codecs/through.py").write_text("import promfill.codecs.numbers\n")
    (project / "tests/property").mkdir()
    (project / "tests/property/test_through.py").write_text("import promfill.codecs.through\n")
    assert mutants(project, "--near") == 1  # Trials looks at the names of the tests
    assert sorted(trials.tried) == [2, 3, 4, 5]
    assert [row["how"] for row in rows(project)] == ["killed"] * 3
    (project / "tests/property/test_through.py").unlink()
    mutants(project)
    assert sorted(trials.tried) == [2, 3, 4, 5, 5]


def test_what_is_known_is_not_tried_again(project: Path, trials: Trials) -> None:
    mutants(project)
    assert sorted(trials.tried) == [2, 3, 4, 5]
    mutants(project)
    assert sorted(trials.tried) == [2, 3, 4, 5]


def test_survivors_are_tried_again_where_that_is_asked_for(project: Path, trials: Trials) -> None:
    mutants(project)
    trials.tried, trials.killed = [], range(9)
    assert mutants(project, "--again", "--floor", "80") == 0
    assert trials.tried == [5]


def test_a_run_that_was_cut_off_goes_on(project: Path, trials: Trials) -> None:
    mutants(project, "--jobs", "1")
    path = project / ".mutants" / "results.jsonl"
    path.write_text(path.read_text()[:-20])
    before, trials.tried = len(path.read_text().splitlines()), []
    mutants(project, "--jobs", "1")
    assert trials.tried == [5]
    lines = path.read_text().splitlines()
    assert len(lines) == before + 1
    assert json.loads(lines[-1])["how"] == "survived"


def test_tests_that_fail_by_themselves_are_told(
    project: Path, trials: Trials, capsys: pytest.CaptureFixture[str]
) -> None:
    trials.baseline = "killed"
    assert mutants(project) == 2
    assert "the tests fail without a mutant: tests/unit/codecs/test_numbers.py" in capsys.readouterr().err
    assert not (project / ".mutants").exists()


def test_a_folder_without_tests_is_told(project: Path, trials: Trials, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tests" / "unit" / "codecs" / "test_numbers.py").unlink()
    assert mutants(project) == 2
    assert "no test file" in capsys.readouterr().err
