"""Mode openmetrics: one text file for each metric, streamed.

The file grows under a temporary name beside its own (`claims`), and gets its name when it is complete and synced. A
file that had the name before stays until then, and a push that was killed leaves nothing that looks finished.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from promfill.codecs.openmetrics.encode import EOF, encode_batch, encode_metadata, validate_openmetrics
from promfill.errors import InputError, setting
from promfill.files.claims import claim_directory, temporary_path
from promfill.files.directory import check_writable, disk_errors, sync_directory
from promfill.model.batch import Fleet, SeriesBatch
from promfill.model.grid import Grid, Tile, series_tiles
from promfill.protocols import SinkReport

NAME_MAX = 255  # bytes, on every usual file system
TILE_SAMPLES = 1 << 15  # the lines of one tile stay in the caches: tiles of 200,000 samples take twice as long


class OpenMetricsSink:
    """Writes ``<output_dir>/<metric>_backfill_<start>.txt``, start in whole seconds; valid for promtool.

    InputError: a description or unit that promtool would refuse, or an output directory that cannot be written. The
    constructor makes nothing: the directory and the file are made with the first batch.
    """

    def __init__(self, fleet: Fleet, grid: Grid, metric: str, description: str, unit: str, output_dir: Path) -> None:
        validate_openmetrics(metric, description, unit)
        self.metric = metric
        self.path = output_dir / f"{metric}_backfill_{grid.start // 1000}.txt"
        self._partial = temporary_path(self.path, os.getpid())
        self._claim: int | None = None
        check_writable(output_dir)
        _check_names(self.path, self._partial)
        self.report = SinkReport()
        self._fleet, self._grid = fleet, grid
        self._header = encode_metadata(metric, description, unit)
        self._file: BinaryIO | None = None

    def tiles(self) -> Iterator[Tile]:
        """Series by series, each in time order."""
        return series_tiles(self._grid, len(self._fleet), TILE_SAMPLES)

    def write(self, batch: SeriesBatch) -> None:
        """Encode the next tile, and append its lines. OutputError: the disk is full or gone."""
        self._append(self._file or self._begin(), self.encode(batch))
        self.report.samples += batch.samples

    def encode(self, batch: SeriesBatch) -> bytes:
        """The lines of a tile. Pure: another process may do it."""
        return encode_batch(batch)

    def begin(self) -> int:
        """Create the file for `promfill.pipeline.ordered_workers`; return where the first tile belongs."""
        return self._begin().tell()

    def write_at(self, offset: int, data: bytes) -> None:
        """Write the lines of a tile at their place, in any process. OutputError: the disk is full or gone."""
        rest = memoryview(data)
        with disk_errors(self.path), self._partial.open("r+b", buffering=0) as file:
            file.seek(offset)
            while rest:
                rest = rest[file.write(rest) :]

    def written(self, end: int, samples: int) -> None:
        """Note that workers have written everything before the offset `end`."""
        if self._file is not None:
            self._file.seek(end)
        self.report.bytes = end
        self.report.samples += samples

    def commit(self) -> SinkReport:
        """End the text, make it durable, and give it its name. OutputError as for `write`."""
        file = self._file or self._begin()
        self._append(file, EOF)
        with disk_errors(self.path):
            os.fsync(file.fileno())
            file.close()
            self._partial.replace(self.path)
            sync_directory(self.path.parent)
        self._file = None
        self._release()
        self.report.paths.append(self.path)
        return self.report

    def abort(self) -> None:
        """Remove what was written: no sample arrives."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._partial.unlink()
            self._file = None
            self._release()
            self.report.samples = self.report.bytes = 0

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        """The size of a line like those of the batch."""
        return len(encode_batch(batch)) / max(1, batch.samples)

    def _begin(self) -> BinaryIO:
        """Open the partial file and write what comes before the samples. InputError: it cannot be made."""
        self._claim = claim_directory(self.path.parent)
        try:
            self._file = self._partial.open("wb", buffering=0)
        except OSError as error:
            fix = f"choose another {setting('output_dir')}"
            raise InputError(f"{self.path} cannot be written: {error.strerror}", fix, field="output_dir") from error
        self._append(self._file, self._header)
        return self._file

    def _release(self) -> None:
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def _append(self, file: BinaryIO, data: bytes) -> None:
        """Write all of the data: one call writes at most 2 GiB, and a disk that fills up takes only a part."""
        rest = memoryview(data)
        with disk_errors(self.path):
            while rest:
                rest = rest[file.write(rest) :]
        self.report.bytes += len(data)


def _check_names(path: Path, partial: Path) -> None:
    if len(os.fsencode(partial.name)) > NAME_MAX:
        raise InputError(
            f"{path.name} is too long for a file name",
            f"choose a shorter {setting('metric_name')}",
            field="metric_name",
        )
    if path.is_dir():
        fix = f"remove it, or choose another {setting('output_dir')}"
        raise InputError(f"{path} is a directory", fix, field="output_dir")
