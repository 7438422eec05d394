"""CDO as the destination: in every mode that sends, by .env, environment and flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cdo import PASSWORD, TOKEN, USER, Cdo
from tests.support.cli import PUSH, Promfill
from tests.support.mimir import Mimir
from tests.support.receiver import Answer, Receiver

BASIC = "Basic MTIzNDU2NzpwNHNzdzByZC1vZi1nY20tOXF6"


@pytest.fixture
def token(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDO_TOKEN", TOKEN)


def test_remote_write_goes_to_the_stack(promfill: Promfill, token: None) -> None:
    with Receiver() as receiver, Cdo(receiver.url.removesuffix("/api/v1/write")) as cdo:
        result = promfill(*PUSH, "--mode", "remote-write", "--cdo-url", cdo.url, "--accept-loss")
    assert result.code == 0, result.err
    writes = [taken for taken in receiver.taken if taken.method == "POST"]
    assert {(taken.path, taken.headers["authorization"]) for taken in writes} == {("/api/prom/push", BASIC)}


def test_blocks_go_to_the_stack_and_leave_nothing_here(promfill: Promfill, token: None, tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket", authorization=BASIC) as mimir, Cdo(mimir.url) as cdo:
        result = promfill(*PUSH, "--cdo-url", cdo.url, "--json")
    assert result.code == 0, result.err
    assert result.json["upload"]["uploaded"] == len(mimir.completed) == 2
    assert "serve" not in result.json
    assert list(Path("data").iterdir()) == []


def test_upload_none_and_no_token_keep_blocks_here(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cdo() as cdo:
        monkeypatch.setenv("CDO_BASE_URL", cdo.url)
        assert promfill(*PUSH).code == 0
        monkeypatch.setenv("CDO_TOKEN", TOKEN)
        assert promfill(*PUSH, "--upload", "none").code == 0
        monkeypatch.setenv("CDO_TOKEN", "")
        assert promfill(*PUSH).code == 0
    assert cdo.asked == []
    assert len(list(Path("data").iterdir())) == 2


def test_dotenv_names_cdo_and_the_environment_wins(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cdo("http://127.0.0.1:9", Answer(403)) as cdo:
        Path(".env").write_text(f"ENV=staging\nCDO_TOKEN={TOKEN}\nCDO_BASE_URL=http://127.0.0.1:9\n")
        monkeypatch.setenv("CDO_BASE_URL", cdo.url)
        result = promfill(*PUSH)
    assert result.code == 3
    assert "403 Forbidden: CDO_TOKEN has no permission to read" in result.err
    assert len(cdo.asked) == 1
    assert not Path("data").exists()


def test_a_dry_run_asks_nobody(promfill: Promfill, token: None) -> None:
    with Cdo() as cdo:
        for mode in ("blocks", "remote-write"):
            assert promfill(*PUSH, "--mode", mode, "--cdo-url", cdo.url, "--dry-run").code == 0
        assert f", then uploaded to {cdo.url}" in promfill(*PUSH, "--cdo-url", cdo.url, "--dry-run").out
        plan = promfill(*PUSH, "--mode", "script", "--cdo-url", cdo.url, "--dry-run")
        assert plan.code == 0, plan.err
    assert cdo.asked == []
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("token", ["two\nlines-of-t0k3n", "lines-of-t0k3n\x07"])
def test_a_token_that_no_header_can_carry_is_not_shown(
    promfill: Promfill, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("CDO_TOKEN", token)
    with Cdo() as cdo:
        result = promfill(*PUSH, "-v", "--cdo-url", cdo.url)
    assert result.code == 2
    assert "CDO_TOKEN must be a single line of printable characters" in result.err
    assert "lines-of-t0k3n" not in result.err
    assert cdo.asked == []


def test_a_blank_token_is_none(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDO_TOKEN", " ")
    with Cdo() as cdo:
        assert promfill(*PUSH, "--cdo-url", cdo.url).code == 0
        assert "--remote-write-url is missing" in promfill(*PUSH, "--mode", "remote-write").err
    assert cdo.asked == []
    assert len(list(Path("data").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "CDO_TOKEN is set, but not the CDO environment that it belongs to: set --env"),
        (("--env", "a/b"), "is not a valid CDO environment"),
        (("--env", "scale", "--username", "me"), "--username and CDO_TOKEN exclude each other"),
        (("--upload", "http://a/?token=x"), "without a query"),
        (("--upload", "mimir:9009"), "has no scheme"),
        (("--upload", "http://127.0.0.1:9", "--block-duration", "25h"), "Mimir requires blocks within one UTC day"),
        (("--upload", "http://127.0.0.1:9", "--block-duration", "10h"), "Mimir requires blocks within one UTC day"),
        (("--upload", "http://127.0.0.1:9", "--verify"), "add --keep"),
    ],
)
def test_what_cannot_be_sent_is_seen_before_the_first_byte(
    promfill: Promfill, token: None, arguments: tuple[str, ...], says: str
) -> None:
    result = promfill(*PUSH, *arguments)
    assert result.code == 2
    assert says in result.err
    assert list(Path().iterdir()) == []


def test_options_of_an_upload_do_not_fit_local_blocks(promfill: Promfill) -> None:
    for option in (("--resume",), ("--retry-for", "1m"), ("--tenant", "a")):
        result = promfill(*PUSH, *option)
        assert result.code == 2
        assert f"{option[0]} only works with --mode remote-write or --upload" in result.err
    three = promfill(*PUSH, "--username", "me").err
    assert "--username only works with --mode remote-write, --mode script or --upload: add it, or" in three


def test_the_future_is_refused_for_mimir(promfill: Promfill) -> None:
    what = ("push", "--metric-name", "a", "--start", "now", "--end", "now+1h", "--allow-future")
    result = promfill(*what, "--upload", "http://127.0.0.1:9")
    assert result.code == 2
    assert "Mimir requires an end no later than now" in result.err


def test_script_goes_through_cdo(promfill: Promfill, token: None) -> None:
    Path("utils").mkdir()
    script = Path("utils/backfill.sh")
    script.write_text('#!/bin/sh\necho "$1|$2|$3" > called\n')
    script.chmod(0o755)
    with Cdo("https://gcm.example.com/api/prom/push") as cdo:
        result = promfill(*PUSH, "--mode", "script", "--cdo-url", cdo.url)
    assert result.code == 0, result.err
    assert Path("called").read_text() == f"https://gcm.example.com|{USER}|{PASSWORD}\n"
    assert "where ps shows it" in result.err


def test_config_tells_each_source(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(f"ENV=scale\nCDO_TOKEN={TOKEN}\nPROMFILL_PUSH_STEP=10m\nPROMFILL_PUSH_SEED=7\n")
    monkeypatch.setenv("PROMFILL_PUSH_SEED", "8")
    monkeypatch.setenv("PROMFILL_PASSWORD", PASSWORD)
    monkeypatch.setenv("PROMFILL_PUSH_HEADER", "X-Key: k3y-of-header")
    result = promfill("config", "--metric-name", "vpn", "--json")
    assert result.code == 0, result.err
    found = {one["name"]: (one["value"], one["source"]) for one in result.json["settings"]}
    assert found["metric-name"] == ("vpn", "flag")
    assert found["step-size"] == ("10m", ".env (PROMFILL_PUSH_STEP)")
    assert found["seed"] == ("8", "environment (PROMFILL_PUSH_SEED)")
    assert found["env"] == ("scale", ".env (ENV)")
    assert found["timezone"] == ("UTC", "default")
    assert found["CDO_TOKEN"] == ("•••", ".env (CDO_TOKEN)")
    assert found["PROMFILL_PASSWORD"] == ("•••", "environment")
    assert found["header"][0] == "X-Key: •••"
    assert found["destination"] == ("to be looked up in CDO at https://edge.scale.cdo.cisco.com", "CDO")
    text = promfill("config", "--upload", f"https://me:{PASSWORD}@mimir.example.com/?key={PASSWORD}").out
    assert "https://mimir.example.com/?…" in text
    for secret in (TOKEN, PASSWORD, "k3y-of-header"):
        assert secret not in text + json.dumps(result.json)


def test_the_store_that_cdo_names_is_asked_first(promfill: Promfill, token: None) -> None:
    """`check` asks the query API beside the push URL, with the stack's user and password, and sends nothing."""
    with Receiver() as receiver, Cdo(receiver.url.removesuffix("/api/v1/write")) as cdo:
        result = promfill("check", *PUSH[1:], "--mode", "remote-write", "--cdo-url", cdo.url)
    assert result.code == 0, result.err
    assert receiver.taken
    assert {taken.headers["authorization"] for taken in receiver.taken} == {BASIC}
    assert all(taken.path.startswith("/api/prom/") and taken.path != "/api/prom/push" for taken in receiver.taken)
