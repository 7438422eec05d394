"""Where samples go, and where they are read back: descriptions, which a verb opens and closes.

    Blocks("data")                                            a directory of TSDB blocks
    RemoteWrite("http://127.0.0.1:9090/api/v1/write")         a receiver
    OpenMetrics("text")                                       a text file
    Store("http://127.0.0.1:9090")                            the query API of a store
    Mimir("https://mimir.example.com", tenant="a")            where blocks are uploaded to

Each is checked where it is built, holds nothing open, and prints in one line without its secrets. No credential is read
from the environment or a file that was not named.
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
"""Of a request before compression: receivers take no more."""


@dataclass(frozen=True, repr=False)
class RemoteWrite(Server):
    """A receiver of remote write: `url` is its whole push address.

    protocol: "1.0", "2.0", or "auto", which asks for 2.0 and falls back. concurrency: requests in flight, None for what
    suits. max_samples_per_send, max_bytes_per_send: of one request, the bytes before compression. rate_limit: samples
    per second at most. order: "time" keeps requests in flight within an hour, as a Prometheus wants it; "any" does not;
    "auto" chooses. on_reject: "fail", or "skip" to go on without samples that are refused for good. retry_for: how long
    one request is tried in all.

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
    """A directory of TSDB blocks, such as a Prometheus's data directory; it is made if it is missing.

    duration: the range of a block; blocks are aligned to it. upload: a `Mimir` (or its address) to which each goes once
    it is whole; keep: the blocks stay here all the same.

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
    """A directory for an OpenMetrics text, ``<metric>_backfill_<start in Unix seconds>.txt``; made if it is missing.

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
"""Where a push goes."""


def as_target(target: object) -> Target:
    """The same; InputError, with what would do, where it is not a target."""
    if isinstance(target, Target):
        return target
    fix = "use pf.Blocks(directory), pf.RemoteWrite(url) or pf.OpenMetrics(directory)"
    raise InputError(f"target {target!r} is not a target", fix, field="target")
