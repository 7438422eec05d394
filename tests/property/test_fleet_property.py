from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from promfill.errors import InputError
from promfill.model.batch import LabelSet, RaggedBytes
from promfill.model.symbol_table import symbol_table
from promfill.scenario.label_patterns import LabelPattern, NumberRange, Part, parse_labels
from promfill.sources.expand_labels import build_fleet, fleet_from_label_sets

text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)
choices = st.lists(text, min_size=1, max_size=4, unique=True).map(tuple)
numbers = st.builds(
    lambda first, count, padded: NumberRange(first, first + count, len(str(first + count)) + 1 if padded else 0),
    st.integers(0, 10**17),
    st.integers(0, 30),
    st.booleans(),
) | st.just(NumberRange(8, 101))
parts = st.lists(text | choices | numbers, min_size=1, max_size=3).map(tuple)
names = st.from_regex("[a-zA-Z_][a-zA-Z0-9_]{0,3}", fullmatch=True)
label_names = st.lists(names, max_size=3, unique=True)


def values_of(part: Part) -> list[str]:
    if isinstance(part, NumberRange):
        return [str(number).zfill(part.width) for number in range(part.first, part.last + 1)]
    return [part] if isinstance(part, str) else list(part)


def reference(metric: str, patterns: list[LabelPattern]) -> list[LabelSet]:
    columns = [("__name__", [metric])]
    columns += [(p.name, ["".join(v) for v in itertools.product(*map(values_of, p.parts))]) for p in patterns]
    pairs = [[(name, value) for value in values] for name, values in columns]
    return sorted(tuple(sorted(labels)) for labels in itertools.product(*pairs))


@given(label_names.flatmap(lambda ns: st.tuples(*(st.builds(LabelPattern, st.just(n), parts) for n in ns))))
def test_a_fleet_is_the_sorted_product(patterns: tuple[LabelPattern, ...]) -> None:
    small = [pattern for pattern in patterns if pattern.count <= 60]
    expected = reference("m", small)
    try:
        fleet = build_fleet("m", small)
    except InputError:
        assert len(set(expected)) < len(expected)
        return
    assert [fleet.label_set(row) for row in range(len(fleet))] == expected
    assert list(fleet.symbols) == sorted(set(fleet.symbols) | {b""})


@given(st.lists(st.dictionaries(names, text, max_size=4).map(lambda d: tuple(sorted(d.items()))), unique=True))
def test_label_sets_come_back_in_order(sets: list[LabelSet]) -> None:
    fleet, order = fleet_from_label_sets(sets)
    assert [fleet.label_set(row) for row in range(len(fleet))] == sorted(sets)
    assert [sets[i] for i in order.tolist()] == sorted(sets)


@given(st.lists(st.binary(max_size=3) | st.binary(max_size=3).map(lambda b: b"x" * 90 + b), max_size=40))
def test_symbols_are_sorted_and_refer(strings: list[bytes]) -> None:
    symbols, ranks = symbol_table(RaggedBytes.from_list(strings))
    assert list(symbols) == sorted(set(strings))
    assert [symbols[rank] for rank in ranks.tolist()] == strings


@given(st.lists(st.text(st.sampled_from('ab{}\\,=".1'), max_size=8)))
def test_any_text_is_parsed_or_refused(texts: list[str]) -> None:
    refusal = ""
    try:
        assert all(pattern.parts for pattern in parse_labels(texts).patterns)
    except InputError as error:
        refusal = str(error)
    assert refusal == "" or refusal.isprintable()


@given(names.filter(lambda n: n != "__name__"), text)
def test_a_quoted_value_is_kept_as_it_is(name: str, value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_labels([f'{name}="{escaped}",other=x']).patterns[0] == LabelPattern(name, (value,))
