"""Where a line goes: from its node type and its parent's to the parts of the declaration that take it.

Belongs here: matching lines with routes, and the hash by which a line counts into a row's fingerprint. Does not
belong here: reading identities (`shopify.nodes`) and what is done with the lines.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from neanelu_pipelines.mirror.declarations import Children, Entity, Link, Resource
from neanelu_pipelines.shopify.jsonl import Block

_PARENT_KEY = b',"__parentId":'


@dataclass(frozen=True)
class Route:
    """A part of a declaration and the entity whose row owns what it takes (an entity owns itself)."""

    owner: Entity
    part: Entity | Children | Link

    @property
    def owner_gid(self) -> str:
        """The identity column that names the owning row."""
        return "gid" if self.part is self.owner else "parent_gid"

    def mask(self, who: pl.DataFrame) -> pl.Series:
        """Which lines, by their identities, take this route."""
        of_type = who["node"].is_in(list(self.part.node_types))
        parent = self.part.parent_node
        stands_right = who["parent_node"] == parent if parent else who["parent_node"].is_null()
        return (of_type & stands_right & who["gid"].is_not_null()).fill_null(value=False)


def routes_of(resource: Resource) -> tuple[Route, ...]:
    """All routes of a resource, each entity before what it owns."""
    return tuple(Route(entity, part) for entity in resource.entities for part in entity.parts)


def line_hashes(block: Block) -> NDArray[np.int64]:
    """A 64-bit XXH3 of each line as it came, less its line end and its `__parentId` (which the route names anyway).

    Not cryptographic: it tells a shop's own row from its own earlier version, one comparison per row and load.
    """
    data = block.data
    view = memoryview(data)
    digest = xxhash.xxh3_64_intdigest
    hashes = np.empty(len(block), dtype=np.uint64)
    for i, (start, end) in enumerate(zip(block.starts.tolist(), block.ends.tolist(), strict=True)):
        cut = data.rfind(_PARENT_KEY, start, end)
        stop = cut if cut >= 0 else _without_line_end(data, start, end)
        hashes[i] = digest(view[start:stop])
    return hashes.view(np.int64)


def _without_line_end(data: bytes, start: int, end: int) -> int:
    while end > start and data[end - 1] in b"\r\n":
        end -= 1
    return end


def gid_hashes(gids: pl.Series) -> NDArray[np.int64]:
    """A 64-bit XXH3 of each GID: that a link exists is all that it says."""
    digest = xxhash.xxh3_64_intdigest
    return np.array([digest(gid.encode()) for gid in gids.to_list()], dtype=np.uint64).view(np.int64)
