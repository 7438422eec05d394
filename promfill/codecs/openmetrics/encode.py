r"""Write OpenMetrics text: samples to lines that promtool reads back bit for bit.

    # HELP vpn Active tunnels
    # TYPE vpn gauge
    vpn{instance="a",job="b"} 20.28 1700000000
    # EOF

A line is three pieces: the series (made once), the value, the time (made once a step for all series). orjson writes a
whole array of values as shortest round-trip digits; its text is split, put between the other two pieces and joined:
four passes in C, no Python code per sample. Values have the form of Python's ``repr``, as in the original script's
files. Text cannot tell one NaN from another, so staleness markers become plain NaNs.
Source: OpenMetrics 1.0; promtool 2.42 was tried to see what of it is accepted.
"""

from __future__ import annotations

import re
from itertools import chain, compress, repeat
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from promfill.errors import InputError, setting
from promfill.model.batch import Fleet, SeriesBatch
from promfill.model.types import BoolArray, F64Array, I64Array

EOF = b"# EOF\n"

_UNIT = re.compile(r"[a-zA-Z0-9_:]*")
_NAME_LABEL = b"__name__"
_MS = 1000


def validate_openmetrics(metric: str, description: str, unit: str) -> None:
    """InputError for what promtool would refuse: a unit that does not end the name, a description that is not UTF-8."""
    if not _UNIT.fullmatch(unit):
        raise InputError.about(
            "unit", f"{unit!r} is not valid (letters, digits, _ and :)", "use only these, or leave it out"
        )
    if unit and not metric.endswith(f"_{unit}"):
        named = f"{metric.removesuffix('_')}_{unit}"
        raise InputError.about(
            "unit",
            f"{unit!r} must end the metric's name in OpenMetrics",
            f"write {setting('metric_name', repr(named))}, or leave it out",
        )
    try:
        description.encode()
    except UnicodeEncodeError:
        raise InputError.about(
            "description", f"{description!r} holds bytes that are not UTF-8", "write it in UTF-8"
        ) from None


def encode_metadata(metric: str, description: str, unit: str) -> bytes:
    """The lines that begin a metric family; no UNIT line without a unit."""
    name = metric.encode()
    lines = [b"# HELP %b %b\n" % (name, _escape(description.encode())), b"# TYPE %b gauge\n" % name]
    if unit:
        lines.append(b"# UNIT %b %b\n" % (name, unit.encode()))
    return b"".join(lines)


def encode_batch(batch: SeriesBatch) -> bytes:
    """The lines of a batch, series by series, each in time order."""
    steps, series = batch.values.shape
    values = batch.values.T.reshape(-1)
    prefixes = chain.from_iterable(map(repeat, encode_series(batch.fleet, batch.series), repeat(steps)))
    if batch.timestamps.ndim == 1:
        times = encode_times(batch.timestamps) * series
    else:
        times = encode_times(batch.timestamps.T.reshape(-1))
    if batch.present is None:
        return _join(list(prefixes), encode_values(values), times)
    present = batch.present.T.reshape(-1)
    kept = present.tolist()
    return _join(list(compress(prefixes, kept)), encode_values(values[present]), list(compress(times, kept)))


def encode_series(fleet: Fleet, rows: range) -> list[bytes]:
    """The text before the values of these series: ``name{a="b",…} ``, with escapes and a blank at the end."""
    block = fleet.values[rows.start : rows.stop]
    metrics = [b""] * len(rows)
    columns: list[list[bytes]] = []
    for place, name in enumerate(fleet.names.tolist()):
        text = fleet.symbols[name]
        values = block[:, place].tolist()
        if text == _NAME_LABEL:
            metrics = [fleet.symbols[value] for value in values]
        else:
            pairs = {value: b'%b="%b",' % (text, _escape(fleet.symbols[value])) for value in set(values)}
            pairs[0] = b""  # the series has no such label
            columns.append([pairs[value] for value in values])
    labels = map(b"".join, zip(*columns, strict=True)) if columns else [b""] * len(rows)
    return [
        b"%b{%b} " % (metric, text[:-1]) if text else metric + b" "
        for metric, text in zip(metrics, labels, strict=True)
    ]


def encode_values(values: F64Array) -> list[bytes]:
    """float64 (n,) to the shortest digits that read back to the same bits, in the form of ``repr``; NaN, +Inf, -Inf."""
    texts = _dump(values).split(b",") if values.size else []
    size = np.abs(values)
    for place, text in _odd_values(values, ~((size >= 1e-4) & (size < 1e16)) & (values != 0)):
        texts[place] = text
    return texts


def encode_times(timestamps: I64Array) -> list[bytes]:
    r"""int64 ms (n,), below 10^15 in size, as `` SECONDS\n``, with a fraction only if there is one.

    promtool computes int(float64(text) * 1000), which for some thousandths (of 2004 and 2038) is one millisecond too
    small: those are written as the next float64.
    """
    if not timestamps.size:
        return []
    whole = not (timestamps % _MS).any()
    numbers = _dump(timestamps // _MS if whole else _seconds(timestamps))
    lines = b" " + numbers.replace(b",", b"\n, ") + b"\n"
    return (lines if whole else lines.replace(b".0\n", b"\n")).split(b",")


def _seconds(timestamps: I64Array) -> F64Array:
    """The float64 nearest to ms / 1000, or the next one where promtool would lose a millisecond of it."""
    seconds = timestamps / _MS
    short = (seconds * _MS).astype(np.int64) != timestamps
    seconds[short] = np.nextafter(seconds[short], np.copysign(np.inf, seconds[short]))
    return seconds


def _join(prefixes: list[bytes], values: list[bytes], times: list[bytes]) -> bytes:
    pieces = [b""] * (3 * len(values))
    pieces[0::3], pieces[1::3], pieces[2::3] = prefixes, values, times
    return b"".join(pieces)


def _dump(numbers: NDArray[Any]) -> bytes:
    """The numbers with commas between them."""
    return orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


def _odd_values(values: F64Array, odd: BoolArray) -> zip[tuple[int, bytes]]:
    """Place and text of values that orjson writes as null, or in another form than repr."""
    text = repr(values[odd].tolist())[1:-1].encode()
    text = text.replace(b"nan", b"NaN").replace(b"inf", b"+Inf").replace(b"-+", b"-")
    return zip(np.flatnonzero(odd).tolist(), text.split(b", "), strict=False)


def _escape(text: bytes) -> bytes:
    return text.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b'"', b'\\"')
