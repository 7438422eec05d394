"""One request until it is written, found to be there, or refused: attempts, doubts and what answers mean.

    answer                              then
    2xx                                 written
    5xx, 429, none                      again, with pauses that double, until --retry-for is over
    413                                 in halves, by series, as all that are not smaller
    to the first request of 2.0: 415,
    2xx that counts nothing, none       as 1.0
    "out of order", after a doubt       it is there
    every other                         refused: the push ends, or goes on without it (--on-reject skip)

An attempt whose answer is lost, or is a 5xx, may have been written. Prometheus and its kin say so when it comes again;
VictoriaMetrics would keep it twice, and is asked before (`holdings`).

"It is there" is true of all of a request, since a receiver takes it whole or goes on behind what it refuses. Of one
that was sent in parts it is true of some: the checkpoint tells which those are, and after a resume they go in parts
again.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx

from promfill.errors import ReceiverError, RefusedError
from promfill.net.clock import Clock
from promfill.net.http import HttpClient
from promfill.net.http_answers import text_of
from promfill.net.retry import Retry
from promfill.sinks.remote_write.attempts import TRIES, Attempts
from promfill.sinks.remote_write.classify import (
    Verdict,
    counts_truly,
    find_fix,
    is_about_samples,
    is_held_already,
    may_have_taken_some,
    refused_by_500,
    refuses_history,
    wants_order,
    writes_what_is_good,
)
from promfill.sinks.remote_write.gate import Gate, StoppedError
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.pace import Pace
from promfill.sinks.remote_write.receiver import NOTHING, VICTORIA_METRICS_HEADER, Receiver, written_by
from promfill.sinks.remote_write.tally import Tally

_TAKEN_FOR_VERSION_1 = "the receiver took remote write 2.0 for 1.0, and wrote nothing: it does not speak 2.0"


FRUITLESS = 4096
"""Requests that are refused one after the other in a search for what may be taken: then what is refused is given up
whole, until something is taken again."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why samples are given up. text: for the report. too_old: they are older than what is taken. words: all of it."""

    text: str
    too_old: bool
    words: str


@dataclass(frozen=True, slots=True)
class Terms:
    """How a push sends.

    retry_for: seconds. on_trouble: told once of a request that has to be sent again. on_note: told of what the user may
    want to know besides. on_parts: told of a message before
    it is sent in parts, and of the time (ms) up to which parts of all its series are done, None where there are none.
    last: the newest sample of the push, ms.
    """

    retry_for: float
    skip_rejected: bool
    pace: Pace
    clock: Clock
    on_trouble: Callable[[str], None]
    on_note: Callable[[str], None]
    on_parts: Callable[[Message, int | None], None] = lambda message, done: None
    last: int = 0


class Delivery:
    """Delivers messages over one connection, for one lane."""

    def __init__(
        self, client: HttpClient, receiver: Receiver, gate: Gate, terms: Terms, tally: Tally, stop: threading.Event
    ) -> None:
        self.client = client
        self._receiver, self._gate, self._terms, self._tally, self._stop = receiver, gate, terms, tally, stop
        self._ends: dict[Message, bool] = {}

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
            return self._found(attempts, response)
        if verdict is Verdict.WRITTEN:
            self._written(attempts, response)
            return 0
        if verdict is Verdict.OLDER and (self._receiver.may_fall_back or not self._receiver.takes_version_2):
            return self._fall_back(attempts, response)
        if verdict is Verdict.SMALLER and len(parts := message.smaller(self._gate.slack)) > 1:
            self._receiver.too_large = min(self._receiver.too_large, message.raw)
            return self._divide(message, parts, doubt=attempts.doubt)
        if self._was_read(message, response) or (attempts.doubt and self._end_is_held(message, response)):
            return self._held(message)
        return self._refused(attempts, response)

    def _found(self, attempts: Attempts, response: httpx.Response) -> int:
        """What a receiver says it holds is there, unless it is the samples of others that it speaks of."""
        message = attempts.message
        if message.in_parts and not attempts.all_held and len(parts := message.parts(self._gate.slack)) > 1:
            return self._deliver_parts(message, parts, doubt=True)
        if attempts.all_held or message.doubt or self._ends_with(message):
            return self._held(message)
        attempts.doubt = writes_what_is_good(text_of(response), written_by(response))  # else it was refused whole
        return self._refused(attempts, response, newest_too=True)

    def _ends_with(self, message: Message) -> bool:
        """Whether the receiver has the newest samples of a message that nothing was sent after: it takes them again."""
        return message.oldest < message.newest and self._takes_newest(message)

    def _takes_newest(self, message: Message) -> bool:
        """Whether the receiver takes the newest samples alone: whoever has just these does, since equal ones are no
        duplicates."""
        newest = replace(message.between(message.newest, message.newest), doubt=False)
        attempts = Attempts(newest, self.client, self._receiver, self._tally)
        told = self._run(attempts)
        if not told.is_success and not is_about_samples(told.status_code, text_of(told)):
            raise self._error(attempts, told)
        return told.is_success

    def _held(self, message: Message) -> int:
        self._tally.held(message.samples)
        return message.samples

    def _written(self, attempts: Attempts, response: httpx.Response) -> None:
        message, written = attempts.message, self._count_written(attempts, response)
        if written is not None and written < message.samples and not attempts.doubt:
            self._tally.count("not_counted", message.samples - written)
        if attempts.doubt and not self._receiver.keeps_one and not self._receiver.doubles:
            self._tally.count("perhaps_twice", message.samples)
        self._tally.written(message, message.samples)
        self._receiver.fruitless = 0

    def _fall_back(self, attempts: Attempts, response: httpx.Response) -> int:
        """The same samples as 1.0.

        A receiver of 1.0 that does not look at the type of a message finds nothing in one of 2.0: their fields have
        other numbers. One that counts 0 has read it, whatever it has written (grafana/mimir#12622). One that does not
        count at all has most likely not read it; whether it has is found out where that matters (`_was_read`).
        """
        message, tells = attempts.message, VICTORIA_METRICS_HEADER in response.headers
        self._receiver.takes_version_2 = False
        self._tally.note("protocol", "1.0")
        if attempts.gave_up:
            self._terms.on_note(f"{TRIES} requests of remote write 2.0 got no answer: the samples go as 1.0")
        old = message.to_version_1()
        if response.is_success and written_by(response) == 0:
            return self.deliver(replace(old, doubt=True))
        is_open = response.is_success and not tells
        return self.deliver(replace(old, doubt=attempts.doubt, as_version_2=message if is_open else None))

    def _was_read(self, message: Message, response: httpx.Response) -> bool:
        """Whether samples that are refused are there, since the receiver had read them as 2.0 and not said so.

        It is sent them as 2.0 once more: who reads them refuses them again, who does not gives a good answer again.
        """
        words = text_of(response)
        if message.as_version_2 is None or not (is_held_already(words) or refuses_history(response.status_code, words)):
            return False
        if self._receiver.skips_version_2 is None:
            attempts = Attempts(message.as_version_2, self.client, self._receiver, self._tally)
            told = self._run(attempts)
            if not told.is_success and not is_about_samples(told.status_code, text_of(told)):
                raise self._error(attempts, told)
            self._receiver.skips_version_2 = told.is_success
        return not self._receiver.skips_version_2

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
        words = text_of(response)
        if not refuses_history(response.status_code, words) or (written_by(response) and counts_truly(words)):
            return False
        if writes_what_is_good(words, written_by(response)):  # its end is there in any case
            return self._takes_history
        while whole is not None:
            if whole not in self._ends:  # its parts have all the same to ask of it
                self._ends[whole] = self._ends_there(whole)
            if self._ends[whole]:
                return message.doubt or self._ends_with(message)
            whole = whole.whole
        return False

    @property
    def _takes_history(self) -> bool:
        """Whether what is older was taken: then others' samples are not what makes a message too old."""
        details = self._tally.report.details
        return self._receiver.too_old == NOTHING and bool(details["acknowledged"] or details.get("sent_before"))

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

    def _refused(self, attempts: Attempts, response: httpx.Response, *, newest_too: bool = False) -> int:
        """newest_too: the newest samples are refused alone as well, and need not be asked of again."""
        message, words = attempts.message, text_of(response)
        too_old = refuses_history(response.status_code, words)
        if message.in_parts and too_old and message.newest - message.oldest > self._gate.slack:
            return self._deliver_parts(message, message.parts(self._gate.slack), doubt=True)  # the first are there
        written = self._count_written(attempts, response)
        if written:
            self._terms.on_parts(message, None)
            self._tally.written(message, written)
        if not self._terms.skip_rejected or not is_about_samples(response.status_code, words):
            if attempts.doubt or may_have_taken_some(words, written_by(response)):
                self._tally.count("unanswered", message.samples - (written or 0))
            raise self._error(attempts, response)
        reason = Reason(f"{response.status_code} {self.client.words(response)}".rstrip(), too_old, words)
        if too_old:
            self._receiver.too_old = max(self._receiver.too_old, message.oldest)
        some = writes_what_is_good(words, written_by(response)) and not counts_truly(words)
        if some and not too_old and (attempts.doubt or not is_held_already(words)):
            self._terms.on_parts(message, None)
            self._tell_series_apart(message, reason, refused=newest_too or message.oldest == message.newest)
            return 0
        parts = [] if written else self._to_search(message, reason, whole=some)
        if len(parts) > 1:
            doubt = attempts.doubt or (some and too_old)
            if too_old and (some or message.newest - message.oldest <= self._gate.slack):
                return self._search_times(message, parts, reason, doubt=doubt, some=some)
            return self._deliver_parts(message, parts, doubt=doubt)
        self._give_up(message.samples - (written or 0), reason)
        return 0

    def _give_up(self, samples: int, reason: Reason) -> None:
        self._tally.rejected(samples, reason.text)
        self._receiver.fruitless += 1

    def _tell_series_apart(self, message: Message, reason: Reason, *, refused: bool) -> None:
        """Which series are refused of a message of which the others are written: asked by their newest samples.

        refused: some of these are refused, as is known already.
        """
        if self._receiver.fruitless > FRUITLESS:
            self._give_up(message.samples, reason)
        elif not refused and self._takes_newest(message):
            self._tally.written(message, message.samples)
            self._receiver.fruitless = 0
        elif len(parts := message.parts(math.inf)) > 1:
            for part in parts:
                self._tell_series_apart(part, reason, refused=False)
        else:
            self._give_up(message.samples, reason)

    def _to_search(self, message: Message, reason: Reason, *, whole: bool) -> list[Message]:
        """The parts of a refused message among which some may be taken: it may be one series or time, and all with it.

        Samples that are too old are so in all series: they are told apart by time. A series that is refused for what it
        is, is refused at all times.
        """
        slack = self._gate.slack
        if self._receiver.fruitless > FRUITLESS:
            return []
        if reason.too_old and message.newest - message.oldest <= slack:
            return message.halves_of_time()
        parts = message.parts(slack)
        by_time = len(parts) == 1 and is_held_already(reason.words)
        return message.halves_of_time() if by_time else parts

    def _search_times(self, message: Message, halves: list[Message], reason: Reason, *, doubt: bool, some: bool) -> int:
        """Find the time from which on a message is not too old, within the slack.

        Where order does not matter, the newer half goes first: if its oldest samples are too old, so is the older half.
        """
        self._terms.on_parts(message, None)
        whole = message if doubt and not some else None
        older, newer = (replace(half, doubt=doubt, whole=whole) for half in halves)
        if wants_order(reason.words):
            return self._search_in_order(message, reason, doubt=doubt)
        held = self.deliver(newer)
        if self._receiver.too_old >= newer.oldest:
            self._give_up(older.samples, reason)
            return held
        return held + self.deliver(older)

    def _search_in_order(self, message: Message, reason: Reason, *, doubt: bool) -> int:
        """Time by time, from the oldest on, until one is taken; then the rest at once.

        What is newer must not be there before, or the series would take nothing older. What another message has shown
        to be too old is not asked for again.
        """
        times, whole = message.times(), message if doubt else None
        held, at, found = 0, 0, False
        while at < len(times) and not found and self._receiver.fruitless <= FRUITLESS:
            known = bisect_right(times, self._receiver.too_old, at)
            if known > at:
                self._give_up(message.between(times[at], times[known - 1]).samples, reason)
                at = known
                continue
            held += self.deliver(replace(message.between(times[at], times[at]), doubt=doubt, whole=whole))
            found = self._receiver.too_old < times[at]
            at += 1
        if at < len(times):
            rest = replace(message.between(times[at], message.newest), doubt=doubt, whole=whole)
            if found:
                return held + self.deliver(rest)
            self._give_up(rest.samples, reason)
        return held

    def _count_written(self, attempts: Attempts, response: httpx.Response) -> int | None:
        """What a receiver of 2.0 says that it has written; None where it says nothing, or is not to be believed."""
        written = written_by(response)
        if not response.is_success and not counts_truly(text_of(response)):
            return None
        if written is not None and written > attempts.message.samples:
            return None
        if written is not None:
            self._tally.count("counted", written)
        return written

    def _error(self, attempts: Attempts, response: httpx.Response) -> ReceiverError:
        """An answer that ends the push, with its fix."""
        if response.is_success and attempts.verdict(response) is Verdict.OLDER:
            problem = f"{self.client.problem(response)}: {_TAKEN_FOR_VERSION_1}"
            return RefusedError(problem, "use --protocol auto or 1.0")
        words = text_of(response)
        now = int(self._terms.clock.wall() * 1000)
        fix = find_fix(response.status_code, words, newest=attempts.message.newest, last=self._terms.last, now=now)
        error = self.client.error(response, fix)
        if refused_by_500(response.status_code, words) or attempts.verdict(response) is Verdict.SMALLER:
            return RefusedError(*error.args)  # of one sample nothing smaller can be made
        return error
