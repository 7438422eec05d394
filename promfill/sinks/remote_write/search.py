"""What of refused samples may be taken without the others: one series may be why, or one time, and all go with it."""

from __future__ import annotations

from dataclasses import dataclass

from promfill.sinks.remote_write.classify import is_held_already, wants_order
from promfill.sinks.remote_write.message import Message


@dataclass(frozen=True, slots=True)
class Reason:
    """Why samples are given up. text: for the report. too_old: they are older than what is taken. words: all of it."""

    text: str
    too_old: bool
    words: str


def parts_to_try(message: Message, reason: Reason, *, slack: float, too_old: int) -> list[Message]:
    """The parts of a refused message that may be taken, in the order in which they are to be sent; maybe none.

    What is in none of them is given up. slack: how wide a part may be (ms). too_old: the newest time (ms) of which is
    known that it is too old, the message's oldest at least.

    Samples that are too old are so in all series: they are told apart by time. A series that is refused for what it is,
    is refused at all times.
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
    """Where order matters, step by step from the oldest on: what is newer must not be there before what is older.

    Elsewhere by halves, the newer first: if its oldest samples are too old, so is all of the older half.
    """
    if wants_order(reason.words):
        newer = message.newer_than(too_old)
        return [newer] if newer else []
    parts = message.halves_of_time()
    return parts[::-1] if len(parts) > 1 else []
