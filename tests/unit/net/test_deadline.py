"""The watch cuts what is late, and only that."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from promfill.net.deadline import Watch


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch()
    yield made
    made.close()


@pytest.fixture
def far_end(watch: Watch) -> Iterator[socket.socket]:
    """The other end of the connection that the watch has been told of."""
    near, far = socket.socketpair()
    with near, far:
        stream = SimpleNamespace(get_extra_info={"socket": near}.get)
        watch.trace("connection.connect_tcp.complete", {"return_value": stream})
        far.settimeout(30)
        yield far


def test_a_late_block_is_cut_off(watch: Watch, far_end: socket.socket) -> None:
    with watch.within(0.05):
        assert far_end.recv(1) == b""  # the near end was shut
        assert watch.passed


def test_a_timely_block_is_left_alone(watch: Watch, far_end: socket.socket) -> None:
    for _ in range(5):
        with watch.within(2):
            assert not watch.passed
    time.sleep(2.2)
    assert not watch.passed
    far_end.setblocking(False)
    with pytest.raises(BlockingIOError):
        far_end.recv(1)


def test_a_shorter_deadline_than_the_one_before(watch: Watch, far_end: socket.socket) -> None:
    with watch.within(60):
        pass
    with watch.within(0.05):
        assert far_end.recv(1) == b""


def test_a_deadline_after_a_pause(watch: Watch, far_end: socket.socket) -> None:
    """The thread has gone to sleep for good, and is woken."""
    with watch.within(0.02):
        pass
    time.sleep(0.1)
    with watch.within(0.05):
        assert far_end.recv(1) == b""


def test_a_late_block_without_a_connection(watch: Watch) -> None:
    with watch.within(0.02):
        late = time.monotonic() + 30
        while not watch.passed:
            assert time.monotonic() < late
            time.sleep(0.001)


def test_no_thread_is_left_behind() -> None:
    made = Watch()
    with made.within(60):
        pass
    made.close()
    assert made._thread is not None  # other tests may have watches of their own
    made._thread.join(5)
    assert not made._thread.is_alive()


def tell(watch: Watch, near: socket.socket) -> None:
    """What httpx tells of a new connection."""
    stream = SimpleNamespace(get_extra_info={"socket": near}.get)
    watch.trace("connection.connect_tcp.complete", {"return_value": stream})


def test_a_connection_that_is_made_too_late_is_cut_at_once(watch: Watch) -> None:
    """Making one cannot be broken off; what comes of it must not begin to count anew."""
    near, far = socket.socketpair()
    with near, far, watch.within(0.02):
        while not watch.passed:
            time.sleep(0.001)
        tell(watch, near)
        far.settimeout(5)
        assert far.recv(1) == b""


def test_nothing_begins_after_the_end(watch: Watch, far_end: socket.socket) -> None:
    watch.end()
    assert far_end.recv(1) == b""
    with watch.within(60):
        assert watch.passed
        near, far = socket.socketpair()
        with near, far:
            tell(watch, near)
            far.settimeout(5)
            assert far.recv(1) == b""
