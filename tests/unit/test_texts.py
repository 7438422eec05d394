"""Texts name settings by their fields, and each reader sees the name that they know."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import click
import pytest

from promfill.cli import cli
from promfill.cli.failures import failure_of
from promfill.cli.outcome import Outcome
from promfill.cli.spelling import speller
from promfill.errors import FormatError, InputError, LossError, PromfillError, RefusedError, setting, spelled
from promfill.net.http import NoAnswerError
from promfill.rules.finding import Finding
from promfill.sinks.upload.base import ValidationFailedError


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
