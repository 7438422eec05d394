import pytest

from promfill.codecs.block.ulid import is_ulid, ulid, ulid_time

# The first time is the example of the ulid project's README, the last ULID the largest of the specification.
ULIDS = [
    (1469918176385, "01ARYZ6S41", "0" * 16, bytes(10)),
    (0, "0" * 10, "0000000000000001", bytes(9) + b"\1"),
    (32, "0000000010", "ZZZZZZZZZZZZZZZZ", b"\xff" * 10),
    (2**48 - 1, "7ZZZZZZZZZ", "ZZZZZZZZZZZZZZZZ", b"\xff" * 10),
]


@pytest.mark.parametrize(("time_ms", "head", "tail", "entropy"), ULIDS)
def test_ulids_both_ways(time_ms: int, head: str, tail: str, entropy: bytes) -> None:
    name = ulid(time_ms, entropy)
    assert name == head + tail
    assert is_ulid(name)
    assert ulid_time(name) == time_ms


@pytest.mark.parametrize(
    ("time_ms", "entropy", "message"),
    [(-1, bytes(10), "times from 0"), (2**48, bytes(10), "times from 0"), (0, bytes(9), "10 bytes of entropy, not 9")],
)
def test_what_a_ulid_cannot_hold(time_ms: int, entropy: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ulid(time_ms, entropy)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("01M86VBYCAGN0NVX0WYDKCAS21", True),
        ("01m86vbycagn0nvx0wydkcas21", True),
        ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", True),
        ("8ZZZZZZZZZZZZZZZZZZZZZZZZZ", False),
        ("01M86VBYCAGN0NVX0WYDKCAS2", False),
        ("01M86VBYCAGN0NVX0WYDKCAS211", False),
        ("01M86VBYCAGN0NVX0WYDKCAS2I", False),
        ("01M86VBYCAGN0NVX0WYDKCAS2U", False),
        ("01M86VBYCAGN0NVX0WYDKCAS2ſ", False),
        ("", False),
        ("wal", False),
    ],
)
def test_is_ulid(text: str, verdict: bool) -> None:
    assert is_ulid(text) is verdict


def test_time_of_what_is_none() -> None:
    with pytest.raises(ValueError, match="not a ULID: 'wal'"):
        ulid_time("wal")
