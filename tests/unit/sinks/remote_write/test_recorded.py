"""Pushes to doubles that answer as newer real receivers were seen to (tests/support/recorded.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from promfill.errors import RefusedError
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.pipeline.push import push
from promfill.protocols import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from tests.support.faulty_server import FastClock
from tests.support.held_samples import Series, read_1, read_2
from tests.support.receiver import GOOD, Answer, Receiver, Taken
from tests.support.recorded import MIMIR_3_0_3_BURST, MIMIR_3_0_3_SERIES_LIMIT, MIMIR_MAIN_BURST, NO_ORG_ID, counted
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..40}", 12)


def send(answer: Callable[[Taken], Answer], **how: Any) -> SinkReport:
    with Receiver(answer) as receiver:
        destination = build_destination(receiver.url, environment={})
        sending = Sending(**{"clock": FastClock(), "lanes": 1, **how})
        return push(SOURCE, open_remote_write(SOURCE, lambda: make_client(destination, 5.0), sending))


def series_of(request: Taken) -> list[Series]:
    return read_2(request.message) if "v2.Request" in request.headers["content-type"] else read_1(request.message)


class MimirAtItsSeriesLimit:
    """It knows some series and takes no more; what it knows of a refused request is written. 2.0 counts what came."""

    def __init__(self, known: int) -> None:
        self.known = {f"h{number}" for number in range(1, known + 1)}
        self.held: set[tuple[str, int]] = set()

    def __call__(self, request: Taken) -> Answer:
        came, refuses = 0, False
        for labels, samples in series_of(request):
            came += len(samples)
            host = dict(labels)["host"]
            refuses |= host not in self.known
            self.held |= {(host, time) for time, _ in samples} if host in self.known else set()
        is_2 = "v2.Request" in request.headers["content-type"]
        if not refuses:
            return counted(200, "", came) if is_2 else GOOD
        text = MIMIR_3_0_3_SERIES_LIMIT
        return counted(400, text, came) if is_2 else Answer(400, text.encode())


@pytest.mark.parametrize("protocol", ["auto", "1.0", "2.0"])
@pytest.mark.parametrize("known", [0, 7, 40])
def test_what_mimir_refuses_at_its_series_limit_is_not_told_as_sent(protocol: str, known: int) -> None:
    """Mimir 3.0.3 says beside its 400 that it has written all."""
    mimir = MimirAtItsSeriesLimit(known)
    report = send(mimir, protocol=protocol, skip_rejected=True)
    assert len(mimir.held) == report.samples == 12 * known
    assert report.details["rejected_samples"] == 12 * (40 - known)
    assert len(report.details["rejected"]) == (known < 40)


@pytest.mark.parametrize("text", [MIMIR_3_0_3_BURST, MIMIR_MAIN_BURST])
def test_a_request_above_the_burst_limit_is_made_smaller_at_once(text: str) -> None:
    """However long one waits, it would be refused."""
    sizes: list[int] = []

    def answer(request: Taken) -> Answer:
        items = sum(len(samples) for _, samples in series_of(request))
        sizes.append(items)
        return Answer(429, text.format(burst=100, items=items).encode()) if items > 100 else GOOD

    report = send(answer, protocol="1.0", retry_for=0.5)
    assert report.samples == 480
    assert report.details["retries"] == 0
    assert [size for size in sizes if size > 100][:3] == [480, 240, 120]
    assert len(sizes) <= 12


def test_a_burst_limit_that_holds_no_sample_ends_the_push_with_its_fix() -> None:
    said = Answer(429, MIMIR_3_0_3_BURST.format(burst=0).encode())
    with pytest.raises(RefusedError, match="max_samples_per_send") as caught:
        send(lambda _: said, protocol="1.0", limits=Limits(samples=1))
    assert "No samples were accepted" in str(caught.value)


def test_a_mimir_that_wants_a_tenant_says_how_to_name_it() -> None:
    with pytest.raises(RefusedError) as caught:
        send(lambda _: NO_ORG_ID)
    assert caught.value.fix == "this server has several tenants: set tenant"


def test_advice_is_looked_up_in_the_whole_text() -> None:
    """What is shown of it is cut at 300 letters."""
    words = f"user=team-a: {'x' * 400} (err-mimir-sample-timestamp-too-old)"
    with pytest.raises(RefusedError, match="out_of_order_time_window"):
        send(lambda _: Answer(400, words.encode()))
