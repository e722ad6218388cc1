"""What of a list a token sees: without `read_all_orders` the orders of the last 60 days, and no word of the others.

Belongs here: that rule. Does not belong here: fields that are denied (`answer`).
"""

from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.table import Indexes, Rows

_ALL_ORDERS = "read_all_orders"
_SECONDS = 60 * 86_400


class _Recent:
    """The nodes that were made in the days before the newest: a made-up shop sells nothing more."""

    def __init__(self, rows: Rows) -> None:
        self.type_name = rows.type_name
        self._rows = rows

    def indexes(self) -> Indexes:
        every = self._rows.indexes()
        made = self._rows.created(every)
        recent: Indexes = every[made >= made.max(initial=0) - _SECONDS]
        return recent

    def updated(self, indexes: Indexes) -> Indexes:
        return self._rows.updated(indexes)

    def created(self, indexes: Indexes) -> Indexes:
        return self._rows.created(indexes)

    def node(self, index: int) -> Node:
        return self._rows.node(index)


def seen(rows: Rows, scopes: frozenset[str]) -> Rows:
    """Of these rows, those that a token with these scopes sees."""
    if rows.type_name != "Order" or _ALL_ORDERS in scopes:
        return rows
    return _Recent(rows)
