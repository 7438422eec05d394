"""Failures below HTTP: the server, the problem, the fix, and whether a retry may help."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from promfill.errors import setting
from promfill.net.destination import show_url

CONNECT_SECONDS = 10.0
"""The timeout for making a connection."""
TLS_SECONDS = 2.0
"""The timeout for the test whether a server speaks TLS."""

_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_TLS_FIX = f"check {setting('tls_ca')}, {setting('tls_cert')} and {setting('tls_key')}"
_PLAIN = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
_BROKEN = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""The connection closed during the TLS handshake, for example because the server restarts."""

_NO_HTTP = ("illegal status line", "illegal request line")
"""h11's errors for an answer that is not HTTP, such as that of a gRPC port."""


class Failure(NamedTuple):
    """Why a request got no answer. is_final: a retry will not get one either."""

    problem: str
    fix: str
    is_final: bool = False


def explain_timeout(url: httpx.URL, seconds: float) -> Failure:
    """The server did not answer in time."""
    where = show_url(str(url))
    fix = f"check whether it is overloaded, or raise {setting('timeout')}"
    return Failure(f"{where} did not answer within {seconds:g} s", fix)


def explain_failure(error: httpx.HTTPError, url: httpx.URL, seconds: float) -> Failure:
    """The most specific cause of a failed request. seconds: its timeout."""
    where = show_url(str(url))
    for cause in _causes(error):
        if (failure := _explain_cause(cause, url)) is not None:
            return failure
    if isinstance(error, httpx.LocalProtocolError) and "header" in str(error):  # httpx's message shows the value
        problem = f"a request to {where} cannot be sent: a header has characters that HTTP does not allow"
        return Failure(problem, "check the credentials for line breaks and spaces", is_final=True)
    if isinstance(error, httpx.ProxyError):
        return Failure(f"the proxy could not connect to {where} ({error})", "check the proxy", _denies(str(error)))
    if isinstance(error, httpx.ConnectTimeout):
        problem = f"{where} cannot be reached: no connection within {min(seconds, CONNECT_SECONDS):g} s"
        return Failure(problem, "check the address")
    if isinstance(error, httpx.TimeoutException):
        return explain_timeout(url, seconds)
    if isinstance(error, httpx.RemoteProtocolError) and str(error).startswith(_NO_HTTP):
        return Failure(f"{where} does not speak HTTP", "check host and port", is_final=True)
    return Failure(f"the connection to {where} was closed before an answer came ({error or type(error).__name__})", "")


def speaks_tls(host: str, port: int) -> bool:
    """Whether a server begins a TLS handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent over it
    try:
        with socket.create_connection((host, port), TLS_SECONDS) as plain, context.wrap_socket(plain):
            return True
    except ssl.SSLError as error:
        return not isinstance(error, _BROKEN) and error.reason not in _PLAIN
    except OSError:
        return False


def _explain_cause(cause: BaseException, url: httpx.URL) -> Failure | None:
    """The failure for one exception of the chain; None if it is not specific enough."""
    where = show_url(str(url))
    if isinstance(cause, socket.gaierror):
        if cause.errno in _NO_SUCH_NAME:
            return Failure(f"the host {url.host} does not exist", f"check the address {where}", is_final=True)
        return Failure(f"cannot resolve the host {url.host} at the moment ({cause.strerror})", "check the DNS server")
    if isinstance(cause, ssl.SSLCertVerificationError):
        problem = f"the certificate of {url.host} is not trusted ({cause.verify_message})"
        return Failure(problem, f"set {setting('tls_ca')} to its CA bundle", is_final=True)
    if isinstance(cause, ssl.SSLError):
        plain = cause.reason in _PLAIN
        fix = "it seems to speak plain HTTP: try http://" if plain else _TLS_FIX
        return Failure(f"TLS with {where} failed ({cause.reason})", fix, not isinstance(cause, _BROKEN))
    if isinstance(cause, ConnectionRefusedError):
        return Failure(f"nothing listens at {where}", "start the receiver, or check host and port")
    return None


def _denies(status_line: str) -> bool:
    """Whether a proxy answered with a final status."""
    return status_line[:1] == "4" and not status_line.startswith(("408", "425", "429"))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
