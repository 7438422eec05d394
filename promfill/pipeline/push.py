"""The pipeline: passes the tiles of a source to a sink."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from promfill.pipeline.shutdown import undisturbed
from promfill.protocols import Sink, SinkReport
from promfill.sources.generated import Source

Progress = Callable[[int], None]
Ready = Callable[[list[Path]], None]
"""Called with the paths that are complete, while the push goes on."""


def push(
    source: Source,
    sink: Sink,
    progress: Progress = lambda samples: None,
    ready: Ready = lambda paths: None,
) -> SinkReport:
    """Make every tile that the sink needs and pass it on; `progress` is called with the samples of each.

    If an error, Ctrl-C or SIGTERM ends the push early, it goes on to the caller after `sink.abort()`, which leaves no
    partial files; ``sink.report`` holds what had arrived.
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
