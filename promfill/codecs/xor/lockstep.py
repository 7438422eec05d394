"""The XOR decoder's kernel: all chunks in lockstep, step k decodes sample k of every chunk.

A chunk (tsdb/chunkenc/xor.go) is a stream of bits:

    2-byte count | varint t0 | 64-bit v0 | uvarint delta, XOR | delta-of-delta, XOR | delta-of-delta, XOR | …

    delta-of-delta   0                         the same delta again
                     10, 110, 1110             and 14, 17, 20 bits of it, from -(2^(n-1) - 1) to 2^(n-1)
                     1111                      and 64 bits
    XOR              0                         the same value again
                     10                        and the bits of the window that the chunk has
                     11                        and 5 bits leading zeros, 6 bits length (0 is 64), the bits: a new window

The state of a chunk is its bit position, delta and window. A step takes the 64-bit word at each position. Bit 63 is
the delta-of-delta's ``0``, bits 62 and 61 are the XOR's, and a window with at least three leading zeros follows
completely in the same word, so that a mask and a shift, kept in the state, cut the XOR out of it:

    word      0  1  0  window…………………  next samples…
    XOR       leading zeros  window…………………  trailing zeros       = (word & mask) >> (leading zeros - 3)

Other cases are handled separately: wider windows take a second word, new windows (about one in twenty samples of
noise) are set one by one, and other deltas are read first; then the position moves to the last bit of the delta,
which plays the part of bit 63.

The columns are sorted by descending count, so those that continue are always a prefix. Damage cannot lead outside:
reads are clipped to the buffer, positions only grow, and the end of each chunk is compared with where reading ended.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.bits.varint import unzigzag
from promfill.codecs.bits.words import big_endian_words, uvarints_at, words_at
from promfill.errors import FormatError
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, I64Array, U8Array, U64Array

_COUNT_BYTES = 2
_FEW = 4
"""Work that concerns fewer than one column in this many is done for those columns only."""

_BITS = np.uint64(64)
_BELOW_63 = np.uint64((1 << 63) - 1)
_NEW_WINDOW = np.uint64(3 << 61)
_ONES = np.uint64((1 << 64) - 1)
_MOST_UNUSED_BITS = 8
"""At a chunk's end. Before 3.0 (prometheus#14854) an unused byte followed whole ones, as those of a single sample."""
_HEADER_BITS = 14
"""From bit 63 to the first bit of a new window."""
_HIGH_HALF = 1 if sys.byteorder == "little" else 0
_NO_WINDOW = 1 << 40
"""The length of the window of a chunk that has none yet: using it leads far past the end."""


def damaged(what: str, names: I64Array, bad: BoolArray) -> FormatError:
    """The error of the first bad chunk; names: int64 (n,), the offsets by which the caller knows them."""
    return FormatError(what, section="XOR chunk", offset=int(names[np.flatnonzero(bad)[0]]))


class Lockstep:
    """The state of n chunks ``buffer[starts[i]:ends[i]]`` of `counts` samples, and the scratch arrays of a step."""

    def __init__(
        self,
        buffer: U8Array,
        starts: I64Array,
        ends: I64Array,
        counts: I64Array,
        work: Scratch,
        *,
        names: I64Array,
    ) -> None:
        self.order = np.argsort(-counts, kind="stable")
        self.starts, self.ends = starts[self.order], ends[self.order]
        self.counts, self.names = counts[self.order], names[self.order]
        self.rank = np.empty_like(self.order)
        self.rank[self.order] = np.arange(counts.size)
        self.in_order = bool((self.counts == counts).all())
        self.words = big_endian_words(buffer, work, "xor_decode.words")
        self.next_words, self.words_after = self.words[1:], self.words[2:]
        self._allocate(counts.size, work)

    def _allocate(self, size: int, work: Scratch) -> None:
        def array(name: str, dtype: Any = np.uint64) -> NDArray[Any]:
            return work.get(f"xor_decode.{name}", (size,), dtype)

        self.position, self.delta = array("position", np.int64), array("delta", np.int64)
        self.mask, self.shift = array("mask"), array("shift")
        self.length: I64Array = array("length", np.int64)
        self.word, self.low, self.amount, self.xor = array("word"), array("low"), array("amount"), array("xor")
        self.change = array("change", np.int64)
        self.rest, self.following, self.index = array("rest"), array("following"), array("index", np.int64)
        self.mask[:], self.shift[:], self.xor[:] = 0, 0, 0
        self.length[:] = _NO_WINDOW
        self.any_wide = self.deltas_read = False

    def run(self, times: I64Array, bits: U64Array) -> None:
        """Decode into int64 and uint64 (K, n), in the order in which the chunks were given."""
        rows = int(self.counts[0])
        live = np.searchsorted(-self.counts, -np.arange(rows + 2), "left").tolist()
        self._heads(live, times, bits)
        for row in range(1, rows):
            n = live[row]
            word = self._words(self.position[:n], self.word[:n])
            self.deltas_read = row > 1 and int(np.maximum.reduce(word)) >> 63 > 0
            if row == 1:
                word &= _BELOW_63
            elif self.deltas_read:
                self._deltas(word)
            np.add(times[row - 1], self.delta, out=times[row])
            self._values(word)
            self._store(bits[row - 1], bits[row])
        self._check_ends()

    def _heads(self, live: list[int], times: I64Array, bits: U64Array) -> None:
        """First samples and first deltas. Leaves each position one bit before the second sample's value."""
        np.multiply(self.starts + _COUNT_BYTES, 8, out=self.position)
        self.delta[:] = 0
        if live[0]:
            zigzagged = self._uvarints(self.position[: live[0]])
            times[0] = unzigzag(zigzagged).take(self.rank, mode="clip")
            self._words(self.position, self.xor)
            bits[0] = self.xor[self.rank]
            self.position[: live[0]] += 64
        if live[1]:
            deltas = self._uvarints(self.position[: live[1]])
            self.delta[self.order[: live[1]]] = deltas.view(np.int64)
            self.position[: live[1]] -= 1

    def _uvarints(self, position: I64Array) -> U64Array:
        """The uvarints at the positions; moves the positions past them."""
        try:
            values, lengths = uvarints_at(self.words, position)
        except FormatError as error:
            bad = position >> 3 == error.offset
            raise damaged("a time of more than 64 bits", self.names[: position.size], bad) from None
        position += lengths
        return values

    def _words(self, position: I64Array, out: U64Array) -> U64Array:
        """The 64 bits at each bit position, into `out`."""
        n = position.size
        index, amount, low, rest = self.index[:n], self.amount[:n], self.low[:n], self.rest[:n]
        np.right_shift(position, 6, out=index)
        np.bitwise_and(position, 63, out=amount.view(np.int64))
        np.take(self.words, index, out=out, mode="clip")
        np.take(self.next_words, index, out=low, mode="clip")
        np.left_shift(out, amount, out=out)
        np.subtract(_BITS, amount, out=amount)
        np.right_shift(low, amount, out=rest)
        out |= rest
        return out

    def _following_words(self, n: int) -> U64Array:
        """The 64 bits after those that `_words` has just returned."""
        rest, following = self.rest[:n], self.following[:n]
        np.take(self.words_after, self.index[:n], out=following, mode="clip")
        np.right_shift(following, self.amount[:n], out=following)
        np.subtract(_BITS, self.amount[:n], out=rest)
        np.left_shift(self.low[:n], rest, out=rest)
        following |= rest
        return following

    def _deltas(self, word: U64Array) -> None:
        """Read the deltas-of-deltas of a row that has some; in `word` the values' bits look as if they were 0."""
        n = word.size
        changed = word.view(np.int64) < 0
        if np.count_nonzero(changed) * _FEW < n:
            columns = changed.nonzero()[0]
            position = self.position[columns]
            change, used = self._delta_of_deltas(word[columns], position)
            self.delta[self.order[columns]] += change
            position += used
            self.position[columns] = position
            word[columns] = words_at(self.words, position) & _BELOW_63
            return
        position = self.position[:n]
        following = self._following_words(n)
        change, used = self._delta_of_deltas(word, position)
        np.add(position, used, out=position)
        self.change[:n] = change
        self.delta += self.change.take(self.rank)
        np.left_shift(word, used.view(np.uint64), out=word)
        np.subtract(64, used, out=used)
        np.right_shift(following, used.view(np.uint64), out=following)
        word |= following
        far = (used < 0).nonzero()[0]
        word[far] = words_at(self.words, position[far])
        word &= _BELOW_63

    def _delta_of_deltas(self, word: U64Array, position: I64Array) -> tuple[I64Array, I64Array]:
        """The deltas-of-deltas at the head of each word, and their bits except the last; 0 and 0 for a ``0``.

        The field moves to the left end of 32 bits, then back with its sign; one less in between makes 2^(n-1) positive.
        """
        head = word.view(np.uint32)[_HIGH_HALF::2].copy()
        coded = (head >= 0b1 << 31).view(np.uint8)
        kind = coded + (head >= 0b11 << 30).view(np.uint8) + (head >= 0b111 << 29).view(np.uint8)
        any_far = int(np.maximum.reduce(head)) >= 0b1111 << 28
        unused = (np.uint8(21) - np.uint8(3) * kind).astype(np.uint32)
        head <<= (kind + np.uint8(32) - np.uint8(31) * coded).astype(np.uint32)
        head -= np.uint32(1) << unused
        signed = head.view(np.int32)
        signed >>= unused.view(np.int32)
        signed += 1
        change, used = signed.astype(np.int64), (np.uint8(4) * kind + np.uint8(11) * coded).astype(np.int64)
        if any_far:
            far = (word >= np.uint64(0b1111 << 60)).nonzero()[0]
            change[far] = words_at(self.words, position[far] + 4).view(np.int64)
            used[far] = 67
        return change, used

    def _values(self, word: U64Array) -> None:
        """Put the XORs of a row into ``self.xor``, and move the positions past them; bit 63 of each word is 0."""
        n = word.size
        xor, position = self.xor[:n], self.position[:n]
        np.bitwise_and(word, self.mask[:n], out=xor)
        np.right_shift(xor, self.shift[:n], out=xor)
        if self.any_wide:
            self._wide_windows(xor, word, position)
        fresh = (word >= _NEW_WINDOW).nonzero()[0]
        headers, at = word[fresh], position[fresh]
        differs = np.right_shift(word, np.uint64(62), out=word)
        differs = np.negative(differs, out=differs)
        xor &= differs
        step = np.bitwise_and(self.length[:n], differs.view(np.int64), out=self.index[:n])
        step += 2
        position += step
        if fresh.size:
            self._new_windows(fresh, headers, at)

    def _wide_windows(self, xor: U64Array, word: U64Array, position: I64Array) -> None:
        """The windows that do not fit the word: those with fewer leading zeros than the three bits before them."""
        n = xor.size
        wide = (self.shift[:n] >= _BITS).nonzero()[0]
        if wide.size * _FEW < n:
            few = words_at(self.words, position[wide] + 3)
            xor[wide] = _cut(few, self.length[wide], self.shift[wide])
            return
        if self.deltas_read:
            self._words(position + 3, xor)
        else:
            np.left_shift(word, np.uint64(3), out=xor)
            xor |= self._following_words(n) >> np.uint64(61)
        _cut(xor, self.length[:n], self.shift[:n])

    def _new_windows(self, fresh: NDArray[np.intp], headers: U64Array, at: I64Array) -> None:
        """Set the windows that the headers describe, in the columns `fresh`, and take the XORs that follow them."""
        leading = (headers >> np.uint64(56)) & np.uint64(31)
        length = (((headers >> np.uint64(50)) - np.uint64(1)) & np.uint64(63)) + np.uint64(1)
        trailing = _BITS - leading - length
        if int(trailing.max()) > 64:
            raise damaged("a window of more than 64 bits", self.names[fresh], trailing > _BITS)
        at += _HEADER_BITS
        self.xor[fresh] = (words_at(self.words, at) >> (_BITS - length)) << trailing
        self.position[fresh] = at + length.view(np.int64)
        self.length[fresh] = length.view(np.int64) + 1
        self.mask[fresh] = (_ONES >> (_BITS - length)) << (np.uint64(61) - length)
        self.shift[fresh] = leading - np.uint64(3)
        self.any_wide |= int(leading.min()) < 3

    def _store(self, before: U64Array, out: U64Array) -> None:
        """The values of a row: those before, XORed, in the order given."""
        if self.in_order:
            np.bitwise_xor(before, self.xor, out=out)
            return
        np.take(self.xor, self.rank, out=out, mode="clip")
        np.bitwise_xor(before, out, out=out)

    def _check_ends(self) -> None:
        left = self.ends * 8 - self.position
        bad = (left < 0) | (left > _MOST_UNUSED_BITS)
        if bad.any():
            raise damaged("its samples do not end where the chunk ends", self.names, bad)


def _cut(word: U64Array, length: I64Array, shift: U64Array) -> U64Array:
    """The XORs whose windows begin at bit 63 of the words, in place; length and shift as in `Lockstep`."""
    unused = (65 - length).view(np.uint64)
    word >>= unused
    unused -= np.uint64(3)
    unused -= shift
    word <<= unused
    return word
