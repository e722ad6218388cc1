"""What happened in a made-up shop since it was made: edits and deletions, with their moments.

Belongs here: remembering them and laying them over generated nodes. Does not belong here: which nodes there are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Node = dict[str, Any]
Clock = Callable[[], float]
"""Seconds since 1970."""


def stamp(seconds: float) -> str:
    """A moment as Shopify writes it: whole seconds, UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str) -> int:
    """The moment that `stamp` wrote, in seconds since 1970."""
    return int(datetime.fromisoformat(text).timestamp())


@dataclass(frozen=True)
class Deletion:
    """A node that is gone."""

    at: int
    gid: str
    type_name: str


class Overlay:
    """Edits by GID. Whoever reads sees whole edits: each is replaced, never changed in place."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.revision = 0
        self.edits: dict[str, Node] = {}
        self.deletions: list[Deletion] = []
        self.gone: set[str] = set()
        self.touched: dict[str, dict[int, int]] = {}
        """By type: when the node with this number was last changed."""
        self.gone_numbers: dict[str, set[int]] = {}
        self.stock: dict[tuple[int, int], Node] = {}
        """By (variant's number, location): quantities that were set, and when."""

    def now(self) -> int:
        """The shop's clock."""
        return int(self._clock())

    def edit(self, gid: str, changes: Node) -> None:
        """Lay `changes` over the node."""
        self.edits = {**self.edits, gid: {**self.edits.get(gid, {}), **changes}}
        self.revision += 1

    def put_stock(self, variant: int, place: int, quantities: Node) -> None:
        """These quantities were set at a location."""
        self.stock = {**self.stock, (variant, place): {**self.stock.get((variant, place), {}), **quantities}}
        self.revision += 1

    def touch(self, type_name: str, number: int, moment: int) -> None:
        """The node changed at this moment."""
        self.touched = {**self.touched, type_name: {**self.touched.get(type_name, {}), number: moment}}

    def remove(self, gid: str, type_name: str, number: int) -> None:
        """The node is gone."""
        self.gone = {*self.gone, gid}
        self.gone_numbers = {**self.gone_numbers, type_name: {*self.gone_numbers.get(type_name, ()), number}}
        self.deletions = [*self.deletions, Deletion(self.now(), gid, type_name)]
        self.revision += 1

    def apply(self, node: Node) -> Node:
        """The node as it is now; the same object."""
        changes = self.edits.get(node["id"])
        if changes:
            node.update(changes)
        return node

    def apply_all(self, nodes: Iterable[Node]) -> list[Node]:
        """The nodes that are left, as they are now."""
        if not self.edits and not self.gone:
            return list(nodes)
        return [self.apply(node) for node in nodes if node.get("id") not in self.gone]
