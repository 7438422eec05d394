"""What verbs return: frozen, in one line when printed, with a method that raises where the answer is a bad one."""

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
"""Ranges of time that a verification tells of each fault."""

TimeRange = tuple[datetime, datetime]
"""The first and the last moment, both included."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verb has come: samples of all `total`, and seconds since its begin.

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
    """What a store or directory would do with a push; nothing was sent or written.

    findings: one by one. A finding has a kind, a text and a fix; loses: samples would not be there afterwards; spoils:
    what is there already would be doubled or mixed; samples: how many, None where that cannot be said.
    destination: where the push would go. store: the name of the store that was asked, None where none could be.

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
        """Whether what is there already would be doubled, or mixed with the push."""
        return any(finding.spoils for finding in self.findings)

    def raise_for_loss(self) -> Self:
        """This report. LossError where samples would be lost, RepeatError where samples would be kept twice."""
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
    """What a store holds of a push; all counts are samples.

    expected = found + missing + not_yet_visible + different + not_checked. rounded ones are found: a VictoriaMetrics
    keeps about 12 digits. doubled: copies beyond the first. unexpected: what the push did not make. not_checked:
    staleness markers, where the store does not show them. ranges: when each fault is, by its name. strangers: the
    labels of series that the push did not make, some of them.

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
        """Whether the store shows the push, all of it that can be checked and nothing else."""
        return not (self.missing or self.not_yet_visible or self.different or self.doubled or self.unexpected)

    def raise_for_difference(self) -> Self:
        """This report. DiffersError, which counts what is wrong, where it is not `ok`."""
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
    """What became of blocks that were uploaded, by ULID.

    uploaded: by this call. there: complete at the server before. refused: with the server's words. renamed: the ULID
    here, and the one that it went up under. bytes: of `uploaded`. queryable: whether the store counted every sample.

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
    """What a push made.

    destination: where, without secrets. start, end, series: what was pushed. samples, bytes: what has arrived, whole
    and visible, in this call and those that it resumed; bytes: of chunks and index, text, or requests.
    paths: the files and blocks that hold the push here, in time order; blocks that were there before are among them,
    and are not counted. findings: what the store was known to do with it. notes: what was told on the way, a line each.
    details: counts of the target's own. checkpoint: the file by which the push can be resumed, None where there is
    none. upload: what became of the blocks that went up. verification: with ``verify=True``. there_before: samples that
    were in the store already, so that nothing was sent.

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
    """The operation's report, as Python users have it."""
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
