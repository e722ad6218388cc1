"""Lines read again by their numbers are the lines that were read first."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neanelu_pipelines.shopify.jsonl import read_blocks
from neanelu_pipelines.shopify.line_index import LineIndex


@given(
    lengths=st.lists(st.integers(1, 200), min_size=1, max_size=300),
    block_bytes=st.integers(50, 5000),
    picked=st.sets(st.integers(0, 299), min_size=1),
)
def test_the_stretches_hold_the_wanted_lines_under_their_numbers(
    lengths: list[int], block_bytes: int, picked: set[int]
) -> None:
    lines = [f"{i:>{length}} ș\n".encode() for i, length in enumerate(lengths)]
    numbers = np.array(sorted({i % len(lines) + 1 for i in picked}))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "linii.jsonl"
        path.write_bytes(b"".join(lines))
        index = LineIndex()
        for block in read_blocks(str(path), block_bytes=block_bytes, max_line_bytes=1000):
            index.add(block)

        found = {
            int(block.numbers[i]): block.line(i)
            for block in index.blocks_with(str(path), numbers, max_line_bytes=1000)
            for i in range(len(block))
        }

    assert index.bytes == sum(len(line) for line in lines)
    assert {number: found[number] for number in numbers.tolist()} == {n: lines[n - 1] for n in numbers.tolist()}
    assert all(lines[number - 1] == line for number, line in found.items()), "lines beside them have theirs"
    assert len(found) <= 32 * len(numbers), "only stretches around them are read"
