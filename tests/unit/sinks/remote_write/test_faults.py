"""Whatever a receiver does to the sender: every sample is held once, with its value, in the order of its series."""

from __future__ import annotations

import math
from typing import Any

import pytest

from promfill.plan import Tile
from promfill.push import push
from promfill.sinks.base import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from promfill.source import Source
from tests.support.faulty_receiver import FAULTS, QUERY_URL, FaultyReceiver
from tests.support.held_samples import PrometheusRules, Rules, VictoriaMetricsRules
from tests.support.remote_write import samples_of
from tests.support.sources import source_of

SEEDS = 200
SOURCE = source_of("host=h{1..24}", 50)
WHOLE = samples_of(SOURCE.batch(Tile(0, 50, 0, 24)))
RETRY_FOR = 600.0


def send(receiver: FaultyReceiver, source: Source = SOURCE, **how: Any) -> SinkReport:
    chosen: dict[str, Any] = {
        "limits": Limits(samples=72),
        "protocol": "1.0",
        "retry_for": RETRY_FOR,
        "query_url": QUERY_URL,
        **how,
    }
    return push(source, open_remote_write(source, receiver.client, Sending(clock=receiver.clock, **chosen)))


def assert_whole(receiver: FaultyReceiver) -> None:
    held = {labels: samples for labels, samples in receiver.rules.held.items() if samples}
    assert {labels: sorted(samples) for labels, samples in held.items()} == WHOLE
    assert all(wait <= RETRY_FOR for wait in receiver.waits)


def shape(seed: int) -> tuple[Rules, dict[str, Any], dict[str, Any]]:
    """Another store, plan and protocol with every seed: rules, the sender's options, the receiver's."""
    rules: Rules = VictoriaMetricsRules() if seed % 2 else PrometheusRules()
    how: dict[str, Any] = {
        "lanes": (None, 1, 3, 8)[seed // 2 % 4],
        "limits": Limits(samples=(72, 40, 300, 2000)[seed // 8 % 4]),
        "protocol": ("1.0", "auto")[seed // 32 % 2],
    }
    if seed % 2 and seed % 3:
        how["slack"] = math.inf
    most = (None, 1100, None, 1500)[seed // 4 % 4]
    return rules, how, {"most": most, "version_2": seed % 4 == 2, "deaf": bool(seed % 3)}


@pytest.mark.parametrize("hundred", range(0, SEEDS, 50))
def test_every_sample_is_held_once(hundred: int) -> None:
    for seed in range(hundred, hundred + 50):
        rules, how, what = shape(seed)
        receiver = FaultyReceiver(seed, rules, **what)
        report = send(receiver, **how)
        assert_whole(receiver)
        assert report.samples == 1200, seed
        assert report.details["acknowledged"] + report.details["already_there"] == 1200
        assert not report.details["rejected_samples"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("rules", [PrometheusRules, VictoriaMetricsRules])
def test_each_fault_alone_at_every_first_attempt(fault: str, rules: type[Rules]) -> None:
    receiver = FaultyReceiver(1, rules(), likelihood=0.7, faults=(fault,))
    report = send(receiver)
    assert_whole(receiver)
    assert fault in receiver.seen
    assert report.details["retries"] >= receiver.seen.count(fault)
