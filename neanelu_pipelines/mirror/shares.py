"""How the staged rows of a table are shared out between the connections of a big load's merge.

Belongs here: which rows a share holds, and how many shares there are. Does not belong here: what is done with them
(`merge`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from psycopg import Connection, sql

from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.declarations import Entity

_FIRST_HELPING = 0.8
_BEYOND = 2**32 - 2
"""More pages than a table can have."""


@dataclass(frozen=True)
class Share:
    """Some of a table's staged rows: those on its pages from `first` on, and before `end`."""

    first: int = 0
    end: int = _BEYOND

    @property
    def holds(self) -> sql.Composable:
        """The condition that the staged row `s` is among them."""
        if self == WHOLE:
            return sql.SQL("true")
        pages = {"first": sql.Literal(f"({self.first},0)"), "end": sql.Literal(f"({self.end},0)")}
        return statement("mirror/in_share").format(**pages)


WHOLE = Share()


def shares(pages: int, workers: int, *, uneven: bool) -> list[Share]:
    """All pages, as a share for each worker; where rows take `uneven` times, a large one and then a small one for each.

    Equal halves never take equally long there, so who is done first takes the next.
    """
    helpings = (_FIRST_HELPING, 1 - _FIRST_HELPING) if uneven else (1.0,)
    parts = [pages * helping / workers for helping in helpings for _ in range(workers)]
    cuts = [0, *(round(end) for end in accumulate(parts[:-1])), _BEYOND]
    return [Share(first, end) for first, end in pairwise(cuts) if first < end]


def shared_out(
    connection: Connection, entity: Entity, parameters: Mapping[str, Any], workers: int
) -> tuple[list[Share], bool]:
    """The shares of an entity's staged rows, for that many workers; and whether the mirror has none of the shop's."""
    query = statement("mirror/share_out").format(
        staging=sql.Literal(entity.staging), table_name=sql.Literal(entity.table), table=table_identifier(entity.table)
    )
    pages, uneven, new = connection.execute(query, parameters).fetchone() or (0, False, False)
    return shares(pages, workers, uneven=uneven), new
