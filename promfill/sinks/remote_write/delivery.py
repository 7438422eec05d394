"""Send one request until it is written, found to be there, or refused.

    deliver    takes what is left of the request, part by part (`remainder`)
    attempts   sends a part until its answer needs no repetition (`attempts`)
    states     looks up in a table what the answer means after earlier attempts, and what to do
    here       does it: counts, cuts, asks, falls back to 1.0, looks for accepted samples (`search`), or ends the push

A request may be wider than the slack: it is written whole or not at all. If it is too old when it is sent again,
either it is there, or another sender has written newer samples: one question tells which (`_end_is_there`).
Once it has gone in parts, in this run or an earlier one, its parts stay within the slack, and each is judged alone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx

from promfill.errors import ReceiverError, RefusedError, setting
from promfill.net.clock import Clock
from promfill.net.http import HttpClient
from promfill.net.http_answers import text_of
from promfill.net.retry import Retry
from promfill.rules.victoriametrics import HEADER
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
    writes_what_is_good,
)
from promfill.sinks.remote_write.gate import Gate, StoppedError
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.pace import Pace
from promfill.sinks.remote_write.receiver import NOTHING, Receiver, written_by
from promfill.sinks.remote_write.remainder import Remainder
from promfill.sinks.remote_write.search import Reason, parts_to_try
from promfill.sinks.remote_write.states import Action, State
from promfill.sinks.remote_write.tally import Tally

_TAKEN_FOR_VERSION_1 = "the receiver took remote write 2.0 for 1.0, and wrote nothing: it does not speak 2.0"


FRUITLESS = 4096
"""After so many requests refused in a row, a search for acceptable samples gives up refused messages whole, until one
is accepted again."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a push sends.

    retry_for: seconds. on_trouble: told once of a request that has to be sent again. on_note: told anything else that
    the user may want to know. on_parts: told of a message before it is sent in parts, and of the time (ms) up to which
    parts of all its series are done, None where there are none. last: the newest sample of the push, ms.
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
        self._left: Remainder
        self._end_held: bool | None = None
        self._too_old: Reason | None = None
        self._actions: dict[Action, Callable[[Attempts, httpx.Response], int]] = {
            Action.COUNT: self._count,
            Action.THERE: self._there,
            Action.HALVE: self._halve,
            Action.CUT: self._cut_or_refuse,
            Action.ASK: self._ask,
            Action.AS_OLDER: self._fall_back,
            Action.AGAIN: self._end,
            Action.REFUSE: self._refuse,
            Action.END: self._end,
        }

    def deliver(self, planned: Message) -> int:
        """Return when every sample is there, or was refused and left out: how many had been there before.

        ReceiverError, StoppedError.
        """
        self._left, self._end_held, self._too_old = Remainder(planned, self._terms.on_parts), None, None
        try:
            return sum(map(self._settle, self._left))
        except (StoppedError, ReceiverError):
            if unanswered := self._left.unanswered:
                self._tally.count("unanswered", unanswered)
            raise

    def _settle(self, message: Message) -> int:
        """Send a part, and do what its answer calls for: how many of its samples had been there before."""
        if self._too_old and message.newest <= self._receiver.too_old:
            self._give_up(message.samples, self._too_old)
            return 0
        if message.raw >= self._receiver.too_large and self._cut(message):
            self._tally.count("divided")
            return 0
        if message.is_version_2 and not self._receiver.takes_version_2:
            message = message.to_version_1()
        attempts = Attempts(message, self.client, self._receiver, self._gate, self._tally)
        response = self._run(attempts)
        return self._actions[attempts.action(response)](attempts, response)

    def _run(self, attempts: Attempts) -> httpx.Response:
        """Send until an answer needs no repetition, and return that answer."""

        def on_retry() -> None:
            if self._stop.is_set():  # a connection closed to end the push is not worth a message
                raise StoppedError
            if attempts.number == 1:
                self._terms.on_trouble(attempts.trouble)
            self._tally.count("retries")
            self._take_turn(attempts.message)

        retry = replace(
            self._retry(), on_retry=on_retry, stands=lambda answer: attempts.action(answer) is not Action.AGAIN
        )
        try:
            self._take_turn(attempts.message)
            return retry.run(attempts.attempt)
        except (StoppedError, ReceiverError):
            if attempts.state.in_doubt:
                self._tally.count("unanswered", attempts.message.samples)
            raise

    def _retry(self) -> Retry:
        clock = self._terms.clock
        return Retry(self._terms.retry_for, clock=clock.monotonic, wall=clock.wall, sleep=self._sleep)

    def _take_turn(self, message: Message) -> None:
        """Wait for the turn that the rate limit allows. This wait does not count as retry time."""
        if self._stop.is_set():
            raise StoppedError
        delay = self._terms.pace.delay(message.samples, self._terms.clock.monotonic())
        if delay > 0:
            self._sleep(delay)

    def _sleep(self, seconds: float) -> None:
        if self._terms.clock.wait(self._stop, seconds):
            raise StoppedError

    def _count(self, attempts: Attempts, response: httpx.Response) -> int:
        message, written = attempts.message, self._count_written(attempts, response)
        if written is not None and written < message.samples and not attempts.state.in_doubt:
            self._tally.count("not_counted", message.samples - written)
        if attempts.state.in_doubt and not self._receiver.keeps_one and not self._receiver.doubles:
            self._tally.count("perhaps_twice", message.samples)
        self._tally.written(message, message.samples)
        self._receiver.fruitless = 0
        return 0

    def _there(self, attempts: Attempts, response: httpx.Response) -> int:
        self._tally.held(attempts.message.samples)
        return attempts.message.samples

    def _halve(self, attempts: Attempts, response: httpx.Response) -> int:
        parts = attempts.message.halves()
        if len(parts) == 1:
            return self._there(attempts, response)
        self._put(parts, attempts.state)
        return 0

    def _cut_or_refuse(self, attempts: Attempts, response: httpx.Response) -> int:
        is_too_large = attempts.verdict(response) is Verdict.SMALLER
        if not self._cut(replace(attempts.message, state=attempts.state)):
            return self._refuse(attempts, response)
        if is_too_large:
            self._receiver.too_large = min(self._receiver.too_large, attempts.message.raw)
            self._tally.count("divided")
        return 0

    def _cut(self, message: Message) -> bool:
        """Go on with parts of the message; False if it cannot be cut any further."""
        slack = self._gate.slack
        parts = message.within(slack) if message.is_wider_than(slack) else message.halves()
        if len(parts) == 1 and slack == math.inf:
            parts = message.halves_of_time()
        if len(parts) > 1:
            self._put(parts, message.state)
        return len(parts) > 1

    def _put(self, parts: list[Message], state: State) -> None:
        """Go on with parts. Once one of them has been sent, the others are no longer what was sent last."""
        state = State.OPEN if state is State.LOST else state
        self._left.put([replace(part, state=state) for part in parts])

    def _ask(self, attempts: Attempts, response: httpx.Response) -> int:
        """Find out why a message is too old or out of order: because it is there, or because of others' samples."""
        message, words = attempts.message, text_of(response)
        if self._was_read(message, response):
            return self._there(attempts, response)
        if not attempts.state.in_doubt:
            return self._refuse(attempts, response)
        if attempts.verdict(response) is Verdict.HELD:
            if message.oldest < message.newest and self._takes_newest(message):
                return self._there(attempts, response)
            takes_some = writes_what_is_good(words, written_by(response))  # else it was refused as a whole
            attempts.state = attempts.state if takes_some else State.NEW
            return self._refuse(attempts, response, newest_too=True)
        if writes_what_is_good(words, written_by(response)):  # its end is there in either case
            return self._there(attempts, response) if self._takes_history else self._refuse(attempts, response)
        if not self._end_is_there() or (attempts.state is State.LOST and not self._takes_newest(message)):
            return self._refuse(attempts, response)
        before = self._left.take_all_but_last()
        self._tally.held(before)
        return before + self._there(attempts, response)

    def _takes_newest(self, message: Message) -> bool:
        """Whether the receiver accepts the newest samples alone. It does if it has just written them: equal samples are
        not duplicates. Only for a message that nothing was sent after.
        """
        newest = replace(message.newest_alone(), state=State.NEW)
        attempts = Attempts(newest, self.client, self._receiver, self._gate, self._tally)
        told = self._run(attempts)
        if not told.is_success and not is_about_samples(told.status_code, text_of(told)):
            raise self._error(attempts, told)
        return told.is_success

    @property
    def _takes_history(self) -> bool:
        """Whether older samples were accepted: then others' samples are not what makes a message too old."""
        details = self._tally.report.details
        return self._receiver.too_old == NOTHING and bool(details["acknowledged"] or details.get("sent_before"))

    def _fall_back(self, attempts: Attempts, response: httpx.Response) -> int:
        """Send the same samples as 1.0.

        A receiver of 1.0 that does not look at a message's type finds nothing in a 2.0 message, whose fields have other
        numbers. A receiver that counts 0 has read it, whatever it has written (grafana/mimir#12622). One that does not
        count at all has most likely not read it; whether it has is found out where that matters (`_was_read`).
        """
        if self._receiver.takes_version_2 and not self._receiver.may_fall_back:
            return self._refuse(attempts, response)
        message, tells = attempts.message, HEADER in response.headers
        self._receiver.takes_version_2 = False
        self._tally.note("protocol", "1.0")
        if attempts.gave_up:
            self._terms.on_note(f"{TRIES} requests of remote write 2.0 got no answer: sending the samples as 1.0")
        was_read = response.is_success and written_by(response) == 0
        is_open = response.is_success and not tells and not was_read
        state = State.OPEN if was_read else State.UNTOLD if is_open else State.NEW
        self._left.put_back(
            replace(
                message.to_version_1(),
                state=State.OPEN if attempts.state is State.LOST else attempts.state.at_least(state),
                as_version_2=replace(message, state=State.NEW) if is_open else None,
            )
        )
        return 0

    def _was_read(self, message: Message, response: httpx.Response) -> bool:
        """Whether refused samples are there because the receiver had read them as 2.0 without saying so.

        They are sent as 2.0 once more: a receiver that reads 2.0 refuses them again, others give a good answer again.
        """
        words = text_of(response)
        if message.as_version_2 is None or not (is_held_already(words) or refuses_history(response.status_code, words)):
            return False
        if self._receiver.skips_version_2 is None:
            attempts = Attempts(message.as_version_2, self.client, self._receiver, self._gate, self._tally)
            told = self._run(attempts)
            if not told.is_success and not is_about_samples(told.status_code, text_of(told)):
                raise self._error(attempts, told)
            self._receiver.skips_version_2 = told.is_success
        return not self._receiver.skips_version_2

    def _end_is_there(self) -> bool:
        """Whether the receiver holds the end of a request that is wider than the slack, although it refuses its start.

        The last two steps are within bounds of each other: they are out of order only if they are held. Asked once.
        """
        planned = self._left.planned
        if self._end_held is None and planned.is_wider_than(self._gate.slack):
            attempts = Attempts(planned.end_first(), self.client, self._receiver, self._gate, self._tally)
            told = self._run(attempts)
            if not told.is_success and not is_about_samples(told.status_code, text_of(told)):
                raise self._error(attempts, told)
            self._end_held = attempts.verdict(told) is Verdict.HELD
        return bool(self._end_held)

    def _end(self, attempts: Attempts, response: httpx.Response) -> int:
        """End the push."""
        written = self._count_written(attempts, response) or 0
        if written:
            self._left.begin_parts()
            self._tally.written(attempts.message, written)
        if attempts.state.in_doubt or may_have_taken_some(text_of(response), written_by(response)):
            self._tally.count("unanswered", attempts.message.samples - written)
        raise self._error(attempts, response)

    def _refuse(self, attempts: Attempts, response: httpx.Response, *, newest_too: bool = False) -> int:
        """End the push; or leave out what is refused, and go on with the rest.

        newest_too: the newest samples are refused alone as well, so they need not be asked about again.
        """
        message, words = attempts.message, text_of(response)
        if not self._terms.skip_rejected or not is_about_samples(response.status_code, words):
            return self._end(attempts, response)
        written = self._count_written(attempts, response) or 0
        if written:
            self._left.begin_parts()
            self._tally.written(message, written)
        too_old = refuses_history(response.status_code, words)
        reason = Reason(f"{response.status_code} {self.client.words(response)}".rstrip(), too_old, words)
        if too_old:
            self._receiver.too_old, self._too_old = max(self._receiver.too_old, message.oldest), reason
        some = writes_what_is_good(words, written_by(response)) and not counts_truly(words)
        if some and not too_old and (attempts.state.in_doubt or not is_held_already(words)):
            self._left.begin_parts()
            self._tell_series_apart(message, reason, refused=newest_too or message.oldest == message.newest)
            return 0
        parts: list[Message] = []
        if not written and self._receiver.fruitless <= FRUITLESS:
            parts = parts_to_try(message, reason, slack=self._gate.slack, too_old=self._receiver.too_old)
        if parts:
            self._put(parts, attempts.state.at_least(State.OPEN if some and too_old else State.NEW))
        self._give_up(message.samples - written - sum(part.samples for part in parts), reason)
        return 0

    def _tell_series_apart(self, message: Message, reason: Reason, *, refused: bool) -> None:
        """Find out which series of a message are refused while the others are written, by sending their newest samples.

        refused: it is already known that some of these are refused.
        """
        if self._receiver.fruitless > FRUITLESS:
            self._give_up(message.samples, reason)
        elif not refused and self._takes_newest(message):
            self._tally.written(message, message.samples)
            self._receiver.fruitless = 0
        elif len(parts := message.halves()) > 1:
            for part in parts:
                self._tell_series_apart(part, reason, refused=False)
        else:
            self._give_up(message.samples, reason)

    def _give_up(self, samples: int, reason: Reason) -> None:
        if samples:
            self._tally.rejected(samples, reason.text)
            self._receiver.fruitless += 1

    def _count_written(self, attempts: Attempts, response: httpx.Response) -> int | None:
        """The samples that a 2.0 receiver says it has written; None where it says nothing, or something impossible."""
        written = written_by(response)
        if not response.is_success and not counts_truly(text_of(response)):
            return None
        if written is not None and written > attempts.message.samples:
            return None
        if written is not None:
            self._tally.count("counted", written)
        return written

    def _error(self, attempts: Attempts, response: httpx.Response) -> ReceiverError:
        """The error for an answer that ends the push, with its fix."""
        if response.is_success and attempts.verdict(response) is Verdict.OLDER:
            problem = f"{self.client.problem(response)}: {_TAKEN_FOR_VERSION_1}"
            return RefusedError(problem, f"use {setting('protocol', 'auto')} or 1.0")
        words = text_of(response)
        now = int(self._terms.clock.wall() * 1000)
        fix = find_fix(response.status_code, words, newest=attempts.message.newest, last=self._terms.last, now=now)
        error = self.client.error(response, fix)
        if refused_by_500(response.status_code, words) or attempts.verdict(response) is Verdict.SMALLER:
            return RefusedError(*error.args)  # one sample cannot be made smaller
        return error
