"""Regular expressions of RE2, as Prometheus writes them, put into the words of Python's `re`.

The two share most of their syntax, and each gives some of it another meaning: ``\\d`` is ASCII in RE2, ``\\12`` an
octal number, ``$`` the very end, ``(?i)`` holds to the end of its group, and case is folded differently. So a pattern
is read piece by piece, and each piece is written so that no flag and no neighbour changes it. What only Python knows
(lookaround, references, possessive repeats) is refused, and so are the names of scripts (``\\p{Greek}``), which Python
does not know. Source: the syntax page of RE2, and the rules and errors of Go's regexp/syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from promfill.errors import InputError
from promfill.re2_characters import (
    LAST_CHARACTER,
    Characters,
    category,
    class_text,
    complement,
    fold,
    perl_class,
    posix_class,
    union,
)

_MOST_REPEATS = 1000
_LITERAL = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)
_OPEN = re.compile(r"\((?:\?(?:P<\w+>|(?P<on>[imsU]*)(?:-(?P<off>[imsU]+))?[:)]))?", re.ASCII)
_REPEAT = re.compile(r"(?P<sign>[*+?]|\{(?P<least>0|[1-9]\d*)(?P<most>,(?:0|[1-9]\d*)?)?\})\??", re.ASCII)
_POSIX_CLASS = re.compile(r"\[:(\^?)(.*?):\]", re.DOTALL)
_CATEGORY = re.compile(r"\\([pP])(?:\{(\^?)([^}]*)\}|([^{]))", re.DOTALL)
_NUMBER = re.compile(r"\\(?:x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|(0[0-7]{0,2}|[1-7][0-7]{1,2}))")
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_PLACES = {"A": r"\A", "z": r"\Z", "b": r"(?a:\b)", "B": r"(?a:(?!\b))"}


def compile_re2(pattern: str) -> re.Pattern[str]:
    """The pattern, for `fullmatch`. InputError: RE2 refuses it, or Python cannot say it.

    RE2 takes time in proportion to the value; Python goes back and tries again, and a repeat of repeats (``(x+)+y``)
    takes twice as long for every character more.
    """
    try:
        return re.compile(_Translation(pattern).text())
    except (re.error, RecursionError, OverflowError, InputError) as error:
        raise InputError(f"regular expression {pattern!r}: {error}") from None


@dataclass(slots=True)
class _Group:
    """A group that is open: the flags in force, what is written of it, and the most repeats of one piece in it."""

    flags: frozenset[str]
    pieces: list[str] = field(default_factory=list)
    most: int = 1


class _Translation:
    """One pass over a pattern. `_last`: the most repeats of a piece within the last one."""

    def __init__(self, pattern: str) -> None:
        self._pattern, self._at = pattern, 0
        self._groups = [_Group(frozenset())]
        self._last = 1
        self._repeated = False

    def text(self) -> str:
        while self._at < len(self._pattern):
            self._step()
        if len(self._groups) > 1:
            raise InputError("a ( without its )")
        return "".join(self._groups[0].pieces)

    def _step(self) -> None:
        if repeat := self._take(_REPEAT):
            self._repeat(repeat)
            return
        self._repeated = False
        if literal := self._take(_LITERAL):
            for character in literal[1]:
                self._add(self._one(character))
        elif self._pattern[self._at] == "(":
            self._open()
        elif self._pattern[self._at] == ")":
            self._close()
        else:
            self._add(self._piece())

    def _take(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        found = expression.match(self._pattern, self._at)
        self._at = found.end() if found else self._at
        return found

    def _add(self, piece: str) -> None:
        self._groups[-1].pieces.append(piece)
        self._last = 1

    def _open(self) -> None:
        opening = self._take(_OPEN)
        assert opening
        if opening[0] == "(" and self._pattern.startswith("?", self._at):
            raise InputError(f"RE2 knows no {self._pattern[self._at - 1 : self._at + 2]!r}")
        flags = (self._groups[-1].flags | set(opening["on"] or "")) - set(opening["off"] or "")
        if opening[0].endswith(")"):
            self._groups[-1].flags = flags
        else:
            self._groups.append(_Group(flags))

    def _close(self) -> None:
        if len(self._groups) == 1:
            raise InputError("a ) without its (")
        closed = self._groups.pop()
        self._add(f"(?:{''.join(closed.pieces)})")
        self._last = closed.most
        self._groups[-1].most = max(self._groups[-1].most, closed.most)
        self._at += 1

    def _repeat(self, repeat: re.Match[str]) -> None:
        """Greedy or not is all the same where the whole value has to match."""
        group = self._groups[-1]
        if self._repeated:
            raise InputError(f"RE2 repeats no repeat: {repeat[0]!r}")
        if not group.pieces or group.pieces[-1] == "|":
            raise InputError(f"nothing is repeated by {repeat[0]!r}")
        if repeat["least"]:
            self._count(repeat[0], repeat["least"], (repeat["most"] or "").lstrip(","))
        group.pieces[-1] = f"(?:{group.pieces[-1]}){repeat['sign']}"
        self._repeated = True

    def _count(self, repeat: str, least: str, most: str) -> None:
        digits = max(len(least), len(most))
        if digits <= len(str(_MOST_REPEATS)):
            self._last *= int(most or least)
            self._groups[-1].most = max(self._groups[-1].most, self._last)
            if max(self._last, int(least), int(most or 0)) <= _MOST_REPEATS:
                return
        raise InputError(f"{repeat if digits < 20 else 'a piece'} repeats more than {_MOST_REPEATS} times")

    def _piece(self) -> str:
        character = self._pattern[self._at]
        if character == "\\":
            return self._escape()
        self._at += 1
        lines = "m" in self._groups[-1].flags
        match character:
            case "[":
                return self._class()
            case ".":
                return "(?s:.)" if "s" in self._groups[-1].flags else r"[^\n]"
            case "^":
                return "(?m:^)" if lines else r"\A"
            case "$":
                return "(?m:$)" if lines else r"\Z"
            case "|":
                return "|"
        return self._one(character)

    def _one(self, character: str) -> str:
        return class_text(self._fold([(ord(character), ord(character))]))

    def _fold(self, characters: Characters) -> Characters:
        return fold(characters) if "i" in self._groups[-1].flags else characters

    def _escape(self) -> str:
        letter = self._pattern[self._at + 1 : self._at + 2]
        if letter in _PLACES:
            self._at += 2
            return _PLACES[letter]
        named = self._perl_class() or self._category()
        return self._one(self._character()) if named is None else class_text(named)

    def _class(self) -> str:
        start = self._at - 1
        negated = self._pattern.startswith("^", self._at)
        self._at += negated
        held: Characters = []
        begin = self._at
        while self._at == begin or not self._pattern.startswith("]", self._at):
            if self._at >= len(self._pattern):
                raise InputError(f"no ] behind {self._pattern[start:]!r}")
            held += self._item()
        self._at += 1
        return class_text(complement(held) if negated else union(held))

    def _item(self) -> Characters:
        for named in (self._posix_class, self._perl_class, self._category):
            if (characters := named()) is not None:
                return characters
        return self._range()

    def _named(self, characters: Characters, negated: bool) -> Characters:
        folded = self._fold(characters)
        return complement(folded) if negated else folded

    def _posix_class(self) -> Characters | None:
        found = self._take(_POSIX_CLASS)
        if not found:
            return None
        characters = posix_class(found[2])
        if characters is None:
            raise InputError(f"RE2 knows no class {found[0]!r}")
        return self._named(characters, bool(found[1]))

    def _perl_class(self) -> Characters | None:
        letter = self._pattern[self._at + 1 : self._at + 2]
        characters = perl_class(letter.lower()) if self._pattern[self._at] == "\\" else None
        if characters is None:
            return None
        self._at += 2
        return self._named(characters, letter.isupper())

    def _category(self) -> Characters | None:
        found = self._take(_CATEGORY)
        if not found:
            return None
        characters = category(found[3] or found[4] or "")
        if characters is None:
            raise InputError(f"{found[0]} is no general category such as \\p{{Lu}}; promfill knows no others")
        return self._named(characters, (found[1] == "P") != bool(found[2]))

    def _range(self) -> Characters:
        first = last = self._character()
        if self._pattern.startswith("-", self._at) and self._pattern[self._at + 1 : self._at + 2] not in ("", "]"):
            self._at += 1
            last = self._character()
        if last < first:
            raise InputError(f"bad character range {first}-{last}")
        return self._fold([(ord(first), ord(last))])

    def _character(self) -> str:
        """The next character, plain or escaped."""
        if number := self._take(_NUMBER):
            code = int(number[1] or number[2] or number[3], 8 if number[3] else 16)
            if code > LAST_CHARACTER:
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
