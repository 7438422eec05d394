"""Bad input: one line that names the thing and the mend, exit code 2, and nothing written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import PUSH, Promfill

BAD = [
    (("--start", "1702886400", "--end", "1702800000"), "is not before the end"),
    (("--start", "1702800000", "--end", "1702800000"), "is not before the end"),
    (("--step-size", "2d"), "no step of 2d fits"),
    (("--step-size", "0"), "--step-size '0' must be above 0"),
    (("--step-size", "5x"), "--step-size '5x' is not a valid duration"),
    (("--mode", "carrier-pigeon"), "Invalid value for '--mode': 'carrier-pigeon'"),
    (("--labels", "job"), "job"),
    (("--labels", "test-label=a,test_label=b"), "test_label"),
    (("--labels", "job="), "job"),
    (("--metric-name", "9vpn"), "9vpn"),
    (("--metric-name", ""), "metric"),
    (("--labels", "__name__=x"), "--metric-name"),
    (("--labels", "job={a"), r"\{"),
    (("--labels", "job={a}"), r"\{"),
    (("--labels", "job={a,a}"), "twice"),
    (("--seed", "-1"), "--seed -1 must be between 0 and 4294967295"),
    (("--seed", "4294967296"), "--seed 4294967296"),
    (("--seed", "x"), "'--seed'"),
    (("--timezone", "Mars/Olympus"), "--timezone 'Mars/Olympus' is unknown"),
    (("--timezone", "Europe/Berin"), "did you mean Europe/Berlin?"),
    (("--timezone", "../etc/passwd"), "--timezone"),
    (("--start", "1702800000000"), "write Unix seconds, not milliseconds"),
    (("--start", "-5"), "use a time between them"),
    (("--start", "yesterday"), "--start 'yesterday' is not a valid time"),
    (("--start", "2023-12-17T08:00:00"), "has no time zone"),
    (("--start", "1969-12-31T00:00:00Z"), "is not between 1970 and 9998"),
    (("--end", "now+1d"), "--allow-future"),
    (("--trend-coefficient", "nan"), "--trend-coefficient nan must be a finite number"),
    (("--flat-base", "inf"), "--flat-base inf must be a finite number"),
    (("--noise-std", "inf"), "--noise-std"),
    (("--noise-std", "-1"), "--noise-std -1 must not be negative"),
    (("--noise-mean", "nan"), "--noise-mean"),
    (("--flat-base", "1.7e308"), "exceed the range of a float64"),
    (("--resolution", "0.3"), "--resolution '0.3' must be a power of two"),
    (("--resolution", "3^2"), "--resolution"),
    (("--resolution", "2^-7", "--round", "2"), "exclude each other"),
    (("--round", "99"), "--round 99"),
    (("--mode", "remote-write", "--remote-write-url", "http://[::1/x"), "is not a valid URL"),
    (("--round", "15", "--flat-base", "1e294"), "exceed the range of a float64"),
    (("--step", "9" * 5000), "--step-size is not a valid duration"),
    (("--start", "9" * 5000), "--start is not a valid time"),
    (("--output-dir", ""), "'--output-dir': it is empty: give a directory"),
    (("--output-dir", "d" * 300), "File name too long"),
    (("--mode", "openmetrics", "--output-dir", "d" * 300), "File name too long"),
    (("--mode", "openmetrics", "--metric-name", "m" * 230), "shorter --metric-name"),
    (("--block-duration", "0"), "--block-duration"),
    (
        ("--mode", "openmetrics", "--block-duration", "2h"),
        "--block-duration only works with --mode blocks: add it, or leave the option out",
    ),
    (("--no-such-option",), "--no-such-option"),
    (("--mode", "openmetrics", "--unit", "a b"), "--unit 'a b' is not valid (letters, digits, _ and :)"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_bad_input_is_one_line_and_exit_code_2(promfill: Promfill, arguments: tuple[str, ...], words: str) -> None:
    result = promfill(*PUSH, *arguments)
    assert result.code == 2
    assert words in result.err
    assert result.err.startswith("promfill: error: ")
    assert result.err.count("\n") == 1
    assert result.out == ""
    assert list(Path().iterdir()) == []


def test_a_dotenv_that_is_no_text(promfill: Promfill) -> None:
    Path(".env").write_bytes(b"A=\xff\xfe\x00")
    result = promfill(*PUSH)
    assert (result.code, result.err) == (2, "promfill: error: .env cannot be read: it is not UTF-8\n")


@pytest.mark.parametrize(
    ("content", "lines"), [('A="x\nfoo bar\nPROMFILL_PUSH_SEED=7\n', "1, 2"), ("=\nPROMFILL_PUSH_SEED=7", "1")]
)
def test_lines_of_a_dotenv_that_are_no_settings(promfill: Promfill, content: str, lines: str) -> None:
    Path(".env").write_text(content)
    result = promfill("config", "--json")
    assert result.err == f"promfill: warning: .env: ignored line {lines}: not NAME=value\n"
    assert {"name": "seed", "value": "7", "source": ".env (PROMFILL_PUSH_SEED)"} in result.json["settings"]


@pytest.mark.parametrize("content", ["A=b\0c", "'A=B'=c"])
def test_a_dotenv_that_cannot_be_set(promfill: Promfill, content: str) -> None:
    Path(".env").write_text(content)
    result = promfill(*PUSH)
    mend = "it contains a NUL character, or a name that contains ="
    assert (result.code, result.err) == (2, f"promfill: error: .env cannot be used: {mend}\n")


def test_too_little_memory_is_one_line(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("Unable to allocate 22.9 MiB")

    monkeypatch.setattr("promfill.sources.generated.build_fleet", fail)
    result = promfill(*PUSH)
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert result.err.startswith("promfill: error: out of memory: push fewer series")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("psuh",), "No such command 'psuh': run promfill --help for the list"),
        (("tsdb", "lst"), "No such command 'lst': run promfill tsdb --help for the list"),
        (("verify", "--checkpoint", __file__), f"{__file__} is damaged, or not a checkpoint: choose another"),
    ],
)
def test_a_word_that_is_none(promfill: Promfill, words: tuple[str, ...], error: str) -> None:
    result = promfill(*words)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert result.err.startswith(f"promfill: error: {error}")


def test_no_command_shows_the_help(promfill: Promfill) -> None:
    result = promfill()
    assert result.code == 2
    assert result.err == promfill("--help").out


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_a_directory_that_cannot_be_made(promfill: Promfill) -> None:
    """Bad input that only making it shows: one line all the same, and nothing to go on with."""
    result = promfill(*PUSH, "--output-dir", "/proc/promfill")
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines()[-1].startswith("promfill: error: the output directory /proc/promfill cannot be")
    assert "to continue" not in result.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_result_that_cannot_be_written() -> None:
    words = [sys.executable, "-m", "promfill", *PUSH, "-v"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.endswith("promfill: error: the result cannot be read or written: No space left on device\n")


def test_missing_options_are_named(promfill: Promfill) -> None:
    assert "'--metric-name'" in promfill("push", "--start", "now-1d").err
    assert "'--start'" in promfill("push", "--metric-name", "vpn").err


@pytest.mark.parametrize("command", ["push", "check"])
@pytest.mark.parametrize("mode", ["blocks", "openmetrics"])
def test_output_directory_below_a_file(promfill: Promfill, mode: str, command: str) -> None:
    Path("plain").write_text("")
    result = promfill(command, *PUSH[1:], "--mode", mode, "--output-dir", "plain/below")
    assert result.code == 2
    assert "plain is a file, not a directory" in result.err
    assert result.err.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["plain"]


@pytest.mark.parametrize("command", ["push", "check"])
@pytest.mark.parametrize("mode", ["blocks", "openmetrics"])
def test_directory_of_another_user(
    promfill: Promfill, mode: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("theirs").mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, flags: Path(path).name != "theirs" and real(path, flags))
    result = promfill(command, *PUSH[1:], "--mode", mode, "--output-dir", "theirs")
    assert result.code == 2
    assert "chown" in result.err
    assert list(Path("theirs").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB: only root can make one."""
    disk = tmp_path / "small"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs")
@pytest.mark.parametrize("series", [1, 7, 40])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_full_disk_of_small_blocks(promfill: Promfill, small_disk: Path, series: int, workers: str) -> None:
    """Blocks that wait to be synced when the disk fills up leave nothing behind either."""
    out = str(small_disk / "out")
    arguments = (
        "--labels",
        f"i={{1..{series}}}",
        "--start",
        "1695000000",
        "--block-duration",
        "2h",
        "--workers",
        workers,
    )
    result = promfill(*PUSH, *arguments, "--output-dir", out)
    assert result.code == 1
    assert "No space left on device" in result.err
    assert "internal error" not in result.err
    assert {len(path.name) for path in (small_disk / "out").iterdir()} == {26}


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs")
@pytest.mark.parametrize("mode", ["blocks", "openmetrics"])
def test_full_disk(promfill: Promfill, small_disk: Path, mode: str) -> None:
    """Exit code 1; what is whole stays, nothing half written does, and the way on is said."""
    arguments = ["--labels", "i={1..400}", "--step-size", "1m"]
    target = small_disk / "out"
    if mode == "blocks":
        arguments += ["--block-duration", "2h"]
    result = promfill(*PUSH, *arguments, "--mode", mode, "--output-dir", str(target))
    assert result.code == 1
    assert "No space left on device" in result.err
    assert "to continue, run the same command with --start 1702800000 --end 1702886400" in result.err
    assert "Traceback" not in result.err
    left = [path.name for path in target.iterdir()]
    assert not [name for name in left if len(name) != 26]  # only blocks that have their name
    whole = 400 * 120 * len(left) if mode == "blocks" else 0
    assert f"{whole:,} of 576,000 samples are complete" in result.err
