"""Existing blocks to a Mimir, as a library uploads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from promfill.errors import InputError, ReceiverError
from promfill.model.grid import Grid
from promfill.operations.push import push
from promfill.operations.reports import Uploaded
from promfill.operations.settings import BlocksTarget, Credentials, Server, Upload
from promfill.operations.upload import plan_upload, upload
from tests.support.mimir import Mimir
from tests.support.notices import Heard
from tests.support.pushes import scenario
from tests.support.receiver import Answer

PUSH = scenario("vpn", "i={1,2}", Grid(1_702_800_000_000, 300_000, 288))


@pytest.fixture
def mimir(tmp_path: Path) -> Iterator[Mimir]:
    with Mimir(tmp_path / "bucket") as server:
        yield server


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    push(PUSH, BlocksTarget(tmp_path / "data"))
    return tmp_path / "data"


def to(mimir: Mimir) -> Upload:
    return Upload(Server(mimir.url, Credentials(tenant="team-a"), setting="upload"), retry_for=0.01)


def test_blocks_go_up_and_stay_here_too(mimir: Mimir, data: Path) -> None:
    names = sorted(path.name for path in data.iterdir())
    heard = Heard()
    done = upload([data], to(mimir), notices=heard)
    assert (done.found.blocks, done.found.samples) == (2, 576)
    assert done.uploaded.complete == names == sorted(mimir.completed)
    assert not done.queryable
    assert sorted(path.name for path in data.iterdir()) == names, "nobody said that they may go"
    assert heard.kinds == ["BlocksFound", "BlocksFound", "Uploaded"]
    again = upload([data], to(mimir))
    assert (again.uploaded.uploaded, sorted(again.uploaded.there)) == ((), names)
    assert list(Path.cwd().iterdir()) == []


def test_copies_that_are_ours_go(mimir: Mimir, data: Path) -> None:
    ours, other = sorted(data.iterdir())
    upload([data], to(mimir), ours=[ours.resolve()])
    assert list(data.iterdir()) == [other]
    upload([data], replace(to(mimir), keep=True), ours=[other.resolve()])
    assert list(data.iterdir()) == [other]


def test_a_plan_checks_every_sample_and_sends_nothing(mimir: Mimir, data: Path) -> None:
    found = plan_upload([data], to(mimir))
    assert (found.blocks, found.destination) == (2, mimir.url)
    assert plan_upload([data], None).destination is None
    assert mimir.requests == []
    chunk = next(data.glob("*/chunks/000001"))
    damaged = bytearray(chunk.read_bytes())
    damaged[-10] ^= 1
    chunk.write_bytes(damaged)
    with pytest.raises(InputError, match="is damaged"):
        plan_upload([data], to(mimir))


def test_blocks_without_an_address_are_counted_and_refused(data: Path) -> None:
    heard = Heard()
    with pytest.raises(InputError) as refused:
        upload([data], None, notices=heard)
    assert refused.value.field == "upload"
    assert heard.kinds == ["BlocksFound"]


def test_what_is_up_is_told_when_the_upload_fails(mimir: Mimir, data: Path) -> None:
    last = sorted(path.name for path in data.iterdir())[1]
    mimir.trouble = lambda request: Answer(500, b"no") if request.ulid == last else None
    heard = Heard()
    with pytest.raises(ReceiverError):
        upload([data], replace(to(mimir), lanes=1), notices=heard)
    told = heard.parts[-1]
    assert isinstance(told, Uploaded)
    assert len(told.complete) == 1
    assert heard.notes[-1].startswith("1 of 2 blocks are complete")


def test_a_wrong_query_api_is_found_before_anything_is_sent(mimir: Mimir, data: Path) -> None:
    query = Server(f"{mimir.url}/nowhere", setting="query_url")
    with pytest.raises(ReceiverError):
        upload([data], to(mimir), wait=True, query=query)
    assert mimir.completed == []
