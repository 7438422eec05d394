"""Checks of the headers and secrets to send, whether they come from options or from files."""

from __future__ import annotations

from pathlib import Path

from promfill.errors import InputError
from promfill.net.destination import Header, Secret

OWN_HEADERS = frozenset(
    ("connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding", "user-agent")
)
"""Headers that describe the body: promfill sets them itself. Those of remote write and read begin with OWN_PREFIX."""
OWN_PREFIX = "x-prometheus-remote-"

_ALONE = "the file must hold the secret and nothing else"


def check_header(name: str, value: str, where: str, *, field: str = "") -> Header:
    """The same header. InputError, with its place (`where`) and field, if it cannot be sent."""
    if name.lower() in OWN_HEADERS or name.lower().startswith(OWN_PREFIX):
        raise InputError(f"{where}: promfill sets this header itself", "leave it out", field=field)
    check_line(value, where, field=field)
    return name, Secret(value)


def read_secret(path: Path, what: str, *, field: str = "") -> Secret:
    """The password or token in a file, which must be a single line. InputError if it cannot be read or is not."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        problem = f"{what} {path} cannot be read: {error.strerror}"
        raise InputError(problem, "check the path and its permissions", field=field) from None
    except UnicodeDecodeError:
        raise InputError(f"{what} {path} is not text", _ALONE, field=field) from None
    if not text:
        raise InputError(f"{what} {path} is empty", _ALONE, field=field)
    check_line(text, f"{what} {path}", field=field)
    return Secret(text)


def check_line(text: str | None, what: str, *, field: str = "") -> str | None:
    """The same text. InputError if it would break out of its header."""
    if text is not None and (not text or not text.isprintable()):
        raise InputError(f"{what} must be a single line of printable characters, and not empty", field=field)
    return text
