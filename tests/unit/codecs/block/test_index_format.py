import pytest

from promfill.codecs.block.index_format import HEADER, TableOfContents, be32, padding
from promfill.errors import InputError
from tests.support.golden import FOLDER

(GOLDEN,) = (FOLDER / "block_floats").iterdir()
INDEX = (GOLDEN / "index").read_bytes()


def test_header_and_contents_are_those_of_the_golden_index() -> None:
    assert INDEX.startswith(HEADER)
    contents = TableOfContents(5, 360, 1096, 2020, 1096, 2020)
    assert contents.encode() == INDEX[-52:]


@pytest.mark.parametrize(("number", "encoded"), [(0, "00000000"), (258, "00000102"), (2**32 - 1, "ffffffff")])
def test_four_bytes(number: int, encoded: str) -> None:
    assert be32(number).hex() == encoded


def test_a_section_too_long_for_four_bytes() -> None:
    with pytest.raises(InputError, match="4 GiB"):
        be32(2**32)


@pytest.mark.parametrize(("position", "align", "size"), [(0, 16, 0), (1, 16, 15), (16, 16, 0), (17, 4, 3)])
def test_padding(position: int, align: int, size: int) -> None:
    assert padding(position, align) == bytes(size)
