"""What went wrong below HTTP, in one line that names the server and the mend."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from promfill.destination import show_url

CONNECT_SECONDS = 10.0
"""How long a connection may take to be made."""


def describe_timeout(url: httpx.URL, seconds: float) -> str:
    """An answer that was not there in time."""
    return f"{show_url(str(url))} did not answer within {seconds:g} s: see whether it is overloaded, or raise --timeout"


def describe_failure(error: httpx.HTTPError, url: httpx.URL, seconds: float) -> str:
    """The most telling cause of a failed request, which had `seconds` for all of it."""
    causes = list(_causes(error))
    where = show_url(str(url))
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return f"the name {url.host} does not resolve: check the host in {where}"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate of {url.host} is not trusted ({cause.verify_message}): give its CA by --tls-ca"
        if isinstance(cause, ssl.SSLError):
            plain = cause.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
            mend = "it seems to speak plain HTTP: try http://" if plain else "check the --tls- options"
            return f"TLS with {where} failed ({cause.reason}): {mend}"
        if isinstance(cause, ConnectionRefusedError):
            return f"nothing listens at {where}: start the receiver, or check host and port"
    if isinstance(error, httpx.LocalProtocolError) and "header" in str(error):  # its text shows the value
        return f"a request to {where} cannot be sent: a header holds what HTTP cannot carry: mend the credentials"
    if isinstance(error, httpx.ConnectTimeout):
        return f"{where} cannot be reached: no connection within {min(seconds, CONNECT_SECONDS):g} s: check the address"
    if isinstance(error, httpx.TimeoutException):
        return describe_timeout(url, seconds)
    return f"the connection to {where} broke before an answer came ({error or type(error).__name__})"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
