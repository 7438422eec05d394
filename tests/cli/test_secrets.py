"""No secret is ever seen: every mode, with a known secret in every place that a secret can be.

Searched: the arguments of every process that a run starts (/proc), all its output at every verbosity, and every file
that it leaves or has while it runs. The one exception is the user's own script, whose contract is the password as an
argument.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.cdo import PASSWORD as CDO_PASSWORD
from tests.support.cdo import TOKEN as CDO_TOKEN
from tests.support.cdo import Cdo
from tests.support.cli import PUSH
from tests.support.mimir import Mimir
from tests.support.receiver import Answer, Receiver, Taken

ROOT = Path(__file__).parents[2]
SECRETS = {
    "file": "s3cret-of-the-file-1q",
    "variable": "s3cret-of-a-variable-2w",
    "bearer": "s3cret-of-the-bearer-3e",
    "header": "s3cret-of-a-header-4r",
    "url": "s3cret-of-the-url-5t",
    "query": "s3cret-of-a-query-6y",
    "config": "s3cret-of-the-config-7u",
}
ALL = (*SECRETS.values(), CDO_TOKEN, CDO_PASSWORD)

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")


class Watch:
    """Reads the arguments of all processes below one, and the files below a folder, until it is told to stop."""

    def __init__(self, folder: Path, given: set[Path]) -> None:
        self.folder, self.given = folder, given
        self.leaks: set[str] = set()
        self.arguments: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.search_files()

    def _look(self) -> None:
        while not self._over.wait(0.002):
            self.search_arguments()
            self.search_files()

    def search_arguments(self) -> None:
        ours = {os.getpid()}
        for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (OSError, ValueError, IndexError):
                continue
            if parent in ours:
                ours.add(int(entry.name))
                self.arguments.add(line)
                self.leaks |= {f"argv: {line}" for secret in ALL if secret in line}

    def search_files(self) -> None:
        # os.walk passes over what vanishes meanwhile
        for path in (Path(folder) / name for folder, _, names in os.walk(self.folder) for name in names):
            if path in self.given:
                continue
            try:
                data = path.read_bytes()
            except OSError:
                continue
            self.leaks |= {f"file: {path}" for secret in ALL if secret.encode() in data}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    (folder / "password").write_text(SECRETS["file"])
    (folder / "token").write_text(SECRETS["bearer"])
    (folder / "http.yml").write_text(f"authorization: {{credentials: {SECRETS['config']}}}\n")
    return folder


def run(work: Path, *words: str, code: int = 0, **variables: str) -> Watch:
    """Run promfill at its most talkative, and fail on the first secret that is seen anywhere."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PROMFILL_", "CDO_"))}
    environment |= {"PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT)), "TMPDIR": str(work / "tmp"), **variables}
    (work / "tmp").mkdir(exist_ok=True)
    given = {work / name for name in ("password", "token", "http.yml", ".env")}
    command = [sys.executable, "-m", "promfill", *words]
    watch = Watch(work, given)
    with watch:
        # Secrets that are given on the command line reach it through a file: what is searched is promfill's children.
        (work / "tmp" / "words").write_text(json.dumps(command))
        given.add(work / "tmp" / "words")
        starter = "import json, runpy, sys; sys.argv = json.load(open(sys.argv[1]))[2:]"
        starter += "; runpy.run_module('promfill', run_name='__main__')"
        done = subprocess.run(
            [sys.executable, "-c", starter, str(work / "tmp" / "words")],
            cwd=work,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == code, done.stderr
    said = done.stdout + done.stderr
    assert [secret for secret in ALL if secret in said] == [], said
    assert watch.leaks == set()
    return watch


PLACES = {
    "password file": (("--username", "me", "--password-file", "password"), {}),
    "password variable": (("--username", "me"), {"PROMFILL_PASSWORD": SECRETS["variable"]}),
    "bearer file": (("--bearer-token-file", "token"), {}),
    "bearer variable": ((), {"PROMFILL_BEARER_TOKEN": SECRETS["bearer"]}),
    "header": (("--header", f"X-Api-Key: {SECRETS['header']}"), {}),
    "config file": (("--http.config.file", "http.yml"), {}),
    "URL": ((), {}),
}


def echo(taken: Taken) -> Answer:
    """A server that says back all that it was told, credentials in the clear among it."""
    words = [taken.path, *taken.headers.values()]
    scheme, _, credentials = taken.headers.get("authorization", "").partition(" ")
    words += [base64.b64decode(credentials).decode()] if scheme == "Basic" else []
    return Answer(400, " ".join(words).encode())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mode", ["remote-write", "upload"])
def test_credentials_of_a_server(work: Path, tmp_path: Path, mode: str, place: str) -> None:
    words, variables = PLACES[place]
    with Receiver(echo) as receiver:
        address = f"127.0.0.1:{receiver.port}"
        user = f"me:{SECRETS['url']}@" if place == "URL" else ""
        query = f"?token={SECRETS['query']}" if place == "URL" and mode == "remote-write" else ""
        option = "--remote-write-url" if mode == "remote-write" else "--upload"
        to = ("--mode", "remote-write", "--accept-loss") if mode == "remote-write" else ()
        run(work, *PUSH, "-v", *to, option, f"http://{user}{address}/{query}", *words, code=3, **variables)
        assert receiver.taken
    assert mode != "upload" or list((work / ".promfill").glob("*.json"))


@pytest.mark.parametrize("mode", ["blocks", "remote-write", "script"])
@pytest.mark.parametrize("good", [True, False])
def test_cdo(work: Path, tmp_path: Path, mode: str, good: bool) -> None:
    with Mimir(tmp_path / "bucket") as mimir, Receiver() as receiver:
        stack = receiver.url.removesuffix("/api/v1/write") if mode == "remote-write" else mimir.url
        with Cdo(stack, *([] if good else [Answer(400, f"Bearer {CDO_TOKEN}".encode())])) as cdo:
            (work / ".env").write_text(f"ENV=scale\nCDO_TOKEN={CDO_TOKEN}\nCDO_BASE_URL={cdo.url}\n")
            loss = ("--accept-loss",) if mode == "remote-write" else ()
            watch = run(work, *PUSH, "-v", "--mode", mode, *loss, code=0 if good else 3)
        if good:
            assert cdo.asked
            assert mimir.completed if mode != "remote-write" else receiver.taken
    if mode == "script" and good:
        assert any("backfill.sh" in line for line in watch.arguments)  # the watch does see children


def test_the_go_tools_get_no_password_as_an_argument(work: Path) -> None:
    utils = work / "utils"
    utils.mkdir()
    for name, body in (("promtool", 'for last; do :; done; mkdir "$last/A"; sleep 0.2'), ("mimirtool", "sleep 0.2")):
        (utils / name).write_text(f"#!/bin/sh\n{body}\n")
        (utils / name).chmod(0o755)
    to = ("--remote-write-url", "http://127.0.0.1:9", "--username", "me", "--password-file", "password")
    watch = run(work, *PUSH, "-v", "--mode", "script", *to)
    assert any("mimirtool backfill" in line for line in watch.arguments)


def test_config_prints_none(work: Path) -> None:
    (work / ".env").write_text(f"CDO_TOKEN={CDO_TOKEN}\nENV=scale\nPROMFILL_PASSWORD={SECRETS['variable']}\n")
    url = f"https://me:{SECRETS['url']}@a.example.com/?t={SECRETS['query']}"
    run(work, "config", "--upload", url, "--header", f"A: {SECRETS['header']}", PROMFILL_BEARER_TOKEN=SECRETS["bearer"])
