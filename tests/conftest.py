"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import hypothesis
import pytest

from tests.support.cli import Promfill, runner
from tests.support.servers import Server, start_prometheus, start_victoriametrics

# A busy machine stalls now and then: a slow example is no failure. pytest-timeout ends what hangs.
hypothesis.settings.register_profile("promfill", deadline=None)
# scripts/mutants asks whether an example fails, not which is the smallest.
found = [hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate]
hypothesis.settings.register_profile("mutants", deadline=None, database=None, phases=found)
# make coverage asks which lines run: fewer examples, the same in every run, so that the figure does not move by itself.
hypothesis.settings.register_profile("coverage", deadline=None, database=None, derandomize=True, max_examples=20)
hypothesis.settings.load_profile("promfill")


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pushes leave their lists and checkpoints in the working directory: never in the checkout."""
    monkeypatch.chdir(tmp_path_factory.mktemp("work"))
    with patch.dict(os.environ):  # what a test's .env put there goes with the test
        yield


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Server]:
    """An empty Prometheus that scrapes nothing and keeps everything."""
    with start_prometheus(tmp_path / "prometheus") as server:
        yield server


@pytest.fixture
def victoriametrics(tmp_path: Path) -> Iterator[Server]:
    """An empty VictoriaMetrics that keeps everything."""
    with start_victoriametrics(tmp_path / "victoriametrics") as server:
        yield server


@pytest.fixture
def promfill(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Promfill:
    """The command line, run in an empty working directory with none of our settings in the environment."""
    for name in [name for name in os.environ if name.startswith(("PROMFILL_", "CDO_"))] + ["ENV"]:
        monkeypatch.delenv(name, raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return runner(capsys)
