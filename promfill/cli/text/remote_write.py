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
    facts, there_before = report.details, report.there_before
    before, perhaps_twice = facts.get("sent_before", 0), facts.get("perhaps_twice", 0)
    forwarder = report.frame.forwarder
    asked = facts.get("receiver") == "VictoriaMetrics" and facts["answers_lost"] and not perhaps_twice
    doubt = _DOUBT if "receiver" in facts else _DOUBT_WHO
    doubt = _DOUBT_BEHIND.format(facts["receiver"], perhaps_twice) if forwarder else doubt
    rows = [
        (True, "sent", f"{facts['acknowledged']:,} samples in {facts['requests']:,} requests, {size} ({rate})"),
        (True, "", f"to {report.frame.destination}, by remote write {facts['protocol']}"),
        (before, "", f"{before:,} samples had been sent by an earlier run"),
        (there_before, "there", _THERE_BEFORE.format(there_before)),
        (facts["already_there"], "there", _THERE.format(facts["already_there"])),
        (facts["retries"], "again", f"{facts['retries']:,} attempts; {facts['answers_lost']:,} answers were lost"),
        (facts["divided"], "halved", f"{facts['divided']:,} requests that the receiver found too large"),
        *((True, "reject", f"{count:,} samples: {reason}") for reason, count in facts["rejected"].items()),
        (facts.get("not_counted"), "note", _NOT_COUNTED.format(facts.get("not_counted", 0))),
        (perhaps_twice, "note", doubt.format(perhaps_twice)),
        (forwarder and not provable, "note", _FORWARDED),
        (asked, "note", _RESIDUE),
    ]
    return [f"{name:<6} {text}" for wanted, name, text in rows if wanted]


def remains(ended: Remains) -> str:
    """What had arrived when the push ended early, and how to go on."""
    report, frame = ended.report, ended.report.frame
    arrived = report.samples + report.details.get("sent_before", 0)
    open_ones = report.details.get("unanswered", 0)
    doubt = f" ({open_ones:,} more may be)" if open_ones else ""
    again = "to go on, run the same command with --resume" if ended.resumable else ""
    way = again or "fix the problem and run the command again"
    return f"{arrived:,} of {frame.samples:,} samples are in {frame.destination}{doubt}; {way}"
