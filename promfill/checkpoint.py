"""What a run has done so far, on disk: ``.promfill/<run>.json``, so that ``--resume`` can go on after anything.

    checkpoint = Checkpoint(path, run, start, end)
    checkpoint.done["complete"] = [...]
    checkpoint.save()

One file a run, replaced whole: a crash leaves the one before. It holds no secret. What `plan` and `done` mean is the
mode's own affair; the rest is common.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from promfill.errors import InputError, OutputError

FOLDER = Path(".promfill")
VERSION = 1


@dataclass(slots=True)
class Checkpoint:
    """The state of one run.

    run: a hash of the options as typed and the destination. start, end: what they resolved to, Unix ms.
    fingerprint: the noise's first values: a resumed run must draw the same. finished: nothing is left to do.
    """

    path: Path
    run: str
    start: int
    end: int
    fingerprint: list[float] = field(default_factory=list)
    plan: dict[str, Any] = field(default_factory=dict)
    done: dict[str, Any] = field(default_factory=dict)
    finished: bool = False

    def save(self) -> None:
        """Write it, so that it is there after a power cut. OutputError where that cannot be."""
        document = {"version": VERSION, **{name: value for name, value in asdict(self).items() if name != "path"}}
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                json.dump(document, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError as error:
            raise OutputError(f"cannot write the checkpoint {self.path}: {error.strerror or error}") from error

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The checkpoint there; None where there is none. InputError where it cannot be read."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            version = document.pop("version")
            if version != VERSION:
                raise InputError(
                    f"the checkpoint {path} is of version {version}: resume it with the promfill that wrote it"
                )
            return cls(path=path, **document)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"the checkpoint {path} cannot be read: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InputError(f"the checkpoint {path} is damaged: remove it to begin anew") from None


def run_name(typed: Mapping[str, Any]) -> str:
    """The name of a run: a hash of its options as they were typed. No secret may be among them."""
    text = json.dumps(typed, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
