"""Counter-based normal noise: a pure function of (seed, series key, step). No state, no tiles, no generator.

One 64-bit hash of series and step pair serves two neighbouring steps, 32 bits each. Its half w, a signed integer,
becomes the double f = w + 0.5, symmetric about 0: |f| is the probability of the tail beyond the value, in units of
2^-32, and the sign of f is the value's. Exponent and first 8 bits of the mantissa of f, together with its sign, are
the top 20 bits of the double: they choose, as they stand, one of 2 x 32 x 256 straight segments of the normal
quantile function, so that segments get finer towards the tails by themselves. The value is ``a[top] + b[top] * f``:

    hash (2 values) -> int32 -> f -> top 20 bits -> (a, b), one gather of 16 bytes -> a + b * f

Values reach 6.3 standard deviations. Every step is exact or one IEEE rounding, and the table's nodes are rounded to
2^-30 (no node lies near a tie), so that no platform's logarithm can change a bit.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.work import Work
from promfill.model import freeze
from promfill.signals.mix import mix

_OCTAVES = range(-1, 31)  # |f| lies in [2^-1, 2^31)
_SEGMENTS = 256  # an octave: the first 8 bits of the mantissa
_TOP_SHIFT = np.uint64(52 - 8)
_TOPS = 1 << 20
_LOWEST_TOP = (1023 + _OCTAVES.start) * _SEGMENTS
_SIGN_TOP = 1 << 19
_NODE_UNIT = 2.0**-30

_BLOCK = 8192  # hash words at a time: the scratch of a block stays in the cache
_STEP_STREAM = np.uint64(0x9E3779B97F4A7C15)  # keeps the words of seeds and of steps apart


class HashNoise:
    """Noise of a fleet, each series by its key alone. A `promfill.signals.noise.Noise`.

    keys: uint64 (S,), of `promfill.signals.keys.label_keys`.
    """

    def __init__(self, seed: int, keys: NDArray[np.uint64], mean: float, std: float) -> None:
        self._seed = seed
        self._words = freeze(mix(keys ^ mix(np.array([seed], np.uint64))))
        self._mean, self._std = mean, std
        self._segments: NDArray[np.complex128] | None = None
        self._work = Work()

    def fill(self, out: NDArray[np.float64], first_step: int, first_series: int) -> None:
        """As in `Noise.fill`."""
        steps, series = out.shape
        segments = self._table()
        first_pair, end_pair = first_step // 2, (first_step + steps + 1) // 2
        columns = min(series, _BLOCK)
        rows = max(1, _BLOCK // max(1, columns))
        for column in range(0, series, _BLOCK):
            words = self._words[first_series + column : first_series + min(column + _BLOCK, series)]
            for pair in range(first_pair, end_pair, rows):
                halves = self._halves(words, pair, min(rows, end_pair - pair))
                self._place(out[:, column : column + words.size], 2 * pair - first_step, halves, segments)

    def fingerprint(self) -> tuple[float, ...]:
        """As in `Noise.fingerprint`; of the series whose key is 0."""
        values = np.empty((8, 1))
        HashNoise(self._seed, np.zeros(1, np.uint64), 0.0, 1.0).fill(values, 0, 0)
        return tuple(values[:, 0].tolist())

    def _halves(self, words: NDArray[np.uint64], pair: int, pairs: int) -> NDArray[np.int32]:
        """int32 (pairs, S, 2): the uniform bits of both steps of each pair, the even step first."""
        shape = (pairs, words.size)
        hashes = self._work.get("hashes", shape, np.uint64)
        steps = mix(np.arange(pair, pair + pairs, dtype=np.uint64) ^ _STEP_STREAM)
        np.bitwise_xor(words, steps[:, None], out=hashes)
        mix(hashes, self._work.get("shifted", shape, np.uint64))
        return hashes.astype("<u8", copy=False).view("<i4").reshape(*shape, 2)

    def _place(
        self, out: NDArray[np.float64], at: int, halves: NDArray[np.int32], segments: NDArray[np.complex128]
    ) -> None:
        """Write the values of `halves` into the rows ``at`` … of `out`, as far as it has them."""
        for half in (0, 1):
            first = -((at + half) // 2) if at + half < 0 else 0
            uniform = halves[first:, :, half][: (out.shape[0] - at - half - 2 * first + 1) // 2]
            if uniform.size:
                self._normal(uniform, segments, out[at + half + 2 * first :: 2][: uniform.shape[0]])

    def _normal(self, uniform: NDArray[np.int32], segments: NDArray[np.complex128], out: NDArray[np.float64]) -> None:
        """The quantile of each `uniform`, by its segment, into `out`; all (rows, S)."""
        f = self._work.get("f", uniform.shape, np.float64)
        top = self._work.get("top", uniform.shape, np.uint64)
        segment = self._work.get("segment", uniform.shape, np.complex128)
        f[...] = uniform
        f += 0.5
        np.right_shift(f.view(np.uint64), _TOP_SHIFT, out=top)
        np.take(segments, top.view(np.int64), out=segment, mode="wrap")  # no index is out of range; "raise" copies
        f *= segment.imag
        np.add(segment.real, f, out=out)

    def _table(self) -> NDArray[np.complex128]:
        if self._segments is None:
            self._segments = _scaled_segments(self._mean, self._std)
        return self._segments


def _scaled_segments(mean: float, std: float) -> NDArray[np.complex128]:
    """complex128 (2^20,): intercept (real) and slope (imaginary) by the top 20 bits of f.

    Mean and deviation are in the table, so they cost nothing per value. The slots of exponents that f cannot have are
    never touched: the system gives them no memory.
    """
    intercepts, slopes = _segments()
    table = np.zeros(_TOPS, np.complex128)
    for start, side in ((_LOWEST_TOP, std), (_SIGN_TOP + _LOWEST_TOP, -std)):
        part = table[start : start + slopes.size]
        part.real = mean + side * intercepts
        part.imag = std * slopes
    return freeze(table)


@functools.cache
def _segments() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """float64 (32 * 256,) each: intercepts and slopes of the positive half. Exact: nodes are multiples of 2^-30."""
    nodes = _nodes()
    rise = np.diff(nodes)
    octave, segment = np.divmod(np.arange(rise.size), _SEGMENTS)
    slopes = np.ldexp(rise, 8 - (octave + _OCTAVES.start))
    return freeze(nodes[:-1] - rise * (_SEGMENTS + segment)), freeze(slopes)


def _nodes() -> NDArray[np.float64]:
    """float64 (32 * 256 + 1,): the quantiles at the borders of the segments, from the far tail down to 0."""
    from statistics import NormalDist

    mantissas = 1 + np.arange(_SEGMENTS) / _SEGMENTS
    tails = np.concatenate([np.ldexp(mantissas, octave - 32) for octave in _OCTAVES])
    quantiles = np.array([*map(NormalDist().inv_cdf, tails.tolist()), 0.0])
    nodes: NDArray[np.float64] = np.rint(-quantiles / _NODE_UNIT) * _NODE_UNIT
    return nodes
