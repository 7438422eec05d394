"""The table of blocks: times, durations and sizes as Go writes them, and columns as its tabwriter sets them."""

from __future__ import annotations

import pytest

from promfill.cli.text.block_table import HEADER, align, binary_size, block_row, go_duration
from promfill.codecs.block.meta import BlockMeta, BlockStats

ULID = "01M86VBYCAGN0NVX0WYDKCAS21"


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0s"),
        (1, "1ms"),
        (999, "999ms"),
        (1_000, "1s"),
        (1_001, "1.001s"),
        (1_010, "1.01s"),
        (1_500, "1.5s"),
        (10_000, "10s"),
        (59_999, "59.999s"),
        (60_000, "1m0s"),
        (100_000, "1m40s"),
        (3_599_999, "59m59.999s"),
        (3_600_000, "1h0m0s"),
        (3_600_001, "1h0m0.001s"),
        (7_185_001, "1h59m45.001s"),
        (86_400_000, "24h0m0s"),
        (2_160_000_000, "600h0m0s"),
    ],
)
def test_durations(ms: int, text: str) -> None:
    assert go_duration(ms) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"),
        (1, "1B"),
        (1023, "1023B"),
        (1024, "1KiB"),
        (2100, "2KiB52B"),
        (1 << 20, "1MiB"),
        ((1 << 20) + 1, "1MiB1B"),
        ((3 << 30) + (2 << 20) + (7 << 10) + 5, "3GiB2MiB7KiB5B"),
        ((1 << 63) - 1, "7EiB1023PiB1023TiB1023GiB1023MiB1023KiB1023B"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert binary_size(size) == text


def meta(low: int, high: int) -> BlockMeta:
    return BlockMeta(ULID, low, high, BlockStats(samples=5, series=3, chunks=4))


def test_a_row_for_programs_and_one_for_people() -> None:
    block = meta(1_700_000_000_123, 1_700_007_200_000)
    exact = ("1700000000123", "1700007200000", "1h59m59.877s", "5", "4", "3")
    assert block_row(block, 2100, human=False) == (ULID, *exact, "2100")
    assert block_row(block, 2100, human=True) == (
        ULID,
        "2023-11-14 22:13:20 +0000 UTC",
        "2023-11-15 00:13:20 +0000 UTC",
        *exact[2:],
        "2KiB52B",
    )
    assert len(HEADER) == 8


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01 00:00:00"),
        (-1, "1969-12-31 23:59:59"),
        (951_782_400_000, "2000-02-29 00:00:00"),
        (253_402_300_799_999, "9999-12-31 23:59:59"),
        (253_402_300_800_000, "10000-01-01 00:00:00"),
        (32_503_680_000_000 + 2 * 146_097 * 86_400_000, "3800-01-01 00:00:00"),
        (32_503_680_000_000 + 20 * 146_097 * 86_400_000, "11000-01-01 00:00:00"),
        (-62_135_596_800_000, "0001-01-01 00:00:00"),
    ],
)
def test_times_that_pythons_calendar_has_and_others(ms: int, text: str) -> None:
    assert block_row(meta(ms, ms), 0, human=True)[1:3] == (f"{text} +0000 UTC",) * 2


def test_columns_are_two_blanks_wider_than_their_longest_cell_and_13_at_least() -> None:
    rows = [("A", "B", "C"), ("x" * 11, "y" * 12, "z" * 20), ("", "b", "c")]
    first, second, third = align(rows)
    assert first == "A" + " " * 12 + "B" + " " * 13 + "C"
    assert second == "x" * 11 + "  " + "y" * 12 + "  " + "z" * 20
    assert third == " " * 13 + "b" + " " * 13 + "c"
    assert align([HEADER])[0].split("  ")[0] == "BLOCK ULID"
