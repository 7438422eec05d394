"""The TLS context of a destination."""

from __future__ import annotations

import ssl

import httpx

from promfill.errors import InputError
from promfill.net.destination import Destination, Tls

_TLS_VERSIONS = {
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}  # OpenSSL does not use older versions by default


def tls_context(destination: Destination) -> ssl.SSLContext:
    """Trusts the given CA bundle; without one, httpx's (certifi, or SSL_CERT_FILE) and the system's."""
    tls = destination.http.tls
    if not destination.url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts no certificate, and is quick to make
    try:
        if tls.ca is not None:
            context = ssl.create_default_context(cafile=tls.ca)
        else:
            context = httpx.create_ssl_context()
            context.load_default_certs()
        if tls.cert is not None and tls.key is not None:
            context.load_cert_chain(tls.cert, tls.key, password=_no_passphrase)
    except OSError as error:  # ssl.SSLError is an OSError
        raise _tls_file_error(tls, error) from None
    if tls.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if tls.min_version in _TLS_VERSIONS:
        context.minimum_version = _TLS_VERSIONS[tls.min_version]
    return context


def _no_passphrase() -> str:
    """A password callback: without it OpenSSL would ask on the terminal, and promfill never asks."""
    raise InputError.about("tls_key", "is protected by a passphrase", "use a key without a passphrase")


def _tls_file_error(tls: Tls, error: OSError) -> InputError:
    files = {"tls_ca": tls.ca, "tls_cert": tls.cert, "tls_key": tls.key}
    for field, path in files.items():
        if path is not None and not path.is_file():
            return InputError.about(field, f"{path} is not a file", "use the path of a PEM file")
    names = ", ".join(str(path) for path in (tls.ca, tls.cert, tls.key) if path)
    reason = getattr(error, "reason", None) or error.strerror
    problem = f"the TLS files {names} cannot be used ({reason})"
    field = next((field for field, path in files.items() if path), "")
    return InputError(problem, "use PEM files that belong together", field=field)
