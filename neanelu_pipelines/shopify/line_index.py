"""Where lines stand in a JSONL file, so that a few of them can be read again without the rest.

Belongs here: remembering positions while a file is read, and reading the stretches that hold wanted lines. Does not
belong here: which lines are wanted.
"""

from collections.abc import Iterator

import fsspec
import numpy as np
from numpy.typing import NDArray

from neanelu_pipelines.shopify.jsonl import Block, cut_lines

_EVERY = 16
"""Every sixteenth line is remembered: a byte for a kilobyte of Shopify's lines."""


class LineIndex:
    """The positions of an undamaged file's lines, learned block by block, in order."""

    def __init__(self) -> None:
        self.bytes = 0
        """How many bytes the blocks have; the file's size, if it is neither compressed nor damaged."""
        self._numbers: list[NDArray[np.int64]] = []
        self._offsets: list[NDArray[np.int64]] = []

    def add(self, block: Block) -> None:
        """Learn from the next block."""
        self._numbers.append(block.numbers[::_EVERY])
        self._offsets.append(block.starts[::_EVERY] + self.bytes)
        self.bytes += len(block.data)

    def blocks_with(self, url: str, numbers: NDArray[np.int64], *, max_line_bytes: int) -> Iterator[Block]:
        """Stretches of the file at `url` that hold the lines of these numbers (ascending), and a few beside them."""
        known, offsets = np.concatenate(self._numbers), np.append(np.concatenate(self._offsets), self.bytes)
        stretches = np.unique(np.searchsorted(known, numbers, side="right") - 1)
        with fsspec.open(url, "rb") as file:
            for together in np.split(stretches, np.flatnonzero(np.diff(stretches) > 1) + 1):
                begin, end = int(offsets[together[0]]), int(offsets[together[-1] + 1])
                file.seek(begin)
                yield cut_lines(file.read(end - begin), int(known[together[0]]), max_line_bytes)
