"""What a refused sample does to the push: end it, or be left out alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from promfill.errors import ReceiverError, RefusedError
from promfill.model.grid import Tile
from promfill.net.http import NoAnswerError
from promfill.pipeline.push import push
from promfill.protocols import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from tests.support.faulty_receiver import FaultyReceiver
from tests.support.held_samples import HOUR, PrometheusRules, Series
from tests.support.held_samples import RefusedError as RefusalError
from tests.support.remote_write import samples_of
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..24}", 24)
WHOLE = samples_of(SOURCE.batch(Tile(0, 24, 0, 24)))
BAD = "h7"
WORDS = "label value is forbidden"


class OneSeriesIsBad(PrometheusRules):
    def __init__(self, words: str = WORDS) -> None:
        super().__init__()
        self.words = words

    def take(self, request: list[Series], *, partly: bool = False) -> int:
        good = [series for series in request if dict(series[0]).get("host") != BAD]
        if len(good) < len(request) and not partly:
            raise RefusalError(self.words)
        written = super().take(good, partly=partly)
        if len(good) < len(request):
            raise RefusalError(self.words, written)
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


@pytest.mark.parametrize("border", [0, 1, 5, 11, 12, 13, 22, 23, 24])
@pytest.mark.parametrize("lanes", [1, 4])
def test_what_is_out_of_bounds_is_given_up_to_the_sample(border: int, lanes: int) -> None:
    """Time by time from the oldest on, once for all series; what is newer is taken, and in order."""
    rules = PrometheusRules()
    rules.newest = SOURCE.grid.time(border) + HOUR
    receiver = FaultyReceiver(1, rules, likelihood=0)
    report = send(receiver, skip_rejected=True, lanes=lanes)
    assert (report.samples, report.details["rejected_samples"]) == (24 * (24 - border), 24 * border)
    assert held_of(rules) == {labels: samples[border:] for labels, samples in WHOLE.items() if border < 24}
    assert list(report.details["rejected"]) == ["400 out of bounds"] * (border > 0)
    assert len(receiver.attempts) <= 8 + 24 * lanes


class TakesAnyOrder(PrometheusRules):
    """A head with an out-of-order window: what is newer than its border is taken in any order."""

    border = 0

    def take(self, request: list[Series], *, partly: bool = False) -> int:
        if any(sample[0] < self.border for _, samples in request for sample in samples):
            raise RefusalError("too old sample")
        for labels, samples in request:
            self.held[labels] = sorted({*self.held[labels], *samples})
        return sum(len(samples) for _, samples in request)


@pytest.mark.parametrize("border", [0, 1, 250, 487, 665, 666, 900, 1332])
def test_what_is_too_old_for_an_out_of_order_window_is_given_up_to_the_sample(border: int) -> None:
    """By halves, the newer first: the number of requests grows with the logarithm of the steps."""
    source = source_of("host=h{1..30}", 1332)
    rules = TakesAnyOrder()
    rules.border = source.grid.time(border) if border < 1332 else source.grid.last + 1
    receiver = FaultyReceiver(1, rules, likelihood=0)
    slack = 1332 * source.grid.step
    sending = Sending(
        clock=receiver.clock, protocol="1.0", skip_rejected=True, slack=slack, limits=Limits(samples=20_000)
    )
    report = push(source, open_remote_write(source, receiver.client, sending))
    assert (report.samples, report.details["rejected_samples"]) == (30 * (1332 - border), 30 * border)
    assert len(receiver.attempts) <= 2 + 2 * 2 * 11
    assert {sample[0] for samples in rules.held.values() for sample in samples} == set(
        range(source.grid.time(border), source.grid.last + 1, source.grid.step) if border < 1332 else ()
    )


def test_of_a_series_that_is_held_in_part_the_rest_is_taken() -> None:
    """Others have written some of its samples: those are refused, and what is newer is not."""
    rules = PrometheusRules()
    (labels, samples), *_ = WHOLE.items()
    rules.held[labels] = [(samples[6][0], 1)]
    receiver = FaultyReceiver(1, rules, likelihood=0)
    report = send(receiver, skip_rejected=True)
    assert report.details["rejected_samples"] == 7
    assert report.samples == 24 * 24 - 7
    assert rules.held[labels][1:] == samples[7:]


def test_a_search_that_finds_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that refuses whatever comes: after a while a request is one request."""
    monkeypatch.setattr("promfill.sinks.remote_write.delivery.FRUITLESS", 10)
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0)
    receiver._take = lambda body, headers: receiver._say(400, "no")  # type: ignore[method-assign]
    report = send(receiver, skip_rejected=True, lanes=1)
    assert report.details["rejected_samples"] == 24 * 24
    assert len(receiver.attempts) <= 10 + 4 + 12


def held_of(rules: PrometheusRules) -> dict[Any, Any]:
    return {labels: samples for labels, samples in rules.held.items() if samples}


def test_a_status_about_us_ends_the_push_even_so() -> None:
    class Locked(PrometheusRules):
        pass

    receiver = FaultyReceiver(1, Locked(), likelihood=0)
    receiver._take = lambda body, headers: receiver._say(401, "who are you")  # type: ignore[method-assign]
    with pytest.raises(ReceiverError, match="401"):
        send(receiver, skip_rejected=True)


class AllOrNothing(OneSeriesIsBad):
    """It counts what it has written, and takes no part of a request."""

    def take(self, request: list[Series], *, partly: bool = False) -> int:
        return super().take(request, partly=False)


def test_a_receiver_of_2_0_that_takes_no_part_is_searched_as_well() -> None:
    receiver = FaultyReceiver(1, AllOrNothing(), likelihood=0, version_2=True)
    report = send(receiver, skip_rejected=True, protocol="auto")
    assert report.details["protocol"] == "2.0"
    assert (report.samples, report.details["rejected_samples"]) == (23 * 24, 24)


def refusing(status: int, words: str) -> FaultyReceiver:
    """A receiver that says this to every request with the bad series in it, and writes nothing of those."""
    receiver = FaultyReceiver(1, OneSeriesIsBad(), likelihood=0)
    take = receiver._take

    def answer(body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        said = take(body, headers)
        return receiver._say(status, words) if said.status_code == 400 else said

    receiver._take = answer  # type: ignore[method-assign]
    return receiver


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, 'label name "a" is not unique: invalid sample'),
        (409, "store locally for endpoint: add 12 samples: forward error: conflict"),
        (422, "no"),
    ],
)
def test_a_refusal_is_one_by_whatever_status(status: int, words: str) -> None:
    """Prometheus 2.42 says two of them by 500, Thanos says them by 409."""
    report = send(refusing(status, words), skip_rejected=True)
    assert (report.samples, report.details["rejected_samples"]) == (23 * 24, 24)
    with pytest.raises(ReceiverError) as caught:
        send(refusing(status, words))
    assert f"answered {status} " in str(caught.value)
    assert "may have been stored" not in str(caught.value)


@pytest.mark.parametrize("words", ["out of order sample", "duplicate sample for timestamp"])
def test_a_refusal_by_500_is_not_taken_for_a_sign_that_it_is_there(words: str) -> None:
    """Only an attempt before it can have written what the receiver says it holds."""
    receiver = refusing(500, words)
    with pytest.raises(ReceiverError, match=f"500 Internal Server Error: {words}"):
        send(receiver)
    assert not any(samples for labels, samples in receiver.rules.held.items() if dict(labels)["host"] == BAD)


def test_of_a_wide_request_what_is_within_bounds_is_taken() -> None:
    """To the sample."""
    source = source_of("host=h{1..3}", 600)
    rules = PrometheusRules()
    rules.newest = source.grid.time(200) + 3_600_000
    receiver = FaultyReceiver(1, rules, likelihood=0)
    sending = Sending(limits=Limits(samples=1800), clock=receiver.clock, protocol="1.0", skip_rejected=True)
    report = push(source, open_remote_write(source, receiver.client, sending))
    assert (report.samples, report.details["rejected_samples"]) == (3 * 400, 3 * 200)
    assert list(report.details["rejected"]) == ["400 out of bounds"]


class TakesTheRest(OneSeriesIsBad):
    """Mimir: what is good of a refused request is written."""

    def take(self, request: list[Series], *, partly: bool = False) -> int:
        good = [series for series in request if dict(series[0]).get("host") != BAD]
        told = ""
        for series in good:
            try:
                PrometheusRules.take(self, [series])
            except RefusalError as error:
                told = told or f"{error} (err-mimir-sample-out-of-order)"
        if len(good) < len(request):
            raise RefusalError("label value too long (err-mimir-label-value-too-long)")
        if told:
            raise RefusalError(told)
        return 0


def test_what_a_receiver_had_taken_of_a_refused_request_is_not_counted_as_refused() -> None:
    receiver = FaultyReceiver(1, TakesTheRest(), likelihood=0)
    report = send(receiver, skip_rejected=True)
    held = {labels: samples for labels, samples in receiver.rules.held.items() if samples}
    assert held == {labels: samples for labels, samples in WHOLE.items() if dict(labels)["host"] != BAD}
    assert (report.samples, report.details["rejected_samples"]) == (23 * 24, 24)


def test_what_somebody_else_wrote_is_not_taken_for_our_own_end() -> None:
    """A wide request whose answer is lost, and out of bounds when it comes again, because of others' samples.

    The receiver is asked whether it holds the end, in a way that writes nothing.
    """
    source = source_of("host=h{1..3}", 600)
    rules = PrometheusRules()
    receiver = FaultyReceiver(1, rules, likelihood=0)
    take = receiver._take
    lost: list[bytes] = []

    def answer(body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        if not lost:
            lost.append(body)
            rules.newest = source.grid.time(590)
            raise NoAnswerError("it was lost, and not written", may_have_arrived=True)
        return take(body, headers)

    receiver._take = answer  # type: ignore[method-assign]
    sending = Sending(limits=Limits(samples=1800), clock=receiver.clock, protocol="1.0")
    with pytest.raises(ReceiverError, match="out of bounds"):
        push(source, open_remote_write(source, receiver.client, sending))
    assert not any(rules.held.values())


def test_whoever_does_not_say_whether_the_end_is_held_is_quoted() -> None:
    """And not what had been said before, which would blame somebody else's samples."""
    source = source_of("host=h{1..3}", 600)
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0)
    take, taken = receiver._take, iter(range(9))

    def answer(body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        number = next(taken)
        if number == 1:
            take(body, headers)
            raise NoAnswerError("it was lost, and written", may_have_arrived=True)
        return receiver._say(401, "locked") if number == 3 else take(body, headers)

    receiver._take = answer  # type: ignore[method-assign]
    sending = Sending(limits=Limits(samples=900), clock=receiver.clock, protocol="1.0")
    with pytest.raises(ReceiverError, match="401 Unauthorized: locked"):
        push(source, open_remote_write(source, receiver.client, sending))


def test_what_a_receiver_of_2_0_had_taken_of_a_refused_request_is_told() -> None:
    """12 series of 12 samples, and 11 of the request with the bad one."""
    receiver = FaultyReceiver(1, OneSeriesIsBad("invalid labels for series"), likelihood=0, version_2=True)
    with pytest.raises(RefusedError, match=r"276 samples were accepted$"):
        send(receiver, protocol="auto", lanes=1)


def test_what_an_unknown_receiver_says_it_had_taken_is_not_relied_on() -> None:
    receiver = FaultyReceiver(1, OneSeriesIsBad(), likelihood=0, version_2=True)
    with pytest.raises(RefusedError, match="144 samples were accepted; up to 144 more may have been stored"):
        send(receiver, protocol="auto", lanes=1)
