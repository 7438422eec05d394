"""What a server answered: read within bounds, and told in one line. It may be hostile, or no server of ours at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import httpx

from promfill.errors import RefusedError
from promfill.net.destination import show_url

MOST_BYTES = 256 << 20
"""What an answer may hold that is taken into memory whole."""
LOOKED_AT = 65_536
"""Letters of an answer that are looked at for what it says."""

_PASSING = (408, 425, 429, 499)
_FINAL = (501, 505, 511)
"""What a server cannot do at all, and a network that wants us to sign in: no sender is helped by waiting."""

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_OF_THE_WIRE = (b"content-encoding", b"content-length", b"transfer-encoding")


def passing(status: int) -> bool:
    """Whether another attempt may get a better answer. Every other status that is not a success is final."""
    return (status >= 500 and status not in _FINAL) or status in _PASSING


def read_whole(response: httpx.Response) -> httpx.Response:
    """The answer with its body. RefusedError where that is larger than anything we ask for."""
    length = response.headers.get("Content-Length", "0" if response.status_code in (204, 304) else "")
    if length.isdecimal() and int(length) <= MOST_BYTES and "Content-Encoding" not in response.headers:
        response.read()
        return response
    content = bytearray()
    for piece in response.iter_bytes():
        content += piece
        if len(content) > MOST_BYTES:
            where = show_url(str(response.request.url))
            raise RefusedError(f"{where} answers more than {MOST_BYTES / 1e6:g} MB", "check the address")
    headers = [pair for pair in response.headers.raw if pair[0].lower() not in _OF_THE_WIRE]
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=bytes(content),
        request=response.request,
        extensions=response.extensions,
    )


def text_of(response: httpx.Response) -> str:
    """What it says. UTF-8 whatever it claims: among Python's codecs are some that are none of texts."""
    return response.content.decode("utf-8", "replace")


def is_html(response: httpx.Response) -> bool:
    """Whether it is a page for people."""
    start = response.content[:256].lstrip().lower()
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind == "text/html" or start.startswith((b"<!doctype html", b"<html"))


def first_words(response: httpx.Response, mask: Callable[[str], str]) -> str:
    """Its beginning on one line, masked; of an HTML page the title."""
    text = mask(text_of(response))[:LOOKED_AT]  # before it is cut: half a secret would go unseen
    if is_html(response):
        title = _TITLE.search(text)
        text = f'an HTML page, "{mask(unescape(title[1]))}"' if title else "an HTML page"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
