"""Block upload to Mimir and Grafana Cloud: start, files, finish, and check until it is complete.

Source: grafana/mimir, 2026: pkg/compactor/blockupload/upload.go; the order of calls as in
pkg/mimirtool/client/backfill.go. Every call may be repeated, so a lost answer costs nothing: whether a block is
complete is what `check` says, and never concluded from what we did or from the code of another answer.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import httpx
import orjson

from promfill.errors import ReceiverError, RefusedError, setting
from promfill.net.http import HttpClient
from promfill.net.http_answers import passing, text_of
from promfill.net.retry import Retry, retry_after
from promfill.sinks.upload.base import (
    BlockRefusedError,
    BlockRefusedForGoodError,
    Outcome,
    UploadStoppedError,
    ValidationFailedError,
)
from promfill.sinks.upload.local import FileBody, LocalBlock

PATH = "/api/v1/upload/block"
SLOWEST = 128 << 10  # bytes/s; a slower upload is given up
VALIDATION_SECONDS = 3600.0
"""How long one validation may take: Mimir reads the whole block. After 5 minutes without a heartbeat it has ended."""
LONGEST_POLL = 3.0
UNKNOWN_TIMES = 5
"""How often a check after the finish must say "no such block": Mimir looks for two files one after the other, and one
takes the other's place in the moment when the block is complete."""
VALIDATIONS = 10
"""How often a block is finished at most if its validations end without a result."""
LEAST_PATIENCE = 60.0
"""How long to wait at least for a turn to be validated, however short a retry may be: waiting is not a failure."""

Ask = Callable[[], httpx.Response]

_BASE_FIX = f"set {setting('upload')} to the base address of a Mimir"
DISABLED = "block upload is disabled"
DISABLED_FIX = (
    "ask Grafana's support to switch block upload on for this tenant (in a Mimir of your own: "
    "compactor_block_upload_enabled in its limits); until then use "
    f"{setting('mode', 'remote-write')}, which takes what lies within the tenant's out-of-order window, or "
    f"{setting('upload', 'none')}, and serve the blocks from a Prometheus"
)
_ABSENT, _NO_BLOCK = "block doesn't exist", "0" * 26
_TOO_LARGE_FIX = (
    "the proxy before Mimir does not accept a body of {:,} bytes: raise its limit (nginx: client_max_body_size), or "
    f"make smaller blocks with {setting('block_duration')}"
)
_FAILED = "block validation failed"
_VERDICTS = ("error validating block", "block exceeds", "the block metadata")
"""How reasons begin that concern the block itself; all others concern what happened on the way."""
_ACCIDENT = re.compile(
    r"context cancell?ed|deadline exceeded|time(d )?[- ]?out|connection (reset|refused)|no space left"
)


@dataclass(frozen=True, slots=True)
class BlockState:
    """What `check` answers: uploading, validating, complete or failed (with Mimir's words); or unknown."""

    result: str
    error: str = ""


class MimirUpload:
    """The protocol, for several threads: each has its own client."""

    def __init__(
        self,
        base: str,
        open_client: Callable[[], HttpClient],
        stop: threading.Event,
        *,
        retry_for: float = 300.0,
        timeout: float = 30.0,
    ) -> None:
        self.retries = 0
        self._base = base.rstrip("/") + PATH
        self._open_client = open_client
        self._mine = threading.local()
        self._clients: list[HttpClient] = []
        self._stop = stop
        self._retry_for, self._timeout = retry_for, timeout
        self._progress = 0.0  # when a block of ours was last seen in validation: others must wait for it

    def put(self, block: LocalBlock) -> Outcome:
        """Upload one block, and wait until Mimir says that it is complete."""
        outcome = self._post(block, "start", block.body())
        for name, size in block.facts.files.items():
            outcome = outcome or self._send(block, name, size)
        return outcome or self._finish(block)

    def finish(self) -> None:
        """Nothing to do: each block was seen complete."""

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            client.close()

    def is_on(self) -> bool:
        """Whether block upload is enabled for the tenant. ReceiverError if no answer tells."""
        client = self._client()
        response = self._retry().run(lambda: client.request("GET", f"{self._base}/{_NO_BLOCK}/check"))
        if DISABLED in text_of(response):
            return False
        if not client.is_good(response) and not (response.status_code == 404 and _ABSENT in text_of(response)):
            raise self._failure(response)
        return True

    def state(self, block: LocalBlock) -> BlockState:
        """What the server knows of the block. ReceiverError if it does not say."""
        client = self._client()
        response = self._retry().run(lambda: client.request("GET", self._url(block, "check")))
        if response.status_code == 404:
            return BlockState("unknown")
        if not response.is_success:
            raise self._failure(response)
        client.check(response)
        try:
            answer = orjson.loads(response.content)
            return BlockState(str(answer["result"]), str(answer.get("error", "")))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            problem = f"{client.problem(response)}: this is not how Mimir answers a check"
            raise RefusedError(problem, _BASE_FIX) from None

    def _send(self, block: LocalBlock, name: str, size: int) -> Outcome | None:
        body = FileBody(block.path / name)
        return self._post(block, f"files?{urlencode({'path': name}, safe='/')}", body, size)

    def _finish(self, block: LocalBlock) -> Outcome:
        """Finish, as often as it takes: the limit on simultaneous validations makes us wait, and one may go stale.

        A finish that finds the block complete came after one that got through, though its answer was lost: the bytes
        are ours.
        """
        for attempt in range(VALIDATIONS):
            self._wait(min(LONGEST_POLL, 0.1 * attempt))
            if self._post(block, "finish", b"", run=self._take_turn):
                return Outcome.COMPLETE
            self._progress = time.monotonic()
            if self._settled(block):
                return Outcome.COMPLETE
        raise BlockRefusedError(
            f"Mimir has begun its validation {VALIDATIONS} times, and never ended it: check its compactors, and "
            "run the command again later"
        )

    def _post(
        self,
        block: LocalBlock,
        call: str,
        body: bytes | Iterable[bytes],
        size: int | None = None,
        run: Callable[[Ask], httpx.Response] | None = None,
    ) -> Outcome | None:
        """None if the call was accepted; the block's result if no more calls are needed."""
        client = self._client()
        headers = {} if size is None else {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        seconds = self._timeout + (size or 0) / SLOWEST

        def ask() -> httpx.Response:
            return client.request("POST", self._url(block, call), content=body, headers=headers, timeout=seconds)

        response = (run or self._retry().run)(ask)
        if response.is_success:
            client.check(response)  # an HTML page is not a valid answer
            return None
        return self._judge(block, call, response, size)

    def _judge(self, block: LocalBlock, call: str, response: httpx.Response, size: int | None) -> Outcome:
        """Tell what a refusal means by the block's state, not by its words, unless there is no state."""
        own = response.status_code in (400, 409, 413, 422) or (response.status_code == 404 and call != "start")
        if not own or DISABLED in text_of(response):
            raise self._failure(response)
        state = self.state(block)
        if state.result == "complete":
            return Outcome.THERE
        if state.result == "validating":  # an earlier run may have finished it
            return Outcome.COMPLETE if self._settled(block) else self._finish(block)
        if state.result == "failed" or _FAILED in text_of(response):
            raise _validation_failed(state, fresh=call != "start")
        fix = _TOO_LARGE_FIX.format(size) if response.status_code == 413 and size else ""
        raise BlockRefusedForGoodError(self._client().problem(response), fix)

    def _settled(self, block: LocalBlock) -> bool:
        """Wait for the validation: True if it ended well, False if it went stale and must be requested again."""
        started, pause, unknown = time.monotonic(), 0.02, 0
        while True:
            state = self.state(block)
            unknown = unknown + 1 if state.result == "unknown" else 0
            if state.result != "validating" and not 0 < unknown < UNKNOWN_TIMES:
                break
            self._progress = time.monotonic()
            if self._progress - started > VALIDATION_SECONDS:
                raise ReceiverError(
                    f"Mimir has been validating block {block.meta.ulid} for {VALIDATION_SECONDS / 60:.0f} minutes: "
                    "check its compactors, and run the command again later"
                )
            self._wait(pause)
            pause = min(LONGEST_POLL, pause * 1.5)
        if state.result == "failed":
            raise _validation_failed(state, fresh=True)
        if state.result == "unknown":
            raise BlockRefusedError("Mimir does not know it any more: upload it again")
        return state.result == "complete"

    def _failure(self, response: httpx.Response) -> ReceiverError:
        client = self._client()
        if DISABLED in text_of(response):
            return client.error(response, DISABLED_FIX)
        if response.status_code in (404, 405):
            return client.error(response, f"it does not offer block upload;  {_BASE_FIX}")
        return client.error(response)

    def _retry(self) -> Retry:
        return Retry(self._retry_for, sleep=self._wait, on_retry=self._count)

    def _take_turn(self, ask: Ask) -> httpx.Response:
        """For finish: 429 means that others are validated. While one of ours is among them, the wait has not begun."""
        patience, pause = max(self._retry_for, LEAST_PATIENCE), 0.02
        started = time.monotonic()
        while True:
            response = replace(self._retry(), stands=_stands_at_finish).run(ask)
            if response.status_code != 429 or time.monotonic() > max(started, self._progress) + patience:
                return response
            self._count()
            self._wait(retry_after(response, time.time()) or pause)
            pause = min(LONGEST_POLL, pause * 1.5)

    def _count(self) -> None:
        self.retries += 1

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise UploadStoppedError

    def _client(self) -> HttpClient:
        if not hasattr(self._mine, "client"):
            self._mine.client = self._open_client()
            self._clients.append(self._mine.client)
        client: HttpClient = self._mine.client
        return client

    def _url(self, block: LocalBlock, call: str) -> str:
        return f"{self._base}/{block.meta.ulid}/{call}"


def _stands_at_finish(response: httpx.Response) -> bool:
    return response.status_code == 429 or not passing(response.status_code)


def _validation_failed(state: BlockState, *, fresh: bool) -> ValidationFailedError:
    by_accident = not state.error.lower().startswith(_VERDICTS) or bool(_ACCIDENT.search(state.error.lower()))
    return ValidationFailedError(state.error, fresh=fresh, by_accident=by_accident)
