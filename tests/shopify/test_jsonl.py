"""Bytes into whole, numbered lines: any block size gives the same lines, and damage keeps to its own line."""

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError, _blocks, excerpt, read_blocks


class Stream:
    """A stream that gives as many bytes as one asks for."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, count: int) -> bytes:
        chunk, self._data = self._data[:count], self._data[count:]
        return chunk


def _lines(data: bytes, block_bytes: int, limit: int = 10**9) -> tuple[dict[int, bytes], dict[int, str], int]:
    """Lines by number, codes of bad lines by number, and how many were empty."""
    lines: dict[int, bytes] = {}
    bad: dict[int, str] = {}
    empty = 0
    for block in _blocks(Stream(data), block_bytes, limit):  # type: ignore[arg-type]
        lines |= {int(block.numbers[i]): block.line(i).rstrip(b"\r\n") for i in range(len(block))}
        bad |= {line.number: line.code for line in block.bad}
        empty += block.empty_lines
    return lines, bad, empty


@given(
    content=st.lists(st.sampled_from([b"", b"a", b"ab\xc4\x83", b"\xff", b"x" * 12, b"y" * 40]), max_size=12),
    ends=st.sampled_from([b"\n", b"\r\n"]),
    last_end=st.booleans(),
    block_bytes=st.integers(1, 60),
)
def test_every_line_has_its_number_whatever_the_blocks(
    content: list[bytes], ends: bytes, last_end: bool, block_bytes: int
) -> None:
    data = ends.join(content) + (ends if last_end and content else b"")
    expected = data.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    expected = [line.rstrip(b"\r") for line in expected]

    lines, bad, empty = _lines(data, block_bytes, limit=20)

    for number, line in enumerate(expected, 1):
        if not line:
            assert number not in lines
            assert number not in bad
        elif line == b"y" * 40:
            assert bad[number] == "line_too_long"
        elif line == b"\xff":
            assert bad[number] == "invalid_utf8"
        else:
            assert lines[number] == line
    assert len(lines) + len(bad) + empty == len(expected)


def test_what_follows_a_long_line_keeps_its_numbers() -> None:
    """Whatever was read past its end is lines too, also when the next line is long again."""
    data = b"a\n" + b"x" * 50 + b"\nb\nc\nd" + b"y" * 60 + b"\n" + b"e\nf"

    lines, bad, _ = _lines(data, block_bytes=16, limit=20)

    assert lines == {1: b"a", 3: b"b", 4: b"c", 6: b"e", 7: b"f"}
    assert bad == {2: "line_too_long", 5: "line_too_long"}


def test_memory_is_bounded_by_blocks_not_by_lines(tmp_path: Path) -> None:
    path = tmp_path / "lung.jsonl"
    with path.open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b"\n{}\n")
    tracemalloc.start()

    blocks = list(read_blocks(str(path), block_bytes=65_536, max_line_bytes=1_000_000))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line.code for block in blocks for line in block.bad] == ["line_too_long"]
    assert sum(len(block) for block in blocks) == 1
    assert peak < 6_000_000


def test_a_gzip_that_is_cut_off_is_an_error_not_an_end(tmp_path: Path) -> None:
    path = tmp_path / "taiat.jsonl"
    path.write_bytes(gzip.compress(b"{}\n" * 1000)[:-9])

    with pytest.raises(ArtifactUnreadableError, match="damaged or cut off"):
        list(read_blocks(str(path), block_bytes=65_536, max_line_bytes=1000))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_utf_16_is_refused_as_a_whole(tmp_path: Path, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "products.jsonl"
    path.write_bytes(pack("\ufeff{}\n{}\n".encode(encoding)))
    with pytest.raises(ArtifactUnreadableError, match=r"is UTF-16.*iconv"):
        list(read_blocks(str(path), block_bytes=100, max_line_bytes=100))


def test_an_excerpt_is_always_text_that_postgresql_takes() -> None:
    assert excerpt(b"a\x00\xffb" + b"c" * 3000) == "a\ufffd\ufffdb" + "c" * 1996
