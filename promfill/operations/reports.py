"""The results that operations return, and the parts of them that are known before the end.

A push that fails returns no result, so parts are reported as soon as they are known (`notices.Notices.found`), in the
order of this module, and `Remains` last. Nothing here holds a secret.
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
    """The request; mode: one of `settings.MODES`, empty if nothing is pushed."""

    mode: str
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Frame:
    """The plan of a push. destination: an address, a file or a directory, None if it is not known yet.

    samples: including staleness markers. blocks, windows, requests: their numbers, if the mode makes them. upload_to:
    the destination of the blocks' upload; stays: whether the files stay here. newest: ms, the last end of the existing
    blocks.
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
    """The result of a plan. look: the findings from the directory, without querying a server."""

    frame: Frame
    estimated_bytes: int
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A push begins, which will make these files and directories."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class SendingStatus:
    """Progress of a push. bytes: sent. retries: so far. at: ms, the time up to which every series has been sent."""

    bytes: int
    retries: int
    at: int


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Uploaded blocks by their outcome: ULIDs, as on the server; for refused ones the server's message.

    renamed: the local ULID, and the one used for the upload. bytes: of `uploaded`. before: complete since an earlier
    run.
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
        """All blocks that the server holds now, in order."""
        return sorted([*self.uploaded, *self.there])

    @classmethod
    def of(cls, report: UploadReport, destination: str, before: int = 0) -> Uploaded:
        """The current state of an uploader."""
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
    """The counts of remote write; all are of this run except `sent_before`, the samples of an earlier one.

    requests, bytes_raw (before compression), bytes_sent: of what was acknowledged. Samples: acknowledged; already_there
    (an attempt whose answer was lost had written them); rejected, by kind of reason, and their sum; counted and
    not_counted, by the receiver's own count; perhaps_twice (the receiver keeps what is sent twice, and could not be
    asked); unanswered (the fate of their requests was open when the push ended). retries: attempts after the first.
    answers_lost: attempts that got no answer, and may have arrived. divided: requests that were too large.
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

    samples, bytes: what has arrived, whole and visible. paths: the files that hold it and stay here. details: what the
    sink counted (of remote write: `promfill.sinks.remote_write.tally`). there_before: samples that were there already,
    all of the push, so that nothing was sent. checkpoint: the run's file, if it has one. verify_at: the query API or
    the directory of blocks where it can be verified, None where that is not known. finished_before: an earlier run had
    done all of it, so that nothing was looked at.
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
    """The result of a push that ended early. resumable: its checkpoint allows to resume it."""

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
    """Checked blocks to upload. destination: None if none is given."""

    blocks: int
    samples: int
    bytes: int
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class UploadDone:
    """The result of `upload`. queryable: the store's query API counts every sample."""

    found: BlocksFound
    uploaded: Uploaded
    seconds: float = 0.0
    queryable: bool = False
