"""What a run is called on the command line: names are kept, so that a newer promfill goes on with an older run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promfill.cli.options.resume import run_from
from promfill.cli.push import command
from promfill.files.checkpoint import run_name
from promfill.operations.settings import RunSettings

URL = "http://127.0.0.1:18499/api/v1/write"
PUSH = ("--metric-name", "vpn", "--start", "1702800000", "--end", "1702886400", "--mode", "remote-write")
PLAIN = (*PUSH, "--remote-write-url", URL)
FLEET = (
    *PUSH,
    *("--remote-write-url", "http://me:pw@127.0.0.1:18499/api/v1/write?a=b", "--tenant", "t"),
    *("--labels", "i={1,2}", "--labels", "job=a", "--round", "2"),
)


@pytest.fixture(autouse=True)
def _no_cdo(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CDO_TOKEN", "ENV", "CDO_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def run_of(*words: str) -> RunSettings:
    with command.make_context("push", list(words), help_option_names=["-h", "--help"]) as context:  # click keeps them
        return run_from(context.params)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        # by the commit before options became settings, 14a1895
        (PLAIN, "4cbe5b0f3c8ff26a"),
        (FLEET, "fc73e0005e85edd2"),
        ((*PLAIN, "--stale-at-end", "--timezone", "Europe/Berlin"), "2a92266da8564f17"),
    ],
)
def test_names_are_those_of_earlier_versions(words: tuple[str, ...], name: str) -> None:
    run = run_of(*words)
    assert run.checkpoint == Path(".promfill") / f"{name}.json"
    assert run.options is not None
    assert run_name(run.options) == name
    assert run_name(json.loads(json.dumps(run.options))) == name, "as it is read from a checkpoint"


@pytest.mark.parametrize(
    "how",
    [
        ("--retry-for", "1s", "--timeout", "1s", "--concurrency", "3", "--order", "any", "--protocol", "1.0"),
        ("--verify", "--query-url", "http://store", "--accept-loss", "--again", "--allow-future", "-q", "--json"),
        ("--password-file", "secret", "--header", "A: s3cret", "--tls-insecure", "--http.config.file", "c.yml"),
        ("--resume",),
    ],
)
def test_how_it_is_done_changes_no_name_and_is_not_written_down(how: tuple[str, ...]) -> None:
    assert run_of(*PLAIN, *how).options == run_of(*PLAIN).options


def test_no_secret_is_written_down() -> None:
    text = json.dumps(run_of(*FLEET, "--header", "Authorization: s3cret", "--cdo-url", "http://u:s3cret@cdo/").options)
    assert "pw" not in text
    assert "s3cret" not in text


def test_the_file_that_is_named_is_taken() -> None:
    run = run_of(*PLAIN, "--checkpoint", "own.json", "--resume")
    assert (run.checkpoint, run.resume) == (Path("own.json"), True)
