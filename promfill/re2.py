"""Regular expressions of RE2, as Prometheus writes them, put into the words of Python's `re`.

The two share most of their syntax, and each gives some of it another meaning: ``\\d`` is ASCII in RE2, ``\\12`` an
octal number, ``$`` the very end. So a pattern is read piece by piece and written anew; what only Python knows
(lookaround, references, possessive repeats) is refused, and so is what Python cannot say (``\\pL``, ``\\C``, flags that
begin within a pattern). Source: the syntax page of RE2 and the errors of Go's regexp/syntax.
"""

from __future__ import annotations

import re

from promfill.errors import InputError

_MOST_REPEATS = 1000
_LAST_CHARACTER = 0x10FFFF
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
_LITERAL = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)
_GROUP = re.compile(r"\((?:\?(?:P<\w+>|[ims]*(?:-[ims]+)?[:)]))?", re.ASCII)
_COUNT = re.compile(r"\{(\d+)(?:,(\d*))?\}", re.ASCII)
_REPEAT = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??", re.ASCII)
_POSIX_CLASS = re.compile(r"\[:(\^?)(.*?):\]", re.DOTALL)
_NUMBER = re.compile(r"\\(?:x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|(0[0-7]{0,2}|[1-7][0-7]{1,2}))")
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_PLACES = {"A": r"\A", "z": r"\Z", "b": r"(?a:\b)", "B": r"(?a:\B)"}


def compile_re2(pattern: str) -> re.Pattern[str]:
    """The pattern, for `fullmatch`. InputError: RE2 refuses it, or Python cannot say it."""
    try:
        return re.compile(_Translation(pattern).text())
    except (re.error, RecursionError, OverflowError, InputError) as error:
        raise InputError(f"regular expression {pattern!r}: {error}") from None


class _Translation:
    """One pass over a pattern. `_most` holds, for each open group, the most repeats of one piece in it."""

    def __init__(self, pattern: str) -> None:
        self._pattern, self._at = pattern, 0
        self._most, self._last = [1], 1
        self._lines = re.search(r"\(\?[is]*m", pattern) is not None

    def text(self) -> str:
        pieces = []
        while self._at < len(self._pattern):
            pieces.append(self._piece())
        return "".join(pieces)

    def _take(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        found = expression.match(self._pattern, self._at)
        self._at = found.end() if found else self._at
        return found

    def _piece(self) -> str:
        character = self._pattern[self._at]
        if repeat := self._take(_REPEAT):
            return self._repeat(repeat[0])
        if character == "(":
            return self._open()
        if character == ")":
            self._last = self._most.pop() if len(self._most) > 1 else 1
            self._most[-1] = max(self._most[-1], self._last)
            self._at += 1
            return ")"
        self._last = 1
        if character == "\\":
            return self._escape()
        self._at += 1
        if character == "[":
            return self._class()
        if character == "$" and not self._lines:
            return r"\Z"
        return character if character in ".^$|" else re.escape(character)

    def _open(self) -> str:
        group = self._take(_GROUP)
        assert group
        if group[0] == "(" and self._pattern.startswith("?", self._at):
            raise InputError(f"RE2 knows no {self._pattern[self._at - 1 : self._at + 2]!r}")
        if not group[0].endswith(")"):
            self._most.append(1)
        return group[0]

    def _repeat(self, repeat: str) -> str:
        if self._pattern.startswith("+", self._at):
            raise InputError(f"RE2 knows no {repeat + '+'!r}")
        if count := _COUNT.match(repeat):
            self._last *= int(count[2] or count[1])
            self._most[-1] = max(self._most[-1], self._last)
            if max(self._last, int(count[1])) > _MOST_REPEATS:
                raise InputError(f"{count[0]} repeats more than {_MOST_REPEATS} times")
        return repeat

    def _escape(self) -> str:
        if literal := self._take(_LITERAL):
            return re.escape(literal[1])
        letter = self._pattern[self._at + 1 : self._at + 2]
        if letter in _PLACES:
            self._at += 2
            return _PLACES[letter]
        if ranges := self._perl_class():
            return f"[{ranges}]"
        return re.escape(self._character())

    def _class(self) -> str:
        start = self._at - 1
        negated = self._pattern.startswith("^", self._at)
        self._at += negated
        items: list[str] = []
        while not items or not self._pattern.startswith("]", self._at):
            if self._at >= len(self._pattern):
                raise InputError(f"no ] behind {self._pattern[start:]!r}")
            items.append(self._posix_class() or self._perl_class() or self._range())
        self._at += 1
        return f"[{'^' * negated}{''.join(items)}]"

    def _posix_class(self) -> str:
        found = self._take(_POSIX_CLASS)
        if not found:
            return ""
        if found[2] not in _POSIX:
            raise InputError(f"RE2 knows no class {found[0]!r}")
        return _ranges(_POSIX[found[2]], negated=bool(found[1]))

    def _perl_class(self) -> str:
        letter = self._pattern[self._at + 1 : self._at + 2]
        if self._pattern[self._at] != "\\" or letter.lower() not in _PERL:
            return ""
        self._at += 2
        return _ranges(_PERL[letter.lower()], negated=letter.isupper())

    def _range(self) -> str:
        first = last = self._character()
        if self._pattern.startswith("-", self._at) and self._pattern[self._at + 1 : self._at + 2] not in ("", "]"):
            self._at += 1
            last = self._character()
        if last < first:
            raise InputError(f"bad character range {first}-{last}")
        return _ranges(first + last, negated=False)

    def _character(self) -> str:
        """The next character, plain or escaped."""
        if number := self._take(_NUMBER):
            code = int(number[1] or number[2] or number[3], 8 if number[3] else 16)
            if code > _LAST_CHARACTER:
                raise InputError(f"no character has the number {code:#x}")
            return chr(code)
        character = self._pattern[self._at]
        self._at += 1
        if character != "\\":
            return character
        escaped = self._pattern[self._at : self._at + 1]
        self._at += 1
        if not escaped or not escaped.isascii() or (escaped.isalnum() and escaped not in _CONTROLS):
            raise InputError(f"no escape {character + escaped!r} here")
        return _CONTROLS.get(escaped, escaped)


def _ranges(bounds: str, *, negated: bool) -> str:
    """Ranges as they stand between brackets, or all characters but those."""
    codes = [ord(bound) for bound in bounds]
    if negated:
        inner = [code + (1 if place % 2 else -1) for place, code in enumerate(codes)]
        codes = [0, *inner, _LAST_CHARACTER]
    pairs = zip(codes[::2], codes[1::2], strict=True)
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in pairs if first <= last)
