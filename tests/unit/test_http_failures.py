"""What failed below HTTP shows no secret."""

from __future__ import annotations

import pytest

from promfill.destination import Destination, HttpConfig, Secret, TokenAuth
from promfill.http import NoAnswerError, make_client
from tests.support.receiver import Receiver


@pytest.mark.parametrize("token", ["two\nlines", "blank-at-its-end "])
def test_a_header_that_cannot_be_sent_is_not_shown(token: str) -> None:
    with Receiver() as receiver:
        destination = Destination(receiver.url, http=HttpConfig(auth=TokenAuth(Secret(token))))
        with make_client(destination) as client, pytest.raises(NoAnswerError) as error:
            client.request("GET")
    assert "mend the credentials" in str(error.value)
    assert token.split()[0] not in str(error.value)
