"""Fixtures that every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import Server, start_prometheus, start_victoriametrics


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
