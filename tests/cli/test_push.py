"""What ``promfill push`` says and makes."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from promfill import __version__
from tests.support.cli import END, PUSH, START, Promfill

SUMMARY = """\
vpn: 2 series x 288 steps of 5m = 576 samples
from   2023-12-17T08:00:00Z (1702800000)
to     2023-12-18T08:00:00Z (1702886400), not included
wrote  576 samples, SIZE, to data (TIME)

Serve:
  prometheus --config.file=/dev/null --storage.tsdb.path=data --storage.tsdb.retention.time=YEARSy \
--web.listen-address=127.0.0.1:9090
"""


def test_summary_of_blocks(promfill: Promfill) -> None:
    result = promfill(*PUSH, "--labels", "i={1,2}")
    assert result.code == 0
    assert result.err == ""
    said = re.sub(r"\d+\.\d kB", "SIZE", result.out)
    said = re.sub(r"\([^)]* samples/s\)", "(TIME)", said)
    years = int(re.search(r"retention.time=(\d+)y", said)[1])  # type: ignore[index]
    assert said.replace(f"={years}y", "=YEARSy").startswith(SUMMARY)
    assert years >= 4  # the samples are of 2023: retention is counted back from the newest block
    assert Path(".promfill/made").read_text().splitlines() == [str(path) for path in sorted(Path("data").iterdir())]


def test_running_it_again_makes_nothing(promfill: Promfill) -> None:
    assert promfill(*PUSH).code == 0
    before = {path: path.stat().st_mtime_ns for path in Path("data").rglob("*")}
    result = promfill(*PUSH)
    assert result.code == 0
    assert "\nnote   2 blocks already exist and are intact (skipped)\n" in result.out
    assert "samples/s" not in result.out
    assert "wrote" not in result.out
    assert {path: path.stat().st_mtime_ns for path in Path("data").rglob("*")} == before


def test_what_was_there_before_is_not_listed_as_made(promfill: Promfill) -> None:
    """`make clean` and `promfill upload` remove what is listed."""
    assert promfill(*PUSH).code == 0
    made = Path(".promfill/made")
    made.unlink()
    assert promfill(*PUSH).code == 0
    assert not made.exists()
    first, *_ = sorted(Path("data").iterdir())
    (first / "index").write_bytes(b"")
    assert promfill(*PUSH).code == 0
    assert made.read_text().splitlines() == [str(first)], "it was damaged, and made again"


def test_what_a_push_was_killed_over_is_listed(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        listed = Path(".promfill/made").read_text().splitlines()
        assert len(listed) == 2
        raise KeyboardInterrupt

    monkeypatch.setattr("promfill.sinks.blocks.publish", die)
    assert promfill(*PUSH).code == 130


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        *itertools.product(["chunks/000001", "index", "meta.json"], ["cut", "flip", "remove"]),
        *itertools.product(["tombstones"], ["cut", "flip"]),  # a block without tombstones is whole
    ],
)
def test_a_damaged_block_is_made_again(promfill: Promfill, file: str, damage: str) -> None:
    assert promfill(*PUSH).code == 0
    block = min(Path("data").iterdir())
    good = {path: path.read_bytes() for path in block.rglob("*") if path.is_file()}
    path = block / file
    data = bytearray(good[path])
    if damage == "remove":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data if damage == "flip" else data[:-1])
    assert promfill(*PUSH).code == 0
    assert {path: path.read_bytes() for path in block.rglob("*") if path.is_file()} == good


def test_the_verify_command_that_is_printed_proves_the_push(promfill: Promfill) -> None:
    facts = promfill(*PUSH, "--labels", 'a={1..3},b="x, y"', "--labels", "c=d", "--step", "7m", "--json").json
    words = shlex.split(facts["verify"])
    assert words[:2] == ["promfill", "verify"]
    assert words[-2:] == ["--blocks", "data"]
    proof = promfill(*words[1:], "--json")
    assert proof.code == 0
    assert proof.json["found"] == proof.json["expected"] == facts["samples"]


def test_push_and_verify_at_once(promfill: Promfill) -> None:
    result = promfill(*PUSH, "--labels", "a={1..3}", "--verify")
    assert result.code == 0
    assert (
        "vpn in blocks in data, compared by bits\nexpected    864 samples of 3 series\nfound       864\n" in result.out
    )


def test_json(promfill: Promfill) -> None:
    facts = promfill(*PUSH, "--labels", "i={1,2}", "--json").json
    assert facts["series"] == 2
    assert facts["samples"] == facts["written"] == 576
    assert (facts["start_epoch"], facts["end_epoch"], facts["step"]) == (START, END, "5m")
    assert facts["blocks"] == len(facts["paths"]) == 2
    size = sum(path.stat().st_size for name in ("index", "000001") for path in Path("data").rglob(name))
    assert facts["bytes"] == size
    assert facts["serve"].startswith("prometheus ")


@pytest.mark.parametrize(("mode", "unit"), [("blocks", "blocks"), ("openmetrics", None)])
def test_dry_run_writes_nothing_and_foretells(promfill: Promfill, mode: str, unit: str | None) -> None:
    arguments = (*PUSH, "--labels", "i={1..30}", "--mode", mode)
    plan = promfill(*arguments, "--dry-run", "--json").json
    assert list(Path().iterdir()) == []
    assert plan["dry_run"] is True
    assert unit is None or plan[unit] == 2
    facts = promfill(*arguments, "--json").json
    assert plan["samples"] == facts["samples"]
    assert plan["estimated_bytes"] == pytest.approx(facts["bytes"], rel=0.25)
    assert "nothing was sent or written" in promfill(*arguments, "--dry-run").out


def test_openmetrics_file_and_name(promfill: Promfill) -> None:
    facts = promfill(*PUSH, "--mode", "openmetrics", "--labels", "job=a", "--json").json
    path = Path("utils/vpn_backfill_1702800000.txt")
    assert facts["paths"] == [str(path)]
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# HELP vpn Backfilled metric data")
    assert lines[-1] == "# EOF"
    assert len([line for line in lines if line.startswith('vpn{job="a"} ')]) == 288


def test_warnings_and_notes(promfill: Promfill) -> None:
    err = promfill(*PUSH, "--labels", "test-label=x", "--description", "D", "--unit", "s").err
    assert "test-label" in err
    assert "test_label" in err
    assert "--description and --unit will not be kept: blocks hold no HELP, TYPE or UNIT" in err
    err = promfill(*PUSH, "--labels", "other=x").err
    assert "already hold samples of this time; Prometheus merges overlapping blocks, Thanos halts" in err
    assert promfill(*PUSH, "--labels", "third=x", "-q").err == ""


def test_options_from_environment_and_dotenv(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PROMFILL_PUSH_METRIC_NAME=from_file\nPROMFILL_PUSH_STEP_SIZE=10m\n")
    monkeypatch.setenv("PROMFILL_PUSH_STEP_SIZE", "20m")
    monkeypatch.setenv("PROMFILL_PUSH_BLOCK_DURATION", "2h")  # does not fit the mode: ignored, not refused
    facts = promfill("push", "--start", START, "--end", END, "--mode", "openmetrics", "--json").json
    assert (facts["metric"], facts["step"]) == ("from_file", "20m")


def test_start_and_end_have_other_spellings(promfill: Promfill) -> None:
    facts = promfill(
        "push", "--metric-name", "a", "--start-epoch", START, "--end-epoch", END, "--step", "1h", "--json"
    ).json
    assert (facts["steps"], facts["step"]) == (24, "1h")


def test_future_is_allowed_when_asked(promfill: Promfill) -> None:
    assert promfill("push", "--metric-name", "a", "--start", "now", "--end", "now+1h", "--allow-future").code == 0


def test_version_help_and_completion(promfill: Promfill) -> None:
    assert promfill("--version").out == f"promfill {__version__}\n"
    assert "push" in promfill("--help").out
    for shell, word in (("bash", "complete"), ("zsh", "#compdef promfill"), ("fish", "complete --no-files")):
        assert word in promfill("completion", shell).out
    assert promfill("completion", "tcsh").code == 2


def test_help_imports_no_heavy_library() -> None:
    probe = (
        "import sys; from promfill.cli import run; run(['--help']); "
        "print({'numpy', 'httpx', 'google.protobuf', 'snappy', 'orjson', 'yaml'} & sys.modules.keys())"
    )
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "set()"


def test_one_series_of_blocks_imports_no_client() -> None:
    words = shlex.join(PUSH)
    probe = (
        f"import sys; from promfill.cli import run; run({words!r}.split() + ['--dry-run']); "
        "print({'httpx', 'google.protobuf', 'snappy', 'yaml'} & sys.modules.keys())"
    )
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("push", *PUSH[1:], "--workers", "0"), "'--workers': 0 must be between 1 and 256"),
        (("push", *PUSH[1:], "--workers", "257"), "'--workers': 257 must be between 1 and 256"),
        (("tsdb", "analyze", "--limit", "-1"), "'--limit': -1 must be at least 0"),
    ],
)
def test_limits_of_a_number_are_said_in_words(words: tuple[str, ...], told: str, promfill: Promfill) -> None:
    result = promfill(*words)
    assert (result.code, result.err) == (2, f"promfill: error: Invalid value for {told}\n")


def test_the_help_says_limits_in_words(promfill: Promfill) -> None:
    assert "between 1 and 256]" in " ".join(promfill("push", "--help").out.split())


def test_no_server_is_proposed_where_one_runs(promfill: Promfill) -> None:
    """A Prometheus holds a lock on the file `lock` of its data directory."""
    fcntl = pytest.importorskip("fcntl")
    Path("data").mkdir()
    with Path("data/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        out = promfill(*PUSH).out
    assert "note   a Prometheus runs on data: it shows the blocks within a minute\n" in out
    assert "Serve:" not in out
    assert "Verify:" in out


def test_one_is_not_many(promfill: Promfill) -> None:
    end = str(int(START) + 300)
    out = promfill("push", "--metric-name", "vpn", "--start", START, "--end", end, "--block-duration", "2h").out
    assert out.startswith("vpn: 1 series x 1 step of 5m = 1 sample\n")
    assert "\nwrote  1 sample, " in out
