from promfill.codecs.block.tombstones import EMPTY_TOMBSTONES
from tests.support.golden import FOLDER

(GOLDEN,) = (FOLDER / "block_floats").iterdir()


def test_the_empty_file_is_the_golden_one() -> None:
    assert (GOLDEN / "tombstones").read_bytes() == EMPTY_TOMBSTONES
