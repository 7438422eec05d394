"""A CDO on loopback: the documented route, its token check, and failures as they come.

with Cdo(stack="http://127.0.0.1:9") as cdo:
    …                      # cdo.url, cdo.asked
"""

from __future__ import annotations

import json
from typing import Any, Self

from tests.support.receiver import Answer, Receiver, Taken

TOKEN = "t0k3n-of-cdo-7hx"
USER = 1234567
PASSWORD = "p4ssw0rd-of-gcm-9qz"
PATH = "/api/platform/ai-ops-tenant-services/v2/timeseries-stack"


class Cdo:
    """Answers with the stack, or first with each of `answers`; `fields` replaces fields of a good answer."""

    def __init__(self, stack: str = "http://127.0.0.1:9", *answers: Answer, **fields: Any) -> None:
        self.document = {
            "hmInstancePromUrl": stack,
            "hmInstancePromId": USER,
            "prometheusToken": PASSWORD,
            **fields,
        }
        self._answers = list(answers)
        self._receiver = Receiver(self._answer)
        self.asked = self._receiver.taken
        self.url = f"http://127.0.0.1:{self._receiver.port}"

    def __enter__(self) -> Self:
        self._receiver.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._receiver.__exit__()

    def _answer(self, taken: Taken) -> Answer:
        if self._answers:
            return self._answers.pop(0)
        if (taken.method, taken.path) != ("GET", PATH):
            return Answer(404, b"not found")
        if taken.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, b'{"message":"Unauthorized"}')
        body = {name: value for name, value in self.document.items() if value is not None}
        return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})
