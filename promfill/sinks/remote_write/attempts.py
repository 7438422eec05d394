"""The attempts at one request, and what they leave open."""

from __future__ import annotations

import httpx

from promfill.net.http import HttpClient, NoAnswerError
from promfill.net.http_answers import text_of
from promfill.sinks.remote_write.classify import Verdict, classify, counts_truly, leaves_doubt, refusal_of
from promfill.sinks.remote_write.gate import Gate
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.receiver import Receiver, written_by
from promfill.sinks.remote_write.states import Action, State, action_of
from promfill.sinks.remote_write.tally import Tally

TRIES = 3
"""After so many requests of 2.0 with no answer, or a 5xx, from a receiver not known to read 2.0, 1.0 is tried.
Mimir 3.0 breaks the connection over some of them (grafana/mimir#14653)."""
_BUSY = (429, 503)
_UNREAD = (400, 406, 415, 422)
"""What receivers that do not know 2.0 say. One that knows 2.0 counts what it has written, even with such a status."""


class Attempts:
    """Sends a message, as often as it is asked to.

    state: what is known of the message now. trouble: why the last attempt failed. message: what is still to be sent.
    gave_up: it got no answer as 2.0.
    """

    def __init__(self, message: Message, client: HttpClient, receiver: Receiver, gate: Gate, tally: Tally) -> None:
        self.message, self.state = message, message.state
        self.number, self.trouble = 0, ""
        self.gave_up = False
        self._failures = 0
        self._client, self._receiver, self._gate, self._tally = client, receiver, gate, tally
        self._state_before = self.state
        self._unsent: Verdict | None = None
        self._can_be_asked = True
        self._counted = 0

    def attempt(self) -> httpx.Response:
        """Make one more attempt. A receiver that keeps duplicates is queried first: what it holds is not sent again."""
        self.number += 1
        self._state_before = self.state
        try:
            self._unsent = self._look_before() if self.state.in_doubt else None
            if self._unsent:
                return _NOT_SENT
            response = self._client.request("POST", content=self.message.body, headers=self.message.headers)
        except NoAnswerError as error:
            self.trouble = str(error)
            if error.may_have_arrived:
                self._doubt()
                self._tally.count("answers_lost")
            if error.may_have_arrived and self._gives_up():
                return _NO_ANSWER
            raise
        self._receiver.learn(response, to_version_2=self.message.is_version_2)
        if leaves_doubt(response.status_code, text_of(response)):
            self._doubt()
        if not response.is_success:
            self.trouble = self._client.explain(response)
        is_ill = response.status_code >= 500 and response.status_code not in _BUSY
        return _NO_ANSWER if is_ill and self._gives_up() else response

    def action(self, response: httpx.Response) -> Action:
        """What to do about the answer to the last attempt."""
        return action_of(self._state_before, self.verdict(response))

    def verdict(self, response: httpx.Response) -> Verdict:
        """What the answer to the last attempt means, given the attempts before it."""
        if self._unsent:
            return self._unsent
        words = "" if response.is_success else text_of(response)
        verdict = classify(
            response.status_code,
            words,
            doubt=self._state_before.in_doubt,
            version_2=self.message.is_version_2,
            samples=self.message.samples,
        )
        written = written_by(response)
        if verdict is Verdict.WRITTEN:
            if not self._client.is_good(response):
                return Verdict.OURS
            if self.message.is_version_2 and not written and (written is None or self._is_undecided):
                return Verdict.OLDER
        if self._is_undecided and response.status_code in _UNREAD and written is None:
            return Verdict.OLDER
        if verdict is Verdict.REFUSED:
            verdict = refusal_of(response.status_code, words)
        if verdict is Verdict.TOO_OLD and written and counts_truly(words):
            return Verdict.REFUSED  # a receiver that wrote some samples holds those alone
        return verdict

    def _doubt(self) -> None:
        self.state = self.state.at_least(State.LOST)

    def _look_before(self) -> Verdict | None:
        """Why it is needless, or wrong, to send again what may be there."""
        if not self._can_be_asked:
            return None
        if self._receiver.keeps_doubles(self._client):
            return self._leave_out_held()
        is_wide = self.message.is_wider_than(self._gate.slack)
        return Verdict.WIDE if is_wide and self.state is State.PARTLY else None

    @property
    def _is_undecided(self) -> bool:
        """Whether this attempt is 2.0, while it is unknown whether the receiver reads 2.0."""
        return self.message.is_version_2 and self._receiver.may_fall_back and self._receiver.takes_version_2

    def _gives_up(self) -> bool:
        """Whether the receiver has failed so often that 2.0 may be the cause."""
        self._failures += 1
        self.gave_up = self._is_undecided and self._failures >= TRIES
        return self.gave_up

    def _leave_out_held(self) -> Verdict | None:
        """Query what the receiver holds, and whether that is everything. NoAnswerError where it cannot tell yet."""
        held = self._receiver.holdings.of(self.message, self._client)
        if held is None:
            self._tally.count("perhaps_twice", self.message.samples)
            self._can_be_asked = False
            return None
        left = self.message.without(held) if held else self.message
        if not left.samples:
            return Verdict.FOUND
        self._tally.held(self.message.samples - left.samples)
        self.message = left
        if self._receiver.forwards:  # what it does not hold yet may still be on its way
            self._tally.count("perhaps_twice", left.samples - self._counted)
            self._counted = left.samples
        return None


_NO_ANSWER = httpx.Response(415)
"""Stands for the answer that a receiver does not give to 2.0."""
_NOT_SENT = httpx.Response(204)
"""Stands for the answer to an attempt that was not made."""
