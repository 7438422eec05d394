"""What failed below HTTP shows no secret."""

from __future__ import annotations

import pytest

from promfill.net.destination import Destination, HttpConfig, Secret, TokenAuth
from promfill.net.http import NoAnswerError, make_client
from tests.support.receiver import Answer, Receiver


@pytest.mark.parametrize("token", ["two\nlines", "blank-at-its-end "])
def test_a_header_that_cannot_be_sent_is_not_shown(token: str) -> None:
    with Receiver() as receiver:
        destination = Destination(receiver.url, http=HttpConfig(auth=TokenAuth(Secret(token))))
        with make_client(destination) as client, pytest.raises(NoAnswerError) as error:
            client.request("GET")
    assert "check the credentials" in str(error.value)
    assert token.split()[0] not in str(error.value)


def test_an_answer_that_stands_still_names_the_time_that_it_had() -> None:
    """A large upload may take long as a whole; how long nothing may move is the client's own time."""
    with Receiver(lambda _: Answer(200, pause=1)) as receiver:
        destination = Destination(receiver.url)
        with make_client(destination, 0.05) as client, pytest.raises(NoAnswerError, match=r"within 0\.05 s"):
            client.request("POST", content=b"a", timeout=3600)
