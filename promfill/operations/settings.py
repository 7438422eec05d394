"""The settings of operations: targets, servers, credentials and checkpoints. Frozen plain values, checked when used.

    BlocksTarget(Path("data"))                                     a directory
    BlocksTarget(Path("data"), upload=Upload(Server(url)))         a directory, and then a Mimir
    RemoteWriteTarget(Server(url, Credentials(tenant="a")))        a receiver
    How(accept_loss=True, run=RunSettings(Path("run.json")))       how to push

Durations are in seconds, except for the range of a block, which is in ms like all times of samples. These classes do
not read the environment, the disk or the clock: the caller, such as the command line, does that and passes the values.
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
    """How promfill authenticates to a server. A password or token is given as a secret, or as a file that holds it.

    headers: lines ``Name: value``. tenant: sent as X-Scope-OrgID. http_config_file: an HTTP client configuration
    file in Prometheus's format. tls_ca, tls_cert, tls_key: CA bundle, client certificate and its key.
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
    """Access to CDO, the platform that knows a tenant's stack: its environment's name or base address, and a token."""

    token: Secret
    environment: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server. url: its address; None if CDO provides it. timeout: seconds to wait for one answer.

    setting: the name of the setting that holds the address, for messages.
    """

    url: str | None = field(default=None, repr=False)
    credentials: Credentials = Credentials()
    cdo: Cdo | None = None
    timeout: float = 30.0
    setting: str = "remote_write_url"

    @property
    def by_cdo(self) -> bool:
        """Whether the address comes from CDO."""
        return not self.url and self.cdo is not None


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload of blocks to a Mimir. lanes: how many blocks to upload at once; None means the default.

    retry_for: seconds after which retries of one request stop. keep: keep the local copies of uploaded blocks.
    """

    server: Server
    lanes: int | None = None
    retry_for: float = 300.0
    keep: bool = False


@dataclass(frozen=True, slots=True)
class BlocksTarget:
    """Native blocks in a directory. duration: ms, the range of a block. workers: the number of writing processes."""

    directory: Path = BLOCKS_FOLDER
    duration: int = DAY_MS
    workers: int = 1
    upload: Upload | None = None

    mode = "blocks"


@dataclass(frozen=True, slots=True)
class RemoteWriteTarget:
    """A receiver of remote write.

    protocol: auto, 1.0 or 2.0. lanes: the number of requests in flight; None lets promfill choose. max_samples,
    max_bytes: limits of one request, bytes before compression. rate_limit: samples/s. order: time, any or auto.
    skip_rejected: continue without the samples that are rejected permanently. retry_for: seconds after which retries of
    one request stop.
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
    """An OpenMetrics text in a directory. workers: the number of generating processes."""

    directory: Path = TEXT_FOLDER
    workers: int = 1

    mode = "openmetrics"


@dataclass(frozen=True, slots=True)
class ScriptTarget:
    """An OpenMetrics text, and a backfill.sh that uploads it.

    script: the script to run; None means the one in the directory, or promfill's own if there is none. keep: keep the
    blocks that the script makes. to_stderr: send the script's output to stderr.
    """

    server: Server
    directory: Path = TEXT_FOLDER
    script: Path | None = None
    keep: bool = False
    to_stderr: bool = False

    mode = "script"


Target = BlocksTarget | RemoteWriteTarget | OpenMetricsTarget | ScriptTarget
"""A target: the place where a push sends or writes its samples."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Where a run keeps its checkpoint, so that it can be resumed after any interruption, and whether to resume now.

    options: the requested options as plain values without secrets. They identify the run, and the checkpoint stores
    them. Without options, the scenario (without its times) and the target identify it (`promfill.operations.runs`).
    """

    checkpoint: Path
    resume: bool = False
    options: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How to push or check.

    query: the store's query API; None means the one that belongs to the target's address, if known. accept_loss: push
    even if samples will be lost. again: push even if the store would mix the push with samples that it already holds.
    verify: read the samples back afterwards. run: where to keep the checkpoint; None keeps no checkpoint.
    """

    query: Server | None = None
    accept_loss: bool = False
    again: bool = False
    verify: bool = False
    run: RunSettings | None = None
