"""One request until it is written, found to be there, or refused: attempts, doubts and what answers mean.

    answer                              then
    2xx                                 written
    5xx, 429, none                      again, with pauses that double, until --retry-for is over
    413                                 in halves, by series
    415 to 2.0, where that was a try    as 1.0
    "out of order", after a doubt       it is there
    every other                         refused: the push ends, or goes on without it (--on-reject skip)

An attempt whose answer is lost, or is a 5xx, may have been written. Prometheus and its kin say so when it comes again;
VictoriaMetrics would keep it twice, and is asked before (`holdings`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx

from promfill.clock import Clock
from promfill.errors import ReceiverError
from promfill.http import HttpClient
from promfill.retry import Retry
from promfill.sinks.remote_write.attempts import Attempts
from promfill.sinks.remote_write.classify import HISTORY_REFUSED, Verdict, mend
from promfill.sinks.remote_write.gate import Gate, StoppedError
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.pace import Pace
from promfill.sinks.remote_write.receiver import Receiver, written_by
from promfill.sinks.remote_write.tally import Tally

_PARTLY_REFUSED = (400, 413, 422)
"""Statuses that are about samples; all others are about us, and would refuse whatever we send."""
_TAKEN_FOR_VERSION_1 = (
    "the receiver took remote write 2.0 for 1.0, and wrote nothing: it does not speak 2.0, use --protocol auto or 1.0"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a push sends. retry_for: seconds. on_trouble: told once of a request that has to be sent again."""

    retry_for: float = 300.0
    skip_rejected: bool = False
    pace: Pace = field(default_factory=lambda: Pace(None))
    clock: Clock = field(default_factory=Clock)
    on_trouble: Callable[[str], None] = lambda text: None


class Delivery:
    """Delivers messages over one connection, for one lane."""

    def __init__(
        self, client: HttpClient, receiver: Receiver, gate: Gate, terms: Terms, tally: Tally, stop: threading.Event
    ) -> None:
        self.client = client
        self._receiver, self._gate, self._terms, self._tally, self._stop = receiver, gate, terms, tally, stop

    def deliver(self, message: Message) -> None:
        """Return when every sample of it is there, or was refused and left out. ReceiverError, StoppedError."""
        if message.is_version_2 and not self._receiver.takes_version_2:
            message = message.to_version_1()
        attempts = Attempts(message, self.client, self._receiver, self._tally)
        self._settle(attempts, self._run(attempts))

    def _run(self, attempts: Attempts) -> httpx.Response:
        """The answer that stands."""
        try:
            return self._retry(attempts).run(lambda: self._attempt(attempts))
        except (StoppedError, ReceiverError):
            if attempts.doubt:
                self._tally.count("unanswered", attempts.message.samples)
            raise

    def probe(self) -> None:
        """Find out whether the receiver takes 2.0, by a message without samples: `receiver.Receiver.probe`."""
        clock = self._terms.clock
        retry = Retry(self._terms.retry_for, clock=clock.monotonic, wall=clock.wall, sleep=self._sleep)
        self._receiver.probe(self.client, retry)

    def _retry(self, attempts: Attempts) -> Retry:
        clock = self._terms.clock

        def on_retry() -> None:
            if attempts.number == 1:
                self._terms.on_trouble(attempts.trouble)
            self._tally.count("retries")

        return Retry(
            self._terms.retry_for,
            clock=clock.monotonic,
            wall=clock.wall,
            sleep=self._sleep,
            on_retry=on_retry,
            stands=lambda response: attempts.verdict(response) is not Verdict.AGAIN,
        )

    def _attempt(self, attempts: Attempts) -> httpx.Response:
        delay = self._terms.pace.delay(attempts.message.samples, self._terms.clock.monotonic())
        if delay > 0:
            self._sleep(delay)
        return attempts.attempt()

    def _sleep(self, seconds: float) -> None:
        if self._terms.clock.wait(self._stop, seconds):
            raise StoppedError

    def _settle(self, attempts: Attempts, response: httpx.Response) -> None:
        message, verdict = attempts.message, attempts.verdict(response)
        if verdict is Verdict.HELD:
            self._tally.held(message.samples)
        elif verdict is Verdict.WRITTEN:
            self._count_written(response)
            self._tally.written(message, message.samples)
        elif verdict is Verdict.OLDER and self._receiver.may_fall_back:
            self._receiver.takes_version_2 = False
            self.deliver(replace(message.to_version_1(), doubt=attempts.doubt or response.is_success))
        elif verdict is Verdict.SMALLER and len(parts := message.parts(self._gate.slack)) > 1:
            self._tally.count("divided")
            self._deliver_parts(parts, attempts.doubt)
        elif attempts.doubt and _refuses_history(response) and self._end_is_held(message):
            self._tally.held(message.samples)
        else:
            self._refused(attempts, response)

    def _deliver_parts(self, parts: list[Message], doubt: bool) -> None:
        for part in parts:
            self.deliver(replace(part, doubt=doubt))

    def _end_is_held(self, message: Message) -> bool:
        """Whether a request that is wider than the slack is refused because its own newest samples are there.

        Its oldest are then out of bounds, as they would be if somebody else had written newer ones. But its last two
        steps are within bounds of each other: they are out of order only if they are held.
        """
        end = message.end()
        if message.newest - message.oldest <= self._gate.slack or end.newest - end.oldest > self._gate.slack:
            return False
        attempts = Attempts(end.in_doubt(), self.client, self._receiver, self._tally)
        response = self._run(attempts)
        if attempts.verdict(response) is Verdict.WRITTEN:
            self._tally.written(end, end.samples)
            return False
        return attempts.verdict(response) is Verdict.HELD

    def _refused(self, attempts: Attempts, response: httpx.Response) -> None:
        if not self._terms.skip_rejected or response.status_code not in _PARTLY_REFUSED:
            if attempts.doubt:
                self._tally.count("unanswered", attempts.message.samples)
            raise self._error(attempts, response)
        message, words = attempts.message, self.client.words(response)
        written, parts = self._count_written(response), message.parts(self._gate.slack)
        if written is None and len(parts) > 1 and not _refuses_history(response):
            self._deliver_parts(parts, attempts.doubt)  # it may be one series that is refused, and all with it
            return
        if written:
            self._tally.written(message, written)
        self._tally.rejected(message.samples - (written or 0), f"{response.status_code} {words}".rstrip())

    def _count_written(self, response: httpx.Response) -> int | None:
        """What a receiver of 2.0 says that it has written; None where it says nothing."""
        written = written_by(response)
        if written is not None:
            self._tally.count("counted", written)
        return written

    def _error(self, attempts: Attempts, response: httpx.Response) -> ReceiverError:
        """An answer that ends the push, with its mend."""
        taken = response.is_success and attempts.verdict(response) is Verdict.OLDER
        advice = _TAKEN_FOR_VERSION_1 if taken else mend(response.status_code, self.client.words(response))
        return ReceiverError(f"{self.client.explain(response)}{': ' if advice else ''}{advice}")


def _refuses_history(response: httpx.Response) -> bool:
    return not response.is_success and any(refusal in response.text for refusal in HISTORY_REFUSED)
