"""A push that is killed, at any moment, and resumed: every sample is there once. And what a checkpoint is worth.

``make soak`` kills a hundred times (PROMFILL_SOAK).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from promfill.model.grid import Tile
from tests.support.faulty_receiver import FaultyReceiver
from tests.support.faulty_server import answers_of
from tests.support.held_samples import PrometheusRules, Rules, VictoriaMetricsRules
from tests.support.receiver import Answer, Receiver, Taken
from tests.support.remote_write import samples_of
from tests.support.servers import Server, launch, start_prometheus, start_victoriametrics
from tests.support.sources import source_of

KILLS = int(os.environ.get("PROMFILL_SOAK", "10"))
START = 1_700_000_000
SERIES, STEPS = 40, 150
LABELS = f"host=h{{1..{SERIES}}}"
SOURCE = source_of(LABELS, STEPS, start=START * 1000)
WHOLE = samples_of(SOURCE.batch(Tile(0, STEPS, 0, SERIES)))
ENDED = {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}


def push_command(url: str, *more: str, labels: str = LABELS, steps: int = STEPS) -> list[str]:
    what = ("--metric-name", "m", "--labels", labels, "--start", str(START), "--end", str(START + 300 * steps))
    return [sys.executable, "-m", "promfill", "push", "--mode=remote-write", f"--remote-write-url={url}", *what, *more]


def start_push(command: list[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@contextmanager
def rules_behind_a_socket(rules: Rules, on_request: Callable[[int], None]) -> Iterator[Receiver]:
    brain = FaultyReceiver(1, rules, likelihood=0, on_request=on_request)
    with Receiver(answering(brain)) as receiver:
        yield receiver


def answering(brain: FaultyReceiver) -> Callable[[Taken], Answer]:
    """As `answers_of`, with VictoriaMetrics's export beside it, which shows at once what was taken."""
    write = answers_of(brain)

    def answer(taken: Taken) -> Answer:
        if taken.path.startswith("/api/v1/export"):
            asked = httpx.URL(taken.path).params
            assert isinstance(brain.rules, VictoriaMetricsRules)
            start, end = (round(float(asked[name]) * 1000) for name in ("start", "end"))
            return Answer(200, b"".join(brain.rules.export(start, end)))
        return Answer(200) if taken.path == "/internal/force_flush" else write(taken)

    return answer


@pytest.mark.parametrize("rules", [PrometheusRules, VictoriaMetricsRules])
def test_killed_at_random_moments_and_resumed(rules: type[Rules], tmp_path: Path) -> None:
    """The process is killed as a request comes in: before, while or after it is written down. Then it goes on."""
    chance = random.Random(7)
    for turn in range(KILLS // 2):
        folder = tmp_path / str(turn)
        folder.mkdir()
        held = rules()
        kill_once(held, folder, chance, chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM]))
        assert {labels: sorted(samples) for labels, samples in held.held.items() if samples} == WHOLE


def kill_once(held: Rules, folder: Path, chance: random.Random, how: signal.Signals) -> None:
    """Two ends and a run to the finish: each a process of its own."""
    process: list[subprocess.Popen[str]] = []
    deadly = [chance.randrange(3, 60), 10**9]

    def on_request(number: int) -> None:
        if number == deadly[0]:
            time.sleep(chance.random() * 0.003)
            process[0].send_signal(how)

    with rules_behind_a_socket(held, on_request) as receiver:
        more = ("--max-samples-per-send=100", f"--concurrency={chance.choice(['auto', '1', '3'])}")
        command = push_command(receiver.url, *more)
        process.append(start_push(command, folder))
        out, err = process[0].communicate(timeout=300)
        if process[0].returncode == 0:  # it was over before the signal came
            return
        assert process[0].returncode == ENDED[how], (out, err)
        assert how == signal.SIGKILL or "--resume" in err
        refused = finish(command, folder)
        assert refused.returncode == 2
        assert "--resume" in refused.stderr
        again = finish([*command, "--resume", "--json"], folder)
        assert again.returncode == 0, again.stderr
        facts = json.loads(again.stdout)
        assert facts["acknowledged"] + facts["already_there"] + facts["sent_before"] == SERIES * STEPS
        requests = len(receiver.taken)
        assert finish([*command, "--resume"], folder).returncode == 0
        assert len(receiver.taken) == requests


def test_a_push_that_sent_nothing_leaves_no_checkpoint(tmp_path: Path) -> None:
    with Receiver(lambda _: Answer(401, b"who are you")) as receiver:
        ended = finish(push_command(receiver.url), tmp_path)
    assert ended.returncode == 3
    assert not [*tmp_path.glob(".promfill/*")]


def test_a_torn_last_line_is_sent_again_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    held = PrometheusRules()
    with rules_behind_a_socket(held, lambda _: None) as receiver:
        command = push_command(receiver.url, "--max-samples-per-send=100", "--checkpoint=run.json")
        assert finish(command, tmp_path).returncode == 0
        file = tmp_path / "run.json"
        header = {**json.loads(file.read_text()), "finished": False}
        slices = header["plan"]["slices"]
        header["done"]["next"] = [0] * slices
        lines = "".join(f"{place} 12\n" for place in range(slices))
        file.write_text(json.dumps(header) + "\n" + lines + "1 1")
        again = finish([*command, "--resume", "--json"], tmp_path)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["already_there"] == 0
        file.write_text(json.dumps({**header, "finished": False}) + "\nwhat\n")
        assert "damaged" in finish([*command, "--resume"], tmp_path).stderr
    assert held.held == WHOLE


BIG_SERIES, BIG_STEPS = 1000, 2016
BIG = f"host=h{{1..{BIG_SERIES}}}"


def count(server: Server) -> int:
    window = f"{BIG_STEPS * 300 + 300}s"
    query = {"query": f"sum(count_over_time(m[{window}]))", "time": str(START + 300 * BIG_STEPS), "nocache": "1"}
    answer = httpx.get(f"{server.url}/api/v1/query", params=query, timeout=60, trust_env=False).json()
    return int(answer["data"]["result"][0]["value"][1])


@pytest.mark.server
@pytest.mark.parametrize("lanes", ["auto", "4"])
def test_prometheus_killed_twice_in_the_middle(lanes: str, tmp_path: Path) -> None:
    """kill -9 of the receiver: the push waits for it, and what it had acknowledged is there."""
    with start_prometheus(tmp_path / "data") as server:
        command = push_command(
            f"{server.url}/api/v1/write", f"--concurrency={lanes}", "--json", labels=BIG, steps=BIG_STEPS
        )
        pushing = start_push(command, tmp_path)
        for share in (0.25, 0.5):
            wait_for_share(share, pushing, tmp_path)
            server = restart(server, server.kill)
        out, err = pushing.communicate(timeout=300)
        assert pushing.returncode == 0, err
        facts = json.loads(out)
        assert facts["written"] == BIG_SERIES * BIG_STEPS
        assert facts["retries"] > 1
        try:
            assert count(server) == BIG_SERIES * BIG_STEPS
        finally:
            server.stop()


@pytest.mark.server
def test_victoriametrics_stopped_in_the_middle(tmp_path: Path) -> None:
    """SIGTERM, with deduplication, as its own documentation advises: whole, each sample once."""
    with start_victoriametrics(tmp_path / "data", "-dedup.minScrapeInterval=1ms") as server:
        command = push_command(f"{server.url}/api/v1/write", "--json", labels=BIG, steps=BIG_STEPS)
        pushing = start_push(command, tmp_path)
        wait_for_share(0.4, pushing, tmp_path)
        server = restart(server, server.stop, "-dedup.minScrapeInterval=1ms")
        out, err = pushing.communicate(timeout=300)
        assert pushing.returncode == 0, err
        assert json.loads(out)["retries"] > 0
        try:
            httpx.get(f"{server.url}/internal/force_flush", trust_env=False)
            assert count(server) == BIG_SERIES * BIG_STEPS
        finally:
            server.stop()


def wait_for_share(share: float, pushing: subprocess.Popen[str], folder: Path) -> None:
    """Until this share of the windows is acknowledged, as the checkpoint tells: however fast the machine is."""
    for _ in range(60_000):
        assert pushing.poll() is None, "the push was over before its middle"
        for file in folder.glob(".promfill/*.json"):
            header, *lines = file.read_text().split("\n")
            plan = json.loads(header)["plan"]
            if plan and len(lines) > share * plan["slices"] * -(-BIG_STEPS // plan["steps"]):
                return
        time.sleep(0.002)
    pytest.fail("the push does not go on")


def restart(server: Server, end: Callable[[], int], *flags: str) -> Server:
    """End it, wait a while, and start it again at the same address and on the same data."""
    arguments = server.process.args
    assert isinstance(arguments, list)
    end()
    time.sleep(0.5)
    ready = "/-/ready" if server.name == "prometheus" else "/health"
    return launch(server.name, server.port, server.data, [*map(str, arguments)], ready)


def test_threads_end_with_the_push() -> None:
    """Nothing of ours goes on behind it."""
    before = set(threading.enumerate())  # other tests may have left some
    with rules_behind_a_socket(PrometheusRules(), lambda _: None) as receiver:
        from promfill.net.http import make_client
        from promfill.net.resolve import build_destination
        from promfill.pipeline.push import push
        from promfill.sinks.remote_write.plan import Limits
        from promfill.sinks.remote_write.sink import Sending, open_remote_write

        destination = build_destination(receiver.url, environment={})
        sending = Sending(limits=Limits(samples=100), lanes=3)
        push(SOURCE, open_remote_write(SOURCE, lambda: make_client(destination), sending))
        ours = [it for it in set(threading.enumerate()) - before if it.name.startswith(("lane", "deadline"))]
        for thread in ours:
            thread.join(10)
        assert not [thread for thread in ours if thread.is_alive()]
