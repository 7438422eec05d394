"""What a run is called, and what of it is written down."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from promfill.files.checkpoint import run_name
from promfill.model.grid import Grid
from promfill.net.destination import Secret
from promfill.operations.runs import describe_run
from promfill.operations.settings import BlocksTarget, Credentials, RemoteWriteTarget, Server, Target, Upload
from promfill.scenario.scenario import Scenario
from tests.support.pushes import scenario

PUSH = scenario("vpn", "i=host-{01..10},job=a", Grid(1_702_800_000_000, 300_000, 288))
SENT = RemoteWriteTarget(Server("http://user:s3cret@host/write?key=s3cret", Credentials(password=Secret("s3cret"))))


def name(what: Scenario, target: Target) -> str:
    return run_name(describe_run(what, target))


def test_the_description_of_a_run_is_plain_and_without_secrets() -> None:
    text = json.dumps(describe_run(PUSH, SENT), sort_keys=True)
    assert "s3cret" not in text
    assert json.loads(text) == {
        "metric": "vpn",
        "labels": [
            {"name": "i", "parts": ["host-", {"first": 1, "last": 10, "width": 2}]},
            {"name": "job", "parts": ["a"]},
        ],
        "step": 300_000,
        "stale_at_end": False,
        "description": "",
        "unit": "",
        "signal": {},
        "mode": "remote-write",
        "url": "http://host/write?…",
        "tenant": None,
        "user": None,
    }


OTHERS: list[tuple[Scenario, Target]] = [
    (replace(PUSH, metric="cpu"), SENT),
    (replace(PUSH, labels=PUSH.labels[:1]), SENT),
    (replace(PUSH, grid=replace(PUSH.grid, step=60_000)), SENT),
    (replace(PUSH, stale_at_end=True), SENT),
    (replace(PUSH, signal=replace(PUSH.signal, seed=43)), SENT),
    (replace(PUSH, signal=replace(PUSH.signal, resolution=0.5)), SENT),
    (PUSH, RemoteWriteTarget(Server("http://host/other"))),
    (PUSH, RemoteWriteTarget(replace(SENT.server, credentials=Credentials(tenant="b")))),
    (PUSH, BlocksTarget(Path("data"))),
    (PUSH, BlocksTarget(Path("other"))),
    (PUSH, BlocksTarget(Path("data"), upload=Upload(Server("http://host/")))),
]


def test_other_pushes_are_other_runs() -> None:
    names = [name(PUSH, SENT), *(name(what, target) for what, target in OTHERS)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("what", "target"),
    [
        (replace(PUSH, grid=replace(PUSH.grid, start=0, steps=3)), SENT),  # now moves on
        (PUSH, replace(SENT, protocol="1.0", lanes=3, rate_limit=5.0, retry_for=1.0)),
        (PUSH, replace(SENT, server=replace(SENT.server, timeout=1.0))),
        (PUSH, RemoteWriteTarget(Server("http://host/write?key=another"))),
    ],
)
def test_how_and_when_it_is_done_changes_no_name(what: Scenario, target: Target) -> None:
    assert name(what, target) == name(PUSH, SENT)
