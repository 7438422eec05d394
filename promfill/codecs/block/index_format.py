"""The layout of the index file, for its writer and its reader.

    header │ symbols │ series │ postings │ postings offset table │ table of contents

Source: prometheus/prometheus, tsdb/docs/format/index.md and tsdb/index/index.go. If they disagree, the code counts:
the version is 2, and label indices are no longer written, though the table of contents keeps their places.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from promfill.codecs.bits.checksum import crc32c
from promfill.errors import InputError

MAGIC = 0xBAAAD700
VERSION = 2
HEADER = struct.pack(">IB", MAGIC, VERSION)

SERIES_ALIGN = 16
"""Series entries begin at multiples of this; a series' id is its offset divided by it."""
POSTINGS_ALIGN = 4
MAX_SERIES_END = SERIES_ALIGN << 32
"""The series section must end before this offset, for its ids to fit 32 bits."""

Piece = bytes | memoryview
"""Bytes of a file, to be written one after the other."""

_TOC = struct.Struct(">6Q")


@dataclass(frozen=True, slots=True)
class TableOfContents:
    """Where each section begins, in bytes from the file's start; the file's last 52 bytes."""

    symbols: int
    series: int
    label_indices: int
    label_indices_table: int
    postings: int
    postings_table: int

    def encode(self) -> bytes:
        """The six offsets and their checksum."""
        index, table = self.label_indices, self.label_indices_table
        body = _TOC.pack(self.symbols, self.series, index, table, self.postings, self.postings_table)
        return body + be32(crc32c(body))


def be32(number: int) -> bytes:
    """Big-endian, four bytes. InputError: a section whose length does not fit four bytes."""
    try:
        return number.to_bytes(4)
    except OverflowError:
        raise InputError("an index section would exceed 4 GiB", "push fewer series at once") from None


def padding(position: int, align: int) -> bytes:
    """The zero bytes from ``position`` to the next multiple of ``align``."""
    return bytes(-position % align)
