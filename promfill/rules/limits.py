"""The limits of a VictoriaMetrics or a vmagent, from the flags on its page /metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from promfill.rules.durations import MONTH_MS, parse_store_duration

_FLAG = re.compile(r'^flag\{name="([^"]+)", ?value="((?:[^"\\]|\\.)*)"', re.MULTILINE)
_SET_FLAG = re.compile(r'^-([\w.]+)="((?:[^"\\]|\\.)*)"$', re.MULTILINE)
_ESCAPE = re.compile(r"\\(.)")
_DROPS = 'vm_rows_ignored_total{reason="too_many_labels"}'
"""A counter since 1.108, which drops a series that exceeds a label limit; older versions cut off labels."""
_READ_ONLY = re.compile(r"^vm_storage_is_read_only\{[^}]*\} 1$", re.MULTILINE)

_RULES = {
    "relabelConfig": "may drop or rename series",
    "remoteWrite.relabelConfig": "may drop or rename series",
    "remoteWrite.urlRelabelConfig": "may drop or rename series",
    "remoteWrite.label": "adds labels to every series",
    "streamAggr.config": "may replace samples by aggregates",
    "remoteWrite.streamAggr.config": "may replace samples by aggregates",
    "retentionFilter": "deletes some series earlier",
    "remoteWrite.roundDigits": "rounds values",
    "remoteWrite.significantFigures": "rounds values",
    "remoteWrite.maxDiskUsagePerURL": "drops the oldest waiting samples beyond that size",
    "remoteWrite.dropSamplesOnOverload": "drops samples when the store behind it is slow",
    "remoteWrite.shardByURL": "splits the series between several stores",
    "precisionBits": "rounds values",
}
"""Flags that change the stored samples in a way that cannot be predicted from here."""
_NOT_SET = re.compile(r"(?:false|none|[\s,0])*")
_DEFAULTS = {"precisionBits": "64"}

DEDUP = "-dedup.minScrapeInterval"
"""The flags that make VictoriaMetrics keep only one of two samples with the same time."""
_DEDUP = (DEDUP[1:], "streamAggr.dedupInterval", "remoteWrite.streamAggr.dedupInterval")
_SERIES = (
    "storage.maxHourlySeries",
    "storage.maxDailySeries",
    "remoteWrite.maxHourlySeries",
    "remoteWrite.maxDailySeries",
)


@dataclass(frozen=True, slots=True)
class Thinning:
    """Of samples older than `age` (ms), one per `interval` (ms) is kept, because of `flag`."""

    flag: str
    age: int
    interval: int


@dataclass(frozen=True, slots=True)
class Limits:
    """0 or empty means: no limit.

    labels: of one series, including its name. name_bytes, value_bytes: of a label. drops_series: a series beyond these
    limits is dropped; otherwise its labels are cut off, and it becomes another series. series: the number of new series
    per hour or day, and the flag. rules: other flags that change samples, in words. read_only: it accepts no samples.
    odd: flags whose values could not be read.
    """

    labels: int = 0
    name_bytes: int = 0
    value_bytes: int = 0
    drops_series: bool = True
    thinning: tuple[Thinning, ...] = ()
    series: tuple[tuple[str, int], ...] = ()
    rules: tuple[str, ...] = ()
    read_only: bool = False
    odd: tuple[str, ...] = ()


def page_flags(page: str) -> dict[str, str]:
    """All flags on a page /metrics."""
    return {name: _ESCAPE.sub(r"\1", value) for name, value in _FLAG.findall(page)}


def set_flags(page: str) -> dict[str, str]:
    """The flags of a page /flags, which lists only those that were set."""
    return {name: _ESCAPE.sub(r"\1", value) for name, value in _SET_FLAG.findall(page)}


def read_limits(flags: Mapping[str, str], page: str) -> Limits:
    """The limits that these flags set; `page` is the text of /metrics."""
    odd: list[str] = []
    drops = _DROPS in page
    return Limits(
        labels=_count(flags, "maxLabelsPerTimeseries", odd),
        name_bytes=_count(flags, "maxLabelNameLen", odd) or (0 if drops or "maxLabelValueLen" not in flags else 256),
        value_bytes=_count(flags, "maxLabelValueLen", odd),
        drops_series=drops,
        thinning=tuple(_thinning(flags, odd)),
        series=tuple((name, limit) for name in _SERIES if (limit := _count(flags, name, odd)) > 0),
        rules=tuple(f"-{name} {effect}" for name, effect in _RULES.items() if is_set(flags, name)),
        read_only=bool(_READ_ONLY.search(page)),
        odd=tuple(odd),
    )


def duration_flag(flags: Mapping[str, str], name: str, bare: int, odd: list[str]) -> int | None:
    """ms of a flag; None if it is not set, or not understood: then it is added to `odd`."""
    if name not in flags:
        return None
    duration = parse_store_duration(flags[name], bare)
    if duration is None:
        odd.append(f'-{name}="{flags[name]}"')
    return duration


def is_set(flags: Mapping[str, str], name: str) -> bool:
    """Whether a flag has an effect: empty lists, zeros and false have none."""
    text = flags.get(name, "")
    return text != _DEFAULTS.get(name) and not _NOT_SET.fullmatch(text)


def _count(flags: Mapping[str, str], name: str, odd: list[str]) -> int:
    text = flags.get(name, "").strip() or "0"
    try:
        return max(0, int(text))  # -1 means no limit
    except ValueError:
        odd.append(f'-{name}="{text}"')
        return 0


def _thinning(flags: Mapping[str, str], odd: list[str]) -> list[Thinning]:
    found = [Thinning(f"-{name}", 0, _longest(flags, name, odd)) for name in _DEDUP]
    for period in filter(None, flags.get("downsampling.period", "").split(",")):
        parts = period.split(":")
        age, interval = (parse_store_duration(part, MONTH_MS) for part in parts) if len(parts) == 2 else (None, None)
        if age is None or interval is None:  # also one with a filter: which series it matches is not known here
            odd.append(f'-downsampling.period="{period}"')
        else:
            found.append(Thinning("-downsampling.period", age, interval))
    return [thinning for thinning in found if thinning.interval]


def _longest(flags: Mapping[str, str], name: str, odd: list[str]) -> int:
    """The longest of a flag's durations: there may be one per address."""
    lengths = [duration_flag({name: part}, name, 1, odd) or 0 for part in flags.get(name, "").split(",")]
    return max(lengths)
