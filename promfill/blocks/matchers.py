"""Series selectors, as in PromQL: ``name{label="value", other=~"a|b"}``.

As promtool 2.42 reads them. Regular expressions are RE2's, anchored at both ends, and ``.`` does not match a newline;
in Prometheus 3 it does. A label that a series does not have counts as the empty string.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from promfill.blocks.label_regex import compile_label_regex
from promfill.errors import InputError

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_QUOTED = re.compile(r"""\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)\s*""", re.DOTALL)
_LABEL = re.compile(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[abfnrtv\\\"'])|\\", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label. ``operator`` is ``=``, ``!=``, ``=~`` or ``!~``."""

    name: str
    operator: str
    value: str

    def predicate(self) -> Callable[[str], bool]:
        """A function that tells whether a value matches. InputError: the regular expression does not parse."""
        wanted = not self.operator.startswith("!")
        if "~" not in self.operator:
            return lambda value: (value == self.value) == wanted
        matches = compile_label_regex(self.value)
        return lambda value: matches(value) == wanted


_NOTHING = Matcher("", "!=", "")
"""No series has a label without a name."""


def parse_selector(text: str) -> list[Matcher]:
    """The matchers of a selector; for ``{}``, which selects nothing in promtool, one that no series satisfies.

    InputError: it does not parse; the message says what was found where.
    """
    at = len(text) - len(text.lstrip())
    matchers = []
    if name := _NAME.match(text, at):
        matchers.append(Matcher("__name__", "=", name[0]))
        at = name.end()
    rest = text[at:].strip()
    if not rest and matchers:
        return matchers
    if not (rest.startswith("{") and rest.endswith("}")):
        raise _wrong(f"selector {text!r} is not valid", 'write name{label="value"}, with braces around the conditions')
    body = rest[1:-1]
    return matchers + _matchers(body, text) or [_NOTHING]


def _wrong(problem: str, fix: str = "") -> InputError:
    return InputError(problem, fix, field="selector")


def _matchers(body: str, text: str) -> list[Matcher]:
    matchers, at = [], 0
    while body[at:].strip():
        label = _QUOTED.match(body, at) or _LABEL.match(body, at)
        if not label:
            raise _wrong(f"selector {text!r}: expected a label name at {body[at:]!r}")
        name, at = _unquote(label[1]), label.end()
        operator = _OPERATOR.match(body, at)
        if operator:
            value = _QUOTED.match(body, operator.end())
            if not value:
                raise _wrong(f"selector {text!r}: expected a quoted value at {body[operator.end() :]!r}")
            matchers.append(Matcher(name, operator[0], _unquote(value[1])))
            at = value.end()
        elif label[1][0] in "\"'`":
            matchers.append(Matcher("__name__", "=", name))
        else:
            raise _wrong(f"selector {text!r}: expected one of = != =~ !~ after {name!r}")
        if at < len(body) and body[at] != ",":
            raise _wrong(f"selector {text!r}: expected a comma at {body[at:]!r}")
        at += 1
    return matchers


def _unquote(text: str) -> str:
    """The string that a quoted Go literal means; a bare name means itself."""
    if text[0] == "`":
        return text[1:-1]
    if text[0] not in "\"'":
        return text
    pieces, at = [], 1
    for escape in _ESCAPE.finditer(text, 1, len(text) - 1):
        pieces += [text[at : escape.start()].encode("utf-8", "surrogateescape"), _unescape(escape)]
        at = escape.end()
    pieces.append(text[at:-1].encode("utf-8", "surrogateescape"))
    try:
        return b"".join(pieces).decode()
    except UnicodeDecodeError:
        raise _wrong(f"quoted value {text}: its bytes are not UTF-8") from None


def _unescape(match: re.Match[str]) -> bytes:
    """``\\x`` and octal numbers are bytes, ``\\u`` and ``\\U`` are characters, as in Go."""
    code = match[1]
    if code is None or (code in "\"'" and code != match.string[0]):
        raise _wrong(f"unknown escape in a quoted value: {match.string[match.start() : match.start() + 2]!r}")
    if code[0] not in "x01234567":
        return (_character(int(code[1:], 16)) if code[0] in "uU" else _ESCAPES.get(code, code)).encode()
    number = int(code[1:], 16) if code[0] == "x" else int(code, 8)
    if number > 0xFF:
        raise _wrong(f"{match[0]!r} in a quoted value is not a valid byte: {number:#x} is above 0xff")
    return bytes([number])


def _character(number: int) -> str:
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise _wrong(f"{number:#x} is not a valid character number")
    return chr(number)
