import tomllib
from pathlib import Path

import promfill

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def test_the_version_stands_the_same_in_both_places() -> None:
    assert tomllib.loads(PYPROJECT.read_text())["project"]["version"] == promfill.__version__
