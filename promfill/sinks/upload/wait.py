"""Wait until uploaded blocks can be queried, with the full count of their samples.

A store gateway learns of new blocks once in a while, and answers without them until then without saying so; only the
count tells. For each block and metric, the samples of the block's own series are counted, in the block's range.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from promfill.blocks.block import Block, open_block
from promfill.errors import ReceiverError, RefusedError, setting
from promfill.model.batch import LabelSet
from promfill.net.retry import Retry
from promfill.stores.api import Api, selector

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LONGEST_WAIT = 86_400.0
NAME = "__name__"

Told = Callable[[int, int], None]
"""Called with the number of samples that can be queried, each time it changes, and the number expected."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a query for one metric of one block should count: samples by label set; [start, end] is closed, in ms."""

    metric: str
    start: int
    end: int
    counts: dict[LabelSet, int]

    @property
    def total(self) -> int:
        """All of the samples."""
        return sum(self.counts.values())


def expectations(path: Path) -> list[Expected]:
    """What should be found of a block. FormatError: the block is damaged."""
    block = open_block(path)
    found: dict[str, dict[LabelSet, int]] = {}
    for labels, count in _counts(block):
        found.setdefault(dict(labels).get(NAME, ""), {})[labels] = count
    return [Expected(name, block.meta.min_time, block.meta.max_time - 1, counts) for name, counts in found.items()]


def wait_until_queryable(
    api: Api,
    expected: Sequence[Expected],
    told: Told = lambda found, total: None,
    *,
    retry: Retry,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Ask until every sample is counted. ReceiverError: there is no query API, or the count is incomplete after a day.

    retry: how long a query without an answer is repeated.
    """
    total = sum(one.total for one in expected)
    counts: dict[int, int] = {}
    pause, ends, before = FIRST_PAUSE, clock() + LONGEST_WAIT, -1
    while True:
        for place, one in enumerate(expected):
            if counts.get(place) != one.total:
                counts[place] = count_found(api, one, retry)
        now = sum(counts.values())
        if now != before:
            told(now, total)
        before = now
        if now == total:
            return
        if clock() > ends:
            raise ReceiverError(f"after a day {now:,} of {total:,} samples can be queried at {api}: ask its operator")
        sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.5)


def _counts(block: Block) -> Iterator[tuple[LabelSet, int]]:
    """Samples of each series, as counted in its chunks."""
    refs = block.series.refs
    counts = np.zeros(refs.size, np.int64)
    for segment, which, records in block.read_chunks(np.arange(refs.size)):
        counts[which] = segment.buffer[records.starts].astype(np.int64) << 8 | segment.buffer[records.starts + 1]
    sums = np.diff(np.append(0, np.cumsum(counts))[block.series.chunk_bounds])
    return ((block.label_set(row), count) for row, count in enumerate(sums.tolist()))


def count_found(api: Api, one: Expected, retry: Retry) -> int:
    """How many of the samples are counted now; of each series at most the expected number. Errors as the waiting's."""
    query = f"count_over_time({selector(((NAME, one.metric),))}[{one.end - one.start + 1}ms])"
    moment = f"{one.end // 1000}.{one.end % 1000:03d}"
    response = retry.run(lambda: api.get("/api/v1/query", {"query": query, "time": moment, "nocache": 1}))
    if response.status_code == 404:
        raise api.client.error(response, f"no query API is there; set {setting('query_url')} to its base address")
    api.client.check(response)
    found: Counter[LabelSet] = Counter()
    for labels, count in _vector(response.content):
        found[labels] += count
    # count_over_time drops the name
    return sum(
        min(count, found[tuple(pair for pair in labels if pair[0] != NAME)]) for labels, count in one.counts.items()
    )


def _vector(body: bytes) -> Iterator[tuple[LabelSet, int]]:
    import orjson

    try:
        answer = orjson.loads(body)
        for series in answer["data"]["result"]:
            labels = tuple(sorted(pair for pair in series["metric"].items() if pair[0] != NAME))
            yield labels, int(float(series["value"][1]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError) as error:
        problem = f"the query API's answer is not a vector ({error})"
        raise RefusedError(problem, f"check {setting('query_url')}") from None
