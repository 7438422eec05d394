"""The file ``tombstones`` of a block without deletions: promfill deletes nothing.

Source: prometheus/prometheus, tsdb/docs/format/tombstones.md and tsdb/tombstones/tombstones.go.
"""

from __future__ import annotations

import struct

from promfill.codecs.bits.checksum import crc32c

MAGIC = 0x0130BA30
VERSION = 1

EMPTY_TOMBSTONES = struct.pack(">IBI", MAGIC, VERSION, crc32c(b""))
"""The whole file: magic, version, no stones, and the checksum over the stones."""
