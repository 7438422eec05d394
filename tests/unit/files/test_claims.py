"""Who may write a file: one run at a time, whoever ends how."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from promfill.errors import InputError
from promfill.files.checkpoint import Checkpoint
from promfill.files.claims import claim_file, refuse_claimed, release_file

HOLD = """
import sys
from pathlib import Path
from promfill.files.claims import claim_file
claim_file(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.json"


def test_one_at_a_time(path: Path) -> None:
    held = claim_file(path)
    assert held is not None
    for refused in (claim_file, refuse_claimed):
        with pytest.raises(InputError, match=r"run\.json belongs to a run of this command that is still running"):
            refused(path)
    release_file(path, held)
    assert not list(path.parent.iterdir())
    refuse_claimed(path)
    again = claim_file(path)
    assert again is not None
    release_file(path, again)


def test_a_killed_run_holds_nothing(path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError):
            claim_file(path)
        other.kill()
    assert path.with_name("run.json.lock").exists()
    refuse_claimed(path)
    held = claim_file(path)
    assert held is not None
    release_file(path, held)
    assert not list(path.parent.iterdir())


def test_a_checkpoint_that_has_changed_since_is_not_claimed(path: Path) -> None:
    ours, theirs = (Checkpoint(path, "name", 1, end) for end in (2, 3))
    theirs.save()
    seen = Checkpoint.load(path)
    theirs.append("0 17")
    theirs.close()
    for before in (None, seen):
        with pytest.raises(InputError, match="another run has written"):
            ours.claim(before)
    held = ours.claim(Checkpoint.load(path))
    assert held is not None
    with pytest.raises(InputError, match="still running"):
        theirs.claim(Checkpoint.load(path))
    release_file(path, held)
