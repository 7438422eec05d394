"""Each alias of an array type stands once."""

from __future__ import annotations

import re
from pathlib import Path

import promfill

PACKAGE = Path(promfill.__file__).parent


def test_aliases_of_arrays_are_defined_in_one_module() -> None:
    defines = re.compile(r"^\w+(?:: TypeAlias)? = (?:np\.typing\.)?NDArray\[", re.MULTILINE)
    homes = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if defines.search(path.read_text("utf-8"))
    }
    assert homes == {"model/types.py"}
