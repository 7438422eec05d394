"""Expand label patterns to a fleet: ranges and products become byte matrices, without a loop over the values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from promfill.errors import InputError
from promfill.model.batch import Fleet, LabelSet, RaggedBytes, freeze
from promfill.model.ragged import Column, columns_to_ragged
from promfill.model.symbol_table import symbol_table
from promfill.model.types import I64Array, U8Array, U32Array
from promfill.scenario.label_patterns import LabelPattern, NumberRange, Part, count_series

_MAX_LABEL_BYTES = 1 << 30  # for one label's values, each padded to the longest


def build_fleet(metric: str, patterns: Sequence[LabelPattern]) -> Fleet:
    """The product of all patterns, with `metric` as ``__name__``, rows in label order.

    InputError: more than labels.MAX_SERIES series; a label with the same value twice (``{1,11}{1,11}`` makes 111 in
    two ways), or with values that take more than 1 GiB.
    """
    count = count_series(patterns)
    labels = sorted([LabelPattern("__name__", (metric,)), *patterns], key=lambda label: label.name)
    names = RaggedBytes.from_list([b"", *(label.name.encode() for label in labels)])
    symbols, ranks = _intern([names, *map(_expand, labels)])
    columns = [np.sort(column) for column in ranks[1:]]
    for label, column in zip(labels, columns, strict=True):
        _check_distinct(label, column, symbols)
    return Fleet(symbols, freeze(ranks[0][1:]), freeze(_product(columns, count)))


def fleet_from_label_sets(label_sets: Iterable[LabelSet]) -> tuple[Fleet, I64Array]:
    """A fleet of any label sets, and its order int64 (S,): row i is the ``order[i]``-th label set given.

    Rows are in Prometheus's order: pair by pair, name before value, a label set before longer ones that begin with it.
    A label with an empty value counts as absent. InputError: a name twice in a set, a set twice. This loops over all
    series: use it for series that were read, not for generated ones.
    """
    sets = [tuple(sorted(pair for pair in labels if pair[1])) for labels in label_sets]
    order = sorted(range(len(sets)), key=sets.__getitem__)
    _check_sets(sets, order)
    names = sorted({name for labels in sets for name, _ in labels})
    symbols = sorted({"", *names, *(value for labels in sets for _, value in labels)})
    place = {symbol: number for number, symbol in enumerate(symbols)}
    column = {name: number for number, name in enumerate(names)}
    values = np.zeros((len(sets), len(names)), np.uint32)
    for row, source in enumerate(order):
        for name, value in sets[source]:
            values[row, column[name]] = place[value]
    references = np.array([place[name] for name in names], np.uint32)
    table = RaggedBytes.from_list([symbol.encode() for symbol in symbols])
    return Fleet(table, freeze(references), freeze(values)), np.array(order, np.int64)


def _expand(pattern: LabelPattern) -> RaggedBytes:
    """All values of a label, in the order of the product of its parts."""
    columns = [_column(part) for part in pattern.parts]
    counts = [lengths.size for _, lengths in columns]
    total, width = pattern.count, sum(data.shape[1] for data, _ in columns)
    if total * width > _MAX_LABEL_BYTES:
        raise InputError(
            f"the {total:,} values of label '{pattern.name}' take up to {width:,} bytes each, over 1 GiB in all",
            "shorten them, or push in parts",
            field="labels",
        )
    return columns_to_ragged(
        [
            _spread(column, math.prod(counts[:place]), math.prod(counts[place + 1 :]))
            for place, column in enumerate(columns)
        ]
    )


def _spread(column: Column, outer: int, inner: int) -> Column:
    """The column with each row repeated `inner` times, and all of that `outer` times; a single row serves for all."""
    data, lengths = column
    if lengths.size == 1:
        return column
    rows, width = data.shape
    spread_data = np.broadcast_to(data[None, :, None, :], (outer, rows, inner, width)).reshape(-1, width)
    return spread_data, np.broadcast_to(lengths[None, :, None], (outer, rows, inner)).reshape(-1)


def _column(part: Part) -> Column:
    """The choices of one part, left-aligned."""
    if isinstance(part, NumberRange):
        return _number_column(part)
    choices = [choice.encode() for choice in ((part,) if isinstance(part, str) else part)]
    width = max(1, *map(len, choices))
    data = np.array(choices, f"S{width}").view(np.uint8).reshape(-1, width)
    return data, np.fromiter(map(len, choices), np.int64, len(choices))


def _number_column(numbers: NumberRange) -> Column:
    """Decimal digits; numbers with equally many digits are written together."""
    shortest, longest = len(str(numbers.first)), len(str(numbers.last))
    if numbers.width:
        shortest = longest = numbers.width
    data = np.zeros((numbers.count, longest), np.uint8)
    lengths = np.empty(numbers.count, np.int64)
    for digits in range(shortest, longest + 1):
        first = numbers.first if digits == shortest else 10 ** (digits - 1)
        end = numbers.last + 1 if digits == longest else 10**digits
        rows = slice(first - numbers.first, end - numbers.first)
        lengths[rows] = digits
        _write_digits(np.arange(first, end), data[rows, :digits])
    return data, lengths


def _write_digits(numbers: I64Array, out: U8Array) -> None:
    """Fill uint8 (n, digits) with the last digits of int64 (n,)."""
    for column in range(out.shape[1] - 1, -1, -1):
        numbers, digit = np.divmod(numbers, 10)
        np.add(digit, ord("0"), out=out[:, column], casting="unsafe")


def _intern(parts: Sequence[RaggedBytes]) -> tuple[RaggedBytes, list[U32Array]]:
    """One sorted table of all strings of all parts, and each part as references into it."""
    offsets = np.cumsum(np.concatenate([[0], *(part.lengths for part in parts)]))
    symbols, ranks = symbol_table(RaggedBytes(np.concatenate([part.buffer for part in parts]), offsets))
    return symbols, np.split(ranks, np.cumsum([len(part) for part in parts])[:-1])


def _product(columns: Sequence[U32Array], count: int) -> U32Array:
    """uint32 (count, L): all combinations, the first column slowest; in label order, since the columns ascend."""
    values = np.empty((count, len(columns)), np.uint32)
    inner = count
    for place, column in enumerate(columns):
        inner //= column.size
        values[:, place].reshape(-1, column.size, inner)[...] = column[:, None]
    return values


def _check_distinct(label: LabelPattern, column: U32Array, symbols: RaggedBytes) -> None:
    twice = np.flatnonzero(column[1:] == column[:-1])
    if twice.size:
        value = symbols[int(column[twice[0]])].decode()
        raise InputError(
            f"label '{label.name}' fans out to {value!r} in more than one way, which is the same series twice",
            "put a separator between the parts of its value",
            field="labels",
        )


def _check_sets(sets: Sequence[LabelSet], order: Sequence[int]) -> None:
    for labels in sets:
        for (name, _), (following, _) in pairwise(labels):
            if name == following:
                raise InputError(f"label {name!r} appears twice in {_format(labels)}", "leave one out", field="labels")
    for before, row in pairwise(order):
        if sets[before] == sets[row]:
            raise InputError(f"the series {_format(sets[row])} appears twice", "leave one out", field="labels")


def _format(labels: LabelSet) -> str:
    return "{" + ", ".join(f"{name}={value!r}" for name, value in labels) + "}"
