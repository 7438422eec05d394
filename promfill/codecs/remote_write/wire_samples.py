"""Float samples as protobuf carries them in remote write, many at a time.

    0x12 length | 0x09 value, 8 bytes little-endian | 0x10 timestamp, varint

Between 2^35 and 2^42 ms (1971 to 2109) the varint is 6 bytes long and a sample therefore 18: the samples of a request
are an array of records, and only values are ever written (`sample_records`). Other timestamps make samples of
different lengths, which are joined one by one, still without a loop (`encode_samples`).

A value or timestamp of 0 is written out, although proto3 omits a 0: parsers accept both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.bits.varint import encode_uvarints
from promfill.model.batch import RaggedBytes
from promfill.model.ragged import columns_to_ragged, constant
from promfill.model.types import I64Array, U64Array

SAMPLE_TAG = b"\x12"
VALUE_TAG = b"\x09"
TIME_TAG = b"\x10"
VALUE_BYTES = 8
TIME_BYTES = 6
SAMPLE_BYTES = len(SAMPLE_TAG) + 1 + len(VALUE_TAG) + VALUE_BYTES + len(TIME_TAG) + TIME_BYTES
LONGEST_SAMPLE = SAMPLE_BYTES + 1
"""With any timestamp from 1970 to the year 19,800; one before 1970 takes 10 bytes."""

SAMPLE = np.dtype([("open", "u1", (3,)), ("value", "<u8"), ("tag", "u1"), ("time", "u1", (TIME_BYTES,))])
VALUE_AT = len(SAMPLE_TAG) + 1 + len(VALUE_TAG)
"""Where the value of a sample begins."""

_FIRST, _END = 1 << 7 * (TIME_BYTES - 1), 1 << 7 * TIME_BYTES
_SHIFTS = np.arange(0, 7 * TIME_BYTES, 7)
_MORE = np.array([0x80] * (TIME_BYTES - 1) + [0], np.uint8)


def is_fixed_width(timestamps: I64Array) -> bool:
    """Whether every timestamp (ms) is a varint of 6 bytes, so that `sample_records` holds it."""
    return timestamps.size > 0 and int(timestamps.min()) >= _FIRST and int(timestamps.max()) < _END


def sample_records(timestamps: I64Array) -> NDArray[np.void]:
    """SAMPLE records of the shape of `timestamps` (ms, `is_fixed_width`), complete except for their values."""
    records = np.empty(timestamps.shape, SAMPLE)
    records["open"] = tuple(SAMPLE_TAG + bytes([SAMPLE_BYTES - 2]) + VALUE_TAG)
    records["tag"] = ord(TIME_TAG)
    records["time"] = (timestamps[..., None] >> _SHIFTS).astype(np.uint8) & 0x7F | _MORE
    return records


def encode_samples(timestamps: I64Array, bits: U64Array) -> RaggedBytes:
    """n samples of any timestamps, one string each; timestamps (ms) and value bits are (n,)."""
    times, lengths = encode_uvarints(timestamps.view(np.uint64))
    body = (lengths + (SAMPLE_BYTES - 2 - TIME_BYTES)).astype(np.uint8)
    values = bits.astype("<u8").view(np.uint8).reshape(-1, VALUE_BYTES)
    columns = [
        constant(SAMPLE_TAG),
        (body[:, None], np.array([1])),
        constant(VALUE_TAG),
        (values, np.array([VALUE_BYTES])),
        constant(TIME_TAG),
        (times, lengths),
    ]
    return columns_to_ragged(columns)
