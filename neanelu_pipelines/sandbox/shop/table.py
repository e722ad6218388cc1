"""All nodes of one type as an ordered, searchable list that makes each node only when it is looked at.

Belongs here: counting, moments, ids. Does not belong here: what a node looks like (`products`, `orders`, …).
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from neanelu_pipelines.sandbox.ids import gid
from neanelu_pipelines.sandbox.shop.overlay import Node, Overlay, seconds_of

Indexes = npt.NDArray[np.int64]


class Rows(Protocol):
    """What the API needs of a list of nodes, be it large or small."""

    type_name: str

    def indexes(self) -> Indexes:
        """The index of every node there is, ascending."""
        ...

    def updated(self, indexes: Indexes) -> Indexes:
        """When these nodes last changed, in seconds since 1970."""
        ...

    def created(self, indexes: Indexes) -> Indexes:
        """When these nodes were made."""
        ...

    def node(self, index: int) -> Node:
        """The node with this index."""
        ...


class Table:
    """Nodes 0 to `count` - 1 of a type, made by `build` from their number (`first` + index)."""

    def __init__(
        self,
        type_name: str,
        count: int,
        overlay: Overlay,
        *,
        first: int,
        build: Callable[[int], Node],
        moments: Callable[[int], tuple[int, int]],
    ) -> None:
        self.type_name = type_name
        self.count = count
        self.first = first
        self._overlay = overlay
        self._build = build
        self._moments = moments
        self._original = count
        self._known = np.empty((0, 2), dtype=np.int64)

    def number_of(self, index: int) -> int:
        """The number of the node with this index."""
        return self.first + index

    def has(self, number: int) -> bool:
        """Whether there is such a node."""
        there = self.first <= number < self.first + self.count
        return there and number not in self._overlay.gone_numbers.get(self.type_name, ())

    def node(self, index: int) -> Node:
        """The node with this index."""
        return self.by_number(self.first + index)

    def by_number(self, number: int) -> Node:
        """The node with this number."""
        return self._overlay.apply(self._build(number))

    def indexes(self) -> Indexes:
        """The index of every node there is, ascending."""
        every = np.arange(self.count, dtype=np.int64)
        gone = self._overlay.gone_numbers.get(self.type_name)
        if not gone:
            return every
        return every[~np.isin(every, np.fromiter(gone, np.int64) - self.first)]

    def updated(self, indexes: Indexes) -> Indexes:
        """When these nodes last changed."""
        return self._all_moments().take(1, axis=1).take(indexes)

    def created(self, indexes: Indexes) -> Indexes:
        """When these nodes were made."""
        return self._all_moments().take(0, axis=1).take(indexes)

    def _first_moments(self, number: int) -> tuple[int, int]:
        """When a node was made and last changed, as far as nothing happened since."""
        made = self._overlay.edits.get(gid(self.type_name, number), {}).get("createdAt")
        if made is None or number < self.first + self._original:
            return self._moments(number)
        return seconds_of(made), seconds_of(made)

    def _all_moments(self) -> Indexes:
        known = self._known
        if len(known) < self.count:
            more: Iterable[tuple[int, int]] = (
                self._first_moments(self.first + index) for index in range(len(known), self.count)
            )
            rows = np.array(list(more), dtype=np.int64).reshape(-1, 2)
            known = self._known = np.concatenate([known, rows])
        touched = self._overlay.touched.get(self.type_name)
        if touched:
            known = known.copy()
            for number, moment in touched.items():
                if self.first <= number < self.first + self.count:
                    known[number - self.first, 1] = moment
        return known


class ListRows:
    """A list of nodes that is there already: children of a node, or a short list of the shop."""

    def __init__(self, type_name: str, nodes: list[Node]) -> None:
        self.type_name = type_name
        self._nodes = nodes

    def indexes(self) -> Indexes:
        """The positions."""
        return np.arange(len(self._nodes), dtype=np.int64)

    def updated(self, indexes: Indexes) -> Indexes:
        """When these nodes last changed, or what they tell of happened."""
        return self._moments(indexes, "updatedAt")

    def created(self, indexes: Indexes) -> Indexes:
        """When these nodes were made, or what they tell of happened."""
        return self._moments(indexes, "createdAt")

    def _moments(self, indexes: Indexes, name: str) -> Indexes:
        nodes = [self._nodes[int(index)] for index in indexes]
        texts = [node.get(name) or node.get("occurredAt") for node in nodes]
        return np.fromiter((seconds_of(text) if text else 0 for text in texts), np.int64)

    def node(self, index: int) -> Node:
        """The node at this position."""
        return self._nodes[index]
