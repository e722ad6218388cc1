"""Who the staged rows of a load are and under whom they stand: whether each is alone, and all that they name are there.

Belongs here: hashes of identities, kept while a load is staged, and what they show of nearly every file: that no
verdict about repeated or orphaned rows is true of any, so that the staged rows need not be read again for those. Does
not belong here: the verdicts (`verdicts`), which decide wherever the hashes do not show it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from neanelu_pipelines.mirror.declarations import Children, Entity, Link

_MOST = 4_000_000
"""Hashes of 8 bytes: what a file of a gigabyte has."""
_ODD = np.uint64(0x9E3779B97F4A7C15)

Hashes: TypeAlias = NDArray[np.uint64]


@dataclass(frozen=True)
class Seen:
    """Rows of one kind, out of one block."""

    target: str
    """The mirror table, or `table.field`, that they are for."""
    rows: Hashes
    named: tuple[tuple[str, Hashes], ...] = ()
    """The rows that they name, by mirror table: among the staged rows of that table they must be found."""


def seen_entity(entity: Entity, rows: pl.DataFrame) -> Seen:
    """Rows for the entity's staging table."""
    parent = entity.parent
    named = ((parent.table, _hashes(rows[parent.gid_column])),) if parent else ()
    return Seen(entity.table, _hashes(rows["shopify_gid"]), named)


def seen_children(owner: Entity, part: Children, rows: pl.DataFrame) -> Seen:
    """Rows for the staging table of folded lines: a row is known by its parent and its key."""
    parents = _hashes(rows["parent_gid"])
    target = f"{owner.table}.{part.field}"
    return Seen(target, parents * _ODD + _hashes(rows["key"]), ((owner.table, parents),))


def seen_links(owner: Entity, link: Link, rows: pl.DataFrame) -> Seen:
    """Rows for the staging table of links. Whether another resource's rows are there is not for the load to know."""
    parents, children = _hashes(rows["parent_gid"]), _hashes(rows["child_gid"])
    named = ((owner.table, parents),) if link.elsewhere else ((owner.table, parents), (link.child_table, children))
    return Seen(link.table, parents * _ODD + children, named)


def _hashes(texts: pl.Series) -> Hashes:
    return texts.hash().to_numpy()


@dataclass
class Identities:
    """The rows of one load as they are staged; of a very large one nothing is kept."""

    _rows: dict[str, list[Hashes]] = field(default_factory=dict)
    _named: dict[str, list[Hashes]] = field(default_factory=dict)
    _count: int = 0

    def add(self, seen: Iterable[Seen]) -> None:
        """Remember a block's rows."""
        for rows in seen:
            self._count += len(rows.rows) + sum(len(hashes) for _, hashes in rows.named)
            if self._count > _MOST:
                self._rows, self._named = {}, {}
                return
            self._rows.setdefault(rows.target, []).append(rows.rows)
            for table, hashes in rows.named:
                self._named.setdefault(table, []).append(hashes)

    def agree(self) -> bool:
        """Whether no row stands here twice and every row that another names is here; False where that is not known.

        Two rows with the same hash are taken for one row twice, and the verdicts find that they are not. That a row
        which is missing has the hash of one that is here, has a chance of one in 10^13 with a million rows.
        """
        if self._count > _MOST:
            return False
        rows = {target: np.unique(np.concatenate(hashes)) for target, hashes in self._rows.items()}
        alone = sum(map(len, rows.values())) == sum(len(hashes) for all_ in self._rows.values() for hashes in all_)
        return alone and all(
            _are_among(np.concatenate(hashes), rows.get(table)) for table, hashes in self._named.items()
        )


def _are_among(named: Hashes, rows: Hashes | None) -> bool:
    """Whether all that are named stand among these rows, which are sorted."""
    if rows is None or not len(rows):
        return not len(named)
    at = np.searchsorted(rows, named)
    return bool((rows[np.minimum(at, len(rows) - 1)] == named).all())
