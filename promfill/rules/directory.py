"""Predicts what happens to blocks in a directory; every command uses these rules.

    predict_in_directory(Arrival(coming, there, directory), now)  ->  findings, in the order in which they are shown

Push, check, create-blocks-from and tsdb verify show the findings. This reads the directory, and sends nothing.
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
"""Kinds of findings about the loss of existing data: they are shown even with -q."""

_NAMED = 3
_FLAG = "--storage.tsdb.retention.time"
_LONGER = f"serve the directory with a longer {_FLAG}"


@dataclass(frozen=True, slots=True)
class Span:
    """A block: its name ("" if not known yet), its first time and its end, in ms, and its number of samples."""

    name: str
    start: int
    end: int
    samples: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """New blocks for a directory. there: the existing blocks of others in it.

    directory: None if it is not known. lost: metadata of the input that blocks do not hold, such as UNIT.
    ask_by: the setting (marked) for the address of a server to query; "" if there is none.
    """

    coming: Sequence[Span]
    there: Sequence[Span] = ()
    directory: Path | None = None
    lost: Sequence[str] = ()
    ask_by: str = ""

    @property
    def newest(self) -> int:
        """The end of the newest new block."""
        return max(span.end for span in self.coming)

    @property
    def samples(self) -> int:
        """The number of samples in the new blocks."""
        return sum(span.samples for span in self.coming)


@dataclass(frozen=True, slots=True)
class _Rule:
    """The rule by which blocks are deleted. newest: the end of the newest block that the server reported, or 0.

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
        """The owner of the retention, in words."""
        if self.is_known:
            return f"{self.name} keeps {format_duration(self.retention)} and"
        return "no server was queried; assuming Prometheus's default retention (15d): a server"


def spans_in(directory: Path) -> list[Span]:
    """The blocks of a directory, without those whose meta.json cannot be read."""
    metas = read_metas(directory)
    return [Span(name, meta.min_time, meta.max_time, meta.stats.samples) for name, meta in metas.items()]


def overlapping(there: Sequence[Span], coming: Sequence[Span]) -> list[Span]:
    """The existing blocks that overlap a new one in time. The new ones do not overlap each other."""
    ordered = sorted(coming, key=lambda span: span.start)
    starts = [span.start for span in ordered]
    found = []
    for span in there:
        place = bisect.bisect_left(starts, span.end)
        if place and ordered[place - 1].end > span.start:
            found.append(span)
    return found


def predict_in_directory(arrival: Arrival, now: int, store: StoreFacts | None = None) -> list[Finding]:
    """All findings. store: the server of the directory, None if none was queried. `now`: Unix ms."""
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
        found.append(Finding("metadata", False, None, text, "use remote write to keep them"))
    return found


def predict_from_text(last: int, now: int) -> list[Finding]:
    """What blocks of a text do if its newest sample is at `last` (ms)."""
    if not is_future(last + 1, now):
        return []
    text = f"the text holds samples up to {name_time(last)}, after now: of blocks made from it, {RUNNING_AND_STARTING}"
    return [Finding("future", False, None, text, "end it no later than now")]


def list_words(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _rule(store: StoreFacts | None) -> _Rule | None:
    """The retention rule; None if it is not known, or if the store does not delete whole blocks."""
    if store is None:
        return _Rule(DEFAULT_RETENTION_MS, False, 0, False, "", _FLAG)
    if store.retention is None or not store.is_prometheus:
        return None
    set_by = store.retention_set_by or _FLAG
    return _Rule(store.retention, store.keeps_at_border, store.newest_block or 0, True, store.name, set_by)


def _retention(arrival: Arrival, now: int, store: StoreFacts | None) -> Iterator[Finding]:
    """The new blocks that are deleted, and the existing ones that are deleted because of the new ones."""
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
        text = f"{rule.words} will delete on startup {_named(gone, arrival.directory)} because the new blocks end later"
        yield Finding("displaced", False, _samples(gone), text, _LONGER)


def _deleted(arrival: Arrival, lost: Sequence[Span], rule: _Rule, now: int) -> Finding:
    count, total = _samples(lost), arrival.samples
    going = set(lost)
    kept = [span.start for span in arrival.coming if span not in going]
    share = f"{count:,} of {total:,} samples ({100 * count / max(1, total):.1f} %)"
    share += f", those before {name_time(min(kept))}: {total - count:,} remain" if kept else ""
    share += _by_border(arrival, lost, rule) + _because(arrival)
    newest = max([now, arrival.newest, rule.newest, *(span.end for span in arrival.there)])
    oldest = newest - min(span.start for span in arrival.coming)
    way = "set {} to more than" if "configuration file" in rule.set_by else "restart it with {} longer than"
    fix = f"{way.format(rule.set_by)} {_days(oldest)}, or push less history"
    if not rule.is_known:
        fix = f"{_LONGER} (more than {_days(oldest)})"
        fix += f", or set {arrival.ask_by} to check against your server" if arrival.ask_by else ""
    return Finding("retention", rule.is_known, count, f"{rule.words} will delete on startup {share}", fix)


def _by_border(arrival: Arrival, lost: Sequence[Span], rule: _Rule) -> str:
    """Before 2.52, a block whose age equals the retention exactly was kept."""
    if rule.is_known:
        return ""
    newest = max([arrival.newest, rule.newest, *(span.end for span in arrival.there)])
    before = _samples(replace(rule, keeps_at_border=True).deleted(arrival.coming, newest))
    return f" ({arrival.samples - before:,} before Prometheus 2.52)" if before != _samples(lost) else ""


def _because(arrival: Arrival) -> str:
    """The existing block from which the age is counted."""
    newest = max(arrival.there, key=lambda span: span.end, default=None)
    if newest is None or newest.end <= arrival.newest:
        return ""
    return f", because the existing block {newest.name} ends at {name_time(newest.end)}"


def _days(ms: int) -> str:
    """Whole days, rounded up with a minute to spare."""
    return f"{-(-(ms + 60_000) // 86_400_000)}d"


def _future(arrival: Arrival, now: int, store: StoreFacts | None) -> Iterator[Finding]:
    late = [span for span in arrival.coming if is_future(span.end, now)]
    last = name_time(arrival.newest - 1)
    which = f"{len(late):,} of {len(arrival.coming):,} blocks end after now, the newest at {last}"
    fix = "end no later than now, or put these blocks into a separate directory"
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
        text = f"{at_work}: after its next restart at the latest, it refuses every new sample until {last}"
        yield Finding("future-blinds", False, None, text, "remove the blocks that end after now before it restarts")


def _future_there(arrival: Arrival, now: int, store: StoreFacts | None) -> Iterator[Finding]:
    """Existing blocks that end after now, and the new samples that are lost because of them."""
    late = [span for span in arrival.there if is_future(span.end, now)]
    if not late:
        return
    newest, rule = max(span.end for span in late), _rule(store)
    gone = _newly_deleted(arrival.coming, max(now + 1, arrival.newest), newest, rule) if rule else []
    are = "are" if late[1:] else "is"
    what = (
        f"{_named(late, arrival.directory)} {are} already there, with samples after now up to {name_time(newest - 1)}"
    )
    if gone:
        what += f", and {_samples(gone):,} of the {arrival.samples:,} new samples would be lost because of that"
    kind = "future-deletes" if gone else "future"
    fix = "remove the blocks that end after now, or write into another directory"
    yield Finding(kind, False, _samples(gone or late), f"{what}: {RUNNING_AND_STARTING}", fix)


def _newly_deleted(spans: Sequence[Span], before: int, newest: int, rule: _Rule) -> list[Span]:
    """The blocks that are deleted if the newest one ends at `newest`, but not if it ends at `before`."""
    stays = set(spans) - set(rule.deleted(spans, before))
    return [span for span in rule.deleted(spans, max(before, newest)) if span in stays]


def _recent(arrival: Arrival, now: int, store: StoreFacts | None) -> Iterator[Finding]:
    """A Prometheus drops the samples in its write-ahead log that are before the newest block's end."""
    directory = arrival.directory
    at_work = prometheus_at_work(directory, now) if directory else None
    last = name_time(arrival.newest - 1)
    serves = store if store is not None and store.is_prometheus else None
    if at_work or serves:
        who = at_work or f"{serves.name if serves else ''} serves the directory"
        text = f"{who}, and {LOG_WORDS}: when it next starts, it drops the samples before {last} in its own log"
        fix = "end at now-3h, or write into another directory and move the blocks here in 3 hours"
        yield Finding("live", False, None, text, fix)
    elif directory and not (directory / "wal").exists():
        text = f"{LOG_WORDS}: a Prometheus that starts on it drops the samples before {last} in its own log"
        yield Finding("recent", False, None, text, "wait 3 hours before you move it to a live server")


def _owner(arrival: Arrival) -> Iterator[Finding]:
    owner = foreign_owner(arrival.directory) if arrival.directory else None
    if owner:
        text = f"{owner.path} belongs to user {owner.uid}, who cannot compact or delete files that this user writes"
        fix = f"afterwards, run chown -R {owner.uid}:{owner.gid} {arrival.directory}"
        yield Finding("owner", False, None, text, fix)


def _overlaps(arrival: Arrival) -> Iterator[Finding]:
    found = overlapping(arrival.there, arrival.coming)
    if found:
        holds = "holds" if len(found) == 1 else "hold"
        text = (
            f"{_named(found, arrival.directory)} already {holds} samples of this time; "
            "Prometheus merges overlapping blocks, Thanos halts"
        )
        yield Finding("overlap", False, None, text)


def _named(spans: Sequence[Span], directory: Path | None) -> str:
    """The names of the blocks (only the first few of many) and their number of samples."""
    names = [str(directory / span.name if directory and not place else span.name) for place, span in enumerate(spans)]
    shown = names[:_NAMED]
    more = f" and {len(names) - _NAMED:,} more" if names[_NAMED:] else ""
    plural = "s" if names[1:] else ""
    return f"block{plural} {', '.join(shown)}{more} ({_samples(spans):,} samples)"


def _samples(spans: Sequence[Span]) -> int:
    return sum(span.samples for span in spans)
