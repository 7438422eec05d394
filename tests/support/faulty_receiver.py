"""A receiver in this process that misbehaves by a seeded plan, on a clock that nobody waits for.

receiver = FaultyReceiver(seed, PrometheusRules())
sink = open_remote_write(source, receiver.client, Sending(clock=receiver.clock, …))

What it does with an attempt depends on the seed, the body and how often that came, and on nothing else: no thread can
change it. It reads every body with google's protobuf, keeps the store's rules, and fails where the sender breaks
one of its own.
"""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from urllib.parse import parse_qs, urlsplit

import httpx
import snappy

from promfill.net.clock import Clock
from promfill.net.http import HttpClient, NoAnswerError
from promfill.net.resolve import build_destination
from tests.support.held_samples import RefusedError, Rules, VictoriaMetricsRules, read_1, read_2

URL = "http://receiver.test/api/v1/write"
QUERY_URL = "http://receiver.test"
EPOCH = 1_790_000_000.0
TIMEOUT = 30.0
WORST = 4
"""Faults of one body in a row at most."""

REFUSED_EARLY = ("reset before", "refused", "reset within", "idle", "late and lost", "500", "503", "429", "429 date")
TAKEN_FIRST = ("reset after", "late", "half an answer", "500 after", "503 after")
FAULTS = (*REFUSED_EARLY, *TAKEN_FIRST)


class VirtualClock(Clock):
    """A time of its own for each thread: whoever waits goes forward alone."""

    def __init__(self) -> None:
        self._local = threading.local()

    def monotonic(self) -> float:
        now: float = getattr(self._local, "now", 0.0)
        return now

    def wall(self) -> float:
        return EPOCH + self.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.forward(seconds)
        time.sleep(0)  # another lane's turn
        return event.is_set()

    def forward(self, seconds: float) -> None:
        self._local.now = self.monotonic() + seconds


class FaultyReceiver:
    """Holds what it is sent. likelihood: of a fault at an attempt. most: bytes of a message before it says 413.

    version_2: whether it takes 2.0; deaf: to 2.0 it says 204 and means 1.0, else 415.
    """

    def __init__(
        self,
        seed: int,
        rules: Rules,
        *,
        likelihood: float = 0.3,
        most: int | None = None,
        version_2: bool = False,
        deaf: bool = True,
        faults: tuple[str, ...] = FAULTS,
        on_request: Callable[[int], None] = lambda number: None,
    ) -> None:
        self.rules, self.clock = rules, VirtualClock()
        self.attempts: Counter[bytes] = Counter()
        self.final: set[bytes] = set()
        self.seen: list[str] = []
        self.waits: list[float] = []
        self.answers: list[httpx.Response] = []
        self._seed, self._likelihood, self._most, self._faults = seed, likelihood, most, faults
        self._version_2, self._deaf = version_2, deaf
        self._on_request = on_request
        self._lock = threading.Lock()
        self._first_seen: dict[tuple[int, bytes], float] = {}

    def client(self) -> HttpClient:
        """A connection."""
        return _Client(self)

    def answer(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """What happens to one attempt."""
        with self._lock:
            assert body not in self.final, "a body came again after a final answer"
            self.attempts[body] += 1
            attempt = self.attempts[body]
            self._on_request(sum(self.attempts.values()))
            key = threading.get_ident(), body
            self.waits.append(self.clock.monotonic() - self._first_seen.setdefault(key, self.clock.monotonic()))
            fault = self._fault(body, attempt)
            self.seen.append(fault or "good")
            if fault in REFUSED_EARLY:
                return self._misbehave(fault)
            response = self._take(body, headers)
            self.answers.append(response)
            if fault:
                return self._misbehave(fault)
            if not response.is_success and (response.status_code < 500 or _refuses(response)):
                self.final.add(body)
            return response

    def _fault(self, body: bytes, attempt: int) -> str:
        chance = random.Random(f"{self._seed} {zlib.crc32(body)} {attempt}")
        faulty = attempt % (WORST + 1) and chance.random() < self._likelihood
        return chance.choice(self._faults) if faulty else ""

    def _take(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        message = snappy.decompress(body)
        asks_2 = "v2.Request" in headers["Content-Type"]
        if self._most and len(message) > self._most:
            return self._say(413, "too large")
        if asks_2 and not self._version_2:
            if not self._deaf:
                return self._say(415, "unknown message")
            message = b""  # the fields of 2.0 are none of 1.0's
            asks_2 = False
        try:
            written = self.rules.take(read_2(message) if asks_2 else read_1(message), partly=asks_2)
        except RefusedError as error:
            return self._say(400, str(error), error.written if asks_2 else None)
        return self._say(204, "", written if asks_2 else None)

    def _say(self, status: int, text: str, written: int | None = None, **headers: str) -> httpx.Response:
        if written is not None:
            headers["X-Prometheus-Remote-Write-Samples-Written"] = str(written)
        if self.rules.doubles:
            headers["X-Server-Hostname"] = "vm"
        return httpx.Response(status, text=text, headers=headers, request=httpx.Request("POST", URL))

    def _misbehave(self, fault: str) -> httpx.Response:
        if fault.startswith("5"):
            return self._say(int(fault[:3]), "busy")
        if fault == "429":
            return self._say(429, "slow down", None, **{"Retry-After": "7"})
        if fault == "429 date":
            return self._say(429, "slow down", None, **{"Retry-After": formatdate(self.clock.wall() + 11, usegmt=True)})
        if fault.startswith("late"):
            self.clock.forward(TIMEOUT)
        raise NoAnswerError(fault, may_have_arrived=fault != "refused")


def _refuses(response: httpx.Response) -> bool:
    """What Prometheus 2.42 means for good, although it says 500."""
    return "is not unique" in response.text or "too old sample" in response.text


class _Client(HttpClient):
    def __init__(self, receiver: FaultyReceiver) -> None:
        self.destination = build_destination(URL, environment={})
        self._receiver = receiver

    def request(
        self,
        method: str,
        url: str | None = None,
        *,
        content: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        if method == "GET":
            return httpx.Response(200, request=httpx.Request(method, url or URL))
        assert isinstance(content, bytes)
        return self._receiver.answer(content, headers or {})

    @contextmanager
    def stream(
        self,
        method: str,
        url: str | None = None,
        *,
        content: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Iterator[httpx.Response]:
        assert isinstance(self._receiver.rules, VictoriaMetricsRules)
        asked = parse_qs(urlsplit(url or "").query)
        start, end = (round(float(asked[name][0]) * 1000) for name in ("start", "end"))
        with self._receiver._lock:
            told = b"".join(self._receiver.rules.export(start, end))
        yield httpx.Response(200, content=told, request=httpx.Request(method, url or URL))

    def break_off(self) -> None:
        pass

    def close(self) -> None:
        pass
