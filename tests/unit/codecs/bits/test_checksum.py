import numpy as np
import pytest

from promfill.codecs.bits.checksum import crc32c, crc32c_many, crc32c_words

# RFC 3720, appendix B.4; the last is the check value of the catalogue of CRCs.
CHECKSUMS = [
    (b"", 0),
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(reversed(range(32))), 0x113FDB5C),
    (b"123456789", 0xE3069283),
]


@pytest.mark.parametrize(("data", "checksum"), CHECKSUMS)
def test_known_checksums(data: bytes, checksum: int) -> None:
    assert crc32c(data) == checksum
    assert crc32c(memoryview(data)) == checksum
    assert crc32c(np.frombuffer(data, np.uint8)) == checksum


def test_going_on() -> None:
    assert crc32c(b"6789", crc32c(b"12345")) == 0xE3069283


def test_many() -> None:
    buffer = np.frombuffer(b"".join(data for data, _ in CHECKSUMS), np.uint8)
    ends = np.cumsum([len(data) for data, _ in CHECKSUMS])
    starts = ends - [len(data) for data, _ in CHECKSUMS]
    checksums = crc32c_many(buffer, starts, ends)
    assert checksums.dtype == np.uint32
    assert checksums.tolist() == [checksum for _, checksum in CHECKSUMS]


def test_none() -> None:
    nothing = np.array([], np.int64)
    assert crc32c_many(b"", nothing, nothing).size == 0


def test_words() -> None:
    words = np.frombuffer(bytes(range(1, 65)) + b"\xff\0\x80\x7f", np.uint32)
    for head in (b"", b"\0\0\0\1"):
        checksums = crc32c_words(head, words)
        assert checksums.dtype == np.uint32
        assert checksums.tolist() == [crc32c(head + word.tobytes()) for word in words]
