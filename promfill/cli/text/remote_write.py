"""What a push by remote write tells: what was sent, what became of it, and what had arrived when it ended early."""

from __future__ import annotations

from promfill.operations.reports import PushReport, Remains

_THERE = "{:,} samples already: an attempt whose answer was lost had written them"
_THERE_BEFORE = "{:,} samples already, all of the push, with the same values: nothing is left to send"
_NOT_COUNTED = "the receiver took all, and by its own count wrote {:,} samples less: see by promfill verify"
_DOUBT = (
    "this VictoriaMetrics may hold {:,} samples twice: answers were lost, and it could not be asked what it holds: "
    "give --query-url, and run it with -dedup.minScrapeInterval=1ms"
)
_DOUBT_BEHIND = (
    "the store behind this {} may hold {:,} samples twice: answers were lost, and what is still on its way cannot be "
    "asked for: run promfill verify with the store's --query-url"
)
_DOUBT_WHO = (
    "the receiver may hold {:,} samples twice, if a VictoriaMetrics is behind it: answers were lost, and it does not "
    "tell who it is: run promfill verify"
)
_FORWARDED = (
    "the receiver only forwards: whether a store has them, promfill verify tells, with that store's --query-url"
)
_RESIDUE = (
    "answers were lost, and the receiver was asked what it held before anything was sent again; an attempt that was "
    "still in work then may be held twice, unless it runs with -dedup.minScrapeInterval=1ms"
)


def lines(report: PushReport, size: str, rate: str, *, provable: bool) -> list[str]:
    """What was sent and what became of it, as a table for people. provable: the command that proves it follows."""
    sent, frame, there_before = report.sent, report.frame, report.there_before
    assert sent is not None
    asked = sent.receiver == "VictoriaMetrics" and sent.answers_lost and not sent.perhaps_twice
    doubt = _DOUBT if sent.receiver else _DOUBT_WHO
    doubt = _DOUBT_BEHIND.format(sent.receiver, sent.perhaps_twice) if frame.forwarder else doubt
    rows = [
        (True, "sent", f"{sent.acknowledged:,} samples in {sent.requests:,} requests, {size} ({rate})"),
        (True, "", f"to {frame.destination}, by remote write {sent.protocol}"),
        (sent.sent_before, "", f"{sent.sent_before:,} samples had been sent by an earlier run"),
        (there_before, "there", _THERE_BEFORE.format(there_before)),
        (sent.already_there, "there", _THERE.format(sent.already_there)),
        (sent.retries, "again", f"{sent.retries:,} attempts; {sent.answers_lost:,} answers were lost"),
        (sent.divided, "halved", f"{sent.divided:,} requests that the receiver found too large"),
        *((True, "reject", f"{count:,} samples: {reason}") for reason, count in sent.rejected.items()),
        (sent.not_counted, "note", _NOT_COUNTED.format(sent.not_counted)),
        (sent.perhaps_twice, "note", doubt.format(sent.perhaps_twice)),
        (frame.forwarder and not provable, "note", _FORWARDED),
        (asked, "note", _RESIDUE),
    ]
    return [f"{name:<6} {text}" for wanted, name, text in rows if wanted]


def remains(ended: Remains) -> str:
    """What had arrived when the push ended early, and how to go on."""
    report, frame = ended.report, ended.report.frame
    sent = report.sent
    arrived = report.samples + (sent.sent_before if sent else 0)
    open_ones = sent.unanswered if sent else 0
    doubt = f" ({open_ones:,} more may be)" if open_ones else ""
    again = "to go on, run the same command with --resume" if ended.resumable else ""
    way = again or "fix the problem and run the command again"
    return f"{arrived:,} of {frame.samples:,} samples are in {frame.destination}{doubt}; {way}"
