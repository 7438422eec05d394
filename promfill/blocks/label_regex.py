"""Regular expressions of selectors: RE2's, as Prometheus reads them, matched against a whole label value.

google-re2 is that engine itself. It has no wheels for musl, so it is an extra; without it Python's `re` handles
the plain patterns that both read alike and that `re` matches quickly. Other patterns are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType

from promfill.errors import InputError

INSTALL = "pip install 'promfill[re2]'"
_MOST_REPEATS = 1000

_ATOM = r"(?:[^\\.^$|?*+()\[\]{}]|\\[!-/:-@\[-^`{-~]|\\[dDwW]|\.|\[\^?[\w .:/@,;=-]+\])"
_REPEAT = r"(?:[*+?]|\{\d{1,4}(?:,(?:\d{1,4})?)?\})"
_PLAIN = re.compile(rf"(?:{_ATOM}{_REPEAT}?|\|)*", re.ASCII)
_GROUP = re.compile(rf"\((?:\?:)?((?:{_ATOM}{_REPEAT}?|\|)*)\)\??", re.ASCII)
_SET_OPERATION = "--"
"""Inside a class, `re` warns that these may come to mean a difference of sets."""


def compile_label_regex(pattern: str) -> Callable[[str], bool]:
    """A function that tells whether a whole value matches the pattern; ``.`` is any character but a newline.

    InputError: RE2 refuses the pattern, or the pattern needs google-re2, which is not installed.

    >>> compile_label_regex("host-(1|2).*")("host-2b")
    True
    """
    try:
        import re2
    except ImportError:
        return _compile_plain(pattern)
    return _compile_re2(re2, pattern)


def _compile_re2(re2: ModuleType, pattern: str) -> Callable[[str], bool]:
    options = re2.Options()
    options.log_errors = False
    try:
        full_match = re2.compile(pattern, options).fullmatch
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise InputError(f"regular expression {pattern!r} is not valid: {reason}", field="selector") from None
    return lambda value: full_match(value) is not None


def _compile_plain(pattern: str) -> Callable[[str], bool]:
    """By `re`: groups that are not repeated, and repeats of single characters."""
    if not is_plain(pattern):
        raise InputError(f"regular expression {pattern!r} needs RE2", INSTALL, field="selector")
    try:
        full_match = re.compile(pattern, re.ASCII).fullmatch
    except (re.error, OverflowError) as error:
        raise InputError(f"regular expression {pattern!r} is not valid: {error}", field="selector") from None
    return lambda value: full_match(value) is not None


def is_plain(pattern: str) -> bool:
    """Whether `re` and RE2 read the pattern alike, and it has no nested repeats, over which `re` may take long."""
    flat, groups = pattern, 1
    while groups:  # check a group's pieces as if they came after it
        flat, groups = _GROUP.subn(r"\1|", flat)
    repeats = re.findall(r"\{(\d+)(?:,(\d*))?\}", pattern)
    few = all(int(count or 0) <= _MOST_REPEATS for pair in repeats for count in pair)
    return few and _SET_OPERATION not in pattern and bool(_PLAIN.fullmatch(flat))
