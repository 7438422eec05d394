"""Run ``promfill`` and kill -9 it at its n-th step towards the disk: python -m tests.support.killed_push N ARGUMENT…

A step is an open for writing, a mkdir, a rename, a removal or a sync. The steps are counted by the interpreter's own
audit events, so none that the code takes is forgotten. N = 0 kills nothing, and prints how many steps there were.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys

STEPS = {"os.mkdir", "os.rename", "os.rmdir", "os.remove", "shutil.rmtree", "os.truncate", "os.link", "os.chmod"}

counter = itertools.count(1)
last = 0


def step(deadly: int) -> None:
    global last
    last = next(counter)
    if last == deadly:
        os.kill(os.getpid(), signal.SIGKILL)


def main(deadly: int, arguments: list[str]) -> None:
    def hook(event: str, args: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if event in STEPS or writes:
            step(deadly)

    sync = os.fsync

    def counted_sync(descriptor: int) -> None:
        step(deadly)
        sync(descriptor)

    from promfill.cli import run

    os.fsync = counted_sync  # type: ignore[assignment]
    sys.addaudithook(hook)
    code = run(arguments)
    print(last, flush=True)
    os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
