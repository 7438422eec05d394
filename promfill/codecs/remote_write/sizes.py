"""How large a request of either version can get, before it is made."""

from __future__ import annotations

from promfill.codecs.remote_write.version_1 import encode_metadata, longest_labels
from promfill.model.batch import Fleet

REFERENCE_MAX = 5
METADATA_2_MAX = 2 + 2 + 2 * (1 + REFERENCE_MAX)
"""Bytes of the metadata of a series of 2.0."""


def largest_parts(fleet: Fleet, metric: str, description: str, unit: str) -> tuple[int, int]:
    """Bytes of a series without its samples, and of a request without its series, that neither version exceeds.

    A series of 2.0 brings symbols, references to them and metadata: at worst its symbols are all its own, and each
    takes no more bytes than the label in 1.0.
    """
    references = 2 + 2 * REFERENCE_MAX * fleet.names.size
    told = encode_metadata(metric, description, unit)
    return longest_labels(fleet) + references + METADATA_2_MAX, len(told) + 64
