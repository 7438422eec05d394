"""Reading back what a push sent, from a directory of blocks; stores are read in tests/integration."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from promfill.errors import DiffersError, InputError, ReceiverError
from promfill.model.grid import Grid
from promfill.operations.push import push
from promfill.operations.read_back import read_back, refuse_wrong
from promfill.operations.settings import BlocksTarget, Server
from promfill.operations.waiting import Patience
from tests.support.notices import Heard
from tests.support.pushes import scenario
from tests.support.receiver import Answer, Receiver

PUSH = scenario("vpn", "i={1,2}", Grid(1_702_800_000_000, 300_000, 288))


def test_blocks_that_are_as_they_were_made(tmp_path: Path) -> None:
    push(PUSH, BlocksTarget(tmp_path))
    heard = Heard()
    report = read_back(PUSH, tmp_path, notices=heard)
    assert report.right
    assert (report.expected, heard.done) == (576, 576)
    refuse_wrong(report)
    assert heard.kinds == ["Asked"]


def test_blocks_that_are_not(tmp_path: Path) -> None:
    push(PUSH, BlocksTarget(tmp_path))
    shutil.rmtree(max(tmp_path.iterdir()))
    report = read_back(PUSH, tmp_path, Patience(0.0))
    assert 0 < report.missing < 576
    with pytest.raises(DiffersError, match=f"{report.missing:,} missing samples"):
        refuse_wrong(report)
    other = replace(PUSH, signal=replace(PUSH.signal, flat_base=6.0))
    assert read_back(other, tmp_path).wrong["different"] > 0


def test_nothing_says_where_to_read() -> None:
    with pytest.raises(InputError) as refused:
        read_back(PUSH, None)
    assert refused.value.field == "query_url"


def test_a_server_that_is_no_store() -> None:
    with Receiver(lambda taken: Answer(404)) as nobody, pytest.raises(ReceiverError):
        read_back(PUSH, Server(f"http://127.0.0.1:{nobody.port}", setting="query_url"))
