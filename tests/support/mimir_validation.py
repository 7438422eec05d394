"""What the double does with a block that is finished: Mimir's validation, by arrays.

Source: grafana/mimir, commit 133e53bdde61 (2026): pkg/storage/tsdb/block/blockvalidation/disk.go (CheckBlockOnDisk) and
pkg/storage/tsdb/block/index.go (VerifyBlock).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from promfill.blocks.block import Block, open_block
from promfill.codecs.xor.decode import decode_chunks
from promfill.errors import FormatError, InputError
from tests.support.mimir_rules import Limits, Meta, files, times, too_big


def validation_error(folder: Path, meta: Meta, limits: Limits) -> str:
    """CheckBlockOnDisk and VerifyBlock: the words, or nothing."""
    words = too_big(meta, limits)
    if words:
        return words
    for name, size in files(meta):
        path = folder / name
        if not path.exists():
            return f"failed to stat {name}: stat {path}: no such file or directory"
        if path.stat().st_size != size:
            return f"file size mismatch for {name}"
    copy = folder.with_suffix(".validation")  # as Mimir renames it in its own copy
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, copy_function=lambda a, b: Path(b).hardlink_to(a))
    (copy / "uploading-meta.json").rename(copy / "meta.json")
    try:
        verify_block(open_block(copy), *times(meta), check_chunks=limits.verify_chunks)
    except (FormatError, InputError, ValueError) as error:
        return f"error validating block: {error}"
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return ""


def verify_block(block: Block, low: int, high: int, *, check_chunks: bool) -> None:
    """GatherBlockHealthStats and AnyErr, by arrays. ValueError says what is wrong."""
    version = int(block.index.buffer[4])
    if version != 2:
        raise ValueError(f"index uses format {version} which is not supported ([2] are supported)")
    entries = block.series
    label_sets = [block.label_set(row) for row in range(len(block))]
    for before, labels in zip([(), *label_sets], label_sets, strict=False):
        if not labels:
            raise ValueError("empty label set detected")
        if before and before >= labels:
            raise ValueError(f"series {labels} out of order; previous {before}")
        if list(labels) != sorted(labels):
            raise ValueError("index contains 1 postings with out of order labels")
    counts = np.diff(entries.chunk_bounds)
    if (counts == 0).any():
        raise ValueError(f"empty chunks for series {int(np.argmin(counts))}")
    if check_chunks:
        verify_chunks(block)
    outside = (entries.min_times < low) | (entries.max_times > high)
    if outside.any():
        raise ValueError(f"found {int(outside.sum())} chunks partially outside the block time range")
    inner = np.ones(entries.refs.size, np.bool_)
    inner[entries.chunk_bounds[:-1]] = False
    late = inner[1:] & (entries.min_times[1:] <= entries.max_times[:-1])
    if late.any():
        raise ValueError(f"1/{len(block)} series have an average of {int(late.sum()):.3f} out-of-order chunks")


def verify_chunks(block: Block) -> None:
    """verifyChunks: checksum (by the reader), samples, rising times, first and last as the index tells."""
    entries = block.series
    for segment, which, records in block.read_chunks(np.arange(entries.refs.size)):
        if (records.encodings != 1).any():
            raise ValueError("unsupported value type in chunk")
        decoded = decode_chunks(segment.buffer, records.starts, records.ends)
        last = decoded.times[decoded.counts - 1, np.arange(which.size)]
        if (decoded.counts == 0).any():
            raise ValueError("no samples found in chunk")
        if (decoded.times[0] != entries.min_times[which]).any():
            raise ValueError("first sample doesn't match chunk MinTime")
        if (last != entries.max_times[which]).any():
            raise ValueError("last sample doesn't match chunk MaxTime")
        rows = np.arange(len(decoded.times))[1:, None] < decoded.counts
        if ((decoded.times[1:] <= decoded.times[:-1]) & rows).any():
            raise ValueError("out of order sample timestamps")
