from __future__ import annotations

import re
from typing import Any

import pytest

from benchmarks.growth import Growth
from benchmarks.knees import explain, line_through

BLOCKS, SAMPLE, A_SERIES = 7, 50e-9, 7 * 288
SIZES = (100, 1_000, 10_000, 100_000)


def pushes(*factors: float, fixed: float = 0.028) -> tuple[float, ...]:
    return tuple(f * (fixed + SAMPLE * A_SERIES * size) for f, size in zip(factors, SIZES, strict=True))


def growth(*rounds: tuple[float, ...], **more: Any) -> Growth:
    return Growth(**{"name": "time", "size": "series", "unit": "s", "sizes": SIZES, "rounds": rounds, **more})


def test_a_power_law_is_found() -> None:
    found = growth((2.0, 20.0, 200.0, 2_000.0))
    assert found.exponent == pytest.approx(1)
    assert [step.exponent for step in found.steps] == pytest.approx([1, 1, 1])
    assert found.range == pytest.approx(999)


def test_a_step_is_the_median_of_its_rounds() -> None:
    found = growth((1.0, 10.0, 100.0, 1_000.0), (1.0, 10.0, 1_000.0, 10_000.0), (2.0, 20.0, 400.0, 4_000.0))
    step = found.steps[1]
    assert (step.least, step.most) == pytest.approx((1, 2))
    assert 1 < step.exponent < 2
    assert found.values == [1, 10, 400, 4_000]


def test_a_line_is_found_and_what_it_misses_by() -> None:
    line = line_through([1, 10, 100], [3.0, 12.0, 102.0])
    assert (line.fixed, line.each, line.error) == pytest.approx((2, 1, 0), abs=1e-9)
    assert line_through([1, 10], [0.5, 10.0]).fixed == 0


def test_a_fixed_cost_of_blocks_explains_a_slow_beginning() -> None:
    taken = pushes(1, 1, 1, 1)
    said = explain(growth(taken, cpu_rounds=(taken,)))
    assert said.startswith("28 ms whatever the size and 50 ns a sample give every point within 0%.")
    assert "4.0 ms a block are spent however few series share it, and outweigh the samples below 278 series" in said
    assert said.endswith("No step is steeper than 1.05.")


def test_points_on_no_line_are_not_called_so() -> None:
    taken = pushes(1, 3, 1, 3)
    said = explain(growth(taken, pushes(1, 3, 1, 3.3), pushes(1, 3, 1, 2.7), cpu_rounds=(taken,) * 3))
    assert re.search(r"miss a point by \d\d%: not a straight line\. At one size rounds differ by 20%\.", said)
    assert "a block are spent" not in said


@pytest.mark.parametrize(
    ("rounds", "cpu", "why"),
    [
        ([(1, 1, 1, 2)] * 3, (1, 1, 1, 1), "in CPU time 0.99: the rest is waiting for the disk"),
        ([(1, 1, 1, 2)] * 3, (1, 1, 1, 2), "in CPU time 1.29: a sample costs more work there"),
        ([(1, 1, 1, 2), (1, 1, 1, 1), (1, 1, 1, 2)], (1, 1, 1, 2), "some rounds show no such step"),
    ],
)
def test_a_steep_step_is_explained_by_what_was_measured(
    rounds: list[tuple[float, ...]], cpu: tuple[float, ...], why: str
) -> None:
    said = explain(growth(*(pushes(*one) for one in rounds), cpu_rounds=tuple(pushes(*cpu) for _ in rounds)))
    assert "From 10,000 to 100,000 series the exponent is 1.29" in said
    assert why in said


def test_memory_is_explained_by_tiles_and_by_the_fleet() -> None:
    found = growth((54.0, 67.0, 68.0, 104.0), name="memory", unit="MB", fleet=(45.0, 45.1, 47.0, 73.0))
    said = explain(found)
    assert "From 100 to 1,000 series 13 MB are added: the whole push of 100 series has 201,600 samples" in said
    assert "From 1,000 to 10,000 series it is flat (+1.0 MB)" in said
    assert "36 MB are added: the fleet's labels and its part of an index, held alone, take 26 MB of them." in said
    lean = growth((54.0, 67.0, 68.0, 104.0), name="memory", unit="MB", fleet=(45.0, 45.1, 47.0, 50.0))
    assert "held alone, takes 3 MB of them, its chunk references and postings the others" in explain(lean)


def test_memory_that_does_not_grow_is_flat() -> None:
    found = growth((67.0, 67.1, 67.2, 67.5), name="memory", unit="MB", size="days")
    assert explain(found) == "Flat, within 0.7%: a longer range is more of the same tiles."
