"""The attempts at one request, and what they leave open."""

from __future__ import annotations

import httpx

from promfill.net.http import HttpClient, NoAnswerError
from promfill.net.http_answers import text_of
from promfill.sinks.remote_write.classify import Verdict, classify, leaves_doubt
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.receiver import Receiver, written_by
from promfill.sinks.remote_write.tally import Tally

TRIES = 3
"""Requests of 2.0 that get no answer, or a 5xx, from a receiver of which nothing is known: then it is asked in 1.0.
Mimir 3.0 breaks the connection over some of them (grafana/mimir#14653)."""
_BUSY = (429, 503)
_UNREAD = (400, 406, 415, 422)
"""What receivers say that do not know 2.0; whoever does counts what it has written, beside such a status too."""


class Attempts:
    """Sends a message, as often as it is asked to.

    doubt: an attempt may have been written. trouble: why the last one did not do. message: what is still to be sent.
    all_held: the receiver was asked, and holds every sample of it. gave_up: it got no answer as 2.0.
    """

    def __init__(self, message: Message, client: HttpClient, receiver: Receiver, tally: Tally) -> None:
        self.message, self.doubt = message, message.doubt
        self.number, self.trouble = 0, ""
        self.all_held = self.gave_up = False
        self._failures = 0
        self._client, self._receiver, self._tally = client, receiver, tally
        self._doubt_before = self.doubt
        self._can_be_asked = True
        self._counted = 0

    def attempt(self) -> httpx.Response:
        """One more. Where the receiver keeps doubles, it is asked before: what it holds is not sent again."""
        self.number += 1
        self._doubt_before = self.doubt
        try:
            if self.doubt and self._can_be_asked and self._receiver.keeps_doubles(self._client):
                self._leave_out_held()
                if self.all_held:
                    return httpx.Response(204)
            response = self._client.request("POST", content=self.message.body, headers=self.message.headers)
        except NoAnswerError as error:
            self.trouble = error.marked
            if error.may_have_arrived:
                self.doubt = True
                self._tally.count("answers_lost")
            if error.may_have_arrived and self._gives_up():
                return _NO_ANSWER
            raise
        self._receiver.learn(response, to_version_2=self.message.is_version_2)
        if leaves_doubt(response.status_code, text_of(response)):
            self.doubt = True
        if not response.is_success:
            self.trouble = self._client.explain(response)
        is_ill = response.status_code >= 500 and response.status_code not in _BUSY
        return _NO_ANSWER if is_ill and self._gives_up() else response

    def verdict(self, response: httpx.Response) -> Verdict:
        """What the answer to the last attempt means, after all that went before it."""
        if self.all_held:
            return Verdict.HELD
        words = "" if response.is_success else text_of(response)
        is_version_2 = self.message.is_version_2
        verdict = classify(
            response.status_code, words, doubt=self._doubt_before, version_2=is_version_2, samples=self.message.samples
        )
        if verdict is Verdict.WRITTEN:
            if not self._client.is_good(response):
                return Verdict.REFUSED
            if is_version_2 and not written_by(response) and (written_by(response) is None or self._is_undecided):
                return Verdict.OLDER
        if self._is_undecided and response.status_code in _UNREAD and written_by(response) is None:
            return Verdict.OLDER
        return verdict

    @property
    def _is_undecided(self) -> bool:
        """Whether this is 2.0 to a receiver of which it is not known yet whether it reads that."""
        return self.message.is_version_2 and self._receiver.may_fall_back and self._receiver.takes_version_2

    def _gives_up(self) -> bool:
        """Whether the receiver has failed so often that 2.0 may be why."""
        self._failures += 1
        self.gave_up = self._is_undecided and self._failures >= TRIES
        return self.gave_up

    def _leave_out_held(self) -> None:
        """Ask what is there. NoAnswerError where that cannot be known yet."""
        held = self._receiver.holdings.of(self.message, self._client)
        if held is None:
            self._tally.count("perhaps_twice", self.message.samples)
            self._can_be_asked = False
            return
        left = self.message.without(held) if held else self.message
        self._tally.held(self.message.samples - left.samples if left.samples else 0)
        self.all_held = not left.samples
        if left.samples:
            self.message = left
            if self._receiver.forwards:  # what it does not hold yet may still be on its way
                self._tally.count("perhaps_twice", left.samples - self._counted)
                self._counted = left.samples


_NO_ANSWER = httpx.Response(415)
"""What stands for the answer that a receiver does not give to 2.0."""
