"""The command line in this process: its exit code and what it said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from promfill.cli import run

START, END = "1702800000", "1702886400"  # a day
PUSH = ("push", "--metric-name", "vpn", "--start", START, "--end", END)


@dataclass(frozen=True)
class Result:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object on stdout."""
        value: dict[str, Any] = json.loads(self.out)
        return value


Promfill = Callable[..., Result]


def runner(capsys: pytest.CaptureFixture[str]) -> Promfill:
    """A function that runs ``promfill`` with its arguments."""

    def promfill(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(arguments)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return promfill
