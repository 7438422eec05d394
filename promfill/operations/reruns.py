"""Finds samples of a push that already exist, before anything is sent: the user may have run the same command before.

Existing samples of the same series in the same range are of three kinds. *Same*: same time and same value;
VictoriaMetrics would keep them twice. *Other values* at the same times: for example, the command ran an hour ago, so
its trend and noise began at another start. *Other times*: the new samples would lie between the existing ones, and each
series would have twice as many samples. This uses the reader and the comparison of verify. It limits how much it reads,
because a store may hold years of samples.
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
"""Reading stops after this many samples, which take about a second."""

MOST_READS = 24
"""Reading stops after this many spans of time, if a store is read in several spans."""

_BLOCKS_AT_ONCE = 16
_MOST_BLOCK_SERIES = 1_000_000
"""The most series, over all blocks, whose index entries are read; this many take some seconds."""

SHOWN_SECONDS = 10.0
"""VictoriaMetrics shows new samples some seconds late: until then, finding no samples proves nothing."""

VICTORIA_METRICS = "VictoriaMetrics"


@dataclass(frozen=True, slots=True)
class Held:
    """The existing samples of the push's series in its range. whole: everything was read; else there may be more.

    same: samples with the push's times and values (or with the values as the store rounds them). other_times: samples
    at times that the push does not have. other_values: samples at the push's times with other values. samples: the
    number of samples in the push, without those that the store cannot show. in_blocks: `where` is a directory.
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
        """Whether no such sample exists."""
        return self.whole and not (self.same or self.other_times or self.other_values)

    @property
    def everything(self) -> bool:
        """Whether all samples of the push exist already."""
        return self.whole and self.same == self.samples


@dataclass(frozen=True, slots=True)
class Earlier:
    """A finished push, as its checkpoint describes it. start, end: Unix ms. age: seconds since it finished.

    doubles: its receiver stores a sample twice if it is sent twice, as VictoriaMetrics does; False if this is unknown.
    same_run: it had the same options as this command, so with its start and end this command is the same push.
    uploaded: it was uploaded as blocks to a Mimir, which shows them hours later.
    """

    path: Path
    start: int
    end: int
    doubles: bool
    same_run: bool
    age: float
    uploaded: bool = False


def look_in_store(source: Source, store: Store) -> Held:
    """Find the samples that a store holds, through its query API. ReceiverError, FormatError: it cannot be read."""
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
    """Find the samples that these blocks of a directory hold. FormatError, InputError: the blocks cannot be read."""
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
    """Make the findings to report. store: the facts about the store; None if it could not be queried."""
    found = list(_of_held(held, earlier, source, None if held.in_blocks else store)) if held else []
    if earlier and not any(finding.spoils for finding in found):
        found += _of_earlier(earlier, held, source, store)
    return found


def _of_held(held: Held, earlier: Earlier | None, source: Source, store: StoreFacts | None) -> Iterator[Finding]:
    doubles = store is not None and store.doubles
    mixes = store is not None and store.name == VICTORIA_METRICS  # it accepts all, even with deduplication
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
    """Explain how to repeat the push that already exists, or how to avoid it."""
    if earlier and earlier.same_run and earlier.start != source.grid.start:
        start, end = setting("start", format_seconds(earlier.start)), setting("end", format_seconds(earlier.end))
        return f"the same command with {start} {end} is the same push as before"
    times = f"{setting('start')} and {setting('end')}"
    return f"give the {times} of the push that is there, delete its series, or tell this one apart by a label"


def _of_earlier(earlier: Earlier, held: Held | None, source: Source, store: StoreFacts | None) -> Iterator[Finding]:
    """Findings from the checkpoint of a finished push. If the store could be queried, its own answer counts more."""
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
    """The first blocks, as many as together have few enough series to read."""
    left = _MOST_BLOCK_SERIES
    for name, count in zip(names, series, strict=True):
        left -= count
        if left >= 0:
            yield name


def _batches(names: Sequence[str], times: Sequence[tuple[int, int]]) -> Iterator[list[str]]:
    """Split the blocks into batches, ordered by time. Overlapping blocks share a batch, so no sample counts twice."""
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
    """Whether a block's index contains these labels' values. This is fast, because it does not read the series."""
    try:
        with (path / "index").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as index:
            return all(index.find(value.encode("utf-8", "surrogatepass")) >= 0 for _, value in labels)
    except (OSError, ValueError):  # the index is missing or empty; other checks report damage
        return False
