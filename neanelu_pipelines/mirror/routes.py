"""Where a line goes: from its node type and its parent's to the parts of the declaration that take it.

Belongs here: matching lines with routes, and the hash by which a line counts into a row's fingerprint. Does not
belong here: reading identities (`shopify.nodes`) and what is done with the lines.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from neanelu_pipelines.mirror.declarations import Children, Entity, Link, Resource
from neanelu_pipelines.shopify.jsonl import Block

_PARENT_KEY = b',"__parentId":'
_LINE_END = np.frombuffer(b"\r\n", dtype=np.uint8)


@dataclass(frozen=True)
class Route:
    """A part of a declaration and the entity whose row owns what it takes (an entity owns itself)."""

    owner: Entity
    part: Entity | Children | Link

    @property
    def owner_gid(self) -> str:
        """The identity column that names the owning row."""
        return "gid" if self.part is self.owner else "parent_gid"

    @property
    def owned_name(self) -> str | None:
        """The owned part as `table.field` or link table; None of an entity itself."""
        if isinstance(self.part, Children):
            return f"{self.owner.table}.{self.part.field}"
        return self.part.table if isinstance(self.part, Link) else None

    @property
    def lines(self) -> frozenset[tuple[str | None, str]]:
        """The lines that take this route: their parent's node type and their own."""
        return frozenset((self.part.parent_node, node) for node in self.part.node_types)

    @property
    def target(self) -> str:
        """The mirror table (for children: `table.field`) that these lines are for."""
        return self.owned_name or self.owner.table

    @property
    def hashed_as(self) -> str:
        """Under which name the hashes of these lines are compared: those whose order counts stand apart."""
        apart = isinstance(self.part, Link) and self.part.elsewhere
        return self.target if apart else self.owner.table

    @cached_property
    def taken(self) -> pl.Expr:
        """Whether a line, by its identity, takes this route."""
        of_type = pl.col("node").is_in(list(self.part.node_types))
        parent = self.part.parent_node
        stands_right = pl.col("parent_node") == parent if parent else pl.col("parent_node").is_null()
        named = pl.col("gid").is_not_null()
        if isinstance(self.part, Children) and self.part.without_id:
            named = pl.col("gid").is_null() & pl.col("parent_gid").is_not_null()
        return (of_type & stands_right & named).fill_null(value=False)


def routes_of(resource: Resource) -> tuple[Route, ...]:
    """All routes of a resource, each entity before what it owns."""
    return tuple(Route(entity, part) for entity in resource.entities for part in entity.parts)


def takers(routes: Sequence[Route], who: pl.DataFrame) -> list[NDArray[np.bool_]]:
    """For each route, which lines take it; all in one go, because a call costs more than a block's lines."""
    masks = who.select(route.taken.alias(str(i)) for i, route in enumerate(routes))
    return [masks[str(i)].to_numpy() for i in range(len(routes))]


def holds_parent(resource: Resource, who: pl.DataFrame) -> NDArray[np.bool_]:
    """Which lines make rows that hold their parent's key: the parent is part of what such a line says."""
    types = [node for entity in resource.entities if entity.parent for node in entity.node_types]
    return who["node"].is_in(types).fill_null(value=False).to_numpy()


def hash_seed(resource: Resource, currency: str | None) -> int:
    """What else a row is made of besides its lines: the declaration's revision, and the shop's currency."""
    return int(xxhash.xxh3_64_intdigest(f"{resource.name}/{resource.revision}/{currency}".encode()))


def line_hashes(block: Block, who: pl.DataFrame, holds_parent: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """A 64-bit XXH3 of each line as it came, less its line end; and less its `__parentId`, if it is not to be counted.

    A picture's line is the same under a product and under a variant: the route says which. Not cryptographic: it tells
    a shop's own row from its own earlier version, one comparison per row and load.
    """
    data = block.data
    ends = _without_line_ends(block)
    counts_less = ~holds_parent & who["parent_node"].is_not_null().to_numpy()
    rewritten: list[int] = []
    for i in np.flatnonzero(counts_less).tolist():
        start, end = int(block.starts[i]), int(block.ends[i])
        cut = data.rfind(_PARENT_KEY, start, end)
        if cut >= 0 and data.find(b",", cut + 1, end) < 0:
            ends[i] = cut
        else:
            rewritten.append(i)
    view = memoryview(data)
    digest = xxhash.xxh3_64_intdigest
    bounds = zip(block.starts.tolist(), ends.tolist(), strict=True)
    hashes = [digest(view[start:end], seed) for start, end in bounds]
    for i in rewritten:
        hashes[i] = digest(_without_parent(block.line(i)), seed)
    return np.array(hashes, dtype=np.uint64).view(np.int64)


def _without_parent(line: bytes) -> bytes:
    """A line that somebody wrote anew, less its parent: Shopify's have it last, where it is cut off unread."""
    try:
        node = json.loads(line)
    except (ValueError, RecursionError):
        return line  # It is rejected anyway.
    if isinstance(node, dict):
        node.pop("__parentId", None)
    return json.dumps(node).encode()


def _without_line_ends(block: Block) -> NDArray[np.int64]:
    """Where each line ends, less its line end."""
    ends = block.ends.copy()
    if len(ends):
        characters = np.frombuffer(block.data, dtype=np.uint8)
        while (at_line_end := (ends > block.starts) & np.isin(characters[ends - 1], _LINE_END)).any():
            ends -= at_line_end
    return ends


def gid_hashes(gids: pl.Series) -> NDArray[np.int64]:
    """A 64-bit XXH3 of each GID: that a link exists is all that it says."""
    digest = xxhash.xxh3_64_intdigest
    return np.array([digest(gid.encode()) for gid in gids.to_list()], dtype=np.uint64).view(np.int64)
