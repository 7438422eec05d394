"""Counter-based normal noise: a pure function of (seed, series key, step). No state, no tiles, no generator.

One 64-bit hash of a series and a pair of steps serves both steps, 32 bits each. One half w, a signed integer,
becomes the double f = w + 0.5, symmetric about 0: |f| is the probability of the tail beyond the value, in units of
2^-32, and the sign of f is the value's. The exponent of f, the first 8 bits of its mantissa and its sign are
the top 20 bits of the double. Without conversion, they select one of 2 x 32 x 256 straight segments of the normal
quantile function; so segments get finer towards the tails by themselves. The value is ``a[top] + b[top] * f``:

    hash (2 values) -> int32 w -> f -> top 20 bits -> (a, b), one gather of 16 bytes -> a + b * f

Values reach 6.3 standard deviations. Every step is exact or one IEEE rounding, and the table's nodes are rounded to
2^-30 (no node lies near a tie), so that no platform's logarithm can change a bit.
"""

from __future__ import annotations

import functools
import mmap
import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from promfill.model.batch import freeze
from promfill.model.grid import spans
from promfill.model.scratch import Scratch
from promfill.model.types import F64Array, U64Array
from promfill.sources.signals.mix import mix

_OCTAVES = range(-1, 31)  # |f| lies in [2^-1, 2^31)
_SEGMENTS = 256  # an octave: the first 8 bits of the mantissa
_TOP_SHIFT = np.uint64(52 - 8)
_TOPS = 1 << 20
_LOWEST_TOP = (1023 + _OCTAVES.start) * _SEGMENTS
_SIGN_TOP = 1 << 19
_NODE_UNIT = 2.0**-30
_EVEN = 0 if sys.byteorder == "little" else 1  # where the low half of a word is: it belongs to the even step

_BLOCK = 8192  # hash words at a time: the scratch of a block stays in the cache
_STEP_STREAM = np.uint64(0x9E3779B97F4A7C15)  # keeps the words of seeds and of steps different


class HashNoise:
    """Noise of a fleet, each series by its own key alone. A `promfill.sources.signals.noise.Noise`.

    keys: uint64 (S,), of `promfill.sources.signals.keys.label_keys`.
    """

    def __init__(self, seed: int, keys: U64Array, mean: float, std: float) -> None:
        self._seed = seed
        self._words = freeze(mix(keys ^ mix(np.array([seed], np.uint64))))
        self._mean, self._std = mean, std
        self._segments: NDArray[np.complex128] | None = None
        self._work = Scratch()

    def fill(self, out: F64Array, first_step: int, first_series: int) -> None:
        """As in `Noise.fill`; ValueError if these steps or series do not exist."""
        steps, series = out.shape
        if not 0 <= first_series <= self._words.size - series or first_step < 0:
            raise ValueError(f"no {steps} x {series} values at step {first_step}, series {first_series}")
        pairs = _pair_words(first_step, steps)
        for column, width in spans(series, _BLOCK):
            words = self._words[first_series + column : first_series + column + width]
            self._fill_columns(out[:, column : column + width], words, pairs, first_step % 2)

    def fingerprint(self) -> tuple[float, ...]:
        """As in `Noise.fingerprint`, for the series with the key 0."""
        values = np.empty((8, 1))
        HashNoise(self._seed, np.zeros(1, np.uint64), 0.0, 1.0).fill(values, 0, 0)
        return tuple(values[:, 0].tolist())

    def _fill_columns(self, out: F64Array, words: U64Array, pairs: U64Array, skip: int) -> None:
        """Fill `out`, one block of pairs after the other; the first `skip` steps of `pairs` lie before `out`."""
        rows = max(1, min(pairs.size, _BLOCK // words.size))
        scratch = _Scratch.of(self._work, rows, words.size)
        segments = self._table()
        for pair in range(0, pairs.size, rows):
            f = _uniforms(words, pairs[pair : pair + rows], scratch)
            first = 2 * pair - skip
            target = out[max(first, 0) : first + f.shape[0]]
            before = max(-first, 0)
            _quantiles(f[before : before + target.shape[0]], segments, scratch, target)

    def _table(self) -> NDArray[np.complex128]:
        if self._segments is None:
            self._segments = _scaled_segments(self._mean, self._std)
        return self._segments


class _Scratch(NamedTuple):
    """The scratch arrays for a block of hash words (P pairs, S series) and its 2P steps."""

    hashes: U64Array  # (P, S)
    shifted: U64Array  # (P, S)
    f: F64Array  # (P, 2, S)
    tops: U64Array  # (2P, S)
    segments: NDArray[np.complex128]  # (2P, S)

    @classmethod
    def of(cls, work: Scratch, pairs: int, series: int) -> _Scratch:
        return cls(
            work.get("hashes", (pairs, series), np.uint64),
            work.get("shifted", (pairs, series), np.uint64),
            work.get("f", (pairs, 2, series), np.float64),
            work.get("tops", (2 * pairs, series), np.uint64),
            work.get("segments", (2 * pairs, series), np.complex128),
        )


def _pair_words(first_step: int, steps: int) -> U64Array:
    """uint64 (P,): a word for each pair of steps (2p, 2p + 1) that contains one of the steps."""
    return mix(np.arange(first_step // 2, (first_step + steps + 1) // 2, dtype=np.uint64) ^ _STEP_STREAM)


def _uniforms(words: U64Array, pairs: U64Array, scratch: _Scratch) -> F64Array:
    """float64 (2P, S): f of both steps of each pair, uniform over the half-integers in (-2^31, 2^31)."""
    hashes, f = scratch.hashes[: pairs.size], scratch.f[: pairs.size]
    np.bitwise_xor(words, pairs[:, None], out=hashes)
    mix(hashes, scratch.shifted[: pairs.size])
    halves = hashes.view(np.int32)
    f[:, 0] = halves[:, _EVEN::2]
    f[:, 1] = halves[:, 1 - _EVEN :: 2]
    f += 0.5
    return f.reshape(2 * pairs.size, words.size)


def _quantiles(f: F64Array, segments: NDArray[np.complex128], scratch: _Scratch, out: F64Array) -> None:
    """The quantile of each f, by its segment, into `out`; both (steps, S). Overwrites f."""
    tops, segment = scratch.tops[: f.shape[0]], scratch.segments[: f.shape[0]]
    np.right_shift(f.view(np.uint64), _TOP_SHIFT, out=tops)
    np.take(segments, tops.view(np.int64), out=segment, mode="wrap")  # all are in range; "raise" would buffer
    f *= segment.imag
    np.add(segment.real, f, out=out)


def _scaled_segments(mean: float, std: float) -> NDArray[np.complex128]:
    """complex128 (2^20,): intercept (real) and slope (imaginary) by the top 20 bits of f.

    Mean and deviation are in the table, so they cost nothing per value. The slots of exponents that f cannot have are
    never touched, so the system gives them no memory: 260 KB of 16 MB are in use. (numpy.zeros would ask for huge
    pages, and get 8 MB.)
    """
    intercepts, slopes = _segments()
    table = np.frombuffer(mmap.mmap(-1, _TOPS * 16), np.complex128)
    for start, side in ((_LOWEST_TOP, std), (_SIGN_TOP + _LOWEST_TOP, -std)):
        part = table[start : start + slopes.size]
        part.real = mean + side * intercepts
        part.imag = std * slopes
    return freeze(table)


@functools.cache
def _segments() -> tuple[F64Array, F64Array]:
    """float64 (32 * 256,) each: intercepts and slopes of the positive half. Exact: nodes are multiples of 2^-30."""
    nodes = _nodes()
    rise = np.diff(nodes)
    octave, segment = np.divmod(np.arange(rise.size), _SEGMENTS)
    slopes = np.ldexp(rise, 8 - (octave + _OCTAVES.start))
    return freeze(nodes[:-1] - rise * (_SEGMENTS + segment)), freeze(slopes)


def _nodes() -> F64Array:
    """float64 (32 * 256 + 1,): the quantiles at the borders of the segments, from the far tail down to 0."""
    from statistics import NormalDist

    mantissas = 1 + np.arange(_SEGMENTS) / _SEGMENTS
    tails = np.concatenate([np.ldexp(mantissas, octave - 32) for octave in _OCTAVES])
    quantiles = np.array([*map(NormalDist().inv_cdf, tails.tolist()), 0.0])
    nodes: F64Array = np.rint(-quantiles / _NODE_UNIT) * _NODE_UNIT
    return nodes
