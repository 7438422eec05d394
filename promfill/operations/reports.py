"""The results that operations return, and the parts of a result that are known earlier.

A push that fails returns no result, so each part is reported as soon as it is known (`notices.Notices.found`). Parts
arrive in the order of this module, with `Remains` last. No class here holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from promfill.operations.look import Look
    from promfill.operations.verify import VerifyReport
    from promfill.rules.finding import Finding
    from promfill.rules.forwarders import Forwarder
    from promfill.rules.store_facts import StoreFacts
    from promfill.scenario.scenario import Scenario
    from promfill.sinks.upload.uploader import UploadReport


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A checkpoint that exists before the push. finished: its run has nothing left to do."""

    path: Path
    finished: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The request. mode: one of `settings.MODES`; empty if nothing is pushed."""

    mode: str
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Frame:
    """The plan of a push. destination: an address, a file or a directory; None if it is not known yet.

    samples: their number, including staleness markers. blocks, windows, requests: their numbers, if the mode makes
    them. upload_to: the destination of the blocks' upload. stays: whether the files stay on this machine. newest: ms,
    the latest end of the blocks that are already in the directory.
    """

    mode: str
    scenario: Scenario
    series: int
    samples: int
    destination: str | None
    blocks: int | None = None
    windows: int | None = None
    requests: int | None = None
    upload_to: str | None = None
    stays: bool = True
    newest: int = 0
    forwarder: Forwarder | None = None


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The result of a plan. look: the findings from the directory; no server was queried."""

    frame: Frame
    estimated_bytes: int
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A push begins; it will make these files and directories."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class SendingStatus:
    """The progress of a push. bytes: sent so far. retries: so far. at: ms, every series has been sent up to it."""

    bytes: int
    retries: int
    at: int


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The blocks of an upload by outcome, with their ULIDs on the server.

    there: blocks that the server already held. refused: ULID to the server's message. renamed: local ULID to the ULID
    used for the upload. bytes: the size of the `uploaded` blocks. before: the number of blocks that an earlier run
    completed.
    """

    destination: str
    uploaded: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0
    before: int = 0

    @property
    def complete(self) -> list[str]:
        """The ULIDs of all blocks that the server holds now, sorted."""
        return sorted([*self.uploaded, *self.there])

    @classmethod
    def of(cls, report: UploadReport, destination: str, before: int = 0) -> Uploaded:
        """Copy the current state of an uploader."""
        return cls(
            destination,
            tuple(report.uploaded),
            tuple(report.there),
            dict(report.refused),
            dict(report.renamed),
            report.bytes,
            before,
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """The counts of a push by remote write. All count this run, except `sent_before`: samples of the earlier run.

    Acknowledged requests:
    requests: their number. bytes_raw: their size before compression. bytes_sent: their size on the wire.

    Samples:
    acknowledged: the receiver confirmed them. already_there: an earlier attempt had written them, but its answer was
    lost. rejected: by kind of reason; rejected_samples: their sum. counted, not_counted: by the count that the receiver
    returns. perhaps_twice: they may be stored twice, because the receiver keeps duplicates and could not be queried.
    unanswered: their requests had no final answer when the push ended.

    Attempts:
    retries: attempts after the first one. answers_lost: attempts without an answer; their samples may have arrived.
    divided: requests that were too large and were split.
    """

    protocol: str
    requests: int = 0
    bytes_raw: int = 0
    bytes_sent: int = 0
    acknowledged: int = 0
    already_there: int = 0
    rejected_samples: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    retries: int = 0
    answers_lost: int = 0
    divided: int = 0
    sent_before: int = 0
    receiver: str = ""
    counted: int = 0
    not_counted: int = 0
    perhaps_twice: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class PushReport:
    """The result of a push.

    samples, bytes: the amount that has arrived, complete and visible. paths: the files with these samples that stay on
    this machine. details: the sink's counts (for remote write: `promfill.sinks.remote_write.tally`). there_before: the
    number of samples if the store already held all of them, so nothing was sent; else 0. checkpoint: the run's file, if
    it has one. verify_at: the query API or the directory of blocks where the push can be verified; None if it is
    unknown. finished_before: an earlier run had finished this push, so nothing was checked.
    """

    frame: Frame
    samples: int = 0
    bytes: int = 0
    paths: tuple[Path, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    there_before: int = 0
    checkpoint: Path | None = None
    upload: Uploaded | None = None
    look: Look | None = None
    verify_at: str | Path | None = None
    verified: VerifyReport | None = None
    finished_before: bool = False

    @property
    def sent(self) -> Sent | None:
        """The counts of remote write; None in other modes, and if nothing was sent."""
        if "protocol" not in self.details:
            return None
        return Sent(**{one.name: self.details[one.name] for one in fields(Sent) if one.name in self.details})


@dataclass(frozen=True, slots=True)
class Remains:
    """The result of a push that ended early. resumable: the push can be resumed from its checkpoint."""

    report: PushReport
    resumable: bool


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The result of a check: what a store would do with a push."""

    frame: Frame
    look: Look

    @property
    def store(self) -> StoreFacts | None:
        """The facts about the store; None if it could not be queried."""
        return self.look.store

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The predicted effects."""
        return self.look.findings


@dataclass(frozen=True, slots=True)
class BlocksFound:
    """The blocks to upload, after their check. destination: None if the user gave none."""

    blocks: int
    samples: int
    bytes: int
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class UploadDone:
    """The result of an upload. queryable: the upload waited until the store's query API counted every sample."""

    found: BlocksFound
    uploaded: Uploaded
    seconds: float = 0.0
    queryable: bool = False
