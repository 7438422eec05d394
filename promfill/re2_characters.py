"""Sets of characters as RE2 names them: classes, general categories, and what is alike but for case.

A set is a list of (first, last) code points. Source: RE2's syntax page, the tables of Go's regexp/syntax, and Unicode's
simple case folding (CaseFolding.txt, C and S); characters younger than Python's own Unicode are in no category.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

Characters = list[tuple[int, int]]

LAST_CHARACTER = 0x10FFFF
_CASED = 0x20000
"""Above lie ideographs, which have no case."""
_PERL = {"d": "09", "w": "09AZ__az", "s": "\t\n\f\r  "}
_POSIX = {
    "alnum": "09AZaz",
    "alpha": "AZaz",
    "ascii": "\x00\x7f",
    "blank": "\t\t  ",
    "cntrl": "\x00\x1f\x7f\x7f",
    "digit": "09",
    "graph": "!~",
    "lower": "az",
    "print": " ~",
    "punct": "!/:@[`{~",
    "space": "\t\r  ",
    "upper": "AZ",
    "word": "09AZ__az",
    "xdigit": "09AFaf",
}
"""The characters of a class as first and last of each range, rising."""


def perl_class(letter: str) -> Characters | None:
    """The set of ``\\d``, ``\\w`` or ``\\s``, which are ASCII; None for another letter."""
    return _pairs(_PERL[letter]) if letter in _PERL else None


def posix_class(name: str) -> Characters | None:
    """The set of ``[:alpha:]`` and its like; None where there is none of this name."""
    return _pairs(_POSIX[name]) if name in _POSIX else None


@lru_cache
def category(name: str) -> Characters | None:
    """The set of a general category, such as ``L`` or ``Lu``; None where there is none of this name."""
    if name == "Any":
        return [(0, LAST_CHARACTER)]
    codes = range(LAST_CHARACTER + 1)
    of_each = map(unicodedata.category, map(chr, codes))
    found = [
        code for code, of_one in zip(codes, of_each, strict=True) if name in (of_one, of_one[0]) and of_one != "Cn"
    ]
    return union((code, code) for code in found) or None


def union(characters: Iterable[tuple[int, int]]) -> Characters:
    """The same set as rising ranges that neither meet nor touch."""
    merged: Characters = []
    for first, last in sorted(characters):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def complement(characters: Characters) -> Characters:
    """All other characters."""
    bounds = [-1, *(bound for pair in union(characters) for bound in pair), LAST_CHARACTER + 1]
    return [(last + 1, first - 1) for last, first in zip(bounds[::2], bounds[1::2], strict=True) if last + 1 < first]


def fold(characters: Characters) -> Characters:
    """With all that are alike but for case: ``k`` brings ``K`` and the Kelvin sign."""
    kin = _kin()
    return union([*characters, *((other, other) for code in _those_with_case(characters, kin) for other in kin[code])])


def class_text(characters: Characters) -> str:
    """The set as Python's `re` writes it."""
    if not characters:
        return "(?!)"
    if len(characters) == 1 and characters[0][0] == characters[0][1]:
        return re.escape(chr(characters[0][0]))
    return "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in characters) + "]"


def _pairs(bounds: str) -> Characters:
    codes = [ord(bound) for bound in bounds]
    return list(zip(codes[::2], codes[1::2], strict=True))


def _those_with_case(characters: Characters, kin: Mapping[int, list[int]]) -> Iterator[int]:
    for first, last in characters:
        few = last - first < len(kin)
        yield from (code for code in (range(first, last + 1) if few else kin) if first <= code <= last and code in kin)


@lru_cache
def _kin() -> dict[int, list[int]]:
    """Each character that has case: all that fold to the same one, itself among them."""
    families: dict[str, list[int]] = {}
    for code in range(_CASED):
        families.setdefault(_simple_fold(chr(code)), []).append(code)
    return {code: family for family in families.values() if len(family) > 1 for code in family}


def _simple_fold(character: str) -> str:
    """Python folds some characters to several; simple folding then makes them lower case, or leaves them."""
    for folded in (character.casefold(), character.lower()):
        if len(folded) == 1:
            return folded
    return character
