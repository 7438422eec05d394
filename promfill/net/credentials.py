"""Headers and secrets that can be sent, whoever named them: options or files."""

from __future__ import annotations

from pathlib import Path

from promfill.errors import InputError
from promfill.net.destination import Header, Secret

OWN_HEADERS = frozenset(
    ("connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding", "user-agent")
)
"""Headers that say how the body is to be read: they are ours. Those of remote write and read begin with OWN_PREFIX."""
OWN_PREFIX = "x-prometheus-remote-"


def check_header(name: str, value: str, where: str) -> Header:
    """The same header; InputError, which tells `where` it stands, for one that cannot be sent."""
    if name.lower() in OWN_HEADERS or name.lower().startswith(OWN_PREFIX):
        raise InputError(f"{where}: promfill sets this header itself", "leave it out")
    check_line(value, where)
    return name, Secret(value)


def read_secret(path: Path, what: str) -> Secret:
    """What a file of a password or token holds: one line. InputError where it cannot be read, or holds no such line."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InputError(f"{what} {path} cannot be read: {error.strerror}", "check the path and its rights") from None
    except UnicodeDecodeError:
        raise InputError(f"{what} {path} is no text", "it must hold the secret alone") from None
    if not text:
        raise InputError(f"{what} {path} is empty", "it must hold the secret alone")
    check_line(text, f"{what} {path}")
    return Secret(text)


def check_line(text: str | None, what: str) -> str | None:
    """The same text; InputError where it would break out of its header."""
    if text is not None and (not text or not text.isprintable()):
        raise InputError(f"{what} must be one line of printable characters, and not empty")
    return text
