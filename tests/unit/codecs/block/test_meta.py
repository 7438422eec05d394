import json
from typing import Any

import pytest

from promfill.codecs.block.meta import BlockMeta, BlockStats, decode_meta, encode_meta
from promfill.errors import FormatError
from tests.support.golden import FOLDER

(GOLDEN,) = (FOLDER / "block_floats").iterdir()

META = BlockMeta(
    ulid=GOLDEN.name,
    min_time=1700006317800,
    max_time=1700092500001,
    stats=BlockStats(samples=2307, series=19, chunks=30, float_samples=2307),
    sources=(GOLDEN.name,),
)


def golden_document(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / "meta.json").read_bytes())
    return {key: value for key, value in (document | changes).items() if value is not ...}


def test_the_golden_meta_both_ways() -> None:
    data = (GOLDEN / "meta.json").read_bytes()
    assert encode_meta(META) == data
    assert decode_meta(data) == META


def test_every_field_both_ways() -> None:
    other = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
    stats = BlockStats(6, 5, 4, float_samples=3, histogram_samples=2, tombstones=1)
    meta = BlockMeta(other, -5, 0, stats, level=3, sources=(GOLDEN.name, other), hints=("from-out-of-order",))
    assert decode_meta(encode_meta(meta)) == meta


def test_what_go_leaves_out() -> None:
    meta = BlockMeta(GOLDEN.name, 0, 1, BlockStats(0, 0, 0))
    document = json.loads(encode_meta(meta))
    assert document["stats"] == {}
    assert document["compaction"] == {"level": 1}
    assert decode_meta(encode_meta(meta)) == meta


def test_foreign_sections_and_fields_are_read_over() -> None:
    document = golden_document(thanos={"labels": {"a": "b"}}, out_of_order=False)
    document["compaction"] |= {"parents": [{"ulid": GOLDEN.name, "minTime": 0, "maxTime": 1}], "failed": True}
    document["stats"]["numFloatHistogramSamples"] = 1
    assert decode_meta(json.dumps(document).encode()) == META


def test_an_old_writer_without_stats() -> None:
    meta = decode_meta(json.dumps(golden_document(stats=..., compaction=None)).encode())
    assert meta.stats == BlockStats(0, 0, 0)
    assert (meta.level, meta.sources) == (0, ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "meta.json: version 2; only 1 can be read"),
        ({"version": ...}, "meta.json: version 0; only 1 can be read"),
        ({"minTime": ...}, "meta.json: no minTime"),
        ({"maxTime": "1"}, "meta.json: maxTime is not a 64-bit integer"),
        ({"maxTime": 1.5}, "meta.json: maxTime is not a 64-bit integer"),
        ({"maxTime": True}, "meta.json: maxTime is not a 64-bit integer"),
        ({"maxTime": 2**63}, "meta.json: maxTime is not a 64-bit integer"),
        ({"minTime": -(2**70)}, "meta.json: minTime is not a 64-bit integer"),
        ({"ulid": ...}, "meta.json: not a ULID: None"),
        ({"ulid": "wal"}, "meta.json: not a ULID: 'wal'"),
        ({"stats": [1]}, "meta.json: stats is not an object"),
        ({"stats": {"numSamples": -1}}, "meta.json: numSamples is negative"),
        ({"stats": {"numChunks": None}}, "meta.json: numChunks is not a 64-bit integer"),
        ({"compaction": "x"}, "meta.json: compaction is not an object"),
        ({"compaction": {"sources": {"a": 1}}}, "meta.json: sources is not a list"),
        ({"compaction": {"sources": [7]}}, "meta.json: not a ULID: 7"),
        ({"compaction": {"hints": [7]}}, "meta.json: a hint is not a string"),
    ],
)
def test_damaged_fields(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode_meta(json.dumps(golden_document(**changes)).encode())
    assert str(caught.value) == message


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"ulid": "\xff"}', b"[" * 100_000, b'{"version": NaN}'])
def test_what_is_not_json(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^meta\.json: not JSON: "):
        decode_meta(data)


def test_json_that_is_no_object() -> None:
    with pytest.raises(FormatError, match="not a JSON object"):
        decode_meta(b"[1]")


def test_every_cut_of_the_golden_file_is_damage() -> None:
    data = (GOLDEN / "meta.json").read_bytes()
    for size in range(len(data)):
        with pytest.raises(FormatError):
            decode_meta(data[:size])


@pytest.mark.parametrize("time", [-(1 << 63), (1 << 63) - 1])
def test_times_as_far_as_64_bits_reach(time: int) -> None:
    document = golden_document(minTime=min(time, 0), maxTime=max(time, 0))
    meta = decode_meta(json.dumps(document).encode())
    assert time in (meta.min_time, meta.max_time)


@pytest.mark.parametrize("time", [-(1 << 63) - 1, 1 << 63, 1.0, "5", True, None])
@pytest.mark.parametrize("name", ["minTime", "maxTime"])
def test_times_that_are_not_64_bit_integers(name: str, time: object) -> None:
    with pytest.raises(FormatError, match=f"{name} is not a 64-bit integer"):
        decode_meta(json.dumps(golden_document(**{name: time})).encode())
