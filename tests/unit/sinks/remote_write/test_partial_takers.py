"""Receivers that write what is good of a request that they refuse: Mimir and Cortex do, sample by sample.

Sent again, what they have written is out of order, or too old for what has just come: their second answer tells nothing
of the first. What a push says that it sent is held, and what it says was refused is not.
"""

from __future__ import annotations

from typing import Any

import pytest

from promfill.errors import ReceiverError
from promfill.model.batch import LabelSet
from promfill.pipeline.push import push
from promfill.protocols import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from tests.support.faulty_receiver import FaultyReceiver
from tests.support.held_samples import HOUR, PrometheusRules, Series
from tests.support.held_samples import RefusedError as RefusalError
from tests.support.recorded import CORTEX_1_21_SERIES_LIMIT, MIMIR_3_0_3_SERIES_LIMIT, MIMIR_3_0_3_TOO_OLD
from tests.support.sources import source_of

NARROW, DAY = 12, 288
"""Steps of five minutes: a request within the hour that a head looks back, and one that is wider."""
MIMIR, CORTEX = "mimir", "cortex"
_ORDER = {
    MIMIR: "failed pushing to ingester i-1: user=team-a: the sample has been rejected (err-mimir-sample-out-of-order)",
    CORTEX: "user=team-a: out of order sample",
}
_TOO_OLD = {MIMIR: MIMIR_3_0_3_TOO_OLD, CORTEX: "user=team-a: out of bounds"}
_LIMIT = {MIMIR: MIMIR_3_0_3_SERIES_LIMIT, CORTEX: CORTEX_1_21_SERIES_LIMIT}


class TakesPart(PrometheusRules):
    """Each sample is judged alone, by the head as it was before the request; the first refusal is what is told.

    known: hosts of the series that are taken, None for all. Beside its refusals a Mimir counts what came, a Cortex 0.
    """

    def __init__(self, kind: str, known: set[str] | None = None) -> None:
        super().__init__()
        self.kind, self.known = kind, known

    def take(self, request: list[Series], *, partly: bool = False) -> int:
        came, told, head = 0, "", self.newest
        for labels, samples in request:
            for sample in samples:
                came += 1
                words = self._words(labels, sample, head)
                told = told or words
                if not words:
                    self._append(labels, [sample])
        if told:
            raise RefusalError(told, came if self.kind == MIMIR else 0)
        return came

    def _words(self, labels: LabelSet, sample: tuple[int, int], head: int | None) -> str:
        held = self.held[labels]
        if self.known is not None and dict(labels)["host"] not in self.known:
            return _LIMIT[self.kind]
        if head is not None and sample[0] < head - HOUR:
            return _TOO_OLD[self.kind]
        last = held[-1] if held else (sample[0] - 1, 0)
        return _ORDER[self.kind] if sample[0] < last[0] or (sample[0] == last[0] and sample != last) else ""


def send(rules: TakesPart, steps: int, series: int = 40, **how: Any) -> tuple[int, int, FaultyReceiver]:
    """Samples that are told as sent, and as refused."""
    source = source_of(f"host=h{{1..{series}}}", steps)
    receiver = FaultyReceiver(1, rules, likelihood=0, version_2=how.get("protocol") != "1.0")
    lose = how.pop("lose", None)
    if lose:
        receiver._faults, receiver._likelihood = lose, 0.3
    sending = Sending(clock=receiver.clock, skip_rejected=True, **{"lanes": 1, "limits": Limits(), **how})
    report = push(source, open_remote_write(source, receiver.client, sending))
    return report.samples, report.details["rejected_samples"], receiver


def count(rules: TakesPart) -> int:
    return sum(map(len, rules.held.values()))


@pytest.mark.parametrize("kind", [MIMIR, CORTEX])
@pytest.mark.parametrize("protocol", ["auto", "1.0"])
@pytest.mark.parametrize("steps", [NARROW, DAY])
@pytest.mark.parametrize("known", [0, 1, 17, 39, 40])
def test_at_a_series_limit_the_series_that_are_known_are_told_as_sent(
    kind: str, protocol: str, steps: int, known: int
) -> None:
    rules = TakesPart(kind, {f"h{number}" for number in range(1, known + 1)})
    sent, refused, _ = send(rules, steps, protocol=protocol)
    assert (sent, refused) == (steps * known, steps * (40 - known))
    assert count(rules) == sent


@pytest.mark.parametrize("kind", [MIMIR, CORTEX])
@pytest.mark.parametrize("protocol", ["auto", "1.0"])
@pytest.mark.parametrize("border", [0, 1, 100, 287, 288])
def test_of_a_wide_request_what_is_too_old_is_not_told_as_sent(kind: str, protocol: str, border: int) -> None:
    """The tenant is live: its head is newer than the push."""
    rules = TakesPart(kind)
    source = source_of("host=h{1..40}", DAY)
    rules.newest = source.grid.time(border) + HOUR
    reaches = max(0, border + 12 - DAY)
    sent, refused, _ = send(rules, DAY, protocol=protocol)
    assert sent + refused == 40 * DAY
    assert sent <= count(rules) == 40 * (DAY - border)
    if reaches or not border:  # else the push itself has moved the head on, and what is behind it cannot be asked for
        assert sent == count(rules)


@pytest.mark.parametrize("kind", [MIMIR, CORTEX])
@pytest.mark.parametrize("steps", [NARROW, DAY])
def test_a_lost_answer_does_not_make_a_refused_series_one_that_is_there(kind: str, steps: int) -> None:
    """What comes again is out of order, and that is what is told first."""
    rules = TakesPart(kind, {f"h{number}" for number in range(1, 30)})
    sent, refused, receiver = send(rules, steps, limits=Limits(samples=480), lose=("reset after",))
    assert "reset after" in receiver.seen
    assert (sent, refused) == (steps * 29, steps * 11)
    assert count(rules) == sent


def test_samples_of_others_beyond_the_push_are_not_taken_for_our_own() -> None:
    """A Prometheus, whose refusal is of the whole request, and an answer that was lost before anything was written."""
    source = source_of("host=h{1..4}", NARROW)

    def push_beside(*, skip_rejected: bool) -> SinkReport:
        rules = PrometheusRules()
        rules.held[source.fleet.label_set(2)] = [(source.grid.last + 1, 1)]
        receiver = FaultyReceiver(1, rules, likelihood=0)
        faults = iter(["reset before"])
        receiver._fault = lambda body, attempt: next(faults, "")  # type: ignore[method-assign]
        sending = Sending(clock=receiver.clock, protocol="1.0", skip_rejected=skip_rejected, lanes=1)
        return push(source, open_remote_write(source, receiver.client, sending))

    report = push_beside(skip_rejected=True)
    assert (report.samples, report.details["rejected_samples"]) == (3 * NARROW, NARROW)
    with pytest.raises(ReceiverError, match="out of order sample"):
        push_beside(skip_rejected=False)
