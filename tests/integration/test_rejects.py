"""--on-reject skip at a real Prometheus that holds newer samples: all that it would take is there, to the sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from promfill.errors import RefusedError
from promfill.pipeline.push import push
from promfill.protocols import SinkReport
from promfill.sinks.remote_write.plan import SLACK, Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from promfill.sources.generated import Source
from tests.integration.test_remote_write import client_of, held_by, whole
from tests.support.servers import Server, start_prometheus
from tests.support.sources import source_of

pytestmark = pytest.mark.server

HOUR = 3_600_000


def send(
    source: Source, server: Server, protocol: str = "1.0", slack: float = SLACK, samples: int = 20_000
) -> SinkReport:
    sending = Sending(Limits(samples=samples), protocol=protocol, slack=slack, skip_rejected=True)
    return push(source, open_remote_write(source, client_of(f"{server.url}/api/v1/write"), sending))


@pytest.mark.parametrize("protocol", ["1.0", "auto"])
@pytest.mark.parametrize("samples", [20_000, 120])
def test_what_is_out_of_bounds_is_given_up_and_nothing_beside_it(
    prometheus: Server, protocol: str, samples: int
) -> None:
    """Somebody's newest sample is at step 60: what is older than step 48, an hour before, is refused."""
    source = source_of("host=h{1..30}", 100)
    send(source_of("", 1, metric="newer", start=source.grid.time(60)), prometheus)
    report = send(source, prometheus, protocol, samples=samples)
    assert (report.samples, report.details["rejected_samples"]) == (30 * 52, 30 * 48)
    assert held_by(prometheus, source) == {labels: held[48:] for labels, held in whole(source).items()}
    assert list(report.details["rejected"]) == ["400 out of bounds"]


def test_what_is_too_old_for_the_window_is_given_up_and_nothing_beside_it(tmp_path: Path) -> None:
    """Prometheus 2.42 says it by 500. The window reaches back 5 hours from step 700, to step 640."""
    config = "storage: {tsdb: {out_of_order_time_window: 5h}}\n"
    with start_prometheus(tmp_path / "data", config=config) as prometheus:
        source = source_of("host=h{1..30}", 800)
        send(source_of("", 1, metric="newer", start=source.grid.time(700)), prometheus)
        report = send(source, prometheus, slack=5 * HOUR)
        assert (report.samples, report.details["rejected_samples"]) == (30 * 160, 30 * 640)
        assert held_by(prometheus, source) == {labels: held[640:] for labels, held in whole(source).items()}


def test_a_series_that_is_held_in_part_takes_the_rest(prometheus: Server) -> None:
    """One of the series has other samples up to step 10: of it alone something is refused."""
    source = source_of("host=h{1..12}", 60)
    send(source_of("host=h7", 11, signal={"seed": 8}), prometheus)
    report = send(source, prometheus)
    assert (report.samples, report.details["rejected_samples"]) == (720 - 11, 11)
    held = held_by(prometheus, source)
    assert all(len(samples) == 60 for samples in held.values())


def test_without_skip_the_push_ends_for_good(prometheus: Server) -> None:
    source = source_of("host=h{1..3}", 100)
    send(source_of("", 1, metric="newer", start=source.grid.time(60)), prometheus)
    sending = Sending(protocol="auto")
    with pytest.raises(RefusedError, match="out of bounds") as caught:
        push(source, open_remote_write(source, client_of(f"{prometheus.url}/api/v1/write"), sending))
    assert caught.value.exit_code == 3
