"""A block on disk for upload: its meta.json, its files and their sizes, and Mimir's rules about them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from promfill.blocks.directory import blocks_at
from promfill.codecs.block.meta import BlockMeta, decode_meta
from promfill.codecs.block.tombstones import EMPTY_TOMBSTONES
from promfill.errors import FormatError, InputError
from promfill.rules.mimir import BlockFacts, Breach, breaches, upload_meta

PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class LocalBlock:
    """A block directory, read as far as an upload needs it. Its ULID is meta.json's, whatever the directory's name."""

    path: Path
    meta: BlockMeta
    facts: BlockFacts
    has_tombstones: bool

    @property
    def size(self) -> int:
        """Bytes of all files that are sent."""
        return sum(self.facts.files.values())

    def named(self, name: str) -> LocalBlock:
        """The same block under another ULID."""
        document = {**self.facts.document, "ulid": name}
        sources = self.meta.sources
        if sources == (self.meta.ulid,):
            sources = (name,)
            document["compaction"] = {**document["compaction"], "sources": [name]}
        meta = replace(self.meta, ulid=name, sources=sources)
        return replace(self, meta=meta, facts=replace(self.facts, document=document))

    def body(self) -> bytes:
        """meta.json as an upload begins with it."""
        return upload_meta(self.facts)

    def breaches(self, now: int | None = None) -> list[Breach]:
        """The rules of Mimir that it breaks; `now` is in Unix ms."""
        return list(breaches(self.facts, int(time.time() * 1000) if now is None else now))


class FileBody:
    """A file as the body of a request, read piece by piece, from its start each time it is iterated."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb", buffering=0) as file:
            while piece := file.read(PIECE):
                yield piece


def read_local_block(path: Path) -> LocalBlock:
    """The block of a directory. InputError: there is none, or its meta.json or its files cannot be read."""
    import orjson

    try:
        data = (path / "meta.json").read_bytes()
        meta = decode_meta(data)
        facts = BlockFacts(orjson.loads(data), _files(path), _index_version(path / "index"))
        return LocalBlock(path, meta, facts, _has_tombstones(path / "tombstones"))
    except OSError as error:
        raise InputError(f"{path} is not a readable block: {error.strerror}: {error.filename}", field="paths") from None
    except FormatError as error:
        raise InputError(f"{path} is not a readable block: {error}", field="paths") from None


def find_blocks(paths: Iterable[Path]) -> list[Path]:
    """The block directories among and directly within the paths, oldest ULID first; InputError if there are none."""
    found = []
    for path in paths:
        inside = blocks_at(path, field="paths")
        if not inside:
            fix = "name a block's directory, or a directory that holds blocks"
            raise InputError(f"{path} holds no blocks", fix, field="paths")
        found += inside
    return list(dict.fromkeys(found))


def _files(path: Path) -> dict[str, int]:
    """Everything that is sent: the index, and all of chunks/, in order."""
    sizes: dict[str, int] = {"index": (path / "index").stat().st_size}
    chunks = path / "chunks"
    for file in sorted(chunks.iterdir()) if chunks.is_dir() else []:
        sizes[f"chunks/{file.name}"] = file.stat().st_size
    return sizes


def _index_version(path: Path) -> int | None:
    with path.open("rb") as file:
        head = file.read(5)
    return head[4] if len(head) == 5 else None


def _has_tombstones(path: Path) -> bool:
    return path.is_file() and path.read_bytes() != EMPTY_TOMBSTONES
