"""Ask a store for its version and limits: by Prometheus's status API, or by VictoriaMetrics's metrics."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, TypeVar

import httpx

from promfill.rules.durations import MONTH_MS, parse_store_duration
from promfill.rules.limits import DEDUP, Limits, duration_flag, page_flags, read_limits, set_flags
from promfill.rules.store_facts import StoreFacts
from promfill.scenario.times import UNITS_MS
from promfill.stores.api import Api
from promfill.stores.find import store_name

T = TypeVar("T")

_EMPTY = 1 << 62
"""A larger time means that the head is empty: Prometheus then reports the ends of int64."""

_OUT_OF_ORDER = re.compile(r"^\s*out_of_order_time_window:\s*(\S+)", re.MULTILINE)
_RETENTION = re.compile(r"^storage:\n(?:[ \t].*\n)*?[ \t]+tsdb:\n(?:[ \t]{3,}.*\n)*?[ \t]{3,}retention:", re.MULTILINE)
_SETTING = "storage.tsdb.retention.time"
_VERSION = re.compile(r'^vm_app_version\{version="([^"]*)"', re.MULTILINE)
_PROTOBUF_MESSAGES = "web.remote-write-receiver.accepted-protobuf-messages"


def ask_store(api: Api) -> StoreFacts:
    """The facts that a store reports about itself. ReceiverError: no answer, or the server has no query API."""
    name = store_name(api)
    if name == "VictoriaMetrics":
        return _victoriametrics(api)
    return _prometheus(api) if name == "Prometheus" else StoreFacts(name, str(api))


def _prometheus(api: Api) -> StoreFacts:
    build = _of(dict, api.get_data("/api/v1/status/buildinfo"))
    flags = _of(dict, api.get_data("/api/v1/status/flags"))
    retention, size, odd = _split_retention(_get(api, "/api/v1/status/runtimeinfo", "storageRetention"))
    config = _of(str, _get(api, "/api/v1/status/config", "yaml"))
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
        out_of_order=_out_of_order(config),
        receives=_switch(flags.get("web.enable-remote-write-receiver")),
        version_2=_speaks_version_2(flags, version),
        future=10 * UNITS_MS["m"],
        retention_set_by=_retention_setting(config),
        limits=Limits(odd=tuple(odd)),
    )


def _get(api: Api, path: str, name: str) -> Any:
    data = api.get_data(path)
    return data.get(name) if isinstance(data, dict) else None


def _of(kind: type[T], value: Any) -> T:
    """The value if it has this type, otherwise an empty one: an answer of an unexpected type tells us nothing."""
    return value if isinstance(value, kind) else kind()


def _there(time: Any) -> int | None:
    return time if isinstance(time, int) and abs(time) < _EMPTY else None


def _split_retention(text: Any) -> tuple[int | None, str, list[str]]:
    """Split ``15d``, ``512MB``, ``80%`` or ``15d or 512MB`` into a duration (ms), a size, and other parts."""
    parts = list(filter(None, str(text or "").split(" or ")))
    sizes = [part for part in parts if part.endswith(("B", "%"))]
    times = {part: parse_store_duration(part, 1) for part in parts if part not in sizes}
    odd = [f'storageRetention="{part}"' for part, time in times.items() if time is None]
    return next(filter(None, times.values()), None), " or ".join(sizes), odd


def _retention_setting(config: str) -> str:
    """The setting that decides the retention: newer versions show it in the configuration, which overrides the flag."""
    section = _RETENTION.search(config)
    return f"{_SETTING} in its configuration file" if section else f"--{_SETTING}"


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
    return (parse_store_duration(found[1], 1) or 0) if found else 0


def _victoriametrics(api: Api) -> StoreFacts:
    answer = api.get_root("/metrics")
    page = answer.text if answer.is_success else ""
    flags, unread = page_flags(page), ""
    if not flags:
        flags, unread = _flags_without_metrics(api, answer)
    elif "retentionPeriod" not in flags:  # a vmselect: the storage nodes have their own flag
        unread = f"the page /metrics of {api} names no -retentionPeriod, so what the storage behind it drops"
    odd: list[str] = []
    retention = duration_flag(flags, "retentionPeriod", MONTH_MS, odd)
    backfill = duration_flag(flags, "maxBackfillAge", MONTH_MS, odd)
    limits = {"-maxBackfillAge": backfill, "-retentionPeriod": retention}
    shortest = min((flag for flag in limits if limits[flag]), key=lambda flag: limits[flag] or 0, default="")
    future = duration_flag({"futureRetention": "2d", **flags}, "futureRetention", MONTH_MS, odd)
    others = read_limits(flags, page)
    return StoreFacts(
        name="VictoriaMetrics",
        where=str(api),
        version=_version(page),
        retention=limits[shortest] if shortest else None,
        receives=True,
        version_2=False,
        future=future,
        doubles=not any(thinning.flag == DEDUP for thinning in others.thinning),
        rounds=True,
        retention_set_by=shortest,
        limits=replace(others, odd=(*odd, *others.odd)),
        unread=unread,
    )


def _flags_without_metrics(api: Api, answer: httpx.Response) -> tuple[dict[str, str], str]:
    """The flags on the page /flags, and a text that says what could not be read.

    The page lists only flags that were set, so without a retention on it, the retention is the default of 1 month.
    """
    why = f"/metrics of {api} cannot be read ({answer.status_code} {api.client.words(answer)})"
    other = api.get_root("/flags")
    flags = set_flags(other.text) if other.is_success else {}
    if flags:
        return {"retentionPeriod": "1M", **flags}, f"{why}, and /flags tells only what was set, so its limits of labels"
    return {}, f"{why}, so its retention, its deduplication and its limits of labels"


def _version(page: str) -> str:
    found = _VERSION.search(page)
    return found[1] if found else ""
