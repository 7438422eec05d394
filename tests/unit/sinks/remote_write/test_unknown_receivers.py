"""Receivers that do not tell who they are, such as a VictoriaMetrics behind a proxy that drops its header."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from promfill.pipeline.push import push
from promfill.rules.victoriametrics import HEADER
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import RemoteWriteSink, Sending, open_remote_write
from tests.support.faulty_receiver import QUERY_URL, FaultyReceiver
from tests.support.held_samples import PrometheusRules, VictoriaMetricsRules
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..6}", 200)


class Unnamed(FaultyReceiver):
    """It answers without the header of VictoriaMetrics."""

    def _say(self, status: int, text: str, written: int | None = None, **headers: str) -> httpx.Response:
        answer = super()._say(status, text, written, **headers)
        answer.headers.pop(HEADER, None)
        return answer


def sink_into(receiver: FaultyReceiver, protocol: str = "auto") -> RemoteWriteSink:
    sending = Sending(clock=receiver.clock, limits=Limits(samples=72), protocol=protocol, query_url=QUERY_URL, lanes=1)
    return open_remote_write(SOURCE, receiver.client, sending)


def lossy(rules: PrometheusRules | VictoriaMetricsRules, **how: Any) -> FaultyReceiver:
    return Unnamed(3, rules, likelihood=0.4, faults=("reset after", "503 after"), **how)


@pytest.mark.parametrize("protocol", ["auto", "1.0"])
def test_what_may_be_there_twice_is_told(protocol: str) -> None:
    receiver = lossy(VictoriaMetricsRules())
    report = push(SOURCE, sink_into(receiver, protocol))
    held = sum(map(len, receiver.rules.held.values()))
    assert held > report.samples == 1200
    assert report.details["perhaps_twice"] >= 72


def test_one_that_its_query_api_names_is_asked_what_it_holds() -> None:
    receiver = lossy(VictoriaMetricsRules())
    sink = sink_into(receiver)
    sink.expect(doubles=True)
    report = push(SOURCE, sink)
    assert sum(map(len, receiver.rules.held.values())) == report.samples == 1200
    assert "perhaps_twice" not in report.details


@pytest.mark.parametrize("told", ["by its query API", "by its counts"])
def test_of_one_that_keeps_one_of_two_nothing_is_said(told: str) -> None:
    receiver = lossy(PrometheusRules(), version_2=told == "by its counts")
    sink = sink_into(receiver)
    if told == "by its query API":
        sink.expect(doubles=False)
    report = push(SOURCE, sink)
    assert sum(map(len, receiver.rules.held.values())) == report.samples == 1200
    assert "perhaps_twice" not in report.details
