"""Describe where samples go and where they are read back. push, check, verify and upload open and close them.

    Blocks("data")                                            a directory of TSDB blocks
    RemoteWrite("http://127.0.0.1:9090/api/v1/write")         a remote-write receiver
    OpenMetrics("text")                                       a text file
    Store("http://127.0.0.1:9090")                            the query API of a store
    Mimir("https://mimir.example.com", tenant="a")            a server that accepts uploads of blocks

Constructors check their values. An object holds no open files or connections, and prints in one line without secrets.
Credentials are never read from the environment, or from a file that you did not name.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from promfill.api.servers import Mimir, Server, check_sending
from promfill.api.values import (
    Duration,
    duration_ms,
    flag,
    number,
    one_of,
    path,
    seconds,
    whole,
)
from promfill.errors import InputError
from promfill.operations import settings
from promfill.scenario.times import format_duration

MOST_BYTES = 32 << 20
"""The largest request in bytes, before compression: receivers accept no more."""


@dataclass(frozen=True, repr=False)
class RemoteWrite(Server):
    """A remote-write receiver. `url` is its whole push address.

    protocol: "1.0", "2.0", or "auto", which tries 2.0 and falls back to 1.0. concurrency: requests in flight, None to
    choose automatically. max_samples_per_send, max_bytes_per_send: the limits of one request; bytes are counted before
    compression. rate_limit: the most samples per second. order: "time" keeps the requests in flight within one hour of
    samples, as a Prometheus requires; "any" does not; "auto" chooses. on_reject: what to do when samples are rejected
    permanently: "fail", or "skip" to continue without them. retry_for: how long to retry one request.

    >>> RemoteWrite("https://user:secret@mimir.example.com/api/v1/push", tenant="a")
    RemoteWrite('https://mimir.example.com/api/v1/push', tenant='a')
    """

    protocol: str = "auto"
    concurrency: int | None = None
    max_samples_per_send: int = 20_000
    max_bytes_per_send: int = 3 << 20
    rate_limit: float | None = None
    order: str = "auto"
    on_reject: str = "fail"
    retry_for: Duration = "5m"

    def __post_init__(self) -> None:
        Server.__post_init__(self)
        check_sending(self)
        one_of(self.protocol, "protocol", "auto", "1.0", "2.0")
        one_of(self.order, "order", "auto", "time", "any")
        one_of(self.on_reject, "on_reject", "fail", "skip")
        whole(self.max_samples_per_send, "max_samples_per_send", 1)
        whole(self.max_bytes_per_send, "max_bytes_per_send", 1, MOST_BYTES)
        if self.rate_limit is not None and number(self.rate_limit, "rate_limit") <= 0:
            raise InputError(f"rate_limit {self.rate_limit} must be above 0", field="rate_limit")

    def _target(self, workers: int) -> settings.RemoteWriteTarget:
        if workers != 1:
            fix = "leave it out, or set RemoteWrite(concurrency=…)"
            raise InputError("workers is for pf.Blocks and pf.OpenMetrics", fix, field="workers")
        return settings.RemoteWriteTarget(
            self._server(),
            protocol=self.protocol,
            lanes=self.concurrency,
            max_samples=int(self.max_samples_per_send),
            max_bytes=int(self.max_bytes_per_send),
            rate_limit=self.rate_limit,
            order=self.order,
            skip_rejected=self.on_reject == "skip",
            retry_for=seconds(self.retry_for, "retry_for"),
        )


@dataclass(frozen=True, slots=True, repr=False)
class Blocks:
    """A directory of TSDB blocks, such as a Prometheus's data directory. It is created if it is missing.

    duration: the time range of one block; blocks are aligned to it. upload: a `Mimir` (or its address) to upload each
    block to once it is complete. keep: keep the local blocks after the upload.

    >>> Blocks("data", duration="2h")
    Blocks('data', duration='2h')
    """

    directory: str | Path
    _: KW_ONLY
    duration: Duration = "1d"
    upload: Mimir | str | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", path(self.directory, "directory"))
        duration_ms(self.duration, "duration")
        flag(self.keep, "keep")
        if isinstance(self.upload, str):
            object.__setattr__(self, "upload", Mimir(self.upload))
        elif not isinstance(self.upload, Mimir | None):
            raise InputError(f"upload {self.upload!r} is not a pf.Mimir", field="upload")
        if self.keep and self.upload is None:
            raise InputError("keep without upload means nothing: blocks stay here anyway", "leave it out", field="keep")

    def _target(self, workers: int) -> settings.BlocksTarget:
        upload = self.upload._upload(keep=self.keep) if isinstance(self.upload, Mimir) else None
        duration = duration_ms(self.duration, "duration")
        return settings.BlocksTarget(Path(self.directory), duration=duration, workers=workers, upload=upload)

    def __repr__(self) -> str:
        duration = format_duration(duration_ms(self.duration, "duration"))
        upload = f", upload={self.upload!r}" if self.upload else ""
        return f"Blocks({str(self.directory)!r}, duration={duration!r}{upload})"


@dataclass(frozen=True, slots=True, repr=False)
class OpenMetrics:
    """A directory for an OpenMetrics file, ``<metric>_backfill_<start in Unix seconds>.txt``; created if missing.

    >>> OpenMetrics("text")
    OpenMetrics('text')
    """

    directory: str | Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", path(self.directory, "directory"))

    def _target(self, workers: int) -> settings.OpenMetricsTarget:
        return settings.OpenMetricsTarget(Path(self.directory), workers=workers)

    def __repr__(self) -> str:
        return f"OpenMetrics({str(self.directory)!r})"


Target = Blocks | RemoteWrite | OpenMetrics
"""The types that a push can write or send to."""


def as_target(target: object) -> Target:
    """Return the target unchanged. InputError, with the valid types: it is not a target."""
    if isinstance(target, Target):
        return target
    fix = "use pf.Blocks(directory), pf.RemoteWrite(url) or pf.OpenMetrics(directory)"
    raise InputError(f"target {target!r} is not a target", fix, field="target")
