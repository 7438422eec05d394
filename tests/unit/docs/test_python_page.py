"""docs/python.md: its examples run from the first to the last, and it names what is public."""

from __future__ import annotations

import ast
import doctest
import re
from pathlib import Path
from typing import Any

import pytest

import promfill
from tests.support.mimir import Mimir
from tests.support.servers import Server

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def examples(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


def run(text: str, namespace: dict[str, Any]) -> None:
    """One example: a session with its output, or a program."""
    if ">>>" not in text:
        exec(compile(text, "docs/python.md", "exec"), namespace)
        return
    test = doctest.DocTestParser().get_doctest(text, namespace, "docs/python.md", None, 0)
    assert test.examples
    said: list[str] = []
    # the namespace is a copy otherwise, and the next example wants what this one made
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append, clear_globs=False)
    namespace.update(test.globs)
    assert result.failed == 0, "".join(said)


@pytest.mark.server
def test_every_example_runs(prometheus: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, Any] = {}
    found = examples(PAGE)
    assert len(found) >= 14
    with Mimir(tmp_path / "bucket") as mimir:
        for text in found:
            here = text.replace("http://127.0.0.1:9090", prometheus.url).replace("https://mimir.example.com", mimir.url)
            run(here, namespace)
        assert len(mimir.completed) == len(list(Path("data").iterdir()))
    assert sorted(path.name for path in Path().iterdir()) == ["data", "run.json", "text"]


def test_examples_of_the_readme_run() -> None:
    namespace: dict[str, Any] = {}
    assert examples(README)
    for text in examples(README):
        run(text, namespace)


def test_the_example_in_the_docstring_runs(capsys: pytest.CaptureFixture[str]) -> None:
    lines = (promfill.__doc__ or "").partition("    import promfill as pf")[2].partition("\n\nEverything")[0]
    text = "import promfill as pf" + lines.replace("\n    ", "\n")
    assert len(text.splitlines()) == 10
    run(text, {})
    assert "Scenario: 1 metric, 40 series" in capsys.readouterr().out


def test_the_page_names_all_that_is_public() -> None:
    table = PAGE.partition("## All names")[2]
    assert sorted(re.findall(r"`(\w+)`", table.partition("These are")[0])) == sorted(promfill.__all__)


def test_the_page_names_every_error() -> None:
    table = PAGE.partition("| error | when |")[2].partition("\n## ")[0]
    errors = {name for name in promfill.__all__ if name.endswith("Error")} - {"PromfillError"}
    assert errors <= set(re.findall(r"`(\w+)`", table))


def test_the_examples_parse_as_they_stand() -> None:
    for text in examples(PAGE):
        if ">>>" not in text:
            ast.parse(text)
