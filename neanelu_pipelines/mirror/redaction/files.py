"""Searching the files of the artifact store, and deleting those that hold a person.

Belongs here: which files are a shop's, whether one holds what is sought, deleting it. Does not belong here: the ledger
of artifacts (`acts`).

An artifact is an immutable export: it is deleted, never rewritten. What it held of others stands in the mirror, and can
be exported again.
"""

import gzip
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import IO, Any, cast

from fsspec.core import url_to_fs

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.redaction.subjects import ORDER, ORDER_ALONE

_CHUNK_BYTES = 4 * 1024 * 1024
_OVERLAP_BYTES = 4096
"""Longer than anything that is sought, however it is escaped."""
_ORDER, _ORDER_ALONE = re.compile(ORDER.encode()), re.compile(ORDER_ALONE.encode())


class UnreadableFileError(NeaneluError):
    """A file of the store cannot be searched, so nobody can say what it holds."""

    transient = True


class Store:
    """The artifact store as far as one shop is concerned."""

    def __init__(self, root: str, domains: Iterable[str]) -> None:
        """`domains`: the shop's, and those that it had: files stay where they were put."""
        self._root = root.rstrip("/")
        self._files, _ = url_to_fs(self._root)
        self._folders = [
            url_to_fs(f"{self._root}/{part}")[1] for domain in domains for part in (domain, f"inbox/{domain}")
        ]

    def paths(self) -> list[str]:
        """Every file of the shop."""
        return sorted(self.states())

    def states(self) -> dict[str, str]:
        """Every file of the shop, with what tells whether it was written since: its size, its time, its tag."""
        found: dict[str, str] = {}
        for folder in self._folders:
            if self._files.exists(folder):
                infos = self._files.find(folder, detail=True)
                found |= {path: repr(sorted(info.items())) for path, info in infos.items()}
        return found

    def holding(self, patterns: Mapping[str, str], orders: Collection[int], paths: Iterable[str]) -> list[str]:
        """Those of the files that hold what is sought, or name one of these orders; one that is gone holds nothing.

        Raises:
            UnreadableFileError: one cannot be read.
        """
        expressions = [re.compile(pattern.encode()) for pattern in patterns.values()]
        numbers = {str(number).encode() for number in orders}
        return [path for path in paths if self._holds(path, expressions, numbers)]

    def delete(self, paths: list[str]) -> None:
        """Delete files; those that are gone already are none."""
        for path in paths:
            if self._files.exists(path):
                self._files.rm(path)

    def delete_all(self) -> int:
        """Delete everything of the shop; how many files."""
        count = len(self.paths())
        for folder in self._folders:
            if self._files.exists(folder):
                self._files.rm(folder, recursive=True)
        return count

    def bytes_of(self, paths: list[str]) -> int:
        """How large these files are together."""
        return sum(int(self._files.size(path) or 0) for path in paths if self._files.exists(path))

    def as_in_ledger(self, paths: list[str]) -> list[str]:
        """The paths as they may stand in the ledger of artifacts: with the store's protocol, and without."""
        return [*paths, *(str(self._files.unstrip_protocol(path)) for path in paths)]

    def _holds(self, path: str, expressions: list[re.Pattern[bytes]], numbers: set[bytes]) -> bool:
        try:
            with self._files.open(path, "rb") as raw:
                return any(
                    any(expression.search(text) for expression in expressions)
                    or (
                        numbers
                        and any(part[1] in numbers for one in (_ORDER, _ORDER_ALONE) for part in one.finditer(text))
                    )
                    for text in _texts(cast("IO[bytes]", raw))
                )
        except FileNotFoundError:
            return False
        except (EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
            raise UnreadableFileError(
                f"{path} cannot be searched ({type(error).__name__}). Mend or delete it, then ask again."
            ) from error


def _texts(raw: IO[bytes]) -> Iterator[bytes]:
    """The file in lower case, in pieces that overlap."""
    head = raw.read(2)
    raw.seek(0)
    reader: Any = gzip.GzipFile(fileobj=raw) if head == b"\x1f\x8b" else raw
    kept = b""
    while chunk := reader.read(_CHUNK_BYTES):
        text = kept + chunk.lower()
        yield text
        kept = text[-_OVERLAP_BYTES:]
