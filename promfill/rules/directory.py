"""What becomes of blocks that are to stand in a directory: the one place that every command asks.

    predict_in_directory(Arrival(coming, there, directory), now)  ->  findings, in the order in which they are told

Push, check, create-blocks-from and tsdb verify print its answer. It looks at the directory, and sends nothing.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from promfill.blocks.directory import read_metas
from promfill.rules.finding import Finding
from promfill.rules.prometheus import LOG_WORDS, RUNNING_AND_STARTING, is_deleted, is_future, reaches_log
from promfill.rules.prometheus_directory import foreign_owner, prometheus_at_work
from promfill.rules.store_facts import DEFAULT_RETENTION_MS, StoreFacts
from promfill.scenario.times import format_duration, name_time

SEVERE = frozenset({"future-deletes", "future-blinds", "live", "interleaves", "conflicts"})
"""What costs others what they have, or spoils it: it is told under -q as well."""

_NAMED = 3
_FLAG = "--storage.tsdb.retention.time"
_LONGER = f"serve the directory with a longer {_FLAG}"


@dataclass(frozen=True, slots=True)
class Span:
    """A block: its name ("" where that is not known yet), its first time and its end, in ms, and its samples."""

    name: str
    start: int
    end: int
    samples: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """Blocks that come into a directory. there: the blocks of others in it.

    directory: None where it is not known. lost: what the input says of its metrics and blocks do not hold, such as
    its unit. ask_by: the setting by which a server would be asked, marked; "" where there is none.
    """

    coming: Sequence[Span]
    there: Sequence[Span] = ()
    directory: Path | None = None
    lost: Sequence[str] = ()
    ask_by: str = ""

    @property
    def newest(self) -> int:
        """The end of the newest block to come."""
        return max(span.end for span in self.coming)

    @property
    def samples(self) -> int:
        """All samples to come."""
        return sum(span.samples for span in self.coming)


@dataclass(frozen=True, slots=True)
class _Rule:
    """By what blocks are deleted. newest: the end of the newest block that the server itself told of, or 0.

    set_by: the flag or the setting that the retention comes from.
    """

    retention: int
    keeps_at_border: bool
    newest: int
    is_known: bool
    name: str
    set_by: str

    def deleted(self, spans: Sequence[Span], newest: int) -> list[Span]:
        border = self.keeps_at_border
        return [span for span in spans if is_deleted(span.end, newest, self.retention, keeps_at_border=border)]

    @property
    def words(self) -> str:
        """Whose retention it is."""
        if self.is_known:
            return f"{self.name} keeps {format_duration(self.retention)} and"
        return "no server was queried; assuming Prometheus's default retention (15d), a server"


def spans_in(directory: Path) -> list[Span]:
    """The blocks of a directory; those whose meta.json cannot be read are left out."""
    metas = read_metas(directory)
    return [Span(name, meta.min_time, meta.max_time, meta.stats.samples) for name, meta in metas.items()]


def overlapping(there: Sequence[Span], coming: Sequence[Span]) -> list[Span]:
    """Which of the blocks there may hold samples of the time of one to come; those to come do not overlap."""
    ordered = sorted(coming, key=lambda span: span.start)
    starts = [span.start for span in ordered]
    found = []
    for span in there:
        place = bisect.bisect_left(starts, span.end)
        if place and ordered[place - 1].end > span.start:
            found.append(span)
    return found


def predict_in_directory(arrival: Arrival, now: int, store: StoreFacts | None = None) -> list[Finding]:
    """All findings. store: the server of the directory, None where nobody was asked. `now`: Unix ms."""
    if not arrival.coming:
        return []
    found = [*_retention(arrival, now, store)]
    if is_future(arrival.newest, now):
        found += _future(arrival, now, store)
    else:
        found += _future_there(arrival, now, store)
    if reaches_log(arrival.newest, now) and not is_future(arrival.newest, now):
        found += _recent(arrival, now, store)
    found += [*_owner(arrival), *_overlaps(arrival)]
    if arrival.lost:
        text = f"{list_words(arrival.lost)} will not be kept: blocks hold no HELP, TYPE or UNIT"
        found.append(Finding("metadata", False, None, text, "remote write carries them"))
    return found


def predict_from_text(last: int, now: int) -> list[Finding]:
    """What blocks made of a text would do whose newest sample is at `last` (ms)."""
    if not is_future(last + 1, now):
        return []
    text = f"the text holds samples up to {name_time(last)}, after now: of blocks made from it, {RUNNING_AND_STARTING}"
    return [Finding("future", False, None, text, "end it no later than now")]


def list_words(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _rule(store: StoreFacts | None) -> _Rule | None:
    """None where the server's retention is not known, or is not one of blocks."""
    if store is None:
        return _Rule(DEFAULT_RETENTION_MS, False, 0, False, "", _FLAG)
    if store.retention is None or not store.is_prometheus:
        return None
    set_by = store.retention_set_by or _FLAG
    return _Rule(store.retention, store.keeps_at_border, store.newest_block or 0, True, store.name, set_by)


def _retention(arrival: Arrival, now: int, store: StoreFacts | None) -> Iterator[Finding]:
    """What is deleted of the blocks to come, and of those that are there because these come."""
    rule = _rule(store)
    if rule is None:
        return
    before = max((span.end for span in arrival.there), default=rule.newest)
    before = max(before, rule.newest)
    newest = max(before, arrival.newest)
    lost = rule.deleted(arrival.coming, newest)
    if lost:
        yield _deleted(arrival, lost, rule, now)
    gone = _newly_deleted(arrival.there, before, min(arrival.newest, now + 1), rule)
    if gone:
        text = f"{rule.words} will delete at its start {_named(gone, arrival.directory)} because these end later"
        yield Finding("displaced", False, _samples(gone), text, _LONGER)


def _deleted(arrival: Arrival, lost: Sequence[Span], rule: _Rule, now: int) -> Finding:
    count, total = _samples(lost), arrival.samples
    going = set(lost)
    kept = [span.start for span in arrival.coming if span not in going]
    share = f"{count:,} of {total:,} samples ({100 * count / max(1, total):.1f} %)"
    share += f", those before {name_time(min(kept))}: {total - count:,} stay" if kept else ""
    share += _by_border(arrival, lost, rule) + _because(arrival)
    newest = max([now, arrival.newest, rule.newest, *(span.end for span in arrival.there)])
    oldest = newest - min(span.start for span in arrival.coming)
    way = "set {} to more than" if "configuration file" in rule.set_by else "restart it with {} longer than"
    fix = f"{way.format(rule.set_by)} {_days(oldest)}, or push less history"
    if not rule.is_known:
        fix = f"{_LONGER} (more than {_days(oldest)})"
        fix += f", or set {arrival.ask_by} to check against your server" if arrival.ask_by else ""
    return Finding("retention", rule.is_known, count, f"{rule.words} will delete at its start {share}", fix)


def _by_border(arrival: Arrival, lost: Sequence[Span], rule: _Rule) -> str:
    """Before 2.52 a block whose age is the retention to the millisecond stayed."""
    if rule.is_known:
        return ""
    newest = max([arrival.newest, rule.newest, *(span.end for span in arrival.there)])
    before = _samples(replace(rule, keeps_at_border=True).deleted(arrival.coming, newest))
    return f" ({arrival.samples - before:,} before Prometheus 2.52)" if before != _samples(lost) else ""


def _because(arrival: Arrival) -> str:
    """Which block of others the age is counted from."""
    newest = max(arrival.there, key=lambda span: span.end, default=None)
    if newest is None or newest.end <= arrival.newest:
        return ""
    return f", as block {newest.name}, which is there, ends at {name_time(newest.end)}"


def _days(ms: int) -> str:
    """Whole days, and a little more."""
    return f"{-(-(ms + 60_000) // 86_400_000)}d"


def _future(arrival: Arrival, now: int, store: StoreFacts | None) -> Iterator[Finding]:
    late = [span for span in arrival.coming if is_future(span.end, now)]
    last = name_time(arrival.newest - 1)
    which = f"{len(late):,} of {len(arrival.coming):,} blocks end after now, the newest at {last}"
    fix = "end no later than now, or keep such blocks in a directory of their own"
    yield Finding("future", False, _samples(late), f"{which}: {RUNNING_AND_STARTING}", fix)
    rule = _rule(store)
    if rule:
        before = max([now + 1, rule.newest, *(span.end for span in arrival.there)])
        gone = _newly_deleted(arrival.there, before, arrival.newest, rule)
        if gone:
            text = (
                f"{rule.words} will delete {_named(gone, arrival.directory)} because of the block that ends at {last}"
            )
            yield Finding("future-deletes", rule.is_known, _samples(gone), text, f"remove that block, or {_LONGER}")
    at_work = prometheus_at_work(arrival.directory, now) if arrival.directory else None
    if at_work:
        text = f"{at_work}: from its next start on, if not sooner, it refuses every new sample until {last}"
        yield Finding("future-blinds", False, None, text, "remove the blocks that end after now before it restarts")


def _future_there(arrival: Arrival, now: int, store: StoreFacts | None) -> Iterator[Finding]:
    """Blocks that end after now and are there already, and what they cost those to come."""
    late = [span for span in arrival.there if is_future(span.end, now)]
    if not late:
        return
    newest, rule = max(span.end for span in late), _rule(store)
    gone = _newly_deleted(arrival.coming, max(now + 1, arrival.newest), newest, rule) if rule else []
    are = "are" if late[1:] else "is"
    what = f"{_named(late, arrival.directory)} {are} there, with samples after now up to {name_time(newest - 1)}"
    if gone:
        what += f", and cost {_samples(gone):,} of these {arrival.samples:,} samples"
    kind = "future-deletes" if gone else "future"
    fix = "remove what ends after now, or write into another directory"
    yield Finding(kind, False, _samples(gone or late), f"{what}: {RUNNING_AND_STARTING}", fix)


def _newly_deleted(spans: Sequence[Span], before: int, newest: int, rule: _Rule) -> list[Span]:
    """Those that go where the newest block ends at `newest`, and stay where it ends at `before`."""
    stays = set(spans) - set(rule.deleted(spans, before))
    return [span for span in rule.deleted(spans, max(before, newest)) if span in stays]


def _recent(arrival: Arrival, now: int, store: StoreFacts | None) -> Iterator[Finding]:
    """A Prometheus drops what its log holds of the time before the newest block's end."""
    directory = arrival.directory
    at_work = prometheus_at_work(directory, now) if directory else None
    last = name_time(arrival.newest - 1)
    serves = store if store is not None and store.is_prometheus else None
    if at_work or serves:
        who = at_work or f"{serves.name if serves else ''} serves the directory"
        text = f"{who}, and {LOG_WORDS}: at its next start it drops what its own log holds of the time before {last}"
        fix = "end at now-3h, or write into another directory and move the blocks here 3 hours from now"
        yield Finding("live", False, None, text, fix)
    elif directory and not (directory / "wal").exists():
        text = f"{LOG_WORDS}: a Prometheus that starts on it drops what its own log holds of the time before {last}"
        yield Finding("recent", False, None, text, "move it to a live server 3 hours from now, not earlier")


def _owner(arrival: Arrival) -> Iterator[Finding]:
    owner = foreign_owner(arrival.directory) if arrival.directory else None
    if owner:
        text = (
            f"{owner.path} belongs to user {owner.uid}, who will not be able to compact or delete what this user writes"
        )
        fix = f"afterwards run chown -R {owner.uid}:{owner.gid} {arrival.directory}"
        yield Finding("owner", False, None, text, fix)


def _overlaps(arrival: Arrival) -> Iterator[Finding]:
    found = overlapping(arrival.there, arrival.coming)
    if found:
        text = (
            f"{_named(found, arrival.directory)}: samples of the same time are there; "
            "Prometheus merges overlapping blocks, Thanos halts"
        )
        yield Finding("overlap", False, None, text)


def _named(spans: Sequence[Span], directory: Path | None) -> str:
    """The blocks by name, the first few of many, and their samples."""
    names = [str(directory / span.name if directory and not place else span.name) for place, span in enumerate(spans)]
    shown = names[:_NAMED]
    more = f" and {len(names) - _NAMED:,} more" if names[_NAMED:] else ""
    plural = "s" if names[1:] else ""
    return f"block{plural} {', '.join(shown)}{more} ({_samples(spans):,} samples)"


def _samples(spans: Sequence[Span]) -> int:
    return sum(span.samples for span in spans)
