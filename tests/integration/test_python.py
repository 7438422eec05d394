"""The verbs of `import promfill` against real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

import promfill as pf
from tests.support.readback import of_prometheus, of_source
from tests.support.servers import Server

FLEET = pf.Metric("m", labels={"instance": pf.fan("h-{1..7}"), "job": "j"}, resolution="2^-7")
OLD = pf.Scenario([FLEET], start="now-9d", end="now-8d", step="5m")
RECENT = pf.Scenario([FLEET], start="now-2h", step="5m")


def receiver(server: Server) -> pf.RemoteWrite:
    return pf.RemoteWrite(f"{server.url}/api/v1/write", retry_for="20s")


@pytest.mark.server
def test_a_prometheus_holds_what_python_sent(prometheus: Server) -> None:
    report = pf.push(OLD, receiver(prometheus), verify=True)
    assert report.samples == OLD.samples
    assert report.verification
    assert report.verification.raise_for_difference().found == OLD.samples
    held = of_prometheus(prometheus.url, "m", int(OLD.end.timestamp() * 1000))
    assert held == of_source(OLD._source())
    for where in (receiver(prometheus), pf.Store(prometheus.url), prometheus.url):
        assert pf.verify(OLD, where).ok
    assert list(Path().iterdir()) == []


@pytest.mark.server
def test_a_loss_is_foreseen_before_the_first_byte(prometheus: Server) -> None:
    pf.push(RECENT, receiver(prometheus))
    found = pf.check(OLD, receiver(prometheus))
    assert found.loses
    assert found.store
    assert found.store.startswith("Prometheus 2.")
    with pytest.raises(pf.LossError):
        found.raise_for_loss()
    with pytest.raises(pf.LossError) as caught:
        pf.push(OLD, receiver(prometheus))
    assert "accept_loss" in str(caught.value)
    assert "--" not in str(caught.value)
    assert pf.verify(OLD, receiver(prometheus), wait=0).found == 0


@pytest.mark.server
def test_what_a_victoriametrics_would_keep_twice_is_refused(victoriametrics: Server) -> None:
    pf.push(OLD, receiver(victoriametrics), verify=True)
    other = pf.Scenario([FLEET], start=OLD.start, end=OLD.end, seed=7)
    found = pf.check(other, receiver(victoriametrics))
    assert found.spoils
    with pytest.raises(pf.RepeatError) as caught:
        pf.push(other, receiver(victoriametrics))
    assert "again" in str(caught.value)
    assert "--again" not in str(caught.value)
    assert pf.push(other, receiver(victoriametrics), again=True).samples == other.samples


@pytest.mark.server
def test_a_push_that_is_there_is_not_sent_again(prometheus: Server) -> None:
    pf.push(OLD, receiver(prometheus), verify=True)
    again = pf.push(OLD, receiver(prometheus))
    assert (again.samples, again.there_before) == (0, OLD.samples)
    assert "there before" in repr(again)
