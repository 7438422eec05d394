"""The default signal against mockseries 0.3.1, which the original script used: equal by bits."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.support.mockseries import CASES, ask_oracle, oracle_python, ours

NO_ORACLE = (
    "no environment for mockseries: python3 -m venv .oracle && .oracle/bin/pip install --no-deps "
    "--require-hashes -r tests/oracle/requirements.txt (Python 3.11 or 3.12), "
    "or say in PROMFILL_NO_ORACLE why there is none"
)


@pytest.fixture
def oracle() -> Path:
    python = oracle_python()
    if python is not None:
        return python
    excuse = os.environ.get("PROMFILL_NO_ORACLE")
    if excuse or not (os.environ.get("CI") or os.environ.get("PROMFILL_ORACLE_PYTHON")):
        pytest.skip(excuse or NO_ORACLE)
    pytest.fail(NO_ORACLE)


def test_every_case_equals_the_original_by_bits(oracle: Path) -> None:
    for case, theirs in zip(CASES, ask_oracle(oracle, CASES), strict=True):
        np.testing.assert_array_equal(ours(case).view(np.uint64), theirs.view(np.uint64), err_msg=str(case))
