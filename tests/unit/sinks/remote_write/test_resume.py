"""What a run that ended early leaves in doubt, and what the run that goes on makes of it: every sample, once."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from promfill.errors import InputError, ReceiverError
from promfill.files.checkpoint import Checkpoint
from promfill.model.grid import Tile
from promfill.net.http import NoAnswerError
from promfill.pipeline.push import push
from promfill.protocols import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from promfill.sources.generated import Source
from tests.support.faulty_receiver import QUERY_URL, FaultyReceiver
from tests.support.held_samples import PrometheusRules, RefusedError, Rules, Series, VictoriaMetricsRules
from tests.support.remote_write import samples_of
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..24}", 50)
WIDE = source_of("host=h{1..3}", 600)


class Ends(FaultyReceiver):
    """Locks us out at its n-th good answer or behind it: the answer is lost, and no other request is taken.

    It looks as a killed push does: what was taken is there, and we do not know.
    """

    def __init__(self, rules: Rules, deadly: int, **how: Any) -> None:
        super().__init__(1, rules, likelihood=0, **how)
        self.left, self.lost = deadly, False

    def _take(self, body: bytes, headers: Any) -> httpx.Response:
        if self.left <= 0:
            return self._say(401, "locked")
        response = super()._take(body, headers)
        if response.is_success and body:
            self.left -= 1
            if not self.left:
                return self._say(401, "locked")
        return response


def whole(source: Source) -> dict[Any, Any]:
    return samples_of(source.batch(Tile(0, source.grid.steps, 0, len(source.fleet))))


def run(
    source: Source, receiver: FaultyReceiver, checkpoint: Checkpoint, *, resumed: bool = False, **how: Any
) -> SinkReport:
    chosen: dict[str, Any] = {"limits": Limits(samples=288), "protocol": "1.0", "query_url": QUERY_URL, **how}
    sending = Sending(clock=receiver.clock, **chosen)
    sink = open_remote_write(source, receiver.client, sending, checkpoint if resumed else None)
    sink.keep(checkpoint, resumed=resumed)
    return push(source, sink)


def ended_and_resumed(
    source: Source, rules: Rules, deadly: int, folder: Path, first: dict[str, Any], then: dict[str, Any]
) -> SinkReport | None:
    """A run that ends at its n-th good answer, and the one that goes on; None where nothing ended it.

    `first` and `then` are options of the receiver (`most`, `version_2`), and of the sender.
    """
    known = ("most", "version_2", "deaf")
    path = folder / f"{deadly}.json"
    receiver = Ends(rules, deadly, **{name: first[name] for name in known if name in first})
    checkpoint = Checkpoint(path, "name", source.grid.start, source.grid.last)
    checkpoint.save()
    try:
        run(source, receiver, checkpoint, **{name: value for name, value in first.items() if name not in known})
    except ReceiverError:
        pass
    else:
        return None
    loaded = Checkpoint.load(path)
    assert loaded
    again = FaultyReceiver(1, rules, likelihood=0, **{name: then[name] for name in known if name in then})
    return run(
        source, again, loaded, resumed=True, **{name: value for name, value in then.items() if name not in known}
    )


def assert_whole(rules: Rules, source: Source, report: SinkReport, *, but: str = "") -> None:
    wanted = {labels: samples for labels, samples in whole(source).items() if dict(labels)["host"] != but}
    held = {labels: sorted(samples) for labels, samples in rules.held.items() if samples}
    assert held == wanted
    if not but:
        told = report.details
        assert told["acknowledged"] + told["already_there"] + told.get("sent_before", 0) == source.samples


@pytest.mark.parametrize("source", [SOURCE, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("most", [900, 3000])
@pytest.mark.parametrize("then", [{}, {"most": 900}, {"most": 3000}, {"version_2": True, "protocol": "auto"}])
@pytest.mark.parametrize("rules", [PrometheusRules, VictoriaMetricsRules])
def test_a_request_of_which_some_parts_are_there(
    source: Source, most: int, then: dict[str, Any], rules: type[Rules], tmp_path: Path
) -> None:
    """The limit of bytes is another when the run goes on: the request that was divided comes whole, or otherwise."""
    for deadly in (1, 2, 3, 4, 5, 7):
        held = rules()
        report = ended_and_resumed(source, held, deadly, tmp_path, {"most": most}, then)
        assert report
        assert_whole(held, source, report)


class OneSeriesIsBad(PrometheusRules):
    bad = "h2"

    def take(self, request: list[Series], *, partly: bool = False) -> int:
        if any(dict(labels)["host"] == self.bad for labels, _ in request):
            raise RefusedError("label value is forbidden")
        return super().take(request, partly=partly)


@pytest.mark.parametrize("source", [SOURCE, WIDE], ids=["narrow", "wide"])
def test_a_request_that_was_searched_for_what_is_refused(source: Source, tmp_path: Path) -> None:
    for deadly in (1, 2, 3, 4, 5, 7, 11, 16):
        held = OneSeriesIsBad()
        skip = {"skip_rejected": True}
        report = ended_and_resumed(source, held, deadly, tmp_path, skip, skip)
        assert report
        assert_whole(held, source, report, but="h2")


@pytest.mark.parametrize("source", [SOURCE, WIDE], ids=["narrow", "wide"])
def test_acknowledgements_that_a_power_cut_took(source: Source, tmp_path: Path) -> None:
    """The lines of the last second are in the system's hands alone. Nothing goes to a VictoriaMetrics twice."""
    held = VictoriaMetricsRules()
    checkpoint = Checkpoint(tmp_path / "run.json", "name", source.grid.start, source.grid.last)
    checkpoint.save()
    with pytest.raises(ReceiverError):
        run(source, Ends(held, 5), checkpoint, lanes=1)
    loaded = Checkpoint.load(checkpoint.path)
    assert loaded
    assert len(loaded.lines) == 4
    loaded.lines = loaded.lines[:1]
    report = run(source, FaultyReceiver(1, held, likelihood=0), loaded, resumed=True, lanes=1)
    assert_whole(held, source, report)


def test_a_plan_for_any_order_is_not_gone_on_with_in_order(tmp_path: Path) -> None:
    """Its windows are wider than the slack, and of several requests: they would wait for each other for ever."""
    held = VictoriaMetricsRules()
    checkpoint = Checkpoint(tmp_path / "run.json", "name", SOURCE.grid.start, SOURCE.grid.last)
    checkpoint.save()
    with pytest.raises(ReceiverError):
        run(SOURCE, Ends(held, 2), checkpoint, slack=math.inf, lanes=4)
    loaded = Checkpoint.load(checkpoint.path)
    assert loaded
    with pytest.raises(InputError, match=r"run\.json comes from a run with order=any: use the same setting"):
        run(SOURCE, FaultyReceiver(1, held, likelihood=0), loaded, resumed=True, keeps_order=True)
    report = run(SOURCE, FaultyReceiver(1, held, likelihood=0), loaded, resumed=True, slack=math.inf)
    assert_whole(held, SOURCE, report)


@pytest.mark.parametrize(
    "damage",
    [
        {"plan": {"steps": 0, "slices": 1}},
        {"plan": {"steps": 12}},
        {"plan": {"steps": 12, "slices": 1000}},
        {"plan": {"steps": "x", "slices": 1}},
        {"done": {"next": [-1]}},
        {"done": {"next": ["a"]}},
        {"done": {"parts": [[1]]}},
        {"done": []},
        {"done": [1]},
        {"plan": [1]},
    ],
)
def test_a_damaged_checkpoint(damage: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0)
    checkpoint = Checkpoint(path, "name", WIDE.grid.start, WIDE.grid.last)
    checkpoint.save()
    run(WIDE, receiver, checkpoint)
    path.write_text(json.dumps({**json.loads(path.read_text()), "finished": False, **damage}) + "\n")
    loaded = Checkpoint.load(path)
    assert loaded
    with pytest.raises(InputError, match="is damaged: remove it"):
        run(WIDE, receiver, loaded, resumed=True)


@pytest.mark.parametrize("line", ["1", "-1 2", "0 1 what", "0 1 parts x", "9 1", "0 x"])
def test_a_damaged_line_of_a_checkpoint(line: str, tmp_path: Path) -> None:
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0)
    checkpoint = Checkpoint(tmp_path / "run.json", "name", WIDE.grid.start, WIDE.grid.last, lines=(line,))
    with pytest.raises(InputError, match="is damaged: remove it"):
        run(WIDE, receiver, checkpoint, resumed=True)


class EndsAnywhere(FaultyReceiver):
    """Misbehaves as planned, and at its n-th attempt locks us out, whatever it has done with that."""

    def __init__(self, seed: int, rules: Rules, deadly: int, **how: Any) -> None:
        super().__init__(seed, rules, **how)
        self._left = deadly

    def answer(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        self._left -= 1
        if self._left < 0:
            return self._say(401, "locked")
        try:
            response = super().answer(body, headers)
        except NoAnswerError:
            if self._left:
                raise
        return response if self._left else self._say(401, "locked")


@pytest.mark.parametrize("ten", range(0, 40, 10))
def test_whatever_happens_until_it_is_done(ten: int, tmp_path: Path) -> None:
    """Ended up to five times, anywhere; each run with other limits, lanes and faults, and another version."""
    for seed in range(ten, ten + 10):
        chance = random.Random(seed)
        source, doubles = chance.choice([SOURCE, WIDE]), chance.random() < 0.4
        skip, version_2 = not doubles and chance.random() < 0.4, chance.random() < 0.3
        rules: Rules = VictoriaMetricsRules() if doubles else OneSeriesIsBad() if skip else PrometheusRules()
        checkpoint = Checkpoint(tmp_path / f"{seed}.json", "name", source.grid.start, source.grid.last)
        checkpoint.save()
        for turn in range(6):
            receiver = EndsAnywhere(
                7 * seed + turn,
                rules,
                chance.randrange(1, 60) if turn < 5 else 10**9,
                most=chance.choice([None, None, 900, 1500, 3000]),
                likelihood=chance.choice([0, 0.2, 0.4]),
                version_2=version_2,
            )
            how = {
                "limits": Limits(samples=chance.choice([40, 72, 288, 2000])),
                "lanes": chance.choice([None, 1, 3, 8]),
                "protocol": chance.choice(["1.0", "auto"]),
            }
            try:
                report = run(source, receiver, checkpoint, resumed=turn > 0, skip_rejected=skip, retry_for=600.0, **how)
            except ReceiverError as error:
                if "locked" not in str(error):
                    raise
                loaded = Checkpoint.load(checkpoint.path)
                assert loaded
                checkpoint = loaded
            else:
                assert_whole(rules, source, report, but="h2" if skip else "")
                break
        else:
            pytest.fail(f"seed {seed} comes to no end")


def test_what_parts_have_done_is_never_taken_back(tmp_path: Path) -> None:
    """A part that is sent again may know of less than the one before it. The next run begins behind what is done."""
    from promfill.model.grid import Grid
    from promfill.sinks.remote_write.acknowledged import Acknowledged
    from promfill.sinks.remote_write.message import Message
    from promfill.sinks.remote_write.plan import RequestPlan
    from promfill.sinks.remote_write.states import State

    checkpoint = Checkpoint(tmp_path / "run.json", "name", 0, 9_000)
    plan = RequestPlan.of_parts(Grid(0, 1_000, 9), 1, 9, 1)
    message = Message(b"", 0, 9, window=0, place=0, series=range(1), oldest=0, newest=8_000)
    done = Acknowledged(plan, checkpoint)
    for time in (None, 3_000, None, 1_000):
        done.divide(message, time)
    done.close(finished=False)
    again = Acknowledged(plan, Checkpoint.load(checkpoint.path), resumed=True)
    assert again.recall(message).state is State.PARTLY
    assert [*again.todo()] == [Tile(4, 5, 0, 1)]
    assert again.samples_before == 4
