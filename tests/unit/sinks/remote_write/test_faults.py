"""Whatever a receiver does to the sender: every sample is held once, with its value, in the order of its series."""

from __future__ import annotations

import math
from typing import Any

import pytest

from promfill.model.grid import Tile
from promfill.pipeline.push import push
from promfill.protocols import SinkReport
from promfill.sinks.remote_write.gate import StoppedError
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from promfill.sources.generated import Source
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


@pytest.mark.parametrize("rate", [50.0, 0.5])
def test_a_low_rate_leaves_time_for_repeats(rate: float) -> None:
    """The wait for its turn is not of the time in which a request is tried again."""
    source = source_of("host=h{1..3}", 20)
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0.7, faults=("503",))
    report = send(receiver, source, limits=Limits(), rate_limit=rate, retry_for=60.0)
    assert report.samples == 60
    assert report.details["requests"] >= 60 / max(1.0, rate)


def test_a_store_that_cannot_say_what_it_holds() -> None:
    """A gateway's page in place of the query API: the push goes on, and says that samples may be there twice."""
    receiver = FaultyReceiver(1, VictoriaMetricsRules(), likelihood=0.5, faults=("503 after",))
    receiver.rules.export = lambda start, end: iter([b"<html>Sign in</html>\n"])  # type: ignore[method-assign,union-attr]
    report = send(receiver)
    assert report.samples == 1200
    assert report.details["perhaps_twice"] > 0


def test_nothing_more_is_sent_of_a_request_when_the_push_is_ended() -> None:
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0, most=900)
    sending = Sending(clock=receiver.clock, limits=Limits(samples=300), protocol="1.0")
    sink = open_remote_write(SOURCE, receiver.client, sending)
    take = receiver._take

    def answer(body: bytes, headers: Any) -> Any:
        said = take(body, headers)
        if said.is_success:
            sink._end()
        return said

    receiver._take = answer  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        push(SOURCE, sink)
    assert 0 < sink.report.samples < 300


def test_what_is_too_large_is_learned_of_once() -> None:
    """Four windows of five are divided; the first, which tells of the metric too, and the second find out how."""
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0, most=3000)
    report = send(receiver, limits=Limits(samples=288), lanes=1)
    assert report.samples == 1200
    assert report.details["divided"] == 4
    assert [answer.status_code for answer in receiver.answers].count(413) == 2
