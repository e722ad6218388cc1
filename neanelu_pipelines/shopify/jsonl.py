"""The bytes of a bulk result, as blocks of whole, numbered lines in bounded memory.

Belongs here: reading (plain or gzip, local or any fsspec URL), cutting into lines, and what is wrong with a line as
bytes: too long, torn off, not UTF-8, empty. Does not belong here: what stands in a line (`nodes`).

The rules for damaged bytes (spec/shopify.md, "The JSONL"; each has a test):

* a file with the mark of UTF-16 is refused as a whole;
* a byte order mark of UTF-8 at the start is removed and noted; CRLF is white space to JSON and is left alone;
* an empty line is knowingly ignored (Shopify ends a result with LF; editors add more);
* a last line without LF is taken if it is whole JSON, since the reader cannot know more here; if it is torn, its
  parse fails like any other, and either way the missing LF is noted;
* a line that is not UTF-8, or longer than the limit, is rejected by itself.
"""

import codecs
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, cast

import fsspec
import numpy as np
import pyarrow as pa
from fsspec.utils import get_protocol
from numpy.typing import NDArray

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.threads import side_by_side

_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_NEWLINE = 10
_LONGEST_LINE_END = 2


class ArtifactUnreadableError(NeaneluError):
    """The file cannot be opened, ends in the middle of its compression, or is no UTF-8 from its first bytes on."""


@dataclass(frozen=True)
class BadLine:
    """A line, or what is left of one, that never became a node; `text` is its beginning."""

    number: int
    code: str
    message: str
    text: str
    node: str = "?"


@dataclass
class Block:
    """Consecutive lines of one artifact: line i is `data[starts[i]:ends[i]]`, its number `numbers[i]` (from 1)."""

    data: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    numbers: NDArray[np.int64]
    bad: list[BadLine] = field(default_factory=list)
    empty_lines: int = 0
    notes: list[str] = field(default_factory=list)
    through: int = 0
    """The number of the last line read so far, bad and empty ones included."""
    torn: bool = False
    """Whether the file ends in this block, without a line end: it may have been cut off."""

    def __len__(self) -> int:
        """How many lines can be parsed."""
        return len(self.numbers)

    def line(self, index: int) -> bytes:
        """The bytes of the line at `index`, with its line end."""
        return self.data[self.starts[index] : self.ends[index]]

    def keep(self, mask: NDArray[np.bool_]) -> "Block":
        """The lines where `mask` is true, over the same bytes; what was bad or empty stays with the original."""
        return Block(self.data, self.starts[mask], self.ends[mask], self.numbers[mask])


def joined(blocks: Sequence[Block]) -> Block:
    """Lines of several blocks as one block; only their lines, not what was bad or empty beside them."""
    lines = [block.line(i) for block in blocks for i in range(len(block))]
    ends = np.cumsum([len(line) for line in lines], dtype=np.int64)
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1]))
    return Block(b"".join(lines), starts, ends, np.concatenate([block.numbers for block in blocks]))


def read_blocks(url: str, *, block_bytes: int, max_line_bytes: int) -> Iterator[Block]:
    """Read the JSONL at `url` in blocks of about `block_bytes`; memory does not grow with the file.

    Raises:
        ArtifactUnreadableError: it cannot be opened, its gzip is cut off or damaged, or it is UTF-16.
    """
    try:
        with fsspec.open(url, "rb") as raw:
            stream = _inflate(cast("IO[bytes]", raw))
            _refuse_utf16(url, stream)
            yield from _blocks(stream, block_bytes, max_line_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArtifactUnreadableError(
            f"{url}: the gzip stream is damaged or cut off ({error}). Fetch the file again; nothing of it was merged."
        ) from error
    except FileNotFoundError as error:
        raise ArtifactUnreadableError(f"{url}: no such file.") from error
    except OSError as error:
        raise ArtifactUnreadableError(f"{url}: cannot be read ({error}).") from error


def is_local(url: str) -> bool:
    """Whether the file lies on a disk of this machine, where reading here and there is cheap."""
    return get_protocol(url) in {"file", "local"}


def _inflate(raw: IO[bytes]) -> IO[bytes]:
    """The stream itself, or inflated if it begins like gzip, whatever its name says."""
    magic = raw.read(2)
    raw.seek(0)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if magic == _GZIP_MAGIC else raw


def _refuse_utf16(url: str, stream: IO[bytes]) -> None:
    """By its mark: no line of it would be UTF-8, and thousands of rejects say less than one sentence."""
    mark = stream.read(len(codecs.BOM_UTF16))
    stream.seek(0)
    if mark in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        raise ArtifactUnreadableError(
            f"{url}: the file is UTF-16, and JSONL is UTF-8. Write it anew (`iconv -f UTF-16 -t UTF-8`) and load that; "
            "nothing of it was merged."
        )


def _blocks(stream: IO[bytes], block_bytes: int, max_line_bytes: int) -> Iterator[Block]:
    chunks = _chunks(stream, block_bytes, max_line_bytes)
    yield from side_by_side(_cut, ((chunk, max_line_bytes) for chunk in chunks))


@dataclass(frozen=True)
class _Chunk:
    """Bytes of whole lines (the last may be torn) and where they end, or one line too long to be read at all."""

    data: bytes
    first_number: int
    ends: NDArray[np.int64]
    notes: list[str]
    torn: bool = False
    too_long: BadLine | None = None


def _cut(chunk: _Chunk, max_line_bytes: int) -> Block:
    if chunk.too_long:
        block = Block(b"", *_no_lines(), bad=[chunk.too_long])
    else:
        block = _block(chunk.data, chunk.ends, chunk.first_number, max_line_bytes)
    block.notes, block.torn = chunk.notes, chunk.torn
    block.through = chunk.first_number + len(chunk.ends) - 1
    return block


def _chunks(stream: IO[bytes], block_bytes: int, max_line_bytes: int) -> Iterator[_Chunk]:
    carry = b""  # The beginning of a line whose end was not read yet.
    beyond = b""  # What was read past the end of a line that is too long.
    notes: list[str] = []
    number = 1
    first = True
    while True:
        read = beyond or stream.read(block_bytes)
        beyond = b""
        if first and read.startswith(_BOM):
            read = read[len(_BOM) :]
            notes.append("A byte order mark at the start of the file was removed.")
        first = False
        cut = read.rfind(b"\n") + 1
        if read and not cut:
            carry += read
            if len(carry) > max_line_bytes:
                bad, ended, beyond = _skip_long_line(stream, carry, number, block_bytes)
                if not ended:
                    notes.append(_no_line_end(number))
                yield _Chunk(b"", number, np.zeros(1, dtype=np.int64), notes, torn=not ended, too_long=bad)
                carry, notes = b"", []
                number += 1
            continue
        if not read and carry:
            notes.append(_no_line_end(number))
        data = b"".join((carry, memoryview(read)[:cut]))
        carry = read[cut:]
        if data:
            ends = _line_ends(data)
            yield _Chunk(data, number, ends, notes, torn=not data.endswith(b"\n"))
            number += len(ends)
            notes = []
        if not read:
            return


def _no_lines() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    none = np.empty(0, dtype=np.int64)
    return none, none, none


def _no_line_end(number: int) -> str:
    return f"The last line ({number}) has no line end: the file may have been cut off there."


def _skip_long_line(stream: IO[bytes], begun: bytes, number: int, block_bytes: int) -> tuple[BadLine, bool, bytes]:
    """Read past the rest of a line that is too long, keeping only its beginning; has it an end, and what follows it?"""
    length = len(begun)
    while chunk := stream.read(block_bytes):
        end = chunk.find(b"\n")
        if end >= 0:
            return _too_long(number, length + end, begun), True, chunk[end + 1 :]
        length += len(chunk)
    return _too_long(number, length, begun), False, b""


def _too_long(number: int, length: int, begun: bytes) -> BadLine:
    return BadLine(
        number, "line_too_long", f"The line has {length:,} bytes; NEANELU_MAX_LINE_BYTES allows fewer.", excerpt(begun)
    )


def excerpt(line: bytes) -> str:
    """The beginning of a line, fit to be stored and read: at most 2,000 characters, no NUL, always valid text."""
    return line[:2000].decode("utf-8", errors="replace").replace("\x00", "\ufffd")


def cut_lines(data: bytes, first_number: int, max_line_bytes: int) -> Block:
    """Whole lines as a block, the first of them with that number; lines that are no text or too long are in `bad`."""
    return _block(data, _line_ends(data), first_number, max_line_bytes)


def _line_ends(data: bytes) -> NDArray[np.int64]:
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == _NEWLINE).astype(np.int64, copy=False) + 1
    return ends if data.endswith(b"\n") else np.append(ends, len(data))


def _block(data: bytes, ends: NDArray[np.int64], first_number: int, max_line_bytes: int) -> Block:
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1]))
    numbers = np.arange(first_number, first_number + len(ends), dtype=np.int64)
    block = Block(data, starts, ends, numbers)
    sizes = ends - starts
    suspects = np.flatnonzero((sizes <= _LONGEST_LINE_END) | (sizes > max_line_bytes))
    if not data.isascii():
        suspects = np.union1d(suspects, _not_utf8(block))
    return _without(block, suspects, max_line_bytes) if len(suspects) else block


def _not_utf8(block: Block) -> NDArray[np.int64]:
    """The indexes of lines that are not UTF-8: none, in one fast pass, for nearly every block."""
    whole = pa.py_buffer(np.array([0, len(block.data)], dtype=np.int64))
    try:
        pa.LargeStringArray.from_buffers(1, whole, pa.py_buffer(block.data)).validate(full=True)
    except pa.ArrowInvalid:
        return np.array([i for i in range(len(block)) if not _is_utf8(block.line(i))], dtype=np.int64)
    return np.empty(0, dtype=np.int64)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _without(block: Block, suspects: NDArray[np.int64], max_line_bytes: int) -> Block:
    """The block less its suspects, each of them named as empty or bad."""
    bad: list[BadLine] = []
    drop = np.zeros(len(block), dtype=bool)
    empty = 0
    for index in suspects:
        line, number = block.line(index), int(block.numbers[index])
        if not line.strip():
            empty += 1
        elif len(line) > max_line_bytes:
            bad.append(_too_long(number, len(line), line))
        elif not _is_utf8(line):
            bad.append(BadLine(number, "invalid_utf8", "The line is not valid UTF-8.", excerpt(line)))
        else:
            continue
        drop[index] = True
    kept = block.keep(~drop)
    kept.bad, kept.empty_lines = bad, empty
    return kept
