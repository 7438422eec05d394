"""Targets: checked where they are built, printed without secrets, and what the operations are told of them."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import pickle
from pathlib import Path
from typing import Any

import pytest

import promfill as pf
from promfill.operations.settings import BlocksTarget, OpenMetricsTarget, RemoteWriteTarget

ANY: Any = pf  # wrong types, too
URL = "http://127.0.0.1:9090/api/v1/write"

PRINTED = {
    "Blocks('data', duration='1d')": pf.Blocks("data"),
    "Blocks('a/b', duration='2h', upload=Mimir('http://m', tenant='t'))": pf.Blocks(
        Path("a/b"), duration=dt.timedelta(hours=2), upload=pf.Mimir("http://m", tenant="t", token="hidden-token")
    ),
    f"RemoteWrite('{URL}')": pf.RemoteWrite(URL, auth=("user", "hidden-password")),
    f"RemoteWrite('{URL}?…', tenant='a')": pf.RemoteWrite(
        "http://user:hidden-password@127.0.0.1:9090/api/v1/write?key=hidden-key", tenant="a"
    ),
    "Store('http://127.0.0.1:9090')": pf.Store("http://127.0.0.1:9090", headers={"X-Key": "hidden-header"}),
    "OpenMetrics('text')": pf.OpenMetrics("text"),
}


@pytest.mark.parametrize("printed", PRINTED)
def test_a_target_prints_in_one_line_without_its_secrets(printed: str) -> None:
    assert repr(PRINTED[printed]) == str(PRINTED[printed]) == printed
    assert "hidden" not in printed


@pytest.mark.parametrize("target", PRINTED.values(), ids=str)
def test_targets_are_equal_hashed_copied_and_pickled_by_value(target: Any) -> None:
    assert pickle.loads(pickle.dumps(target)) == target == copy.deepcopy(target) == dataclasses.replace(target)
    assert len({target, copy.deepcopy(target)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        target.directory = "other"


def test_targets_with_other_secrets_differ() -> None:
    assert pf.RemoteWrite(URL, token="a") != pf.RemoteWrite(URL, token="b")
    assert pf.RemoteWrite(URL, headers={"a": "b"}) != pf.RemoteWrite(URL, headers={"a": "c"})
    assert ANY.RemoteWrite(URL) != pf.Store(URL)


def test_the_operations_are_told_every_setting() -> None:
    target = pf.RemoteWrite(
        URL,
        auth=("user", "password"),
        tenant="a",
        headers={"X-Key": "value: more"},
        tls=pf.Tls(ca="ca.pem", cert="c.pem", key="k.pem", insecure=True),
        timeout="7s",
        protocol="1.0",
        concurrency=3,
        max_samples_per_send=100,
        max_bytes_per_send=1000,
        rate_limit=5,
        order="any",
        on_reject="skip",
        retry_for=dt.timedelta(minutes=1),
    )._target(1)
    assert isinstance(target, RemoteWriteTarget)
    server, who = target.server, target.server.credentials
    assert (server.url, server.timeout) == (URL, 7.0)
    assert (who.username, who.password and who.password.reveal(), who.bearer_token) == ("user", "password", None)
    assert (who.tenant, who.headers) == ("a", ("X-Key: value: more",))
    tls = (who.tls_ca, who.tls_cert, who.tls_key, who.tls_insecure)
    assert tls == (Path("ca.pem"), Path("c.pem"), Path("k.pem"), True)
    sending = (target.protocol, target.lanes, target.max_samples, target.max_bytes, target.rate_limit, target.order)
    assert sending == ("1.0", 3, 100, 1000, 5, "any")
    assert (target.skip_rejected, target.retry_for) == (True, 60.0)


def test_defaults_are_those_of_the_operations() -> None:
    ours = pf.RemoteWrite(URL)._target(1)
    assert ours == RemoteWriteTarget(ours.server)
    assert pf.Blocks("data")._target(1) == BlocksTarget(Path("data"))
    assert pf.OpenMetrics("utils")._target(1) == OpenMetricsTarget()
    assert pf.Blocks("data")._target(5).workers == pf.OpenMetrics("t")._target(5).workers == 5


def test_a_user_and_password_in_the_address_are_credentials() -> None:
    server = pf.RemoteWrite("http://user:pass%20word@127.0.0.1/push")._target(1).server
    who = server.credentials
    assert (server.url, who.username, who.password and who.password.reveal()) == (
        "http://127.0.0.1/push",
        "user",
        "pass word",
    )


def test_an_upload_is_told_with_its_server() -> None:
    target = pf.Blocks("data", upload=pf.Mimir("http://m/", concurrency=2, retry_for="1m"), keep=True)._target(1)
    assert target.upload
    assert (target.upload.server.url, target.upload.lanes, target.upload.retry_for) == ("http://m/", 2, 60.0)
    assert target.upload.keep
    assert pf.Blocks("data", upload="http://m") == pf.Blocks("data", upload=pf.Mimir("http://m"))


@pytest.mark.parametrize(
    ("build", "field", "words"),
    [
        (lambda: ANY.RemoteWrite("127.0.0.1:9090"), "url", "http://"),
        (lambda: ANY.RemoteWrite("ftp://a/b"), "url", "http://"),
        (lambda: ANY.RemoteWrite("http://"), "url", "URL"),
        (lambda: ANY.RemoteWrite(None), "url", "text"),
        (lambda: ANY.RemoteWrite(URL, auth="user:secret"), "auth", "(user, password)"),
        (lambda: ANY.RemoteWrite(URL, auth=("user", 3)), "auth", "(user, password)"),
        (lambda: ANY.RemoteWrite(URL, auth=("us:er", "secret")), "auth", "colon"),
        (lambda: ANY.RemoteWrite(URL, auth=("user", "")), "auth", "empty"),
        (lambda: ANY.RemoteWrite("http://u:p@a/b", auth=("user", "secret")), "auth", "exclude"),
        (lambda: ANY.RemoteWrite("http://u:p@a/b", token="secret"), "token", "exclude"),
        (lambda: ANY.RemoteWrite("http://u@a/b"), "auth", "password"),
        (lambda: ANY.RemoteWrite(URL, auth=("user", "secret"), token="secret"), "token", "exclude"),
        (lambda: ANY.RemoteWrite(URL, token="sec\nret"), "token", "one line"),
        (lambda: ANY.RemoteWrite(URL, token=b"secret"), "token", "bytes"),
        (lambda: ANY.RemoteWrite(URL, token=""), "token", "empty"),
        (lambda: ANY.RemoteWrite(URL, tenant="a\nb"), "tenant", "one line"),
        (lambda: ANY.RemoteWrite(URL, headers=["a"]), "headers", "mapping"),
        (lambda: ANY.RemoteWrite(URL, headers={"a": 1}), "headers", "texts"),
        (lambda: ANY.RemoteWrite(URL, headers={"a b": "c"}), "headers", "Name: value"),
        (lambda: ANY.RemoteWrite(URL, headers={"Host": "c"}), "headers", "itself"),
        (lambda: ANY.RemoteWrite(URL, headers={"a": "secret\nb: c"}), "headers", "single line"),
        (lambda: ANY.RemoteWrite(URL, headers={"authorization": "secret"}, token="t"), "headers", "Authorization"),
        (lambda: ANY.RemoteWrite(URL, headers={"x-scope-orgid": "b"}, tenant="a"), "headers", "tenant"),
        (lambda: ANY.RemoteWrite(URL, tls=True), "tls", "pf.Tls"),
        (lambda: ANY.RemoteWrite(URL, timeout=0), "timeout", "above 0"),
        (lambda: ANY.RemoteWrite(URL, timeout="5"), "timeout", '"5s"'),
        (lambda: ANY.RemoteWrite(URL, protocol="3.0"), "protocol", "auto, 1.0 or 2.0"),
        (lambda: ANY.RemoteWrite(URL, order="x"), "order", "auto, time or any"),
        (lambda: ANY.RemoteWrite(URL, on_reject="x"), "on_reject", "fail or skip"),
        (lambda: ANY.RemoteWrite(URL, concurrency=0), "concurrency", "1 to 256"),
        (lambda: ANY.RemoteWrite(URL, max_samples_per_send=0), "max_samples_per_send", "0"),
        (lambda: ANY.RemoteWrite(URL, max_bytes_per_send=1 << 30), "max_bytes_per_send", str(32 << 20)),
        (lambda: ANY.RemoteWrite(URL, rate_limit=0), "rate_limit", "above 0"),
        (lambda: ANY.RemoteWrite(URL, retry_for="x"), "retry_for", "'x'"),
        (lambda: ANY.Tls(cert="a.pem"), "tls.key", "both"),
        (lambda: ANY.Tls(key="a.pem"), "tls.cert", "both"),
        (lambda: ANY.Tls(ca=""), "tls.ca", "path"),
        (lambda: ANY.Tls(insecure="no"), "tls.insecure", "True or False"),
        (lambda: ANY.Mimir("http://m?a=b"), "url", "without a query"),
        (lambda: ANY.Blocks(""), "directory", "path"),
        (lambda: ANY.Blocks(None), "directory", "None"),
        (lambda: ANY.Blocks("data", duration="0h"), "duration", "above 0"),
        (lambda: ANY.Blocks("data", duration="2"), "duration", '"2m"'),
        (lambda: ANY.Blocks("data", upload=3), "upload", "pf.Mimir"),
        (lambda: ANY.Blocks("data", keep=True), "keep", "upload"),
        (lambda: ANY.OpenMetrics(""), "directory", "path"),
    ],
)
def test_a_wrong_value_is_an_input_error_with_its_field(build: Any, field: str, words: str) -> None:
    with pytest.raises(pf.InputError) as caught:
        build()
    assert caught.value.field == field
    assert words in str(caught.value)
    assert "--" not in str(caught.value)
    assert "secret" not in str(caught.value)
