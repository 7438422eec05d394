"""The whole pipeline: tiles of a source into a sink."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from promfill.pipeline.shutdown import undisturbed
from promfill.protocols import Sink, SinkReport
from promfill.sources.generated import Source

Progress = Callable[[int], None]
Ready = Callable[[list[Path]], None]
"""Is given the paths that have become whole, or were found so, as the push goes on."""


def push(
    source: Source,
    sink: Sink,
    progress: Progress = lambda samples: None,
    ready: Ready = lambda paths: None,
) -> SinkReport:
    """Make every tile that the sink wants and give it over; `progress` is told the samples of each.

    Whatever ends the push early (an error, Ctrl-C, SIGTERM) goes on to the caller after `sink.abort()`, which leaves
    nothing half written; what had arrived is in ``sink.report``.
    """
    try:
        for tile in sink.tiles():
            sink.write(source.batch(tile))
            progress(tile.samples)
            ready(sink.report.take_ready())
        report = sink.commit()
        ready(report.take_ready())
        return report
    except BaseException:
        with undisturbed():
            sink.abort()
        raise
