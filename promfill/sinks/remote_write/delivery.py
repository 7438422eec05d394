"""One request until it is written, found to be there, or refused: attempts, doubts and what answers mean.

    answer                              then
    2xx                                 written
    5xx, 429, none                      again, with pauses that double, until --retry-for is over
    413                                 in halves, by series, as all that are not smaller
    415 to 2.0, where that was a try    as 1.0
    "out of order", after a doubt       it is there
    every other                         refused: the push ends, or goes on without it (--on-reject skip)

An attempt whose answer is lost, or is a 5xx, may have been written. Prometheus and its kin say so when it comes again;
VictoriaMetrics would keep it twice, and is asked before (`holdings`).

"It is there" is true of all of a request, since a receiver takes it whole or goes on behind what it refuses. Of one
that was sent in parts it is true of some: the checkpoint tells which those are, and after a resume they go in parts
again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx

from promfill.clock import Clock
from promfill.errors import ReceiverError
from promfill.http import HttpClient
from promfill.http_answers import text_of
from promfill.retry import Retry
from promfill.sinks.remote_write.attempts import Attempts
from promfill.sinks.remote_write.classify import (
    Verdict,
    is_about_samples,
    mend,
    refuses_history,
    takes_the_rest,
)
from promfill.sinks.remote_write.gate import Gate, StoppedError
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.pace import Pace
from promfill.sinks.remote_write.receiver import Receiver, written_by
from promfill.sinks.remote_write.tally import Tally

_TAKEN_FOR_VERSION_1 = (
    "the receiver took remote write 2.0 for 1.0, and wrote nothing: it does not speak 2.0, use --protocol auto or 1.0"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a push sends.

    retry_for: seconds. on_trouble: told once of a request that has to be sent again. on_parts: told of a message before
    it is sent in parts, and of the time (ms) up to which parts of all its series are done, None where there are none.
    """

    retry_for: float
    skip_rejected: bool
    pace: Pace
    clock: Clock
    on_trouble: Callable[[str], None]
    on_parts: Callable[[Message, int | None], None] = lambda message, done: None


class Delivery:
    """Delivers messages over one connection, for one lane."""

    def __init__(
        self, client: HttpClient, receiver: Receiver, gate: Gate, terms: Terms, tally: Tally, stop: threading.Event
    ) -> None:
        self.client = client
        self._receiver, self._gate, self._terms, self._tally, self._stop = receiver, gate, terms, tally, stop
        self._ends: dict[Message, bool] = {}

    def probe(self) -> None:
        """Find out whether the receiver takes 2.0, by a message without samples: `receiver.Receiver.probe`."""
        self._receiver.probe(self.client, self._retry(), self._terms.on_trouble)

    def deliver(self, message: Message) -> int:
        """Return when every sample of it is there, or was refused and left out: how many had been there before.

        ReceiverError, StoppedError.
        """
        if message.whole is None:
            self._ends.clear()
        if message.done is not None and message.oldest <= message.done:
            return self._go_on(message, message.done)
        if message.raw >= self._receiver.too_large and len(parts := message.smaller(self._gate.slack)) > 1:
            return self._divide(message, parts, doubt=message.doubt)
        if message.is_version_2 and not self._receiver.takes_version_2:
            message = message.to_version_1()
        attempts = Attempts(message, self.client, self._receiver, self._tally)
        return self._settle(attempts, self._run(attempts))

    def _run(self, attempts: Attempts) -> httpx.Response:
        """The answer that stands."""

        def on_retry() -> None:
            if attempts.number == 1:
                self._terms.on_trouble(attempts.trouble)
            self._tally.count("retries")
            self._take_turn(attempts.message)

        retry = replace(
            self._retry(), on_retry=on_retry, stands=lambda answer: attempts.verdict(answer) is not Verdict.AGAIN
        )
        try:
            self._take_turn(attempts.message)
            return retry.run(attempts.attempt)
        except (StoppedError, ReceiverError):
            if attempts.doubt:
                self._tally.count("unanswered", attempts.message.samples)
            raise

    def _retry(self) -> Retry:
        clock = self._terms.clock
        return Retry(self._terms.retry_for, clock=clock.monotonic, wall=clock.wall, sleep=self._sleep)

    def _take_turn(self, message: Message) -> None:
        """Wait for the moment that the rate leaves to it. It is not of the time in which an attempt is repeated."""
        if self._stop.is_set():
            raise StoppedError
        delay = self._terms.pace.delay(message.samples, self._terms.clock.monotonic())
        if delay > 0:
            self._sleep(delay)

    def _sleep(self, seconds: float) -> None:
        if self._terms.clock.wait(self._stop, seconds):
            raise StoppedError

    def _settle(self, attempts: Attempts, response: httpx.Response) -> int:
        message, verdict = attempts.message, attempts.verdict(response)
        if verdict is Verdict.HELD:
            return self._found(attempts)
        if verdict is Verdict.WRITTEN:
            self._written(attempts, response)
            return 0
        if verdict is Verdict.OLDER and self._receiver.may_fall_back:
            return self._fall_back(attempts, response)
        if verdict is Verdict.SMALLER and len(parts := message.smaller(self._gate.slack)) > 1:
            self._receiver.too_large = min(self._receiver.too_large, message.raw)
            return self._divide(message, parts, doubt=attempts.doubt)
        if attempts.doubt and self._end_is_held(message, response):
            return self._held(message)
        return self._refused(attempts, response)

    def _found(self, attempts: Attempts) -> int:
        message = attempts.message
        if message.in_parts and not attempts.all_held and len(parts := message.parts(self._gate.slack)) > 1:
            return self._deliver_parts(message, parts, doubt=True)
        return self._held(message)

    def _held(self, message: Message) -> int:
        self._tally.held(message.samples)
        return message.samples

    def _written(self, attempts: Attempts, response: httpx.Response) -> None:
        message, written = attempts.message, self._count_written(response)
        if written is not None and written < message.samples and not attempts.doubt:
            self._tally.count("not_counted", message.samples - written)
        self._tally.written(message, message.samples)

    def _fall_back(self, attempts: Attempts, response: httpx.Response) -> int:
        self._receiver.takes_version_2 = False
        self._tally.note("protocol", "1.0")
        return self.deliver(replace(attempts.message.to_version_1(), doubt=attempts.doubt or response.is_success))

    def _divide(self, message: Message, parts: list[Message], *, doubt: bool) -> int:
        self._tally.count("divided")
        return self._deliver_parts(message, parts, doubt=doubt)

    def _deliver_parts(self, message: Message, parts: list[Message], *, doubt: bool) -> int:
        """Parts of time come one after the other, so that it is told up to when all series are done."""
        self._terms.on_parts(message, None)
        held = 0
        for part in parts:
            held += self.deliver(replace(part, doubt=doubt, whole=message if doubt else None))
            if not part.of_some:
                self._terms.on_parts(message, part.newest)
        return held

    def _go_on(self, message: Message, done: int) -> int:
        """A message that an earlier run had delivered up to a time, in the same parts."""
        if message.newest <= done:
            return self._held(message)
        return self._deliver_parts(message, message.smaller(self._gate.slack), doubt=True)

    def _end_is_held(self, message: Message, response: httpx.Response) -> bool:
        """Whether what is refused as too old is so because it is there, with what was sent as one with it or behind it.

        It would be as well if somebody else had written newer samples. A receiver that has just written some of it
        holds those, and not what it refused.
        """
        whole: Message | None = message
        if not refuses_history(response.status_code, text_of(response)) or written_by(response):
            return False
        while whole is not None:
            if whole not in self._ends:  # its parts have all the same to ask of it
                self._ends[whole] = self._ends_there(whole)
            if self._ends[whole]:
                return True
            whole = whole.whole
        return False

    def _ends_there(self, message: Message) -> bool:
        """Whether the receiver holds the end of a message that is wider than the slack, and whose oldest it refuses.

        Its last two steps are within bounds of each other: they are out of order only if they are held.
        """
        slack = self._gate.slack
        if message.newest - message.oldest <= slack or message.last_pause() > slack:
            return False
        attempts = Attempts(message.end_first(), self.client, self._receiver, self._tally)
        told = self._run(attempts)
        if told.is_success or is_about_samples(told.status_code, text_of(told)):
            return attempts.verdict(told) is Verdict.HELD
        raise self._error(attempts, told)

    def _refused(self, attempts: Attempts, response: httpx.Response) -> int:
        message, words = attempts.message, text_of(response)
        parts = self._to_search(message, response)
        if message.in_parts and len(parts) > 1 and refuses_history(response.status_code, words):
            return self._deliver_parts(message, parts, doubt=True)  # the first of them are there
        written = self._count_written(response)
        if written:
            self._terms.on_parts(message, None)
            self._tally.written(message, written)
        if not self._terms.skip_rejected or not is_about_samples(response.status_code, words):
            if attempts.doubt:
                self._tally.count("unanswered", message.samples - (written or 0))
            raise self._error(attempts, response)
        if not written and len(parts) > 1:
            return self._deliver_parts(message, parts, doubt=attempts.doubt or takes_the_rest(words))
        reason = f"{response.status_code} {self.client.words(response)}".rstrip()
        self._tally.rejected(message.samples - (written or 0), reason)
        return 0

    def _to_search(self, message: Message, response: httpx.Response) -> list[Message]:
        """The parts of a refused message among which some may be taken: it may be one series, and all with it.

        Samples that are too old are so in all series: of those that lie within the slack, none is searched for.
        """
        slack = self._gate.slack
        too_old = refuses_history(response.status_code, text_of(response))
        return [] if too_old and message.newest - message.oldest <= slack else message.parts(slack)

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
