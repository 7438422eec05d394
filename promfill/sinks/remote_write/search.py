"""Find the samples of a refused message that may be accepted: one series, or one time, may be why it was refused."""

from __future__ import annotations

from dataclasses import dataclass

from promfill.sinks.remote_write.classify import is_held_already, wants_order
from promfill.sinks.remote_write.message import Message


@dataclass(frozen=True, slots=True)
class Reason:
    """Why samples are given up. text: for the report. too_old: older than what is accepted. words: the whole answer."""

    text: str
    too_old: bool
    words: str


def parts_to_try(message: Message, reason: Reason, *, slack: float, too_old: int) -> list[Message]:
    """The parts of a refused message that may be accepted, in the order in which they are sent; there may be none.

    Samples in none of the parts are given up. slack: how wide a part may be (ms). too_old: the newest time (ms) that is
    known to be too old, at least the message's oldest.

    Samples that are too old are too old in all series, so they are found by time. A series that is refused for its
    labels is refused at all times.
    """
    if message.is_wider_than(slack):
        return message.within(slack)
    if reason.too_old:
        return _newer(message, reason, too_old)
    parts = message.halves()
    if len(parts) == 1 and is_held_already(reason.words):
        parts = message.halves_of_time()
    return parts if len(parts) > 1 else []


def _newer(message: Message, reason: Reason, too_old: int) -> list[Message]:
    """Where order matters, step by step, the oldest first: newer samples must not arrive before older ones.

    Elsewhere by halves, the newer first: if its oldest samples are too old, so is all of the older half.
    """
    if wants_order(reason.words):
        newer = message.newer_than(too_old)
        return [newer] if newer else []
    parts = message.halves_of_time()
    return parts[::-1] if len(parts) > 1 else []
