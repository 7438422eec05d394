"""Real servers on loopback: started on a free port, waited for, and stopped by their own process id.

    with start_prometheus(folder) as prometheus:
        httpx.get(f"{prometheus.url}/api/v1/status/tsdb")

A test that needs one is marked ``@pytest.mark.server``. Where the program is missing the test is skipped with what
to install; where CI is set in the environment, it fails instead: a green run must not hide a server that was not there.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import pytest

READY_SECONDS = 60.0
STOP_SECONDS = 20.0
PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "victoria-metrics": "victoria-metrics",
    "vmagent": "victoria-metrics",
}
SCRAPES_NOTHING = "global: {}\n"


def require(binary: str) -> str:
    """The path of a program that the test cannot do without."""
    if path := shutil.which(binary):
        return path
    reason = f"{binary} is not in PATH: install it (Debian: apt-get install {PACKAGES.get(binary, binary)})"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def run_promtool(*args: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """promtool with these arguments; its exit code is the caller's to look at."""
    command = [require("promtool"), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def free_port() -> int:
    """A loopback port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running server. As a context manager it is stopped at the end, and shows its log where the block failed."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    data: Path
    log: Path
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            error.add_note(self.story())

    def stop(self) -> int:
        """SIGTERM, and after a while SIGKILL. The exit code; a server that has ended already keeps its own."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL, as a power cut would end it."""
        self.process.kill()
        return self.process.wait(STOP_SECONDS)

    def reload(self) -> None:
        """SIGHUP: read the configuration again."""
        self.process.send_signal(signal.SIGHUP)

    def story(self) -> str:
        """The end of the log."""
        lines = self.log.read_text(errors="replace").splitlines()[-40:]
        return "\n".join([f"--- {self.name}, exit code {self.process.poll()}, {self.log}:", *lines])

    def wait_ready(self, path: str) -> Self:
        """Return once `path` answers 200; a server that ends or stays silent fails the test with its log."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if answers(self.url + path):
                return self
            time.sleep(0.05)
        self.stop()
        pytest.fail(f"{self.name} did not get ready in {READY_SECONDS:g} s\n{self.story()}")


def answers(url: str) -> bool:
    """Whether a GET comes back with 200."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def launch(name: str, port: int, data: Path, command: Sequence[str], ready: str) -> Server:
    """Start the command with its log beside `data`, in a session of its own: the terminal's Ctrl-C is not for it."""
    data.mkdir(parents=True, exist_ok=True)
    log = data.with_name(f"{data.name}.{name}.{port}.log")
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    return Server(name, process, port, data, log).wait_ready(ready)


def start_prometheus(data_dir: Path, *flags: str, config: str = SCRAPES_NOTHING, retention: str = "100y") -> Server:
    """A Prometheus on `data_dir` that takes remote writes.

    config: the text of its configuration, ``{port}`` being its own port; by default it scrapes nothing at all.
    """
    data, port = Path(data_dir), free_port()
    binary = require("prometheus")
    data.mkdir(parents=True, exist_ok=True)
    config_file = data.with_name(f"{data.name}.prometheus.{port}.yml")
    config_file.write_text(config.replace("{port}", str(port)))
    command = [
        binary,
        f"--config.file={config_file}",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={retention}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        *flags,
    ]
    return launch("prometheus", port, data, command, "/-/ready")


def start_victoriametrics(data_dir: Path, *flags: str, retention: str = "100y") -> Server:
    """A single-node VictoriaMetrics on `data_dir`."""
    data, port = Path(data_dir), free_port()
    command = [
        require("victoria-metrics"),
        f"-storageDataPath={data}",
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-retentionPeriod={retention}",
        *flags,
    ]
    return launch("victoria-metrics", port, data, command, "/health")


def start_agent(data_dir: Path, store: str, *flags: str) -> Server:
    """A Prometheus agent on `data_dir` that takes remote writes and forwards them to the push address `store`."""
    data, port = Path(data_dir), free_port()
    binary = require("prometheus")
    data.mkdir(parents=True, exist_ok=True)
    config_file = data.with_name(f"{data.name}.agent.{port}.yml")
    config_file.write_text(f"global: {{scrape_interval: 15s}}\nremote_write: [{{url: '{store}'}}]\n")
    command = [
        binary,
        "--enable-feature=agent",
        f"--config.file={config_file}",
        f"--storage.agent.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        *flags,
    ]
    return launch("agent", port, data, command, "/-/ready")


def start_vmagent(data_dir: Path, store: str, *flags: str) -> Server:
    """A vmagent that forwards to the push address `store`, and keeps what waits in `data_dir`."""
    data, port = Path(data_dir), free_port()
    command = [
        require("vmagent"),
        f"-remoteWrite.url={store}",
        f"-remoteWrite.tmpDataPath={data}",
        f"-httpListenAddr=127.0.0.1:{port}",
        *flags,
    ]
    return launch("vmagent", port, data, command, "/health")
