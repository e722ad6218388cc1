"""What a query costs, and the leaky bucket that pays for it.

Belongs here: Shopify's cost rules as far as recorded traffic shows them. Does not belong here: refusing a request.

A connection costs 2 and the cost of its node times a number that grows slowly with the page (`page_weight`). Objects
with an id cost 1, those without one and scalars nothing, a mutation 10. The actual cost counts the nodes that there
were.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neanelu_pipelines.sandbox.admin.document import Operation, Selection
from neanelu_pipelines.sandbox.admin.schema import Shape, fields_of, is_connection
from neanelu_pipelines.shopify.queries import page_weight

MAX_QUERY_COST = 1000
_MUTATION = 10
_COUNT = 10


def requested_cost(operation: Operation) -> int:
    """What the query may cost at most."""
    if operation.kind == "mutation":
        return _MUTATION * len(operation.selection.parts)
    return max(1, round(_fields_cost(operation.selection)))


def _fields_cost(selection: Selection) -> float:
    total = 0.0
    for part in selection.all():
        kind = part.field
        if kind.shape is Shape.CONNECTION:
            first = part.arguments.get("first", part.arguments.get("last")) or 0
            node = next((_node_cost(one.selection) for one in part.selection.all() if one.field.name == "nodes"), 0.0)
            for edges in part.selection.all():
                if edges.field.name == "edges":
                    node += sum(_node_cost(one.selection) for one in edges.selection.all() if one.field.name == "node")
            total += 2 + page_weight(int(first)) * node
        elif kind.shape is not Shape.SCALAR:
            total += _COUNT if kind.type_name == "Count" and selection.type_name == "QueryRoot" else 0
            total += _node_cost(part.selection)
    return total


def _node_cost(selection: Selection) -> float:
    own = 0.0 if is_connection(selection.type_name) or "id" not in fields_of(selection.type_name) else 1.0
    return own + _fields_cost(selection)


@dataclass
class Bucket:
    """A leaky bucket: `maximum` points, `rate` of which come back every second."""

    maximum: float = 2000.0
    rate: float = 100.0
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._left = self.maximum
        self._at = self.clock()

    def take(self, cost: float) -> bool:
        """Take the points of a query; False, and nothing taken, where there are too few."""
        with self._lock:
            self._restore()
            if self._left < cost:
                return False
            self._left -= cost
            return True

    def give_back(self, cost: float) -> None:
        """What a query did not use."""
        with self._lock:
            self._restore()
            self._left = min(self.maximum, self._left + max(cost, 0))

    def status(self) -> dict[str, Any]:
        """The `throttleStatus` of an answer."""
        with self._lock:
            self._restore()
            return {
                "maximumAvailable": self.maximum,
                "currentlyAvailable": int(self._left),
                "restoreRate": self.rate,
            }

    def _restore(self) -> None:
        now = self.clock()
        self._left = min(self.maximum, self._left + (now - self._at) * self.rate)
        self._at = now
