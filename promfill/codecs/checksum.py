"""CRC32-C (Castagnoli, RFC 3720 appendix B.4), the checksum of every part of a block."""

from __future__ import annotations

import crc32c as _castagnoli
import numpy as np
from numpy.typing import NDArray

Bytes = bytes | bytearray | memoryview | NDArray[np.uint8]


def crc32c(buffer: Bytes, crc: int = 0) -> int:
    """The checksum of the buffer; with ``crc``, of what that was the checksum of and then the buffer."""
    return _castagnoli.crc32c(_view(buffer), crc)


def crc32c_many(buffer: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The checksums uint32 (n,) of ``buffer[starts[i]:ends[i]]``; starts and ends int64 (n,).

    One C call a piece: tables in numpy are no faster, and most of the time goes to the slicing.
    """
    pieces = map(_view(buffer).__getitem__, map(slice, starts.tolist(), ends.tolist()))
    return np.fromiter(map(_castagnoli.crc32c, pieces), np.uint32, starts.size)


def _view(buffer: Bytes) -> memoryview:
    return buffer.data if isinstance(buffer, np.ndarray) else memoryview(buffer)
