"""Show a push by remote write: what was sent, what became of it, and what was stored if it ended early."""

from __future__ import annotations

from promfill.errors import plural
from promfill.operations.reports import PushReport, Remains

_THERE = "{}: already stored by an attempt whose answer was lost"
_THERE_BEFORE = "{}: the store already holds the whole push with the same values, so nothing was sent"
_NOT_COUNTED = "the receiver accepted everything but counted {} too few: run promfill verify to see what it holds"
_DOUBT = (
    "this VictoriaMetrics may hold {} twice: answers were lost and it could not be queried: "
    "set --query-url, and run it with -dedup.minScrapeInterval=1ms"
)
_DOUBT_BEHIND = (
    "the store behind this {} may hold {} twice: answers were lost, and samples that are still being forwarded "
    "cannot be queried: run promfill verify with the store's --query-url"
)
_DOUBT_WHO = (
    "the receiver may hold {} twice if it is a VictoriaMetrics: answers were lost, and it does not "
    "identify itself: run promfill verify"
)
_FORWARDED = (
    "the receiver only forwards: run promfill verify with the --query-url of the store behind it to see what was stored"
)
_RESIDUE = (
    "answers were lost; the store was queried before samples were sent again, but a request that it was still "
    "processing then may be stored twice, unless it runs with -dedup.minScrapeInterval=1ms"
)


def lines(report: PushReport, size: str, rate: str, *, can_verify: bool) -> list[str]:
    """What was sent and what became of it, as a table for people. can_verify: a verify command follows."""
    sent, frame, there_before = report.sent, report.frame, report.there_before
    assert sent is not None
    asked = sent.receiver == "VictoriaMetrics" and sent.answers_lost and not sent.perhaps_twice
    twice = _samples(sent.perhaps_twice)
    doubt = (_DOUBT if sent.receiver else _DOUBT_WHO).format(twice)
    doubt = _DOUBT_BEHIND.format(sent.receiver, twice) if frame.forwarder else doubt
    parts = (_samples(sent.acknowledged), plural(sent.requests, "request"))
    rows = [
        (not there_before, "sent", f"{parts[0]} in {parts[1]}, {size} ({rate})"),
        (not there_before, "", f"to {frame.destination}, by remote write {sent.protocol}"),
        (sent.sent_before, "", f"{_samples(sent.sent_before)} had been sent by an earlier run"),
        (there_before, "skip", _THERE_BEFORE.format(_samples(there_before))),
        (sent.already_there, "skip", _THERE.format(_samples(sent.already_there))),
        (sent.retries, "retry", f"{plural(sent.retries, 'retry', 'retries')}; {_lost(sent.answers_lost)}"),
        (sent.divided, "split", f"{plural(sent.divided, 'request')} that the receiver found too large"),
        *((True, "reject", f"{_samples(count)}: {reason}") for reason, count in sent.rejected.items()),
        (sent.not_counted, "note", _NOT_COUNTED.format(_samples(sent.not_counted))),
        (sent.perhaps_twice, "note", doubt),
        (frame.forwarder and not can_verify, "note", _FORWARDED),
        (asked, "note", _RESIDUE),
    ]
    return [f"{name:<6} {text}" for wanted, name, text in rows if wanted]


def remains(ended: Remains) -> str:
    """What was stored when the push ended early, and how to continue."""
    report, frame = ended.report, ended.report.frame
    sent = report.sent
    arrived = report.samples + (sent.sent_before if sent else 0)
    open_ones = sent.unanswered if sent else 0
    doubt = f" (up to {open_ones:,} more may have been stored)" if open_ones else ""
    again = "to continue, run the same command with --resume" if ended.resumable else ""
    way = again or "fix the problem and run the command again"
    return f"{arrived:,} of {_samples(frame.samples)} are in {frame.destination}{doubt}; {way}"


def _samples(count: int) -> str:
    return plural(count, "sample")


def _lost(answers: int) -> str:
    return f"{plural(answers, 'answer')} {'was' if answers == 1 else 'were'} lost"
