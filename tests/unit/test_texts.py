"""Texts name settings by their fields, and each reader sees the name that they know."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

import promfill
from promfill.cli import cli
from promfill.cli.failures import failure_of
from promfill.cli.outcome import Outcome
from promfill.cli.spelling import speller
from promfill.errors import FormatError, InputError, LossError, PromfillError, RefusedError, plural, setting, spelled
from promfill.model.grid import Grid
from promfill.net.http import NoAnswerError
from promfill.net.resolve import build_destination, parse_header, split_url
from promfill.rules.finding import Finding
from promfill.scenario.label_patterns import parse_labels, validate_metric_name
from promfill.scenario.scenario import Signal, check_signal, make_grid, parse_resolution
from promfill.scenario.times import parse_duration, parse_time
from promfill.sinks.upload.base import ValidationFailedError
from tests.support.cli import Promfill

PACKAGE = Path(promfill.__file__).parent
URL = "http://receiver.test/x"
WHAT = ("--metric-name", "vpn", "--start", "1700000000", "--end", "1700086400")
SEND = ("--mode", "remote-write", "--remote-write-url", URL)
TOKEN = {"PROMFILL_BEARER_TOKEN": "secret-token"}


def commands(group: click.Command = cli, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its words."""
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        words = f"{path} {name}".strip()
        yield words, command
        yield from commands(command, words)


COMMANDS = dict(commands())


def options() -> Iterator[tuple[str, click.Option]]:
    for words, command in COMMANDS.items():
        yield from ((words, one) for one in command.params if isinstance(one, click.Option))


@pytest.mark.parametrize(("words", "option"), list(options()), ids=lambda value: getattr(value, "name", value))
def test_every_option_is_told_as_the_command_takes_it(words: str, option: click.Option) -> None:
    told = spelled(setting(option.name or ""), speller(COMMANDS[words]))
    assert told in option.opts
    assert told.startswith("--")


@pytest.mark.parametrize(
    ("words", "field", "value", "told"),
    [
        ("push", "noise_std", None, "--noise-std"),
        ("push", "start", None, "--start"),
        ("push", "start_epoch", None, "--start"),
        ("push", "step_size", None, "--step-size"),
        ("push", "decimals", None, "--round"),
        ("push", "round", None, "--round"),
        ("push", "headers", None, "--header"),
        ("push", "http_config_file", None, "--http.config.file"),
        ("push", "mode", "remote-write", "--mode remote-write"),
        ("upload", "mode", "remote-write", "--mode remote-write"),  # upload has no such option, push does
        ("push", "blocks", None, "--blocks"),  # verify's
        ("tsdb create-blocks-from openmetrics", "labels", None, "--label"),
        ("tsdb create-blocks-from", "utc_days", None, "--utc-days"),
        ("tsdb dump", "min_time", None, "--min-time"),
        ("tsdb list", "directory", None, "DIR"),
        ("config", "noise_std", None, "--noise-std"),
        ("push", "moon_phase", None, "moon_phase"),
        ("push", "moon_phase", "full", "moon_phase=full"),
    ],
)
def test_a_field_is_told_as_its_option(words: str, field: str, value: str | None, told: str) -> None:
    assert spelled(f"see {setting(field, value)}!", speller(COMMANDS[words])) == f"see {told}!"


def test_an_error_is_plain_in_python_and_in_options_on_the_command_line() -> None:
    error = InputError(f"{setting('decimals')} 99 is too large", f"use {setting('mode', 'blocks')}", field="decimals")
    error.note = f"{setting('labels')} had arrived"
    assert (error.problem, error.fix, error.field) == ("decimals 99 is too large", "use mode=blocks", "decimals")
    assert str(error) == "decimals 99 is too large: use mode=blocks. labels had arrived"
    failure = failure_of(error, COMMANDS["push"])
    assert failure is not None
    assert str(failure) == "--round 99 is too large: use --mode blocks. --labels had arrived"
    assert failure.facts() == {
        "code": "input",
        "message": "--round 99 is too large. --labels had arrived",
        "fix": "use --mode blocks",
        "field": "decimals",
        "exit_code": 2,
    }


def test_an_error_made_of_another_keeps_its_settings() -> None:
    inner = RefusedError("no", f"set {setting('query_url')}")
    outer = RefusedError(f"it says {inner.marked}")
    outer.blame("CDO")
    assert str(outer) == "CDO: it says no: set query_url"
    assert str(failure_of(outer, COMMANDS["verify"])) == "CDO: it says no: set --query-url"


@pytest.mark.parametrize(
    "error",
    [
        InputError(f"{setting('seed')} -1 is negative", "choose another", field="seed"),
        LossError("gone", "do"),
        FormatError("bad", section="index", offset=7),
        NoAnswerError("none", may_have_arrived=True),
        ValidationFailedError("words", fresh=True, by_accident=False),
    ],
    ids=lambda error: type(error).__name__,
)
def test_workers_hand_errors_over_whole(error: PromfillError) -> None:
    error.note = "3 had arrived"
    other = pickle.loads(pickle.dumps(error))
    assert type(other) is type(error)
    assert (str(other), other.marked, vars(other)) == (str(error), error.marked, vars(error))


@pytest.mark.parametrize("value", ["a\ue000b", "\ue001", "\ue000\ue001", "\ue000not a field\ue001", "\ue000x"])
def test_what_is_no_setting_stays_as_it_is(value: str) -> None:
    assert spelled(value, lambda field, value: "?") == value
    assert spelled(f"{value}{setting('seed')}", lambda field, value: "?") == f"{value}?"


def test_a_finding_is_told_in_options_and_plain_in_python() -> None:
    finding = Finding("unknown", False, None, f"{setting('unit')} is lost", f"give {setting('query_url')}")
    assert finding.plain() == Finding("unknown", False, None, "unit is lost", "give query_url")
    outcome = Outcome(["push"])
    outcome.opened = COMMANDS["push"]
    outcome.facts["findings"] = [{"text": finding.text, "fix": finding.fix, "samples": None, "loses": False}]
    told = {"text": "--unit is lost", "fix": "give --query-url", "samples": None, "loses": False}
    assert outcome.document(None)["findings"] == [told]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["push", "--metric-name", "m"], "start"),
        (["push", "--metric-name", "m", "--start", "now-1d", "--seed", "x"], "seed"),
        (["push", "--metric-name", "m", "--start", "now-1d", "--round", "x"], "decimals"),
        (["push", "--nonsense"], ""),
    ],
)
def test_a_command_line_that_click_refuses_says_the_field(words: list[str], field: str) -> None:
    with pytest.raises((click.ClickException, PromfillError)) as caught:
        cli.main(words, standalone_mode=False)
    failure = failure_of(caught.value)
    assert failure is not None
    assert failure.exit_code == 2
    assert failure.field == field


def signal(**values: object) -> Signal:
    return check_signal(Signal(**values), Grid(0, 60_000, 10))  # type: ignore[arg-type]


BAD: list[tuple[str, Callable[[], object]]] = [
    ("step_size", lambda: parse_duration("5x", "step_size")),
    ("step_size", lambda: parse_duration("0", "step_size")),
    ("step_size", lambda: parse_duration("9" * 5000, "step_size")),
    ("timeout", lambda: parse_duration("-1s", "timeout")),
    ("start", lambda: parse_time("yesterday", "start", 0)),
    ("start", lambda: parse_time("now-5x", "start", 10**12)),
    ("start", lambda: parse_time("-5", "start", 0)),
    ("start", lambda: parse_time("1702800000000", "start", 0)),
    ("end", lambda: parse_time("2023-12-17T08:00:00", "end", 0)),
    ("end", lambda: parse_time("x" * 200, "end", 0)),
    ("start", lambda: make_grid(5, 5, 1)),
    ("step_size", lambda: make_grid(0, 5, 6)),
    ("metric_name", lambda: validate_metric_name("")),
    ("metric_name", lambda: validate_metric_name("9vpn")),
    *(
        ("labels", lambda text=text: parse_labels([text]))
        for text in (
            *("job", "a=1,,b=2", "=x", "job=", 'a="x', 'a="x"y', "a={x", "a={x}", "a={x,x}", "a={9..1}"),
            *("a={1..99999999999999999999}", "a={0..20000000}", "a={1..9999},b={1..9999}", "a=\udcff", "a=1,a=2"),
            *("a-b=1,a_b=2", "__name__=x", "a=}"),
        )
    ),
    *((name, lambda name=name: signal(**{name: float("nan")})) for name in ("trend_coefficient", "flat_base")),
    *((name, lambda name=name: signal(**{name: float("inf")})) for name in ("noise_mean", "noise_std")),
    ("noise_std", lambda: signal(noise_std=-1.0)),
    ("seed", lambda: signal(seed=-1)),
    ("seed", lambda: signal(seed=2**32)),
    ("decimals", lambda: signal(decimals=16)),
    ("decimals", lambda: signal(decimals=2, resolution=0.5)),
    ("resolution", lambda: parse_resolution("0.3")),
    ("resolution", lambda: parse_resolution("3^2")),
    ("seasonality", lambda: signal(seasonality="weekly")),
    ("timezone", lambda: signal(timezone="Mars/Olympus")),
    ("timezone", lambda: signal(timezone="../etc/passwd")),
    ("flat_base", lambda: signal(flat_base=1.7e308)),
    ("noise_mean", lambda: signal(noise_mean=-1.7e308)),
    ("noise_std", lambda: signal(noise_std=1e308)),
    ("trend_coefficient", lambda: signal(trend_coefficient=1e308 * 16)),
    ("trend_coefficient", lambda: check_signal(Signal(trend_coefficient=1e308), Grid(0, 3_600_000, 3))),
    ("query_url", lambda: split_url("receiver.test/x", "query_url")),
    ("upload", lambda: build_destination("http://[::1/x", field="upload")),
    ("remote_write_url", lambda: build_destination("ftp://receiver.test")),
    ("username", lambda: build_destination("http://you@receiver.test", username="me")),
    ("username", lambda: build_destination(URL, username="a:b")),
    ("username", lambda: build_destination(URL, username="me", environment={})),
    ("username", lambda: build_destination(URL, username="me", environment={"PROMFILL_PASSWORD": "x"} | TOKEN)),
    ("password_file", lambda: build_destination(URL, password_file="x")),
    ("password_file", lambda: build_destination(URL, username="me", password_file="/nowhere/x")),
    ("bearer_token_file", lambda: build_destination(URL, bearer_token_file="/nowhere/x")),
    ("bearer_token_file", lambda: build_destination(URL, environment={"PROMFILL_BEARER_TOKEN": "a\nb"})),
    ("bearer_token_file", lambda: build_destination(URL, environment=TOKEN, headers=["Authorization: x"])),
    ("headers", lambda: build_destination(URL, headers=["nonsense"])),
    ("headers", lambda: parse_header("Content-Type: text/plain")),
    ("headers", lambda: parse_header("X-A: b\nX-C: d")),
    ("tenant", lambda: build_destination(URL, tenant="a", headers=["X-Scope-OrgID: b"])),
    ("tenant", lambda: build_destination(URL, tenant="")),
    ("tls_key", lambda: build_destination(URL, tls_cert="c.pem")),
    ("tls_cert", lambda: build_destination(URL, tls_key="k.pem")),
    ("http_config_file", lambda: build_destination(URL, http_config_file="/nowhere/x")),
]


@pytest.mark.parametrize(("field", "refuse"), BAD)
def test_a_bad_value_is_refused_by_an_error_that_says_its_field(field: str, refuse: Callable[[], object]) -> None:
    with pytest.raises(InputError) as caught:
        refuse()
    assert caught.value.field == field
    failure = failure_of(caught.value, COMMANDS["push"])
    assert failure is not None
    assert (failure.field, failure.exit_code) == (field, 2)
    assert "\ue000" not in str(caught.value)


def test_every_setting_of_a_signal_has_a_bad_value_above() -> None:
    assert {one.name for one in fields(Signal)} <= {field for field, _ in BAD}


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["--step", "5x"], "step_size"),
        (["--start", "yesterday"], "start"),
        (["--labels", "job"], "labels"),
        (["--round", "99"], "decimals"),
        (["--resolution", "0.3"], "resolution"),
        (["--noise-std", "-1"], "noise_std"),
        (["--end", "now+1d"], "end"),
        (["--mode", "openmetrics", "--unit", "seconds"], "unit"),
        (["--mode", "openmetrics", "--output-dir", "plain/utils"], "output_dir"),
        (["--output-dir", "plain"], "output_dir"),
        (["--mode", "remote-write"], "remote_write_url"),
        (["--mode", "remote-write", "--remote-write-url", "nonsense"], "remote_write_url"),
        ([*SEND, "--concurrency", "0"], "concurrency"),
        ([*SEND, "--max-samples-per-send", "0"], "max_samples_per_send"),
        ([*SEND, "--max-bytes-per-send", "9"], "max_bytes_per_send"),
        (
            [*SEND, "--max-bytes-per-send", str(1 << 30)],
            "max_bytes_per_send",
        ),
        ([*SEND, "--rate-limit", "0"], "rate_limit"),
        (["--upload", "http://mimir.test?x"], "upload"),
        (["--upload", "http://mimir.test", "--timeout", "x"], "timeout"),
    ],
)
def test_the_command_line_says_the_field(promfill: Promfill, words: list[str], field: str) -> None:
    Path("plain").write_text("", encoding="utf-8")
    result = promfill("push", "--metric-name", "vpn", "--start", "now-1d", *words, "--json")
    error = json.loads(result.out)["error"]
    assert (result.code, error["field"]) == (2, field)
    assert not {"\ue000", "\ue001"} & set(result.out + result.err)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("verify", *WHAT), "query_url"),
        (("verify", *WHAT, "--blocks", "nowhere"), "blocks"),
        (("verify", *WHAT, "--blocks", ".", "--query-url", URL), "blocks"),
        (("verify", "--checkpoint", "nowhere"), "checkpoint"),
        (("check", *WHAT, "--mode", "openmetrics", "--block-duration", "2h"), "block_duration"),
        (("check", *WHAT, "--mode", "remote-write"), "remote_write_url"),
        (("upload", "nowhere", "--upload", URL), "paths"),
        (("tsdb", "list", "nowhere"), "directory"),
        (("tsdb", "verify", "."), "directory"),
        (("tsdb", "analyze", ".", "01"), "ulid"),
        (("tsdb", "create-blocks-from", "openmetrics", "--label", "x", "text"), "labels"),
        (("tsdb", "create-blocks-from", "openmetrics", "--max-block-duration", "soon", "text"), "max_block_duration"),
        (("tsdb", "create-blocks-from", "openmetrics", "nowhere"), "text"),
    ],
)
def test_other_commands_say_the_field(promfill: Promfill, words: tuple[str, ...], field: str) -> None:
    result = promfill(*words, "--json")
    error = json.loads(result.out)["error"]
    assert (result.code, error["field"]) == (2, field)
    assert error["field"] in {one.name for command in COMMANDS.values() for one in command.params}


def test_findings_are_told_in_options_everywhere(promfill: Promfill) -> None:
    """On stderr, on stdout, in JSON; the library's own findings keep their marks until then."""
    words = (*WHAT, "--end", "1703000000", "--description", "Tunnels", "--unit", "tunnels")
    text = "--description and --unit will not be kept: blocks hold no HELP, TYPE or UNIT"
    fix = "set --query-url to check against your server"
    pushed, checked = promfill("push", *words, "--json"), promfill("check", *words, "--json")
    for result in (pushed, checked):
        findings = json.loads(result.out)["findings"]
        assert text in [finding["text"] for finding in findings]
        assert any(fix in finding["fix"] for finding in findings)
    assert text in pushed.err
    shown = promfill("check", *words).out
    assert text in shown
    assert fix in shown
    assert not {"\ue000", "\ue001"} & set(pushed.out + pushed.err + checked.out + checked.err + shown)


OWN = sorted({name for _, option in options() for name in option.opts if name.startswith("--")})
_OWN_OPTION = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, OWN))})(?![\w-]|\.\w)")


def offenders(source: str) -> Iterator[tuple[int, str]]:
    """Lines that hold one of our own options, each with its number."""
    for number, line in enumerate(source.splitlines(), 1):
        yield from ((number, found[0]) for found in _OWN_OPTION.finditer(line))


def test_no_text_outside_of_the_command_line_holds_an_option_of_ours() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "cli" not in path.parents]
    assert len(files) > 150
    found = [
        f"{path.relative_to(PACKAGE)}:{number} holds {option}"
        for path in sorted(files)
        for number, option in offenders(path.read_text(encoding="utf-8"))
    ]
    assert not found, "name the field by errors.setting:\n" + "\n".join(found)


def test_options_of_ours_are_told_from_those_of_others() -> None:
    assert {"--start", "--noise-std", "--http.config.file", "--blocks"} <= set(OWN)
    ours = "check --start, or `--mode blocks`\n\n# (--http.config.file)"
    assert list(offenders(ours)) == [(1, "--start"), (1, "--mode"), (3, "--http.config.file")]
    assert list(offenders("--start-of-day --storage.tsdb.retention.time --agent a--end --modes")) == []


@pytest.mark.parametrize(
    ("count", "words", "told"),
    [
        (0, ("block",), "0 blocks"),
        (1, ("block",), "1 block"),
        (2000, ("block",), "2,000 blocks"),
        (1, ("series",), "1 series"),
        (2, ("series",), "2 series"),
        (1, ("retry", "retries"), "1 retry"),
        (2, ("retry", "retries"), "2 retries"),
    ],
)
def test_plurals_count(count: int, words: tuple[str, ...], told: str) -> None:
    assert plural(count, *words) == told


def test_an_error_is_told_in_the_options_of_the_command_that_failed(promfill: Promfill) -> None:
    """What push calls --labels is --label here."""
    result = promfill("tsdb", "create-blocks-from", "openmetrics", "--label", "x", "text", "--json")
    told = "--label 'x' is not a valid label"
    assert (json.loads(result.out)["error"]["message"], told in result.err) == (told, True)
