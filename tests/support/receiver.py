"""A receiver on loopback that notes what it gets and answers what the test wants.

with Receiver(lambda taken: Answer(400, b"no")) as receiver:
    …                      # receiver.url, receiver.taken
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import snappy

from tests.support.golden import FOLDER

TLS_FOLDER = FOLDER / "tls"


@dataclass(frozen=True)
class Taken:
    """A request as it came. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def message(self) -> bytes:
        """The body without its compression."""
        message: bytes = snappy.decompress(self.body)
        return message


@dataclass(frozen=True)
class Answer:
    """What the receiver does with a request."""

    status: int = 204
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0  # seconds before the first byte
    drip: float = 0.0  # seconds between the bytes of the body
    hang_up: bool = False  # close the connection, and say nothing


GOOD = Answer()


class Receiver:
    """An HTTP server in a thread; `answer` decides about each request. tls: how clients are to be met."""

    def __init__(
        self, answer: Callable[[Taken], Answer] = lambda _: GOOD, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.taken: list[Taken] = []
        self.connections = 0
        self._server = _Server(("127.0.0.1", 0), self._handler(answer))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/api/v1/write"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self, answer: Callable[[Taken], Answer]) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                receiver.connections += 1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                names = {name.lower(): value for name, value in self.headers.items()}
                taken = Taken(self.command, self.path, names, body)
                receiver.taken.append(taken)
                with contextlib.suppress(ConnectionError):
                    self._say(answer(taken))

            do_GET = do_POST  # noqa: N815  (http.server's name)

            def _say(self, said: Answer) -> None:
                time.sleep(said.pause)
                if said.hang_up:
                    self.close_connection = True
                    return
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                if said.status != 204 and "Connection" not in said.headers:
                    self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                if not said.drip:
                    self.wfile.write(said.body)
                    return
                for byte in said.body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(said.drip)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or does not like our certificate, is what some tests want."""


def server_tls(*, ask_for_certificate: bool = False) -> ssl.SSLContext:
    """A server that shows the tests' certificate, and perhaps wants the client's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS_FOLDER / "server.pem", TLS_FOLDER / "server.key")
    if ask_for_certificate:
        context.load_verify_locations(TLS_FOLDER / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context
