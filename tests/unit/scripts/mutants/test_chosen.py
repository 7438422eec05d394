"""Which tests judge a module, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.mutants import chosen

FILES = {
    "promfill/codecs/bits.py": "",
    "promfill/codecs/chunk.py": "from promfill.codecs.bits import x",
    "promfill/codecs/lonely.py": "",
    "promfill/source.py": "def f():\n    from .codecs import chunk",
    "tests/support/chunks.py": "import promfill.codecs.chunk",
    "tests/unit/codecs/test_bits.py": "from promfill.codecs.bits import x",
    "tests/unit/codecs/test_bits_wide.py": "from promfill.codecs import bits",
    "tests/unit/codecs/test_archive.py": "from tests.support.chunks import y",
    "tests/unit/codecs/test_mixed.py": "from promfill.codecs import bits, chunk",
    "tests/unit/test_source.py": "from promfill.source import f",
    "tests/unit/stores/test_other.py": "from promfill.codecs.bits import x",
    "tests/property/test_chunk.py": "from promfill.codecs.chunk import z",
    "tests/property/test_source.py": "import promfill.source",
    "tests/property/test_math.py": "import math",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(project: Path, found: list[Path]) -> list[str]:
    return [path.relative_to(project / "tests").as_posix() for path in found]


def test_a_folder_has_its_mirror_and_the_properties_that_import_from_it(project: Path) -> None:
    assert names(project, chosen.tests_of(project, "promfill/codecs")) == [
        "unit/codecs/test_archive.py",
        "unit/codecs/test_bits.py",
        "unit/codecs/test_bits_wide.py",
        "unit/codecs/test_mixed.py",
        "property/test_chunk.py",
    ]


def test_a_module_has_the_tests_of_its_name(project: Path) -> None:
    assert names(project, chosen.tests_of(project, "promfill/source.py")) == [
        "unit/test_source.py",
        "property/test_source.py",
    ]


def test_the_nearest_come_first_and_those_that_do_not_reach_it_not_at_all(project: Path) -> None:
    found = chosen.judges(project, "promfill/codecs", project / "promfill" / "codecs" / "bits.py")
    assert names(project, found) == [
        "unit/codecs/test_bits.py",
        "unit/codecs/test_bits_wide.py",
        "unit/codecs/test_archive.py",
        "unit/codecs/test_mixed.py",
        "property/test_chunk.py",
    ]
    bits = project / "promfill" / "codecs" / "bits.py"
    assert chosen.judges(project, "promfill/codecs", bits, near=True) == found[:-1]
    assert chosen.judges(project, "promfill/codecs", project / "promfill" / "codecs" / "lonely.py") == []


def test_imports_inside_functions_and_relative_ones_are_followed(project: Path) -> None:
    reached = chosen.reached(project, project / "tests" / "unit" / "test_source.py")
    assert project / "promfill" / "codecs" / "bits.py" in reached
