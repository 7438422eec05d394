"""What operations are told: where samples go, as whom, and how a run is kept. Frozen plain values, checked when used.

    BlocksTarget(Path("data"))                                     a directory
    BlocksTarget(Path("data"), upload=Upload(Server(url)))         and from there to a Mimir
    RemoteWriteTarget(Server(url, Credentials(tenant="a")))        a receiver
    How(accept_loss=True, run=RunSettings(Path("run.json")))       how it is done

Durations are in seconds, but for the range of a block, which is in ms as all times of samples are. None of it reads
the environment, the disk or the clock: the command line, or whoever calls, puts in what it found there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promfill.scenario.times import DAY_MS

if TYPE_CHECKING:
    from promfill.net.destination import Secret

MODES = ("blocks", "remote-write", "openmetrics", "script")

BLOCKS_FOLDER, TEXT_FOLDER = Path("data"), Path("utils")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a server. A password or token stands here as a secret, or in a file.

    headers: lines ``Name: value``. tenant: sent as X-Scope-OrgID. http_config_file: Prometheus's HTTP client file.
    """

    username: str | None = None
    password: Secret | None = None
    password_file: Path | None = None
    bearer_token: Secret | None = None
    bearer_token_file: Path | None = None
    headers: tuple[str, ...] = field(default=(), repr=False)
    tenant: str | None = None
    http_config_file: Path | None = None
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_insecure: bool = False


@dataclass(frozen=True, slots=True)
class Cdo:
    """The platform that names a tenant's stack: its environment's name, or its base address; and our token."""

    token: Secret
    environment: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server by its address, or (url None) the one that CDO names; timeout: seconds that one answer may take.

    setting: the name of the setting that holds the address, for messages.
    """

    url: str | None = field(default=None, repr=False)
    credentials: Credentials = Credentials()
    cdo: Cdo | None = None
    timeout: float = 30.0
    setting: str = "remote_write_url"

    @property
    def by_cdo(self) -> bool:
        """Whether CDO names the address."""
        return not self.url and self.cdo is not None


@dataclass(frozen=True, slots=True)
class Upload:
    """Blocks to a Mimir. lanes: blocks at once, None for the usual; keep: copies here stay.

    retry_for: seconds that one request is tried in all.
    """

    server: Server
    lanes: int | None = None
    retry_for: float = 300.0
    keep: bool = False


@dataclass(frozen=True, slots=True)
class BlocksTarget:
    """Native blocks in a directory. duration: ms, the range of a block. workers: processes that write."""

    directory: Path = BLOCKS_FOLDER
    duration: int = DAY_MS
    workers: int = 1
    upload: Upload | None = None

    mode = "blocks"


@dataclass(frozen=True, slots=True)
class RemoteWriteTarget:
    """A receiver of remote write.

    protocol: auto, 1.0 or 2.0. lanes: requests in flight, None for what suits. max_samples, max_bytes: of a request,
    the bytes before compression. rate_limit: samples/s. order: time, any or auto. skip_rejected: go on without samples
    that are refused for good. retry_for: seconds that one request is tried in all.
    """

    server: Server
    protocol: str = "auto"
    lanes: int | None = None
    max_samples: int = 20_000
    max_bytes: int = 3 << 20
    rate_limit: float | None = None
    order: str = "auto"
    skip_rejected: bool = False
    retry_for: float = 300.0

    mode = "remote-write"


@dataclass(frozen=True, slots=True)
class OpenMetricsTarget:
    """An OpenMetrics text in a directory. workers: processes that generate."""

    directory: Path = TEXT_FOLDER
    workers: int = 1

    mode = "openmetrics"


@dataclass(frozen=True, slots=True)
class ScriptTarget:
    """The text, and a backfill.sh that uploads it. script: None for that of the directory, else promfill's own.

    keep: the blocks that it makes stay here. to_stderr: what it prints goes to stderr.
    """

    server: Server
    directory: Path = TEXT_FOLDER
    script: Path | None = None
    keep: bool = False
    to_stderr: bool = False

    mode = "script"


Target = BlocksTarget | RemoteWriteTarget | OpenMetricsTarget | ScriptTarget
"""Where a push goes."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a run is kept, so that it can go on after anything: its checkpoint's file, and whether to go on.

    options: what was asked for, as plain values without secrets: they name the run, and are written down with it. Where
    there are none, the scenario (without its times) and the target stand for them (`promfill.operations.runs`).
    """

    checkpoint: Path
    resume: bool = False
    options: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How a push is done, or looked at.

    query: where the store's query API is, None for what is beside the target's address where that is known.
    accept_loss: push although samples will be lost; again: although a store would keep both of what it holds and the
    push. verify: read back afterwards. run: None keeps no checkpoint.
    """

    query: Server | None = None
    accept_loss: bool = False
    again: bool = False
    verify: bool = False
    run: RunSettings | None = None
