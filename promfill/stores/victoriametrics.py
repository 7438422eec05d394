"""Read raw samples from VictoriaMetrics by its export API (docs.victoriametrics.com)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import orjson

from promfill.errors import FormatError
from promfill.model.batch import STALE_NAN_BITS
from promfill.model.row_finder import RowFinder
from promfill.protocols import Readings, Selection
from promfill.stores.api import PIECE, Api, selector
from promfill.stores.series_runs import SeriesSamples, gather_series

FLUSHED_SECONDS = 1.0
"""How long it takes until rows are readable after a forced flush: the server's own flusher may hold some of them."""
UNFLUSHED_SECONDS = 30.0
"""The same if we may not force a flush (-forceFlushAuthKey, a cluster): the server flushes every few seconds."""

_PENDING = re.compile(rb'^vm_pending_rows\{type="storage"[^}]*\} (\d+)', re.MULTILINE)
_VALUES = re.compile(rb'"values":\[([^\]"]*(?:"[A-Za-z]+"[^\]"]*)*)\],"timestamps":\[[^\]]*\]\}\s*$')
_STALE = np.array([STALE_NAN_BITS], np.uint64).view(np.float64)[0]


class VictoriaMetricsStore:
    """A VictoriaMetrics, single node or cluster. It stores decimals of about 12 digits, not float64."""

    keeps_bits = False
    shows_markers = True
    unchecked = ""
    most_samples: int | None = None

    def __init__(self, api: Api) -> None:
        self._api = api
        self._flushed = False
        self.name = f"VictoriaMetrics at {api}"

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        """As `protocols.Store.read`. Forces a flush first, if allowed, to make acknowledged samples visible."""
        self._flushed = flush(self._api) or self._flushed
        parameters: dict[str, str | int] = {
            "match[]": selector((*selection.labels, _asked_for_the_first_time())),
            "start": _seconds(selection.start),
            "end": _seconds(selection.end),
            "nocache": 1,
        }
        with self._api.stream("GET", "/api/v1/export", parameters) as response:
            yield from gather_series(map(parse_line, _lines(response)), rows)

    @property
    def shows_within(self) -> float:
        """As `protocols.Store.shows_within`."""
        return FLUSHED_SECONDS if self._flushed else UNFLUSHED_SECONDS

    def pending(self) -> int:
        """The number of samples that wait in memory; 0 after a forced flush, which makes them visible."""
        if self._flushed:
            return 0
        answer = self._api.try_get_root("/metrics")
        return sum(int(count) for count in _PENDING.findall(answer.content)) if answer else 0


def _asked_for_the_first_time() -> tuple[str, str]:
    """A label that no series has, and that differs in each request.

    VictoriaMetrics caches for about ten seconds which series match a selector in a range, even with ``nocache``.
    Without this label, a query from before the push would hide the series that the push creates.
    """
    return f"promfill_{uuid4().hex}", ""


def flush(api: Api) -> bool:
    """Make acknowledged samples visible. False: the server does not allow it."""
    return api.try_get_root("/internal/force_flush") is not None


def parse_line(line: bytes) -> SeriesSamples:
    """Parse one line of the export: an object with metric, values and timestamps. FormatError: not a valid series."""
    try:
        try:
            series = orjson.loads(line)
            values = struct.pack(f"{len(series['values'])}d", *series["values"])
        except (orjson.JSONDecodeError, struct.error):  # infinities, which are not valid JSON, and nulls
            series, values = _read_odd_line(line)
        times = struct.pack(f"{len(series['timestamps'])}q", *series["timestamps"])
        labels = tuple(series["metric"].items())
    except (KeyError, TypeError, ValueError, AttributeError, struct.error) as error:
        raise FormatError("a line that is not a valid series", section="export") from error
    if len(values) != len(times):
        raise FormatError("a series of more values than timestamps, or fewer", section="export")
    return labels, np.frombuffer(times, np.int64), np.frombuffer(values, np.uint64)


def _read_odd_line(line: bytes) -> tuple[dict[str, Any], bytes]:
    """Parse a line without its values, and the values as the bytes of float64. ValueError: not a valid series."""
    found = _VALUES.search(line)
    if not found:
        raise ValueError("no values")
    texts = found[1].split(b",")
    values = [_STALE if text == b"null" else float(text.strip(b'"')) for text in texts]
    series: dict[str, Any] = orjson.loads(line[: found.start(1)] + line[found.end(1) :])
    return series, np.array(values).tobytes()


def _lines(response: httpx.Response) -> Iterable[bytes]:
    parts: list[bytes] = []
    for piece in response.iter_bytes(PIECE):
        *lines, rest = piece.split(b"\n")
        if lines:
            parts.append(lines[0])
            yield b"".join(parts)
            yield from lines[1:]
            parts = []
        parts.append(rest)
    last = b"".join(parts)
    if last.strip():
        yield last


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"
