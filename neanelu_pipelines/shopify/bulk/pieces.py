"""The pieces of a result on their way into the artifact store, and the whole that is made of them.

Belongs here: keeping pieces beside the artifact-to-be so that a fetch goes on where another process stopped, joining
them, counting and hashing what was stored. Any fsspec file system will do: pieces are files, since an object store
cannot append. Does not belong here: where the bytes come from (`fetch`), what they should be (`verify`).
"""

import contextlib
import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import xxhash

from neanelu_pipelines.shopify.store import files_of, make_folder

_NAME = re.compile(r"(\d{15})-(\d{9})-([0-9a-f]{16})\.piece\Z")
# `__parentId` is a line's last key, and a quote inside a text is escaped: this cannot stand anywhere else.
_CHILD = re.compile(rb'"__parentId":"[^"\n]*"\}\n')


@dataclass(frozen=True)
class Whole:
    """What was joined: counts and sum of the bytes that are stored."""

    bytes: int
    lines: int
    roots: int
    """Lines without `__parentId`."""
    sha256: str
    ends_with_newline: bool


@dataclass(frozen=True)
class _Piece:
    path: str
    offset: int
    length: int
    checksum: str


class DamagedPieceError(Exception):
    """A piece does not hold what was put into it (the machine lost power, say)."""


def salvaged_as(target: str) -> str:
    """Where what there is of a result is kept, apart from the artifact that it did not become."""
    return f"{target.removesuffix('.jsonl')}.partial.jsonl"


class Shelf:
    """The pieces of one artifact, `<artifact>.pieces/`, from a byte of it on: what comes before stays as it is."""

    def __init__(self, target: str, begin: int = 0) -> None:
        """`target`: where the artifact will be, a path or an fsspec URL; offsets are counted from its byte `begin`."""
        self._files: Any
        self._files, path = files_of(target)
        self._folder = f"{path}.pieces"
        self._joined = f"{self._folder}/whole"
        self._begin = begin

    def end(self) -> int:
        """How many bytes from the beginning are there; what does not join on is removed."""
        offset = self._begin
        for piece, size in self._listed():
            if piece.offset != offset or piece.length != size:
                self._files.rm(piece.path)
            else:
                offset += size
        return offset - self._begin

    def put(self, offset: int, data: bytes) -> None:
        """Keep what stands from `offset` on."""
        make_folder(self._files, self._folder)
        name = f"{self._begin + offset:015d}-{len(data):09d}-{xxhash.xxh3_64_hexdigest(data)}.piece"
        self._files.pipe_file(f"{self._folder}/{name}", data)

    def clear(self) -> None:
        """Remove the pieces."""
        if self._begin:
            for piece, _ in self._listed():
                self._files.rm(piece.path)
            return
        with contextlib.suppress(FileNotFoundError):
            self._files.rm(self._folder, recursive=True)

    def forget(self, *targets: str) -> None:
        """Remove the pieces, and what was made of them: paths or URLs in the same store."""
        self.clear()
        for target in targets:
            with contextlib.suppress(FileNotFoundError):
                self._files.rm(files_of(target)[1])

    def join(self) -> Whole:
        """Join the pieces, beside where the artifact will be, and count what was joined.

        Raises:
            DamagedPieceError: a piece is not what was put there; it was removed.
        """
        self.end()
        make_folder(self._files, self._folder)
        count = _Count()
        with self._files.open(self._joined, "wb") as writer, ThreadPoolExecutor(1, "hash") as beside:
            for data in self._read():
                hashed = beside.submit(count.hash, data)
                writer.write(data)
                count.add(data)
                hashed.result()
        return count.whole()

    def publish(self, target: str) -> None:
        """Give what was joined its name: a path or URL in the same store."""
        self._files.mv(self._joined, files_of(target)[1])

    def _read(self) -> Iterator[bytes]:
        for piece, _ in self._listed():
            data: bytes = self._files.cat_file(piece.path)
            if xxhash.xxh3_64_hexdigest(data) != piece.checksum:
                self._files.rm(piece.path)
                raise DamagedPieceError(f"The piece at byte {piece.offset:,} was damaged in the artifact store.")
            yield data

    def _listed(self) -> list[tuple[_Piece, int]]:
        """The pieces of this part by offset, each with the size that it has."""
        self._files.invalidate_cache()
        try:
            entries = self._files.ls(self._folder, detail=True)
        except FileNotFoundError:
            return []
        found = [(match, entry) for entry in entries if (match := _NAME.search(str(entry["name"])))]
        pieces = [
            (_Piece(str(entry["name"]), int(match[1]), int(match[2]), match[3]), int(entry["size"]))
            for match, entry in found
        ]
        ours = [pair for pair in pieces if pair[0].offset >= self._begin]
        return sorted(ours, key=lambda pair: (pair[0].offset, pair[0].path))


class _Count:
    """Lines, and lines without a parent, of bytes that come in any cut."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._bytes = self._lines = self._children = 0
        self._rest = b""

    def hash(self, data: bytes) -> None:
        self._digest.update(data)

    def add(self, data: bytes) -> None:
        self._bytes += len(data)
        end = data.rfind(b"\n") + 1
        if not end:
            self._rest += data
            return
        lines = self._rest + data[:end]
        self._rest = data[end:]
        self._lines += lines.count(b"\n")
        self._children += sum(1 for _ in _CHILD.finditer(lines))

    def whole(self) -> Whole:
        """A last line without its end is a line, and a child if it says so."""
        lines = self._lines + bool(self._rest)
        children = self._children + bool(_CHILD.search(self._rest + b"\n"))
        return Whole(self._bytes, lines, lines - children, self._digest.hexdigest(), not self._rest)
