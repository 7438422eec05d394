from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from promfill.codecs.openmetrics.reader import PADDING
from promfill.errors import InputError
from promfill.promtool.text_pieces import TextPieces, open_text

TEXT = b"".join(b"line %d\n" % number for number in range(500))


def pieces_of(text: TextPieces) -> list[bytes]:
    pieces = []
    for buffer, size in text:
        assert buffer.size >= size + PADDING
        pieces.append(buffer[:size].tobytes())
    return pieces


@pytest.mark.parametrize("piece", [1, 7, 64, 1_000, 1 << 20])
@pytest.mark.parametrize("end", [b"", b"no newline"])
def test_pieces_are_whole_lines(piece: int, end: bytes) -> None:
    pieces = pieces_of(TextPieces(io.BytesIO(TEXT + end), "text", piece))
    assert b"".join(pieces) == TEXT + end
    assert all(one.endswith(b"\n") for one in pieces[: len(pieces) - bool(end)])


def test_a_line_longer_than_many_pieces() -> None:
    text = b"short\n" + b"x" * 100_000 + b"\nshort\n"
    assert b"".join(pieces_of(TextPieces(io.BytesIO(text), "text", 100))) == text


def test_an_empty_text_has_no_piece() -> None:
    assert pieces_of(TextPieces(io.BytesIO(b""), "text")) == []


def test_files_tell_their_size_and_position(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    with open_text(str(path)) as text:
        assert (text.size, text.position) == (len(TEXT), 0)
        assert b"".join(pieces_of(text)) == TEXT
        assert text.position == len(TEXT)


@pytest.mark.parametrize("piece", [1, 100, 1 << 20])
def test_gzip_is_known_by_its_first_bytes(piece: int, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(gzip.compress(TEXT[:2_000]) + gzip.compress(TEXT[2_000:]))
    with open_text(str(path), piece) as text:
        assert b"".join(pieces_of(text)) == TEXT
        assert text.position == text.size == path.stat().st_size


@pytest.mark.parametrize("damage", ["cut", "flipped", "head only"])
def test_damaged_gzip(damage: str, tmp_path: Path) -> None:
    data = bytearray(gzip.compress(TEXT))
    if damage == "flipped":
        data[len(data) // 2] ^= 0x55
    path = tmp_path / "text.gz"
    path.write_bytes(data[: {"cut": len(data) - 20, "head only": 2}.get(damage)])
    with open_text(str(path)) as text, pytest.raises(InputError, match=r"text\.gz is not a complete gzip file: "):
        pieces_of(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"cannot read .*missing: No such file or directory"),
        open_text(str(tmp_path / "missing")),
    ):
        pass
    with pytest.raises(InputError, match=r"cannot read .*: Is a directory"), open_text(str(tmp_path)):
        pass


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(TEXT)

    monkeypatch.setattr("sys.stdin", Input)
    with open_text("-", 100) as text:
        assert text.size is None
        assert b"".join(pieces_of(text)) == TEXT


def test_a_piece_is_an_array_of_bytes() -> None:
    buffer, size = next(iter(TextPieces(io.BytesIO(TEXT), "text")))
    assert buffer.dtype == np.dtype(np.uint8)
    assert size == len(TEXT)
