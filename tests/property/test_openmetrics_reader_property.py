"""Whatever the text and wherever it is cut, the reader gives what a parser gives that takes one token at a time."""

from __future__ import annotations

import gzip
import io
import random
from collections import Counter

import numpy as np
import pytest

from promfill.codecs.openmetrics.reader import OpenMetricsReader, Samples
from promfill.errors import InputError
from promfill.promtool.text_pieces import TextPieces
from tests.support.openmetrics_lines import ODD_LINES, ODD_NUMBERS, ODD_TIMES
from tests.support.openmetrics_reference import Labels, RefusedError, parse
from tests.support.readback import bits_of

FILES = 1_500
NUMBERS = 300_000
PIECES = (7, 8, 13, 31, 64, 127, 500, 4096, 1 << 16, 1 << 20)

Row = tuple[Labels, int, int]


def read(text: bytes, piece: int) -> tuple[Counter[Row], OpenMetricsReader]:
    reader = OpenMetricsReader()
    rows: Counter[Row] = Counter()
    for buffer, size in TextPieces(io.BytesIO(text), "text", piece):
        rows.update(rows_of(reader.read(buffer, size), reader))
    reader.finish()
    return rows, reader


def rows_of(samples: Samples, reader: OpenMetricsReader) -> list[Row]:
    columns = zip(samples.series.tolist(), samples.times.tolist(), samples.values.view(np.uint64).tolist(), strict=True)
    return [(reader.label_sets[series], time, value) for series, time, value in columns]


def bits(value: float) -> int:
    return 0x7FF8000000000001 if value != value else bits_of(value)


def random_text(draw: random.Random) -> bytes:
    """Mostly usual lines, in runs or interleaved, with an odd line or token here and there; it may lack its end."""
    count = draw.choice((1, 2, 5, 40))
    name = draw.choice((b"vpn", b"m:x_total", b"a" * 60))
    series = [name + (b'{host="%d",job="j j"}' if draw.random() < 0.3 else b'{host="%d"}') % n for n in range(count)]
    odd = draw.choice((0.0, 0.0, 0.003, 0.03, 0.3))
    places = list(range(draw.choice((0, 1, 3, 30, 200))))
    order = [(n, k) for n in range(count) for k in places[: 200 // count]]
    if draw.random() < 0.5:
        order.sort(key=lambda one: one[1])
    decimals = draw.choice((None, 1, 3))
    lines = [usual_line(series[n], k, decimals, odd, draw) for n, k in order]
    for _ in range(draw.choice((0, 0, 1, 2))):
        lines.insert(draw.randint(0, len(lines)), draw.choice(ODD_LINES))
    end = draw.choice(
        (b"# EOF\n", b"# EOF\n", b"# EOF\n", b"# EOF", b"", b"# EOF\n\n", b"# EOF\nvpn 1 2\n", b"vpn 1 2")
    )
    return b"".join(lines) + end


def usual_line(series: bytes, k: int, decimals: int | None, odd: float, draw: random.Random) -> bytes:
    value = repr(draw.gauss(20, 3)).encode() if draw.random() < 0.9 else str(draw.randint(-9, 9)).encode()
    time = b"%d" % (1_700_000_000 + 300 * k)
    if decimals:
        time += b".%0*d" % (decimals, draw.randrange(10**decimals))
    if draw.random() < odd:
        value = draw.choice(ODD_NUMBERS)
    if draw.random() < odd / 10:
        time = draw.choice(ODD_TIMES)
    return b"%b %b %b\n" % (series, value, time)


@pytest.mark.parametrize("seed", range(10))
def test_any_text_in_any_pieces(seed: int) -> None:
    draw = random.Random(seed)
    refused = 0
    for _ in range(FILES // 10):
        text, piece = random_text(draw), draw.choice(PIECES)
        try:
            expected, exemplars = parse(text)
        except RefusedError as error:
            refused += 1
            with pytest.raises(InputError, match=f"^line {error.line}:"):
                read(text, piece)
            continue
        rows, reader = read(text, piece)
        assert rows == Counter((labels, time, bits(value)) for labels, time, value in expected)
        assert reader.exemplars == exemplars
    assert 20 < refused < FILES // 10 - 20  # both kinds are there


@pytest.mark.parametrize("odd", ODD_LINES, ids=repr)
def test_every_odd_line_among_usual_ones(odd: bytes) -> None:
    lines = [b"vpn %d.5 %d\n" % (k, k) for k in range(20)]
    text = b"".join([*lines[:10], odd, *lines[10:], b"# EOF\n"])
    try:
        expected, _ = parse(text)
    except RefusedError as error:
        with pytest.raises(InputError, match=f"^line {error.line}:"):
            read(text, 1 << 20)
    else:
        assert read(text, 1 << 20)[0] == Counter((labels, time, bits(value)) for labels, time, value in expected)


def test_texts_cut_within_every_token() -> None:
    text = b'# TYPE a counter\na_total{b="c d"} 1.5 2.125 # {e="f"} 1 2\na_total{b="c"} NaN 3\n# EOF\n'
    expected, _ = parse(text)
    for piece in range(1, len(text) + 2):
        assert read(text, piece)[0] == Counter((labels, time, bits(value)) for labels, time, value in expected)


def test_gzip_in_any_pieces() -> None:
    text = b"".join(b"vpn %d.5 %d\n" % (k, k) for k in range(2_000)) + b"# EOF\n"
    packed = gzip.compress(text)
    for piece in PIECES[2:]:
        assert read(packed, piece)[0].total() == 2_000


def spellings(draw: np.random.Generator, count: int) -> list[str]:
    """Numbers of many spellings: any bits, full and short mantissas, halves between two float64, long integers."""
    each = count // 10
    some = draw.integers(0, 1 << 64, each, dtype=np.uint64).view(np.float64)
    some = some[np.isfinite(some)]
    near = 20 + 3 * draw.standard_normal(each)
    whole = draw.integers(1 << 53, 1 << 62, each).tolist()
    texts = [repr(value) for value in some.tolist()]
    texts += [f"{value:.17g}" for value in some.tolist()] + [f"{value:.25e}" for value in some.tolist()]
    texts += [f"{value:.16E}" for value in near.tolist()] + [repr(value) for value in near.tolist()]
    texts += [f"{value:.{k % 12}f}" for k, value in enumerate(near.tolist())]
    texts += [f"{value * 1e-320:.10e}" for value in near.tolist()] + [
        f"{sign}{n}" for n, sign in zip(whole, "+-" * each, strict=False)
    ]
    texts += [f"{n + 0.5:.1f}e{n % 40 - 20}" for n in whole] + [
        f"{(2**53 + 2 * k) * 2 + 1}.{'0' * (k % 9)}1" for k in range(each)
    ]
    return texts


def test_numbers_of_every_spelling_are_rounded_as_python_rounds_them() -> None:
    texts = spellings(np.random.default_rng(13), NUMBERS)
    lines = [b"vpn %b 1\n" % text.encode() for text in texts if len(text) < 45]
    expected = np.array([float(text) for text in texts if len(text) < 45])
    reader, got = OpenMetricsReader(), []
    for buffer, size in TextPieces(io.BytesIO(b"".join([*lines, b"# EOF\n"])), "text"):
        got.append(reader.read(buffer, size).values)
    values = np.concatenate(got)
    assert values.size == expected.size > 0.9 * NUMBERS
    np.testing.assert_array_equal(np.sort(values.view(np.uint64)), np.sort(expected.view(np.uint64)))


def test_times_of_every_thousandth_are_cut_as_go_cuts_them() -> None:
    draw = np.random.default_rng(14)
    milliseconds = draw.integers(0, 253_402_300_799_999, 100_000).tolist()
    texts = [f"{ms // 1000}.{ms % 1000:03d}" for ms in milliseconds] + [f"{ms / 1000!r}" for ms in milliseconds]
    expected = [int(float(text) * 1000) for text in texts]
    text = b"".join(b"vpn 1 %b\n" % text.encode() for text in texts) + b"# EOF\n"
    reader, got = OpenMetricsReader(), []
    for buffer, size in TextPieces(io.BytesIO(text), "text"):
        got.append(reader.read(buffer, size).times)
    assert sorted(np.concatenate(got).tolist()) == sorted(expected)
