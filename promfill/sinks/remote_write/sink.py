"""The sender of mode remote-write: batches become requests, and lanes deliver them.

    push's thread    generates and encodes, in order of time, and gives each request to the lane of its series
    lane             waits at the gate, delivers, records the acknowledgement; `lane`, `gate`, `delivery`

The next requests are made while others are under way, except at first: only the receiver's answer to the oldest window
tells whether it accepts history, so nothing follows before that answer. With protocol auto the first request goes
as 2.0, and its answer tells whether the receiver reads 2.0.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from promfill.codecs.remote_write.sizes import largest_parts
from promfill.errors import ReceiverError, RunError, plural
from promfill.files.checkpoint import Checkpoint
from promfill.model.batch import SeriesBatch
from promfill.model.grid import Tile
from promfill.net.clock import Clock
from promfill.net.http import HttpClient
from promfill.protocols import SinkReport
from promfill.scenario.times import format_time
from promfill.sinks.remote_write.acknowledged import Acknowledged, read_plan
from promfill.sinks.remote_write.delivery import Delivery, Terms
from promfill.sinks.remote_write.gate import Gate, StoppedError
from promfill.sinks.remote_write.holdings import Holdings
from promfill.sinks.remote_write.lane import GRACE_SECONDS, Lane
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.messages import MessageMaker
from promfill.sinks.remote_write.pace import Pace
from promfill.sinks.remote_write.plan import SLACK, Limits, RequestPlan, request_plan
from promfill.sinks.remote_write.receiver import VICTORIA_METRICS, Receiver
from promfill.sinks.remote_write.tally import Tally
from promfill.sources.generated import Source

AUTO_LANES = 4
"""Requests in flight where a window has several. More bring nothing, with Prometheus or with VictoriaMetrics."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How to send: what the options of push say.

    protocol: auto, 1.0 or 2.0. lanes: requests in flight, None for what suits the plan. slack: how far those may lie
    apart (ms), math.inf for any order; keeps_order: even if the receiver turns out to accept any order. rate_limit:
    samples/s. retry_for: seconds that one request is tried in all. query_url: base of the receiver's query API.
    on_trouble: told of a request that has to be sent again. on_note: told anything else that the user may want to know.
    """

    limits: Limits = field(default_factory=Limits)
    protocol: str = "auto"
    lanes: int | None = None
    slack: float = SLACK
    keeps_order: bool = False
    rate_limit: float | None = None
    retry_for: float = 300.0
    skip_rejected: bool = False
    query_url: str | None = None
    clock: Clock = field(default_factory=Clock)
    on_trouble: Callable[[str], None] = lambda text: None
    on_note: Callable[[str], None] = lambda text: None

    def request_limits(self) -> Limits:
        """The limits of one request: it holds at most as many samples as may be sent in a second."""
        if self.rate_limit is None:
            return self.limits
        return replace(self.limits, samples=min(self.limits.samples, max(1, int(self.rate_limit))))

    def terms(self) -> Terms:
        """The settings that concern one request."""
        return Terms(
            self.retry_for, self.skip_rejected, Pace(self.rate_limit), self.clock, self.on_trouble, self.on_note
        )


class RemoteWriteSink:
    """Sends every batch as one request. `report` is explained at `tally.Tally`."""

    def __init__(
        self,
        source: Source,
        open_client: Callable[[], HttpClient],
        plan: RequestPlan,
        sending: Sending,
    ) -> None:
        self.plan = plan
        self._sending = sending
        self._tally = Tally()
        self.report = self._tally.report
        self._maker = MessageMaker(source, plan)
        self._done = Acknowledged(plan)
        self._gate = Gate(sending.slack)
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._receiver = Receiver(
            Holdings(source.fleet, sending.query_url, self._wait),
            takes_version_2=sending.protocol != "1.0",
            may_fall_back=sending.protocol == "auto",
            on_victoria_metrics=self._met_victoria_metrics,
        )
        count = min(sending.lanes or AUTO_LANES, len(plan.slices))
        terms = replace(
            sending.terms(), on_parts=lambda message, done: self._done.divide(message, done), last=plan.grid.last
        )
        self._deliveries = [
            Delivery(open_client(), self._receiver, self._gate, terms, self._tally, self._stop) for _ in range(count)
        ]
        self._lanes = [Lane(self._deliver_by(delivery)) for delivery in self._deliveries]
        self._begun = False
        self._tally.note("protocol", "2.0" if self._receiver.takes_version_2 else "1.0")

    def keep(self, checkpoint: Checkpoint, *, resumed: bool) -> None:
        """Record what is done, and leave out what an earlier run has done. InputError: a damaged checkpoint."""
        self._done = Acknowledged(self.plan, checkpoint, resumed=resumed)
        if self._done.samples_before:
            self._tally.count("sent_before", self._done.samples_before)

    @property
    def now_at(self) -> int:
        """The time (ms) up to which every series has been sent."""
        windows = self._done.windows
        return self.plan.last_time(windows) if windows else self.plan.grid.start

    def widen_slack(self, window: int) -> None:
        """The receiver accepts samples that are so much older than its newest (ms)."""
        self._gate.slack = max(self._gate.slack, window)

    def expect(self, *, doubles: bool) -> None:
        """The store is identified. doubles: it keeps a sample twice that is sent twice, whatever its headers say."""
        self._receiver.keeps_one |= not doubles
        self._receiver.doubles = doubles or self._receiver.doubles

    def goes_through(self, forwarder: str, *, doubles: bool | None, any_order: bool) -> None:
        """The receiver only forwards. doubles: whether the store behind it keeps a sample twice, None where unknown.

        any_order: that store takes samples in any order.
        """
        self._receiver.forwards, self._receiver.doubles = True, doubles
        self._receiver.keeps_one |= doubles is False
        self._tally.note("receiver", forwarder)
        if any_order and not self._sending.keeps_order:
            self._gate.open()

    def tiles(self) -> Iterator[Tile]:
        """The samples of every request that is left, time-major."""
        return self._done.todo()

    def write(self, batch: SeriesBatch) -> None:
        """Encode a request and give it to its lane; wait for the answer to the first one.

        RunError if this request, or one before it, was not acknowledged.
        """
        try:
            takes_2 = self._receiver.takes_version_2
            self._send(self._maker.make(batch, is_version_2=takes_2, first=not self._begun))
            if not self._begun:
                self._settle()
                self._begun = True
        except (StoppedError, RunError) as error:
            raise self._explain(error) from None

    def commit(self) -> SinkReport:
        """Wait until everything is acknowledged. RunError as `write`."""
        try:
            self._settle()
        except (StoppedError, RunError) as error:
            raise self._explain(error) from None
        self._close()
        self._done.close(finished=True, doubles=bool(self._receiver.doubles))
        return self.report

    def abort(self) -> None:
        """Send nothing more; what is under way may still be acknowledged, if its answer comes soon."""
        self._end()
        self._close()
        self._done.close(finished=False)

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        """What a sample of this batch takes on the wire: an estimate for the whole push."""
        return len(self._maker.compress(batch)) / batch.samples

    def _send(self, message: Message) -> None:
        self._gate.announce(self.plan.number(message.window, message.place), message.oldest)
        self._lanes[message.place % len(self._lanes)].send(message)

    def _settle(self) -> None:
        for lane in self._lanes:
            lane.settle()

    def _deliver_by(self, delivery: Delivery) -> Callable[[Message], None]:
        """What a lane does with a message, in its own thread."""

        def deliver(message: Message) -> None:
            number = self.plan.number(message.window, message.place)
            try:
                self._gate.enter(number, message.newest)
                held = delivery.deliver(self._done.recall(message))
                self._done.add(message.window, message.place, was_there=held == message.samples)
            except BaseException as error:
                self._failure = self._failure or (None if isinstance(error, StoppedError) else error)
                self._end()
                raise
            self._gate.leave(number)

        return deliver

    def _end(self) -> None:
        """Let nothing begin any more, in any lane."""
        self._stop.set()
        self._gate.stop()
        for lane in self._lanes:
            lane.end()

    def _close(self) -> None:
        deadline = time.monotonic() + GRACE_SECONDS
        for lane, delivery in zip(self._lanes, self._deliveries, strict=True):
            lane.close(delivery.client.break_off, max(0.0, deadline - time.monotonic()))
            delivery.client.close()

    def _wait(self, seconds: float) -> None:
        if self._sending.clock.wait(self._stop, seconds):
            raise StoppedError

    def _met_victoria_metrics(self) -> None:
        """The receiver accepts samples in any order, and keeps both copies of a sample."""
        self._tally.note("receiver", VICTORIA_METRICS)
        if not self._sending.keeps_order:
            self._gate.open()

    def _explain(self, error: BaseException) -> RunError:
        """What ended the push first, with what was accepted before."""
        cause = self._failure or error
        if not isinstance(cause, ReceiverError):
            raise cause
        before = self.report.samples + self._done.samples_before
        doubtful = self.report.details.get("unanswered", 0)
        doubt = f"; up to {doubtful:,} more may have been stored" if doubtful else ""
        until = self.plan.last_time(self._done.windows) if self._done.windows else None
        so_far = "" if until is None else f", every series up to {format_time(until)}"
        accepted = f"{plural(before, 'sample')} {'was' if before == 1 else 'were'} accepted{so_far}"
        cause.note = f"{accepted if before else 'No samples were accepted'}{doubt}"
        return cause


def open_remote_write(
    source: Source,
    open_client: Callable[[], HttpClient],
    sending: Sending | None = None,
    checkpoint: Checkpoint | None = None,
) -> RemoteWriteSink:
    """The sink of a push; nothing is sent yet, and nothing written. `open_client` makes a client for each lane.

    checkpoint: of an earlier run, whose plan is kept. InputError where the limits do not let one sample through, or
    where the checkpoint cannot be continued.
    """
    sending = sending or Sending()
    scenario = source.scenario
    series = len(source.fleet)
    if checkpoint is not None and checkpoint.plan:
        plan = read_plan(checkpoint, source.grid, series, sending.slack)
    else:
        labels, ahead = largest_parts(source.fleet, scenario.metric, scenario.description, scenario.unit)
        plan = request_plan(
            source.grid,
            series,
            labels,
            sending.request_limits(),
            ahead,
            lanes=sending.lanes or 1,
            slack=sending.slack,
            may_be_wide=not sending.skip_rejected,
        )
    return RemoteWriteSink(source, open_client, plan, sending)
