"""A server's answer, read within bounds and summed up in one line. The server may be hostile, or the wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import httpx

from promfill.errors import RefusedError
from promfill.net.destination import show_url

MOST_BYTES = 256 << 20
"""The largest answer that is read into memory as a whole."""
LOOKED_AT = 65_536
"""How many characters of an answer are searched for its message."""

_PASSING = (408, 425, 429, 499)
_FINAL = (501, 505, 511)
"""The server cannot do it at all, or the network requires a login: waiting does not help."""

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_OF_THE_WIRE = (b"content-encoding", b"content-length", b"transfer-encoding")


def passing(status: int) -> bool:
    """Whether a retry may succeed. Every other status that is not a success is final."""
    return (status >= 500 and status not in _FINAL) or status in _PASSING


def read_whole(response: httpx.Response) -> httpx.Response:
    """The answer with its body. RefusedError if the body is larger than any that we ask for."""
    length = response.headers.get("Content-Length", "0" if response.status_code in (204, 304) else "")
    if length.isdecimal() and int(length) <= MOST_BYTES and "Content-Encoding" not in response.headers:
        response.read()
        return response
    content = bytearray()
    for piece in response.iter_bytes():
        content += piece
        if len(content) > MOST_BYTES:
            where = show_url(str(response.request.url))
            raise RefusedError(f"{where} sent more than {MOST_BYTES / 1e6:g} MB", "check the address")
    headers = [pair for pair in response.headers.raw if pair[0].lower() not in _OF_THE_WIRE]
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=bytes(content),
        request=response.request,
        extensions=response.extensions,
    )


def text_of(response: httpx.Response) -> str:
    """The body as text. Always UTF-8, whatever the header claims: some of Python's codecs are not for text."""
    return response.content.decode("utf-8", "replace")


def is_html(response: httpx.Response) -> bool:
    """Whether it is an HTML page."""
    start = response.content[:256].lstrip().lower()
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind == "text/html" or start.startswith((b"<!doctype html", b"<html"))


def first_words(response: httpx.Response, mask: Callable[[str], str]) -> str:
    """The first words of an answer on one line, masked; for an HTML page its title."""
    text = mask(text_of(response))[:LOOKED_AT]  # mask before cutting: half a secret would not be recognised
    if is_html(response):
        title = _TITLE.search(text)
        text = f'an HTML page, "{mask(unescape(title[1]))}"' if title else "an HTML page"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
