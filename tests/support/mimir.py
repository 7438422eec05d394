"""A double of Mimir's block upload, written from its source; python -m tests.support.mimir DIR serves one by itself.

Source: grafana/mimir, commit 133e53bdde61 (2026): pkg/compactor/blockupload/upload.go (states, order of checks, codes,
words); "block upload is disabled" from pkg/compactor/block_upload.go, "no org id" from dskit. As there, a state is
nothing but which files are in the bucket. The rules of a start are in `rules.mimir`, the validation is in
`mimir_validation`.

Not modelled: other compactors, heartbeats and validations that go stale, histogram chunks, the
cleaner of partial blocks, retention by tenant other than one figure, rate limits, Go's words for JSON and I/O errors,
and everything of the query side but a count.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.mimir_rules import META_BYTES, PATH, START_RULES, Limits, Meta, files
from tests.support.mimir_validation import validation_error
from tests.support.receiver import Answer

ROUTE = r"/api/v1/upload/block/([^/]+)/(start|files|finish|check)"


class RefusalError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass
class Request:
    """A call as it came in."""

    call: str
    ulid: str
    path: str
    tenant: str
    headers: Mapping[str, str]
    status: int = 0


@dataclass
class Upload:
    """One block in the bucket: its directory, and what the files there mean."""

    folder: Path
    validating: bool = False
    error: str = ""

    @property
    def state(self) -> str:
        if (self.folder / "meta.json").exists():
            return "complete"
        if not (self.folder / "uploading-meta.json").exists():
            return "unknown"
        if self.error:
            return "failed"
        return "validating" if self.validating else "uploading"

    @property
    def meta(self) -> Meta:
        meta: Meta = json.loads((self.folder / "uploading-meta.json").read_bytes())
        return meta


@dataclass
class Mimir:
    """The server. `trouble` may answer in its place: it is asked at every call. Blocks lie in bucket/tenant/ULID."""

    bucket: Path
    limits: Limits = field(default_factory=Limits)
    trouble: Callable[[Request], Answer | None] = lambda request: None
    requests: list[Request] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)  # ULIDs, once for each time that meta.json was written
    uploads: dict[tuple[str, str], Upload] = field(default_factory=dict)
    authorization: str | None = None  # what every request has to carry
    query: Callable[[str], Any] | None = None
    fault: Callable[[str], str] = lambda ulid: ""  # what goes wrong in its own house while it validates a block
    prefix: str = ""  # what stands before every path
    multitenant: bool = False  # whether X-Scope-OrgID must be there

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.validations = 0
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def upload_of(self, tenant: str, ulid: str) -> Upload:
        with self.lock:
            key = tenant, ulid
            return self.uploads.setdefault(key, Upload(self.bucket / tenant / ulid))

    def calls(self, call: str) -> list[str]:
        """The ULIDs of accepted calls of one kind, in order."""
        return [request.ulid for request in self.requests if request.call == call and request.status == 200]

    def start(self, upload: Upload, body: bytes) -> None:
        check_state(upload, must_have_begun=False)
        if len(body) > META_BYTES:
            words = f"The block metadata was too large (maximum size allowed is {META_BYTES} bytes)"
            raise RefusalError(413, words)
        try:
            meta = json.loads(body)
        except ValueError:
            raise RefusalError(400, "malformed request body") from None
        for status, _, broken in START_RULES:
            if said := broken(meta, self.limits):
                raise RefusalError(status, said)
        upload.folder.mkdir(parents=True, exist_ok=True)
        meta["ulid"] = upload.folder.name
        meta["compaction"] = {**meta.get("compaction", {}), "sources": [upload.folder.name]}
        meta["compaction"].pop("parents", None)
        meta.setdefault("thanos", {})["source"] = "upload"
        (upload.folder / "uploading-meta.json").write_text(json.dumps(meta))

    def file(self, upload: Upload, name: str, size: int | None) -> Path:
        """Where to put the file; the order of checks is the source's."""
        if not name:
            raise RefusalError(400, "missing or invalid file path")
        if name.rpartition("/")[2] == "meta.json":
            raise RefusalError(400, "meta.json is not allowed")
        if not PATH.fullmatch(name):
            raise RefusalError(400, f'invalid path: "{name}"')
        if size == 0:
            raise RefusalError(400, "file cannot be empty")
        check_state(upload, must_have_begun=True)
        listed = dict(files(upload.meta))
        if name in listed and size is not None and size != listed[name]:
            raise RefusalError(400, "file size doesn't match meta.json")
        if name not in listed:
            raise RefusalError(400, "unexpected file")
        path = upload.folder / name
        path.parent.mkdir(exist_ok=True)
        return path

    def finish(self, upload: Upload) -> None:
        check_state(upload, must_have_begun=True)
        if not self.limits.validation:
            self.complete(upload)
            return
        with self.lock:
            if 0 < self.limits.validations_at_once <= self.validations:
                words = f"too many block upload validations in progress, limit is {self.limits.validations_at_once}"
                raise RefusalError(429, words)
            self.validations += 1
            upload.validating = True
        threading.Thread(target=self.validate, args=(upload,), daemon=True).start()

    def validate(self, upload: Upload) -> None:
        time.sleep(self.limits.validation_seconds)
        error = self.fault(upload.folder.name) or validation_error(upload.folder, upload.meta, self.limits)
        with self.lock:
            self.validations -= 1
            upload.error = error
            if not error:
                self.complete(upload)
            upload.validating = False  # last: a check that comes between finds it validating, and never uploading

    def complete(self, upload: Upload) -> None:
        self.completed.append(upload.folder.name)  # first: whoever sees the block complete finds it here
        (upload.folder / "meta.json").hardlink_to(upload.folder / "uploading-meta.json")
        (upload.folder / "uploading-meta.json").unlink()


def check_state(upload: Upload, *, must_have_begun: bool) -> None:
    """checkBlockState."""
    match upload.state:
        case "complete":
            raise RefusalError(409, "block already exists")
        case "validating":
            raise RefusalError(400, "block validation in progress")
        case "failed":
            raise RefusalError(400, "block validation failed")
        case "unknown" if must_have_begun:
            raise RefusalError(404, "block upload not started")


def _handler(mimir: Mimir) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self._serve("POST")

        def do_GET(self) -> None:
            self._serve("GET")

        def _serve(self, method: str) -> None:
            address = urlsplit(self.path)
            if address.path.endswith("/api/v1/query") and mimir.query:
                self._say(200, json.dumps(mimir.query(parse_qs(address.query)["query"][0])), "application/json")
                return
            found = re.fullmatch(mimir.prefix + ROUTE, address.path)
            if not found:
                self._drop()
                self._say(404, "404 page not found")
                return
            ulid, call = found.groups()
            path = parse_qs(address.query).get("path", [""])[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            tenant = headers.get("x-scope-orgid", "anonymous")
            request = Request(call, ulid, path, tenant, headers)
            mimir.requests.append(request)
            if (answer := mimir.trouble(request)) is not None:
                self._trouble(answer)
                return
            try:
                if method != ("GET" if call == "check" else "POST"):
                    raise RefusalError(405, "")
                if mimir.authorization is not None and headers.get("authorization") != mimir.authorization:
                    raise RefusalError(401, '{"status":"error","error":"authentication error: invalid token"}')
                if mimir.multitenant and "x-scope-orgid" not in headers:
                    raise RefusalError(401, "no org id")
                body = self._accept(request)
                request.status = 200
                self._say(200, body, "application/json" if body else "text/plain; charset=utf-8")
            except RefusalError as refusal:
                request.status = refusal.status
                self._drop()
                self._say(refusal.status, refusal.words + "\n")

        def _accept(self, request: Request) -> str:
            if not re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", request.ulid):
                raise RefusalError(400, "invalid block ID")
            if not mimir.limits.enabled:
                raise RefusalError(400, "block upload is disabled")
            upload = mimir.upload_of(request.tenant, request.ulid)
            if request.call == "check":
                return self._check(upload)
            if request.call == "start":
                body, self.taken = self.rfile.read(self._length() or 0), True
                mimir.start(upload, body)
            elif request.call == "files":
                self._store(mimir.file(upload, request.path, self._length()))
            else:
                mimir.finish(upload)
            return ""

        def _check(self, upload: Upload) -> str:
            state = upload.state  # once: a validation may end meanwhile
            if state == "unknown":
                raise RefusalError(404, "block doesn't exist")
            return json.dumps({"result": state, **({"error": upload.error} if state == "failed" else {})})

        def _store(self, path: Path) -> None:
            left = self._length() or 0
            temporary = path.with_suffix(f".{threading.get_ident()}")
            with temporary.open("wb") as file:
                while left and (piece := self.rfile.read1(min(left, 1 << 20))):
                    file.write(piece)
                    left -= len(piece)
            self.taken = True
            if left:
                temporary.unlink()
                raise RefusalError(500, "internal server error (id 0)")
            temporary.rename(path)

        def _length(self) -> int | None:
            length = self.headers.get("Content-Length")
            return None if length is None else int(length)

        def _drop(self) -> None:
            """Read what is left of the body, so that the connection can go on."""
            if not getattr(self, "taken", False):
                self.rfile.read(self._length() or 0)

        def _trouble(self, answer: Answer) -> None:
            time.sleep(answer.pause)
            if answer.hang_up:
                self.close_connection = True
                return
            self._drop()
            self._say(answer.status, answer.body.decode(), "text/plain", answer.headers)

        def _say(self, status: int, body: str, kind: str = "text/plain", headers: Mapping[str, str] = {}) -> None:
            self.taken = False
            self.send_response(status)
            self.send_header("Content-Type", kind)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or is killed, is what some tests want."""


if __name__ == "__main__":
    with Mimir(Path(sys.argv[1])) as server:
        print(server.url, flush=True)
        while True:
            time.sleep(1)
