"""What is already there of a push, looked at before its first byte: the same command may have been given before.

Samples of the push's series within its range are of one of three kinds. *There already*: same time, same value; a
VictoriaMetrics would keep them twice. *Other values* at the same times: the push of an hour ago counted its trend and
its noise from another start. *Other times*: the push would lie between them, and each series would have twice as many
samples. The reader and the comparison are those of verify; what they may cost is bounded, since a store may hold years.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from promfill.blocks.directory import read_metas
from promfill.errors import setting
from promfill.model.batch import LabelSet
from promfill.operations.verify import find_held, shared_labels
from promfill.protocols import Store
from promfill.rules.finding import Finding
from promfill.rules.store_facts import StoreFacts
from promfill.scenario.times import format_seconds, format_time
from promfill.sources.generated import Source
from promfill.stores.blocks import BlockStore

MOST_SAMPLES = 3_000_000
"""Samples that are read before the rest is left: about a second's."""

MOST_READS = 24
"""Spans of time that are read, where a store is read in several."""

_BLOCKS_AT_ONCE = 16
_MOST_BLOCK_SERIES = 1_000_000
"""Series of all blocks whose indexes are read: some seconds' worth."""

SHOWN_SECONDS = 10.0
"""A VictoriaMetrics shows what it has taken some seconds later: until then its silence means nothing."""

VICTORIA_METRICS = "VictoriaMetrics"


@dataclass(frozen=True, slots=True)
class Held:
    """Samples of the push's own series within its range. whole: all was looked at; else there may be more.

    same: at its times, with its values (or as the store rounds them). other_times, other_values: the rest. samples:
    what the push has, as far as the store can show it. in_blocks: `where` is a directory of blocks.
    """

    where: str
    samples: int
    in_blocks: bool = False
    same: int = 0
    other_times: int = 0
    other_values: int = 0
    whole: bool = True

    @property
    def nothing(self) -> bool:
        """Whether there is none."""
        return self.whole and not (self.same or self.other_times or self.other_values)

    @property
    def everything(self) -> bool:
        """Whether the push would bring nothing new."""
        return self.whole and self.same == self.samples


@dataclass(frozen=True, slots=True)
class Earlier:
    """A finished push, by its checkpoint. start, end: Unix ms. age: seconds since then.

    doubles: its receiver keeps a sample twice that is sent twice, as a VictoriaMetrics does; False where not known.
    same_run: its options were the same as typed, so that its times make this command the same push. uploaded: it went
    up as blocks, into a Mimir that shows them hours later.
    """

    path: Path
    start: int
    end: int
    doubles: bool
    same_run: bool
    age: float
    uploaded: bool = False


def look_in_store(source: Source, store: Store) -> Held:
    """What a store that can be asked holds. ReceiverError, FormatError: it cannot be read."""
    tally, whole = find_held(source, store, MOST_SAMPLES, MOST_READS)
    steps = source.grid.steps if store.shows_markers else source.scenario.sampled.steps
    return Held(
        store.name,
        len(source.fleet) * steps,
        False,
        tally.found,
        tally.unexpected.samples,
        tally.different.samples,
        whole,
    )


def look_in_blocks(source: Source, directory: Path, names: Sequence[str]) -> Held:
    """What these blocks of a directory hold. FormatError, InputError: they cannot be read."""
    labels = shared_labels(source.fleet)
    metas = read_metas(directory)
    known = [name for name in names if name in metas and _mentions(directory / name, labels)]
    known.sort(key=lambda name: metas[name].min_time)
    read = list(_few_series(known, [metas[name].stats.series for name in known]))
    same = other_times = other_values = samples = 0
    whole = len(read) == len(known)
    batches = list(_batches(read, [(metas[name].min_time, metas[name].max_time) for name in read]))
    for place, batch in enumerate(batches, 1):
        tally, all_read = find_held(source, BlockStore(directory, batch), MOST_SAMPLES - samples, MOST_READS)
        same, other_times = same + tally.found, other_times + tally.unexpected.samples
        other_values += tally.different.samples
        samples = same + other_times + other_values
        whole &= all_read
        if samples >= MOST_SAMPLES:
            whole &= place == len(batches)
            break
    return Held(f"{directory}", source.samples, True, same, other_times, other_values, whole)


def findings(held: Held | None, earlier: Earlier | None, source: Source, store: StoreFacts | None) -> list[Finding]:
    """What is to be said of it. `store` is what the store told of itself; None where it could not be asked."""
    found = list(_of_held(held, earlier, source, None if held.in_blocks else store)) if held else []
    if earlier and not any(finding.spoils for finding in found):
        found += _of_earlier(earlier, held, source, store)
    return found


def _of_held(held: Held, earlier: Earlier | None, source: Source, store: StoreFacts | None) -> Iterator[Finding]:
    doubles = store is not None and store.doubles
    mixes = store is not None and store.name == VICTORIA_METRICS  # deduplication or not, it takes all of them
    name = store.name if store else "a Prometheus that serves them"
    fix = _fix(earlier, source)
    if held.other_times:
        text = f"{_there(held, held.other_times)} at other times: the push would interleave"
        yield Finding("interleaves", False, held.other_times, text, fix, mixes)
    if held.other_values:
        text = f"{_there(held, held.other_values)} at the same times with other values: {_keeps(store)}"
        yield Finding("conflicts", False, held.other_values, text, fix, mixes)
    if held.same:
        count = f"{'at least ' if not held.whole else ''}{held.same:,} of {_number(held.samples)}"
        then = f"{name} would keep them twice" if doubles else "sending them again changes nothing"
        text = f"{held.where} already holds {count} of this push with the same values: {then}"
        yield Finding("there", False, held.same, text, _fix_of_doubles(held) if doubles else "", doubles)


def _fix_of_doubles(held: Held) -> str:
    if held.everything:
        return "nothing is left to send"
    way = f"go on with a push that was interrupted by {setting('resume')}, if its checkpoint is left"
    return f"{way}, or delete its series first"


def _keeps(store: StoreFacts | None) -> str:
    if store is None:
        return "a Prometheus that serves them keeps one of the two"
    if store.name == VICTORIA_METRICS:
        return f"{store.name} keeps {'both' if store.doubles else 'one of the two'}"
    return f"{store.name} refuses them as duplicates, or keeps one of the two"


def _fix(earlier: Earlier | None, source: Source) -> str:
    """How this command would be the push that is there."""
    if earlier and earlier.same_run and earlier.start != source.grid.start:
        start, end = setting("start", format_seconds(earlier.start)), setting("end", format_seconds(earlier.end))
        return f"the same command with {start} {end} is the same push as before"
    times = f"{setting('start')} and {setting('end')}"
    return f"give the {times} of the push that is there, delete its series, or tell this one apart by a label"


def _of_earlier(earlier: Earlier, held: Held | None, source: Source, store: StoreFacts | None) -> Iterator[Finding]:
    """A store that keeps doubles was sent this before; what it says itself, where it can be asked, is better known."""
    known = store is not None and not store.doubles and store.name in (VICTORIA_METRICS, "Prometheus")
    overlaps = earlier.start <= source.grid.last and source.grid.start < earlier.end
    times = f"{format_time(earlier.start)} to {format_time(earlier.end)}"
    if earlier.uploaded and earlier.same_run and overlaps and earlier.start != source.grid.start:
        text = (
            f"{earlier.path} says that this command has uploaded {times} before, counted from another start: the "
            "blocks of both would stand beside each other, with other values at the same times or at times between"
        )
        yield Finding("conflicts", False, None, text, _fix(earlier, source))
    gone = held is not None and held.nothing and earlier.age > SHOWN_SECONDS
    if not earlier.doubles or known or not overlaps or gone:
        return
    text = (
        f"{earlier.path} says that this command has finished a push of {times} before, into a store "
        "that keeps a sample twice that is sent twice"
    )
    yield Finding("repeat", False, None, text, "delete its series first", spoils=True)


def _there(held: Held, samples: int) -> str:
    least = "" if held.whole else "at least "
    return f"{held.where} already holds {least}{_number(samples)} of these series in this range"


def _number(samples: int) -> str:
    return f"{samples:,} sample{'s' if samples != 1 else ''}"


def _few_series(names: Sequence[str], series: Sequence[int]) -> Iterator[str]:
    """The blocks whose series together are not too many to look through."""
    left = _MOST_BLOCK_SERIES
    for name, count in zip(names, series, strict=True):
        left -= count
        if left >= 0:
            yield name


def _batches(names: Sequence[str], times: Sequence[tuple[int, int]]) -> Iterator[list[str]]:
    """The blocks some at a time, in order of time; those that overlap together, so that no sample counts twice."""
    batch: list[str] = []
    end = 0
    for name, (first, last) in zip(names, times, strict=True):
        if len(batch) >= _BLOCKS_AT_ONCE and first >= end:
            yield batch
            batch = []
        end = max(end, last) if batch else last
        batch.append(name)
    if batch:
        yield batch


def _mentions(path: Path, labels: LabelSet) -> bool:
    """Whether a block's index has these labels' values at all: told without reading its series."""
    try:
        with (path / "index").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as index:
            return all(index.find(value.encode("utf-8", "surrogatepass")) >= 0 for _, value in labels)
    except (OSError, ValueError):  # gone, or empty: damage is for others to tell
        return False
