"""Keys of label sets: frozen, and of nothing but their own labels."""

from __future__ import annotations

import hashlib

import numpy as np

from promfill.model.batch import Fleet, LabelSet, RaggedBytes
from promfill.sources.signals.keys import label_keys

MASK = 2**64 - 1


def rows_of(*sets: dict[str, str], more_symbols: tuple[str, ...] = ()) -> Fleet:
    """The label sets as rows, in the order given."""
    names = sorted({name for labels in sets for name in labels})
    symbols = sorted({"", *names, *more_symbols, *(value for labels in sets for value in labels.values())})
    at = {symbol: number for number, symbol in enumerate(symbols)}
    rows = [[at[labels.get(name, "")] for name in names] for labels in sets]
    values = np.array(rows, np.uint32).reshape(len(sets), len(names))
    table = RaggedBytes.from_list([symbol.encode() for symbol in symbols])
    return Fleet(table, np.array([at[name] for name in names], np.uint32), values)


def scalar_mix(x: int) -> int:
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def blake(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def reference(labels: LabelSet) -> int:
    return scalar_mix(sum(scalar_mix(blake(value) ^ scalar_mix(blake(name))) for name, value in labels) & MASK)


A = {"__name__": "vpn", "instance": "127.0.0.2:9273", "uuid": "device-123"}
B = {"__name__": "vpn", "instance": "127.0.0.3:9273", "zone": "zürich"}
C = {"__name__": "vpn"}


def test_keys_are_frozen() -> None:
    assert [hex(key) for key in label_keys(rows_of(A, B, C)).tolist()] == [
        "0x33c2f2d64e02a1c",
        "0xf7f1635ad6677b",
        "0x1bda32d75da7126b",
    ]


def test_keys_are_the_references() -> None:
    fleet = rows_of(A, B, C)
    assert label_keys(fleet).tolist() == [reference(fleet.label_set(row)) for row in range(3)]


def test_other_series_order_and_symbols_change_no_key() -> None:
    a, b, c = label_keys(rows_of(A, B, C)).tolist()
    assert label_keys(rows_of(C, A)).tolist() == [c, a]
    assert label_keys(rows_of(B)).tolist() == [b]
    crowd = [C | {"aaa": str(number)} for number in range(50)]
    assert label_keys(rows_of(*crowd, A, more_symbols=("!", "never used"))).tolist()[-1] == a


def test_labels_that_could_be_confused_have_different_keys() -> None:
    sets = [
        {"a": "b"},
        {"b": "a"},
        {"a": "a", "b": "b"},
        {"a": "b", "b": "a"},
        {"ab": "c"},
        {"a": "bc"},
        {"a": "bb"},
        {"a": "b", "c": "d"},
        {"a": "d", "c": "b"},
        {"a": "b", "c": "b"},
    ]
    assert len(set(label_keys(rows_of(*sets)).tolist())) == len(sets)


def test_many_rows_are_the_same_as_few() -> None:
    sets = [{"instance": str(number), "job": "node"} for number in range(40_000)]
    keys = label_keys(rows_of(*sets))
    assert len(np.unique(keys)) == keys.size
    for row in (0, 16_383, 16_384, 39_999):
        assert label_keys(rows_of(sets[row]))[0] == keys[row]


def test_an_empty_fleet_has_no_keys() -> None:
    assert label_keys(rows_of()).tolist() == []
