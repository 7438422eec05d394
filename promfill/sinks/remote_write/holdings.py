"""Ask VictoriaMetrics which samples of a request it holds, before sending the request again.

Without deduplication it keeps both copies of a sample that is sent twice, and its answers never say so. So after an
attempt with an unknown result, the request's series and times are read back. One doubt remains: an attempt that the
server was still working on while it was queried. With -dedup.minScrapeInterval=1ms there is no such doubt.

VictoriaMetrics shows samples that it has just accepted when it is told to, or by itself after a moment. Where it cannot
be told (the flag -forceFlushAuthKey, or a proxy), that moment is waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from promfill.errors import FormatError, ReceiverError
from promfill.model.batch import Fleet, LabelSet
from promfill.model.row_finder import RowFinder
from promfill.net.http import HttpClient, NoAnswerError
from promfill.protocols import Selection
from promfill.sinks.remote_write.message import Message
from promfill.stores.api import Api, refused
from promfill.stores.victoriametrics import VictoriaMetricsStore, flush

Held = dict[LabelSet, set[int]]
"""Times (ms) of the samples that are there, by series."""

SHOWN_AFTER = 5.0
"""Seconds until rows can be read: its two buffers, of samples and of new series, are kept for one or two each."""

_CANNOT_BE_ASKED = (400, 401, 403, 404, 405)


class Holdings:
    """The receiver's samples, by its query API at `base`; None where that is not known. `wait` takes seconds."""

    def __init__(self, fleet: Fleet, base: str | None, wait: Callable[[float], None]) -> None:
        self._fleet, self._base, self._wait = fleet, base, wait
        self._rows: RowFinder | None = None
        self._lock = threading.Lock()

    def of(self, message: Message, client: HttpClient) -> Held | None:
        """The samples of the message's series and times that are there; None where there is no query API.

        NoAnswerError where the store may answer later.
        """
        if self._base is None:
            return None
        api = Api(client, self._base)
        selection = Selection(self._shared_labels(message.series), message.oldest, message.newest)
        held: Held = {}
        try:
            if not flush(api):
                self._wait(SHOWN_AFTER)
            for readings in VictoriaMetricsStore(api).read(selection, self._finder()):
                samples = readings.samples
                runs = np.split(samples.times, samples.bounds[1:-1])
                for row, times in zip(samples.rows.tolist(), runs, strict=True):
                    if row in message.series:
                        held[self._fleet.label_set(row)] = set(times.tolist())
        except NoAnswerError as error:
            error.may_have_arrived = False
            raise
        except FormatError:  # an HTML page of a proxy before it
            return None
        except ReceiverError as error:
            if refused(error, _CANNOT_BE_ASKED):
                return None
            raise NoAnswerError(error.marked, may_have_arrived=False) from error
        return held

    def _shared_labels(self, series: range) -> LabelSet:
        """The labels that all of these series share: they select these series, and perhaps a few others."""
        values = self._fleet.values[series.start : series.stop]
        shared = np.flatnonzero((values == values[0]).all(axis=0) & (values[0] > 0)).tolist()
        symbols, names = self._fleet.symbols, self._fleet.names
        return tuple((symbols[names[at]].decode(), symbols[values[0, at]].decode()) for at in shared)

    def _finder(self) -> RowFinder:
        with self._lock:
            self._rows = self._rows or RowFinder(self._fleet)
            return self._rows
