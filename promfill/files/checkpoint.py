"""The state of a run on disk, ``.promfill/<run>.json``, so that the run can be resumed after any failure.

    checkpoint = Checkpoint(path, run, start, end)
    checkpoint.done["complete"] = [...]
    checkpoint.save()
    checkpoint.append("3 17")

One file per run, replaced atomically: after a crash the previous version is still there. Frequent updates are appended
as lines after the first one; an incomplete last line is ignored. The file holds no secrets. Each mode decides what
`plan`, `done` and the lines mean; the rest is common to all modes.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from errno import ENOSPC
from pathlib import Path
from typing import Any, Self

from promfill.errors import InputError, OutputError, setting
from promfill.files.claims import claim_file, release_file
from promfill.files.directory import sync_directory

FOLDER = Path(".promfill")
VERSION = 1
SYNC_SECONDS = 1.0
"""How long an appended line may stay unsynced: it survives the end of this process, but not a power cut."""
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync
_KEPT_ELSEWHERE = ("path", "lines", "_file", "_synced")


@dataclass(slots=True)
class Checkpoint:
    """The state of one run.

    run: a hash of the options as typed and the destination. start, end: the resolved times, Unix ms.
    fingerprint: the first values of the noise: a resumed run must draw the same. finished: nothing is left to do.
    options: the options of the push as typed. lines: the appended lines when it was loaded; `save` drops them.
    """

    path: Path
    run: str
    start: int
    end: int
    fingerprint: list[float] = field(default_factory=list)
    plan: dict[str, Any] = field(default_factory=dict)
    done: dict[str, Any] = field(default_factory=dict)
    finished: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    _file: int | None = None
    _synced: float = 0.0

    def save(self) -> None:
        """Write the file durably, so that it survives a power cut. OutputError if that fails."""
        kept = {name: value for name, value in asdict(self).items() if name not in _KEPT_ELSEWHERE}
        document = {"version": VERSION, **kept}
        self.close()
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                json.dump(document, file, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
            sync_directory(self.path.parent)  # until then a power cut may undo the rename, and lose appended lines
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise self._cannot(error) from error
        self.lines = ()

    def claim(self, seen: Checkpoint | None) -> int | None:
        """Lock the file for this run; returns what `claims.claim_file` does. seen: the checkpoint when this run began.

        InputError: another run is writing it, or has written it since. OutputError as `save`.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            held = claim_file(self.path)
        except OSError as error:
            raise self._cannot(error) from error
        if Checkpoint.load(self.path) != seen:
            if held is not None:
                release_file(self.path, held)
            raise InputError(f"another run has written {self.path} since this command began", "run it again")
        return held

    def append(self, line: str) -> None:
        """Add a line to the file that `save` wrote; it survives the end of this process. OutputError as `save`."""
        try:
            if self._file is None:
                self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            text = f"{line}\n".encode()
            if os.write(self._file, text) != len(text):
                raise OSError(ENOSPC, os.strerror(ENOSPC))
            if time.monotonic() - self._synced > SYNC_SECONDS:
                _sync(self._file)
                self._synced = time.monotonic()
        except OSError as error:
            raise self._cannot(error) from error

    def close(self) -> None:
        """Sync the appended lines. OutputError as `save`."""
        if self._file is None:
            return
        descriptor, self._file = self._file, None
        try:
            _sync(descriptor)
        except OSError as error:
            raise self._cannot(error) from error
        finally:
            os.close(descriptor)

    def remove(self) -> None:
        """Delete the checkpoint, because the run has done nothing."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _cannot(self, error: OSError) -> OutputError:
        reason = error.strerror or error
        fix = f"free some disk space, or set another {setting('checkpoint')}"
        return OutputError(f"cannot write the checkpoint {self.path}: {reason}", fix)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The checkpoint at this path, None if there is none. InputError if it cannot be read."""
        try:
            first, *lines = path.read_text(encoding="utf-8").split("\n")
            document = json.loads(first)
            version = document.pop("version")
            if version != VERSION:
                raise InputError(
                    f"the checkpoint {path} has version {version}, and this promfill reads version {VERSION}",
                    "resume it with the promfill that wrote it",
                    field="checkpoint",
                )
            return cls(path=path, lines=tuple(lines[:-1]), **document)
        except FileNotFoundError:
            return None
        except OSError as error:
            fix = "check the path and its permissions"
            raise InputError(
                f"the checkpoint {path} cannot be read: {error.strerror}", fix, field="checkpoint"
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InputError(
                f"{path} is damaged, or not a checkpoint",
                "choose another file, or remove it to start over",
                field="checkpoint",
            ) from None


def run_name(typed: Mapping[str, Any]) -> str:
    """The name of a run: a hash of its options as they were typed. No secret may be among them."""
    text = json.dumps(typed, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
