"""Ask a store what it tells of itself: by Prometheus's status API, or by VictoriaMetrics's metrics."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from promfill.stores.api import Api
from promfill.stores.facts import StoreFacts
from promfill.stores.find import store_name
from promfill.times import DAY_MS, UNITS_MS

T = TypeVar("T")

_YEAR_MS, _MONTH_MS, _WEEK_MS = 365 * DAY_MS, 31 * DAY_MS, 7 * DAY_MS
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_LENGTHS = {**UNITS_MS, "y": _YEAR_MS}
_EMPTY = 1 << 62
"""No head has times this far out: an empty one says so with the ends of int64."""

_FLAG = re.compile(r'^flag\{name="([^"]+)", ?value="([^"]*)"', re.MULTILINE)
_OUT_OF_ORDER = re.compile(r"^\s*out_of_order_time_window:\s*(\S+)", re.MULTILINE)
_PROTOBUF_MESSAGES = "web.remote-write-receiver.accepted-protobuf-messages"


def ask_store(api: Api) -> StoreFacts:
    """What the store at this address tells. ReceiverError where nobody answers, or who does not speak the query API."""
    name = store_name(api)
    if name == "VictoriaMetrics":
        return _victoriametrics(api)
    return _prometheus(api) if name == "Prometheus" else StoreFacts(name, str(api))


def parse_store_duration(text: str, bare: int) -> int:
    """ms of ``15d``, ``1h30m``, ``100y``; a bare number is of the unit `bare` (ms). 0 where it is no duration."""
    if text.replace(".", "", 1).isdecimal():
        return int(float(text) * bare)
    return int(sum(float(number) * _LENGTHS[unit] for number, unit in _DURATION.findall(text)))


def _prometheus(api: Api) -> StoreFacts:
    build = _of(dict, api.get_data("/api/v1/status/buildinfo"))
    flags = _of(dict, api.get_data("/api/v1/status/flags"))
    retention, size = _split_retention(_get(api, "/api/v1/status/runtimeinfo", "storageRetention"))
    head = _of(dict, _get(api, "/api/v1/status/tsdb", "headStats"))
    oldest, newest = (_there(head.get(name)) for name in ("minTime", "maxTime"))
    version = str(build.get("version", ""))
    return StoreFacts(
        name="Prometheus",
        where=str(api),
        version=version,
        retention=retention,
        retention_size=size,
        keeps_at_border=(0,) < _numbers(version) < (2, 52),
        newest=newest,
        newest_block=oldest,
        targets=len(_of(list, _get(api, "/api/v1/targets?state=active", "activeTargets"))),
        out_of_order=_out_of_order(_of(str, _get(api, "/api/v1/status/config", "yaml"))),
        receives=_switch(flags.get("web.enable-remote-write-receiver")),
        version_2=_speaks_version_2(flags, version),
        future=10 * UNITS_MS["m"],
    )


def _get(api: Api, path: str, name: str) -> Any:
    data = api.get_data(path)
    return data.get(name) if isinstance(data, dict) else None


def _of(kind: type[T], value: Any) -> T:
    """The value where it is of this kind, else an empty one: whoever answers otherwise tells nothing."""
    return value if isinstance(value, kind) else kind()


def _there(time: Any) -> int | None:
    return time if isinstance(time, int) and abs(time) < _EMPTY else None


def _split_retention(text: Any) -> tuple[int | None, str]:
    """``15d``, ``512MB`` or ``15d or 512MB``: how long, and how much."""
    parts = str(text or "").split(" or ")
    sizes = [part for part in parts if part.endswith("B")]
    times = [parse_store_duration(part, 1) for part in parts if part and not part.endswith("B")]
    return next(filter(None, times), None), "".join(sizes)


def _switch(flag: Any) -> bool | None:
    return {"true": True, "false": False}.get(str(flag))


def _speaks_version_2(flags: dict[str, Any], version: str) -> bool | None:
    if _PROTOBUF_MESSAGES in flags:
        return "io.prometheus.write.v2" in str(flags[_PROTOBUF_MESSAGES])
    return False if (0,) < _numbers(version) < (2, 54) else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _out_of_order(config: str) -> int:
    found = _OUT_OF_ORDER.search(config)
    return parse_store_duration(found[1], 1) if found else 0


def _victoriametrics(api: Api) -> StoreFacts:
    answer = api.try_get_root("/metrics")
    flags = dict(_FLAG.findall(answer.text)) if answer else {}
    retention = parse_store_duration(flags.get("retentionPeriod", ""), _MONTH_MS) or None
    backfill = parse_store_duration(flags.get("maxBackfillAge", ""), 1) or None
    limits = [limit for limit in (retention, backfill) if limit]
    return StoreFacts(
        name="VictoriaMetrics",
        where=str(api),
        version=flags.get("version", ""),
        retention=min(limits, default=None),
        receives=True,
        version_2=False,
        future=parse_store_duration(flags.get("futureRetention", "2d"), _MONTH_MS),
        doubles=not parse_store_duration(flags.get("dedup.minScrapeInterval", ""), 1),
        rounds=True,
    )
