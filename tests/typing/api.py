"""What type checkers are promised of `import promfill`: mypy reads this file, nothing runs it.

A line that must not pass carries ``type: ignore``, which mypy --strict reports where it is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import promfill as pf

metric = pf.Metric(
    "m",
    help="h",
    unit="u",
    labels={"a": "b", "c": pf.fan("{1..3}")},
    value=pf.original(trend=1, base=2.5, season=None, noise=0, mean=0),
    round=1,
    resolution=None,
)
assert_type(metric, pf.Metric)
assert_type(pf.fan("x"), pf.Fan)
assert_type(pf.original(), pf.Original)

scenario = pf.Scenario(
    [metric], start="now-1d", end=datetime(2024, 1, 1, tzinfo=UTC), step=timedelta(minutes=5), seed=1, timezone="UTC"
)
pf.Scenario((metric,), start=0, end=1.5, step=300, allow_future=True, stale_at_end=True)
assert_type(scenario.start, datetime)
assert_type(scenario.step, timedelta)
assert_type(scenario.metrics, tuple[pf.Metric, ...])
assert_type(scenario.series, pf.SeriesLabels)
assert_type(scenario.series[0], dict[str, str])
assert_type(scenario.series[1:], pf.SeriesLabels)
assert_type(scenario.samples, int)
assert_type(scenario.batches(), Iterator[pf.Batch])

for batch in scenario.batches(600_000, reuse=True):
    assert_type(batch.times, NDArray[np.int64])
    assert_type(batch.values, NDArray[np.float64])
    assert_type(batch.series, pf.SeriesLabels)

receiver = pf.RemoteWrite(
    "http://a/b", auth=("user", "password"), tenant="a", headers={"K": "v"}, tls=pf.Tls(ca=Path("ca.pem")), timeout=30
)
report = pf.push(scenario, receiver, resume="run.json", verify=True, progress=print, store="http://a")
assert_type(report, pf.Report)
assert_type(report.paths, tuple[Path, ...])
assert_type(report.findings, tuple[pf.Finding, ...])
assert_type(report.verification, pf.Verification | None)
pf.push(scenario, pf.Blocks("data", duration="1d", upload="http://m"), workers=2, progress=lambda done: done.samples)
pf.push(scenario, pf.OpenMetrics(Path("text")))
assert_type(pf.check(scenario, receiver).raise_for_loss(), pf.CheckReport)
assert_type(pf.verify(scenario, pf.Store("http://a"), wait="5m").raise_for_difference(), pf.Verification)
assert_type(pf.verify(scenario, "http://a").ok, bool)
assert_type(pf.upload(["a", Path("b")], pf.Mimir("http://m"), wait=True), pf.UploadReport)
pf.upload("a", "http://m")

with pf.open_block("data/x") as block:
    assert_type(block, pf.Block)
    assert_type(block.select('m{a="b"}', start="now-1d", end=5).series, pf.SeriesLabels)
    for ragged in block.select().batches():
        assert_type(ragged, pf.RaggedBatch)
        assert_type(ragged.bounds, NDArray[np.int64])

try:
    pass
except pf.LossError as error:
    assert_type(error.field, str)
    assert_type(error.report, Any)
error_tree: list[type[pf.PromfillError]] = [
    pf.InputError,
    pf.LossError,
    pf.RepeatError,
    pf.FormatError,
    pf.RunError,
    pf.ReceiverError,
    pf.RefusedError,
    pf.OutputError,
    pf.DiffersError,
    pf.DamagedError,
    pf.InternalError,
]

pf.Metric("m", "help")  # type: ignore[call-arg]
pf.Metric("m", labels={"a": 1})  # type: ignore[dict-item]
pf.Metric("m", value="x")  # type: ignore[arg-type]
pf.Scenario(metric, start=0)  # type: ignore[arg-type]
pf.Scenario([metric])  # type: ignore[call-arg]
pf.Scenario([metric], start=None)  # type: ignore[arg-type]
pf.push(scenario, "data")  # type: ignore[arg-type]
pf.push(scenario, receiver, 2)  # type: ignore[call-arg]
pf.verify(scenario, pf.OpenMetrics("text"))  # type: ignore[arg-type]
pf.RemoteWrite("http://a", auth="user:password")  # type: ignore[arg-type]
pf.nothing  # type: ignore[attr-defined]  # noqa: B018
metric.name = "n"  # type: ignore[misc]
scenario.seed = 3  # type: ignore[misc]
