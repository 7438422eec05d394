"""Fleets from written label sets."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from promfill.model.batch import Fleet, LabelSet, RaggedBytes


def label_order(labels: LabelSet) -> list[tuple[bytes, bytes]]:
    """The key by which Prometheus sorts label sets."""
    return [(name.encode(), value.encode()) for name, value in labels]


def fleet_of(label_sets: Iterable[LabelSet]) -> Fleet:
    """The fleet of distinct label sets, in label order."""
    rows = sorted(label_sets, key=label_order)
    texts = sorted({b""} | {text.encode() for labels in rows for pair in labels for text in pair})
    number = {text.decode(): place for place, text in enumerate(texts)}
    names = sorted({number[name] for labels in rows for name, _ in labels})
    values = np.zeros((len(rows), len(names)), np.uint32)
    for row, labels in enumerate(rows):
        for name, value in labels:
            values[row, names.index(number[name])] = number[value]
    return Fleet(RaggedBytes.from_list(texts), np.array(names, np.uint32), values)
