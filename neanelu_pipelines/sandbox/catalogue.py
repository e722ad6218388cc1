"""A made-up catalogue as a Shopify bulk result of the products query, of any size, the same every time.

Belongs here: how many goods, which of them changed, in which order they stand in the file, and the bad lines on
request. Does not belong here: what one product looks like (`goods`) and the byte rules (`wire`).
"""

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from neanelu_pipelines.sandbox.faults import Fault, fault_line
from neanelu_pipelines.sandbox.goods import Change, product_lines
from neanelu_pipelines.sandbox.pools import Dice

_BATCH = 200
_SHUFFLE_WINDOW = 2000
"""Goods whose lines are shuffled together: children may come long before parents, memory stays at some 10 MB."""


@dataclass
class Written:
    """What stands in the file: `bytes` before compression, lines by node type, bad lines by fault (not in `nodes`)."""

    products: int
    lines: int = 0
    bytes: int = 0
    nodes: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    faults: dict[Fault, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """A catalogue of `products` goods, `first_product` being the index of the first.

    Goods follow from (seed, index): two catalogues of one seed agree wherever their indexes overlap. `changed_share`
    of the goods have since got a new title and new prices, at a time that grows with `revision`; each revision picks
    its own goods, starting from the unchanged ones.
    """

    products: int
    seed: int = 0
    first_product: int = 0
    changed_share: float = 0.0
    revision: int = 1
    variant_media_share: float = 0.1
    shuffled: bool = False
    faults: Sequence[Fault] = ()

    def change_of(self, index: int) -> Change | None:
        """What happened to product `index` in this revision, if anything."""
        if not self.changed_share or not Dice("changed", self.seed, self.revision, index).chance(self.changed_share):
            return None
        return Change(f"2025-11-{1 + self.revision % 28:02d}T10:00:00Z")

    def batches(self, written: Written) -> Iterator[bytes]:
        """The bytes of the file, some hundred kilobytes at a time; `written` counts along."""
        size = _SHUFFLE_WINDOW if self.shuffled else _BATCH
        faults = list(self.faults)
        for first in range(0, self.products, size):
            lines = self._lines(range(first, min(first + size, self.products)), written)
            # Bad lines stand among the good ones, one a batch, the rest at the end.
            if faults:
                lines.insert(len(lines) // 2, self._fault(faults.pop(0), written))
            yield _count(lines, written)
        if faults:
            yield _count([self._fault(fault, written) for fault in faults], written)

    def _lines(self, positions: range, written: Written) -> list[bytes]:
        lines: list[str] = []
        for position in positions:
            index = self.first_product + position
            change = self.change_of(index)
            written.changed += change is not None
            lines += product_lines(self.seed, index, change, self.variant_media_share)
        nodes = Counter(line[15 : line.index('"', 15)] for line in lines)
        written.nodes = dict(Counter(written.nodes) + nodes)
        if self.shuffled:
            _shuffle(lines, Dice("order", self.seed, positions.start))
        return [line.encode() + b"\n" for line in lines]

    def _fault(self, fault: Fault, written: Written) -> bytes:
        written.faults[fault] = written.faults.get(fault, 0) + 1
        return fault_line(fault, sum(written.faults.values()))


def write_products(
    target: Path | str | BinaryIO,
    products: int,
    *,
    seed: int = 0,
    first_product: int = 0,
    changed_share: float = 0.0,
    revision: int = 1,
    variant_media_share: float = 0.1,
    shuffled: bool = False,
    faults: Sequence[Fault] = (),
) -> Written:
    """Write a catalogue (see `Catalogue`) to a file, gzipped if its name ends in `.gz`, or to an open binary stream.

    Some 4.75 kB and 4.4 lines a product; memory does not grow with `products`.
    """
    catalogue = Catalogue(
        products, seed, first_product, changed_share, revision, variant_media_share, shuffled, tuple(faults)
    )
    written = Written(products)
    with _opened(target) as stream:
        for batch in catalogue.batches(written):
            stream.write(batch)
    return written


def _count(lines: list[bytes], written: Written) -> bytes:
    batch = b"".join(lines)
    written.lines += len(lines)
    written.bytes += len(batch)
    return batch


def _shuffle(lines: list[str], dice: Dice) -> None:
    for last in range(len(lines) - 1, 0, -1):
        other = dice.below(last + 1)
        lines[last], lines[other] = lines[other], lines[last]


@contextmanager
def _opened(target: Path | str | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(target, (str, Path)):
        yield target
    elif str(target).endswith(".gz"):
        # No name and no time in the header: the same catalogue is the same bytes.
        with Path(target).open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream:
            yield cast("BinaryIO", stream)
    else:
        with Path(target).open("wb") as stream:
            yield stream
