"""Pushes by the command line whose every byte tests/golden/pushes.json keeps as a hash, and how to make them again.

    python -m tests.support.golden_pushes

writes the file anew: only where the bytes are meant to change.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import struct
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from promfill.cli import run
from promfill.pb.remote_write_1_pb2 import MetricMetadata, WriteRequest
from promfill.pb.remote_write_2_pb2 import Request
from tests.support.cli import Promfill, Result
from tests.support.golden import FOLDER
from tests.support.pushes import example_1, example_2, fleet_40
from tests.support.receiver import Answer, Receiver, Taken
from tests.support.sources import source_of

FILE = "pushes.json"
DAYS = {"start": "1702771200", "end": "1702944000"}  # two UTC days, from 2023-12-17T00:00:00Z
ODD = r'path="C:\\x \"y\" {1..3}, é✓",braces=\{x\}{1,2},list={a b,ü,日本},pad={08..11}'

Push = tuple[str, ...]
Facts = dict[str, Any]


def _push(metric: str, labels: str, *more: str, start: str = DAYS["start"], end: str = DAYS["end"]) -> Push:
    fan = ("--labels", labels) if labels else ()
    return ("push", "--metric-name", metric, *fan, "--start", start, "--end", end, *more)


def _blocks() -> Iterator[tuple[str, Push]]:
    yield "blocks: one series", _push("vpn", "instance=127.0.0.2:9273,job=metrics_generator:8123")
    yield "blocks: no label", _push("up_time", "")
    yield "blocks: a year of one series", _push("cpu", "cpu=avg", start="1672531200", end="1704067200")
    yield "blocks: a fleet of 300", _push("node_load1", "instance=host-{001..100}:9100,zone={eu,us,ap},job=node")
    yield "blocks: a fleet that ends within a day", _push("m", "i={1..7}", start="1702800123.457", end="1702950001")
    yield "blocks: odd labels", _push("http:requests:rate5m", ODD, "--labels", "job=x,job2=y")
    yield "blocks: 2h", _push("m", "i={1..30}", "--block-duration", "2h")
    yield "blocks: 2h of a step that fits no block", _push("m", "i={1..5}", "--block-duration", "2h", "--step", "7m13s")
    yield "blocks: 24h", _push("m", "i={1..30}", "--block-duration", "24h", start="1702800000", end="1702972800")
    yield "blocks: stale at the end", _push("m", "i={1..12}", "--stale-at-end")
    yield "blocks: one series, stale at the end", _push("m", "", "--stale-at-end")
    yield "blocks: resolution 2^-7", _push("m", "i={1..12}", "--resolution", "2^-7", "--flat-base", "1000")
    yield "blocks: resolution 2^3, one series", _push("m", "", "--resolution", "2^3", "--flat-base", "-5000")
    yield "blocks: three decimals", _push("m", "i={1..12}", "--round", "3", "--flat-base", "1000")
    yield "blocks: no decimals", _push("m", "i={1..12}", "--round", "0", "--flat-base", "1000")
    small = ("--step", "500ms", "--block-duration", "2h")
    yield "blocks: 500ms", _push("m", "i={1..3}", *small, start="1702800000.250", end="1702812000")
    yield "blocks: a step of a day", _push("m", "i={1,2}", "--step", "1d", start="1700000000", end="1704000000")
    yield "blocks: two workers", _push("m", "i={1..50}", "--workers", "2", start="1702339200")
    berlin = ("--timezone", "Europe/Berlin")
    yield "blocks: across a change of the clock", _push("m", "i={1..4}", *berlin, start="1679702400", end="1679961600")
    india = ("--timezone", "Asia/Kolkata")
    yield "blocks: one series, half an hour off", _push("m", "a=b", *india, "--step", "15m")
    noise = ("--seed", "4294967295", "--noise-std", "0.25", "--noise-mean", "1.5", "--trend-coefficient", "-0.37")
    yield "blocks: another signal", _push("m", "i={1..9}", *noise, "--flat-base", "20")
    yield "blocks: another signal, one series", _push("m", "", *noise, "--flat-base", "20")
    yield "blocks: no season, no noise", _push("m", "i={1..9}", "--seasonality", "none", "--noise-std", "0")


def _texts() -> Iterator[tuple[str, Push]]:
    text = ("--mode", "openmetrics")
    yield "openmetrics: one series", _push("vpn", "job=a", *text)
    said = ("--description", 'a "quoted" \\ text\nof two lines, é', "--unit", "seconds")
    yield "openmetrics: words", _push("vpn_seconds", ODD, *text, *said)
    yield "openmetrics: a fleet, two workers", _push("m", "i={1..40},z={a,b}", *text, "--workers", "2")
    yield "openmetrics: 500ms", _push("m", "i={1..3}", *text, "--step", "500ms", start="1702943000.125")
    yield "openmetrics: two decimals", _push("m", "i={1..3}", *text, "--round", "2", "--flat-base", "1000")


def _sent() -> Iterator[tuple[str, Push]]:
    for version in ("1.0", "2.0"):
        way = ("--mode", "remote-write", "--protocol", version, "--concurrency", "1", "--accept-loss")
        yield f"remote-write {version}: one series", _push("vpn", "instance=127.0.0.2:9273,job=a", *way)
        said = ("--description", "what it is, é", "--unit", "bytes")
        yield f"remote-write {version}: a fleet", _push("m", "i={1..40},z={a,b}", *way, *said)
        limits = ("--max-samples-per-send", "700", "--max-bytes-per-send", "20000")
        yield (
            f"remote-write {version}: small requests, stale at the end",
            _push("m", ODD, *way, *limits, "--stale-at-end", start="1702900000"),
        )
        coarse = ("--resolution", "2^-7", "--flat-base", "1000", "--step", "500ms")
        yield (
            f"remote-write {version}: 500ms, resolution 2^-7",
            _push("m", "i={1..5}", *way, *coarse, start="1702943000"),
        )


def _scripts() -> Iterator[tuple[str, Push]]:
    yield "script: one series", _push("vpn", "job=a", "--mode", "script")
    yield "script: a fleet, kept", _push("m", ODD, "--mode", "script", "--keep", "--description", "d")


PUSHES: Mapping[str, Push] = dict([*_blocks(), *_texts(), *_sent(), *_scripts()])


def identities() -> dict[str, str]:
    """In hex: what the names of blocks hang on."""
    coarse = {"resolution": 2**-7, "flat_base": 1000.0}
    sources = {
        "example 1": example_1(1_702_944_000_000),
        "example 2": example_2(),
        "fleet": fleet_40(),
        "no label": source_of("", 10),
        "stale at the end": source_of("i={1..3}", 10, stale_at_end=True),
        "longer": source_of("i={1..3}", 11),
        "shorter": source_of("i={1..3}", 10),
        "500ms": source_of("i={1..3}", 10, step=500),
        "resolution": source_of("i={1..3}", 10, signal=coarse),
        "decimals": source_of("i={1..3}", 10, signal={"decimals": 2}),
        "another signal": source_of("i={1..3}", 10, signal={"seed": 7, "noise_std": 0.25, "trend_coefficient": 1 / 3}),
        "odd labels": source_of(ODD, 10),
    }
    return {name: source.identity().hex() for name, source in sources.items()}


def made_by(promfill: Promfill, push: Push, folder: Path) -> Facts:
    """What the push makes in `folder`, which is the working directory, is empty, and stays full."""
    mode = push[push.index("--mode") + 1] if "--mode" in push else "blocks"
    return _MAKERS[mode](promfill, push, folder)


def _ran(promfill: Promfill, words: Sequence[str]) -> Facts:
    result = promfill(*words, "--json", "--quiet")
    if result.code:
        raise RuntimeError(f"exit code {result.code}: {' '.join(words)}\n{result.err}")
    return {name: result.json[name] for name in ("series", "samples", "written")}


def _made_blocks(promfill: Promfill, push: Push, folder: Path) -> Facts:
    facts = _ran(promfill, (*push, "--output-dir", "out"))
    blocks = sorted((folder / "out").iterdir())
    files = {block.name: {_name(path, block): _sha(path.read_bytes()) for path in _files(block)} for block in blocks}
    if len(files) > 4:  # a line for a year
        return facts | {"blocks": len(files), "all": _sha(json.dumps(files, sort_keys=True).encode())}
    return facts | {"blocks": files}


def _made_text(promfill: Promfill, push: Push, folder: Path) -> Facts:
    facts = _ran(promfill, (*push, "--output-dir", "out"))
    (path,) = (folder / "out").iterdir()
    return facts | {"file": path.name, "text": _sha(path.read_bytes())}


SCRIPT = """#!/bin/sh
{ printf '%s\\n' "$#" "$@"; echo "keep ${PROMFILL_KEEP:-}"; } >"$PROMFILL_TEST_LOG"
"""


def _made_by_script(promfill: Promfill, push: Push, folder: Path) -> Facts:
    """The script's arguments, with the folder's own name taken out, and the text that it was called on."""
    log, script, password = folder / "log", folder / "called.sh", folder / "password"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    password.write_text("made-up")
    to = ("--remote-write-url", "http://127.0.0.1:1/api/v1/push", "--username", "u", "--password-file", str(password))
    os.environ["PROMFILL_TEST_LOG"] = str(log)
    facts = _ran(promfill, (*push, *to, "--backfill-script", str(script), "--output-dir", "out"))
    (path,) = (folder / "out").glob("*.txt")
    call = log.read_text().replace(str(folder.resolve()), "FOLDER").replace(str(folder), "FOLDER").splitlines()
    return facts | {"call": call, "file": path.name, "text": _sha(path.read_bytes())}


def _made_requests(promfill: Promfill, push: Push, folder: Path) -> Facts:
    """The messages in their order, and apart from that their samples and what they say of the metric."""
    with Receiver(_answer) as receiver:
        facts = _ran(promfill, (*push, "--remote-write-url", receiver.url))
        taken = [one for one in receiver.taken if _is_push(one)]
    messages = [one.message for one in taken if _samples_in(one)]
    samples, said = _held(taken)
    kinds = {(one.headers["content-type"], one.headers["x-prometheus-remote-write-version"]) for one in taken}
    return facts | {
        "requests": len(messages),
        "kinds": sorted(" ".join(kind) for kind in kinds),
        "messages": _sha(b"".join(len(message).to_bytes(8) + message for message in messages)),
        "content": _sha("\n".join(samples).encode()),
        "metadata": said,
    }


_MAKERS = {
    "blocks": _made_blocks,
    "openmetrics": _made_text,
    "script": _made_by_script,
    "remote-write": _made_requests,
}


def _answer(taken: Taken) -> Answer:
    if not _is_push(taken):
        return Answer(404)
    return Answer(headers={"X-Prometheus-Remote-Write-Samples-Written": str(_samples_in(taken))})


def _is_push(taken: Taken) -> bool:
    return taken.method == "POST" and taken.path == "/api/v1/write"


def _is_2(taken: Taken) -> bool:
    return "v2.Request" in taken.headers["content-type"]


def _samples_in(taken: Taken) -> int:
    message = Request.FromString(taken.message) if _is_2(taken) else WriteRequest.FromString(taken.message)
    return sum(len(series.samples) for series in message.timeseries)


def _held(taken: Iterable[Taken]) -> tuple[list[str], list[str]]:
    """Every sample as a line, sorted, whatever the requests' sizes and order; what is said of the metric, once."""
    samples: list[str] = []
    said: set[str] = set()
    for one in taken:
        if _is_2(one):
            request = Request.FromString(one.message)
            words = request.symbols
            for series in request.timeseries:
                names = [words[ref] for ref in series.labels_refs]
                samples += _lines(dict(zip(names[::2], names[1::2], strict=True)), series.samples)
                about = series.metadata
                said.add(
                    f"{MetricMetadata.MetricType.Name(about.type)} {words[about.help_ref]!r} {words[about.unit_ref]!r}"
                )
        else:
            message = WriteRequest.FromString(one.message)
            said |= {_about(about.type, about.help, about.unit) for about in message.metadata}
            for written in message.timeseries:
                samples += _lines({label.name: label.value for label in written.labels}, written.samples)
    return sorted(samples), sorted(said)


def _about(kind: int, description: str, unit: str) -> str:
    names: Mapping[int, str] = {number: name for name, number in MetricMetadata.MetricType.items()}
    return f"{names[kind]} {description!r} {unit!r}"


def _lines(labels: Mapping[str, str], samples: Iterable[Any]) -> list[str]:
    text = json.dumps(labels, sort_keys=True)
    return [f"{text} {sample.timestamp} {struct.pack('>d', sample.value).hex()}" for sample in samples]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _name(path: Path, block: Path) -> str:
    return path.relative_to(block).as_posix()


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _promfill(*arguments: str) -> Result:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    return Result(code, out.getvalue(), err.getvalue())


def main() -> None:
    """Write the file."""
    for name in [name for name in os.environ if name.startswith(("PROMFILL_", "CDO_"))] + ["ENV"]:
        os.environ.pop(name, None)
    facts: dict[str, Any] = {"identities": identities()}
    for name, push in PUSHES.items():
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            facts[name] = made_by(_promfill, push, Path(folder))
        print(name, file=sys.stderr)
    (FOLDER / FILE).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
