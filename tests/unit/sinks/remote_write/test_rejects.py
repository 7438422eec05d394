"""What a refused sample does to the push: end it, or be left out alone."""

from __future__ import annotations

from typing import Any

import pytest

from promfill.errors import ReceiverError
from promfill.plan import Tile
from promfill.push import push
from promfill.sinks.base import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from tests.support.faulty_receiver import FaultyReceiver
from tests.support.held_samples import PrometheusRules, RefusedError, Series
from tests.support.remote_write import samples_of
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..24}", 24)
WHOLE = samples_of(SOURCE.batch(Tile(0, 24, 0, 24)))
BAD = "h7"
WORDS = "label value is forbidden"


class OneSeriesIsBad(PrometheusRules):
    def take(self, request: list[Series], *, partly: bool = False) -> int:
        good = [series for series in request if dict(series[0]).get("host") != BAD]
        if len(good) < len(request) and not partly:
            raise RefusedError(WORDS)
        written = super().take(good, partly=partly)
        if len(good) < len(request):
            raise RefusedError(WORDS, written)
        return written


def send(receiver: FaultyReceiver, **how: Any) -> SinkReport:
    sending = Sending(**{"limits": Limits(samples=144), "clock": receiver.clock, "protocol": "1.0", **how})
    return push(SOURCE, open_remote_write(SOURCE, receiver.client, sending))


def test_fail_ends_the_push() -> None:
    receiver = FaultyReceiver(1, OneSeriesIsBad(), likelihood=0)
    with pytest.raises(ReceiverError, match=WORDS):
        send(receiver)


@pytest.mark.parametrize("version_2", [False, True])
@pytest.mark.parametrize("likelihood", [0.0, 0.3])
def test_skip_leaves_out_the_bad_series_alone(version_2: bool, likelihood: float) -> None:
    receiver = FaultyReceiver(1, OneSeriesIsBad(), likelihood=likelihood, version_2=version_2)
    report = send(receiver, skip_rejected=True, protocol="auto")
    held = {labels: samples for labels, samples in receiver.rules.held.items() if samples}
    assert held == {labels: samples for labels, samples in WHOLE.items() if dict(labels)["host"] != BAD}
    assert report.details["rejected_samples"] >= 24
    assert any(WORDS in reason for reason in report.details["rejected"])
    if not likelihood:
        assert report.samples == 23 * 24
        assert report.details["rejected_samples"] == 24


def test_what_is_out_of_bounds_is_counted_without_being_searched() -> None:
    rules = PrometheusRules()
    rules.newest = SOURCE.grid.time(12) + 3_600_001
    receiver = FaultyReceiver(1, rules, likelihood=0)
    report = send(receiver, skip_rejected=True)
    assert report.samples + report.details["rejected_samples"] == 24 * 24
    assert len(receiver.attempts) == 4
    assert list(report.details["rejected"]) == ["400 out of bounds"]


def test_a_status_about_us_ends_the_push_even_so() -> None:
    class Locked(PrometheusRules):
        pass

    receiver = FaultyReceiver(1, Locked(), likelihood=0)
    receiver._take = lambda body, headers: receiver._say(401, "who are you")  # type: ignore[method-assign]
    with pytest.raises(ReceiverError, match="401"):
        send(receiver, skip_rejected=True)
