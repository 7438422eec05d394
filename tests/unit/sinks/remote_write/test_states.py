"""The table of states and answers, cell by cell: as it is drawn, and as a delivery acts on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import httpx
import pytest
import snappy

from promfill.errors import ReceiverError, RefusedError
from promfill.model.grid import Tile
from promfill.net.clock import Clock
from promfill.sinks.remote_write import states
from promfill.sinks.remote_write.classify import Verdict
from promfill.sinks.remote_write.delivery import Delivery, Terms
from promfill.sinks.remote_write.gate import Gate
from promfill.sinks.remote_write.holdings import Holdings
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.messages import MessageMaker
from promfill.sinks.remote_write.pace import Pace
from promfill.sinks.remote_write.plan import Limits, request_plan
from promfill.sinks.remote_write.receiver import Receiver
from promfill.sinks.remote_write.states import TABLE, Action, State, action_of
from promfill.sinks.remote_write.tally import Tally
from tests.support.faulty_receiver import FaultyReceiver
from tests.support.held_samples import PrometheusRules, read_1
from tests.support.sources import source_of

PAIRS = [(state, verdict) for state in State for verdict in Verdict]
HOUR = 3_600_000


def drawn() -> dict[tuple[State, Verdict], Action]:
    """The table of the module's docstring."""
    lines = [line.split() for line in (states.__doc__ or "").splitlines() if line.startswith("    ")]
    header = next(at for at, words in enumerate(lines) if words == [state.value for state in State])
    columns = [State(word) for word in lines[header]]
    rows = lines[header + 1 : header + 1 + len(Verdict)]
    return {
        (state, Verdict[row[0]]): Action(word) for row in rows for state, word in zip(columns, row[1:], strict=True)
    }


def test_the_table_is_what_its_docstring_draws() -> None:
    assert drawn() == {(state, verdict): action_of(state, verdict) for state, verdict in PAIRS}
    assert {action for row in TABLE.values() for action in row.values()} == set(Action)


def test_whoever_knows_less_wins() -> None:
    order = [State.NEW, State.UNTOLD, State.LOST, State.OPEN, State.PARTLY]
    for at, one in enumerate(order):
        for other in order[: at + 1]:
            assert one.at_least(other) is other.at_least(one) is one
    assert [state.in_doubt for state in order] == [False, False, True, True, True]


class Bench:
    """A delivery to a receiver that says what it is told to, answer by answer; by default then that all is well."""

    def __init__(self, *said: tuple[int, str], steps: int = 4, skip: bool = False, slack: float = HOUR) -> None:
        self.source = source_of("host=h{1..4}", steps)
        self.faulty = FaultyReceiver(1, PrometheusRules(), likelihood=0)
        self.parts: list[int | None] = []
        self.bodies: list[bytes] = []
        answers = iter(said)

        def take(body: bytes, headers: Any) -> httpx.Response:
            self.bodies.append(body)
            return self.faulty._say(*next(answers, (204, "")))

        self.faulty._take = take  # type: ignore[method-assign]
        self.tally = Tally()
        terms = Terms(
            0.0,
            skip,
            Pace(None),
            Clock(),
            lambda text: None,
            lambda text: None,
            lambda message, done: self.parts.append(done),
        )
        self.receiver = Receiver(Holdings(self.source.fleet, None, lambda seconds: None), doubles=False)
        self.delivery = Delivery(self.faulty.client(), self.receiver, Gate(slack), terms, self.tally, threading.Event())

    def message(self, state: State) -> Message:
        """All samples; in 2.0 where that had been tried before."""
        grid = self.source.grid
        plan = request_plan(grid, 4, 90, Limits())
        maker = MessageMaker(self.source, plan)
        batch = self.source.batch(Tile(0, grid.steps, 0, 4))
        old = replace(maker.make(batch, is_version_2=False, first=True), state=state)
        told = maker.make(batch, is_version_2=True, first=True) if state is State.UNTOLD else None
        return replace(old, as_version_2=told)

    def deliver(self, state: State = State.NEW) -> int:
        """How many of its samples had been there before."""
        return self.delivery.deliver(self.message(state))

    @property
    def held(self) -> int:
        """Samples that count as having been there before."""
        return int(self.tally.report.details["already_there"])


SAYS: dict[Verdict, tuple[int, str]] = {
    Verdict.WRITTEN: (204, ""),
    Verdict.HELD: (400, "out of order sample"),
    Verdict.TOO_OLD: (400, "out of bounds"),
    Verdict.REFUSED: (400, "no"),
    Verdict.SMALLER: (413, ""),
    Verdict.AGAIN: (503, "busy"),
    Verdict.OURS: (401, "who are you"),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verdict", SAYS)
def test_a_delivery_does_what_the_table_says(state: State, verdict: Verdict) -> None:
    """Four series of four steps, within the slack; what follows the first answer is good."""
    bench = Bench(SAYS[verdict])
    match action_of(state, verdict):
        case Action.COUNT:
            assert (bench.deliver(state), bench.held, bench.tally.report.samples) == (0, 0, 16)
            assert len(bench.bodies) == 1
        case Action.THERE:
            assert bench.deliver(state) == bench.held == 16
            assert len(bench.bodies) == 1
        case Action.HALVE | Action.CUT:
            assert (bench.deliver(state), bench.held) == (0, 0)
            assert bench.tally.report.details["divided"] == (verdict is Verdict.SMALLER)
            assert [len(read_1(message_in(body))) for body in bench.bodies] == [4, 2, 2]
            assert bench.parts == [None]
        case Action.ASK if state is State.UNTOLD:  # it is asked in 2.0, and takes that for 1.0
            with pytest.raises(RefusedError, match=SAYS[verdict][1]):
                bench.deliver(state)
            assert len(bench.bodies) == 2
        case Action.ASK if (state, verdict) == (State.LOST, Verdict.HELD):  # its newest samples are taken once more
            assert bench.deliver(state) == bench.held == 16
            assert steps_of(bench.bodies) == [4, 1]
        case Action.REFUSE | Action.END | Action.AGAIN | Action.ASK:
            with pytest.raises(ReceiverError, match=SAYS[verdict][1]) as caught:
                bench.deliver(state)
            assert isinstance(caught.value, RefusedError) is (verdict is not Verdict.AGAIN)
            assert len(bench.bodies) == 1
            unanswered = 16 if state.in_doubt or verdict is Verdict.AGAIN else 0  # a 503 leaves doubt
            assert bench.tally.report.details.get("unanswered", 0) == unanswered
        case other:
            pytest.fail(f"{other} is not looked at")


def message_in(body: bytes) -> bytes:
    message: bytes = snappy.decompress(body)
    return message


def test_what_was_read_as_2_0_after_all_is_there() -> None:
    bench = Bench((400, "out of order sample"), (400, "out of order sample"))
    assert bench.deliver(State.UNTOLD) == bench.held == 16
    assert len(bench.bodies) == 2


def test_a_lost_message_whose_newest_samples_are_refused_as_well_is_not_there() -> None:
    """It is the samples of others that the receiver speaks of."""
    bench = Bench(SAYS[Verdict.HELD], SAYS[Verdict.HELD])
    with pytest.raises(RefusedError, match="out of order"):
        bench.deliver(State.LOST)
    assert steps_of(bench.bodies) == [4, 1]
    assert not bench.tally.report.samples


def test_of_halves_that_are_there_each_series_is_asked_for() -> None:
    """Nothing tells that the others are there as well: they are sent."""
    held = [SAYS[Verdict.HELD]] * 3
    bench = Bench(*held)  # all four, the first two, the first
    assert bench.deliver(State.PARTLY) == 4
    assert [len(read_1(message_in(body))) for body in bench.bodies] == [4, 2, 1, 1, 2]
    assert bench.tally.report.samples == 16


WIDE = 30  # steps of 5 minutes: parts of 13, 13 and 4


def steps_of(bodies: Iterable[bytes]) -> list[int]:
    return [len(read_1(message_in(body))[0][1]) for body in bodies]


@pytest.mark.parametrize("state", [State.NEW, State.LOST, State.OPEN])
def test_a_wide_request_is_sent_as_it_is(state: State) -> None:
    bench = Bench(steps=WIDE)
    bench.deliver(state)
    assert steps_of(bench.bodies) == [30]
    assert bench.parts == []


def test_a_wide_request_of_which_parts_may_be_there_goes_in_parts() -> None:
    """And the checkpoint is told up to when they are done."""
    bench = Bench(steps=WIDE)
    assert bench.deliver(State.PARTLY) == 0
    assert steps_of(bench.bodies) == [13, 13, 4]
    grid = bench.source.grid
    assert bench.parts == [None, grid.time(13) - 1, grid.time(26) - 1]


def test_where_any_order_will_do_nothing_is_wide() -> None:
    bench = Bench(steps=WIDE, slack=float("inf"))
    bench.deliver(State.PARTLY)
    assert steps_of(bench.bodies) == [30]


def test_the_first_part_is_there_and_the_last_are_not() -> None:
    """As after a run that was killed between two parts: of the first, each series is asked for."""
    bench = Bench(*[SAYS[Verdict.HELD]] * 7, steps=WIDE)
    assert bench.deliver(State.PARTLY) == 13 * 4
    assert steps_of(bench.bodies) == [13] * 8 + [4]


def test_a_wide_request_that_is_there_is_found_by_its_end() -> None:
    """It is too old; the question is two steps of the end, and the oldest."""
    bench = Bench(SAYS[Verdict.TOO_OLD], SAYS[Verdict.HELD], steps=WIDE)
    assert bench.deliver(State.OPEN) == bench.held == 120
    assert steps_of(bench.bodies) == [30, 3]


def test_a_wide_request_that_is_there_and_goes_in_parts_is_found_by_its_end() -> None:
    """Of the last part, each series is asked for: the end of one tells nothing of the others."""
    bench = Bench(SAYS[Verdict.TOO_OLD], *[SAYS[Verdict.HELD]] * 8, steps=WIDE)
    assert bench.deliver(State.PARTLY) == bench.held == 120
    assert steps_of(bench.bodies) == [13, 3, *[4] * 7]


@pytest.mark.parametrize("skip", [False, True])
def test_a_wide_request_that_is_too_old_for_the_samples_of_others(skip: bool) -> None:
    bench = Bench(*[SAYS[Verdict.TOO_OLD]] * 3, steps=WIDE, skip=skip)
    if skip:  # its oldest step is given up, and all that is newer is taken
        assert bench.deliver(State.OPEN) == 0
        assert bench.tally.report.details["rejected_samples"] == 4
        assert steps_of(bench.bodies) == [30, 3, 13, 12, 13, 4]
    else:
        with pytest.raises(RefusedError, match="out of bounds"):
            bench.deliver(State.OPEN)
        assert steps_of(bench.bodies) == [30, 3]
        assert bench.tally.report.details["unanswered"] == 120  # all of it may be there


def test_a_wide_request_that_is_too_large_goes_in_parts_and_is_asked_about_once() -> None:
    bench = Bench((413, ""), steps=WIDE)
    bench.deliver()
    assert steps_of(bench.bodies) == [30, 13, 13, 4]
    assert bench.tally.report.details["divided"] == 1
    assert bench.receiver.too_large == bench.message(State.NEW).raw


@pytest.mark.parametrize("state", [State.NEW, State.OPEN, State.PARTLY])
def test_what_may_be_there_when_the_push_ends_is_counted(state: State) -> None:
    bench = Bench((401, "who are you"), steps=WIDE)
    with pytest.raises(RefusedError):
        bench.deliver(state)
    assert bench.tally.report.details.get("unanswered", 0) == (120 if state.in_doubt else 0)


def test_parts_of_a_lost_message_are_not_what_was_sent_last() -> None:
    """So of one that is held the newest samples are not asked for: others may have been sent since."""
    bench = Bench((413, ""), SAYS[Verdict.HELD], steps=WIDE)
    assert bench.deliver(State.LOST) == 13 * 4
    assert steps_of(bench.bodies) == [30, 13, 13, 4]


def test_an_end_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many parts are too old."""
    old = SAYS[Verdict.TOO_OLD]
    bench = Bench(*[old] * 60, steps=WIDE, skip=True)
    asked: list[Message] = []
    end_first: Callable[[Message], Message] = Message.end_first

    def counted(message: Message) -> Message:
        asked.append(message)
        return end_first(message)

    monkeypatch.setattr(Message, "end_first", counted)
    bench.deliver(State.OPEN)
    assert len(asked) == 1
    assert bench.tally.report.details["rejected_samples"] == 120
