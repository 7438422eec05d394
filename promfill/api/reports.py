"""The reports that push, check, verify and upload return. They are frozen and print as one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from promfill.api.names import python_names
from promfill.api.values import FrozenDict, to_datetime
from promfill.errors import DiffersError
from promfill.operations.look import Look

if TYPE_CHECKING:
    from promfill.operations.verify import VerifyReport
    from promfill.rules.finding import Finding

RANGES = 100
"""How many time ranges a verification lists for each kind of fault."""

TimeRange = tuple[datetime, datetime]
"""The first and the last time, both included."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a push or verification: samples done, the total, and seconds since the start.

    >>> print(Progress(500, 2000, 1.5))
    500 of 2,000 samples (25 %) after 1.5 s
    """

    samples: int
    total: int
    seconds: float

    def __str__(self) -> str:
        share = 100 * self.samples // max(1, self.total)
        return f"{self.samples:,} of {self.total:,} samples ({share} %) after {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True, repr=False)
class CheckReport:
    """What a store or directory would do with a push. Nothing was sent or written.

    findings: each has a kind, a text and a fix; loses: samples of the push would be missing afterwards; spoils:
    existing samples would be stored twice, or mixed with those of the push; samples: how many, None if that is not
    known. destination: where the push would go. store: the name of the store that was queried, None if no store was.

    >>> CheckReport("data", None, (Finding("retention", True, 100, "100 samples will be deleted"),))
    CheckReport: samples would be lost, 1 finding, data
    """

    destination: str
    store: str | None
    findings: tuple[Finding, ...]

    @property
    def loses(self) -> bool:
        """Whether any sample would be lost."""
        return any(finding.loses for finding in self.findings)

    @property
    def spoils(self) -> bool:
        """Whether existing samples would be stored twice, or mixed with those of the push."""
        return any(finding.spoils for finding in self.findings)

    def raise_for_loss(self) -> Self:
        """Return this report. LossError: samples would be lost. RepeatError: samples would be stored twice."""
        look = Look(findings=self.findings)
        with python_names():
            look.refuse_repeat(again=False)
            look.refuse_loss(accepted=False)
        return self

    def __repr__(self) -> str:
        count = len(self.findings)
        verdict = "samples would be lost" if self.loses else "samples would be doubled" if self.spoils else "no loss"
        return f"CheckReport: {verdict}, {count} finding{'' if count == 1 else 's'}, {self.destination}"


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """The result of comparing a store with a push. All counts are in samples.

    expected = found + missing + not_yet_visible + different + not_checked. rounded: part of `found`; a VictoriaMetrics
    keeps about 12 digits. doubled: extra copies of samples. unexpected: samples that are not part of the push.
    not_checked: staleness markers, if the store does not show them. ranges: the time ranges of each kind of fault, by
    name. strangers: the labels of some series that are not part of the push.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> report = push(scenario, Blocks("data"))
    >>> verify(Scenario([Metric("vpn")], start=scenario.start, end=scenario.end, seed=7), Blocks("data"))
    Verification: 0 of 288 samples found in blocks in data, 288 different
    """

    store: str
    expected: int
    found: int
    missing: int
    different: int
    doubled: int
    unexpected: int
    rounded: int
    not_yet_visible: int
    not_checked: int
    ranges: Mapping[str, tuple[TimeRange, ...]] = field(default_factory=dict)
    strangers: tuple[dict[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the store holds every sample that can be checked, and nothing else."""
        return not (self.missing or self.not_yet_visible or self.different or self.doubled or self.unexpected)

    def raise_for_difference(self) -> Self:
        """Return this report. DiffersError, with the counts of what is wrong: the report is not `ok`."""
        if not self.ok:
            raise DiffersError(f"{self.store} does not hold what was pushed: {self._wrong()}")
        return self

    def _wrong(self) -> str:
        names = ("missing", "not_yet_visible", "different", "doubled", "unexpected")
        counts = {name.replace("_", " "): getattr(self, name) for name in names}
        return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)

    def __repr__(self) -> str:
        told = f"{self.found:,} of {self.expected:,} samples found in {self.store}"
        return f"Verification: {told}{'' if self.ok else f', {self._wrong()}'}"


@dataclass(frozen=True, slots=True, repr=False)
class UploadReport:
    """The result of an upload of blocks, by ULID.

    uploaded: blocks uploaded by this call. there: blocks that the server already had. refused: refused blocks, each
    with the server's message. renamed: local ULID to the ULID used for the upload. bytes: the size of `uploaded`.
    queryable: whether every sample was counted by a query.

    >>> UploadReport("https://mimir.example.com", ("01H0",), (), {}, {}, bytes=1000)
    UploadReport: 1 uploaded, 0 there before, 0 refused, https://mimir.example.com
    """

    destination: str
    uploaded: tuple[str, ...]
    there: tuple[str, ...]
    refused: Mapping[str, str]
    renamed: Mapping[str, str]
    bytes: int
    seconds: float = 0.0
    queryable: bool = False

    def __repr__(self) -> str:
        told = f"{len(self.uploaded):,} uploaded, {len(self.there):,} there before, {len(self.refused):,} refused"
        return f"UploadReport: {told}, {self.destination}"


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """The result of a push.

    destination: where the samples went, without secrets. start, end, series: what was pushed. samples, bytes: what has
    arrived completely, in this call and in the calls that it resumed; bytes counts chunks and index, text, or requests.
    paths: the local files and blocks that hold the push, in time order; blocks that existed before are listed, but not
    counted. findings: what the store was expected to do with the samples. notes: warnings and notes, one line each.
    details: more counts, which depend on the target. checkpoint: the file to resume the push from, None if there is
    none. upload: the result of uploading the blocks. verification: set with ``verify=True``. there_before: samples that
    the store already had, so that nothing was sent.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> push(scenario, Blocks("data"))
    Report: 288 samples in data, ... s
    """

    destination: str
    start: datetime
    end: datetime
    series: int
    samples: int
    bytes: int
    seconds: float
    paths: tuple[Path, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: Path | None = None
    upload: UploadReport | None = None
    verification: Verification | None = None
    there_before: int = 0

    def __repr__(self) -> str:
        there = f", {self.there_before:,} there before" if self.there_before else ""
        blocks = self.details.get("already_there", 0) if self.paths else 0
        there += f", {blocks:,} block{'' if blocks == 1 else 's'} there before" if blocks else ""
        return f"Report: {self.samples:,} samples in {self.destination}{there}, {self.seconds:.1f} s"


def verification_of(report: VerifyReport) -> Verification:
    """Convert the report of the verify operation into a `Verification`."""
    ranges = {
        name: tuple((to_datetime(first), to_datetime(last)) for first, last in fault.ranges.first(RANGES))
        for name, fault in report.faults.items()
        if fault.samples
    }
    return Verification(
        store=report.store,
        expected=report.expected,
        found=report.tally.found,
        missing=report.missing,
        different=report.tally.different.samples,
        doubled=report.tally.doubled.samples,
        unexpected=report.tally.unexpected.samples,
        rounded=report.tally.rounded,
        not_yet_visible=report.not_yet_visible,
        not_checked=report.not_checked,
        ranges=FrozenDict(ranges),
        strangers=tuple(dict(labels) for labels in report.strangers),
    )
