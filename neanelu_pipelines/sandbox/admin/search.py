"""Shopify's search syntax (`query:` of a connection), as far as syncs use it.

Belongs here: terms of ranges and ids joined by AND, OR, NOT and spaces, and the warning for unknown fields, which are
ignored. Does not belong here: order and pages (`pages`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.admin.document import RequestError
from neanelu_pipelines.sandbox.shop.table import Indexes, Rows

Mask = npt.NDArray[np.bool_]

_TERM = re.compile(
    r"""\s*(?:(?P<paren>[()])|(?P<word>AND|OR|NOT)\b|(?P<not>-)|
    (?P<field>\w+):(?P<op><=|>=|<|>)?(?P<value>"[^"]*"|'[^']*'|[^\s()]+)|(?P<bare>[^\s()]+))""",
    re.VERBOSE,
)
_TIMES = {"updated_at": "updated", "created_at": "created", "processed_at": "created", "occurred_at": "created"}
_PLAIN = {
    "status": "status",
    "tag": "tags",
    "sku": "sku",
    "handle": "handle",
    "title": "title",
    "vendor": "vendor",
    "product_type": "productType",
    "type": "type",
    "email": "email",
    "name": "name",
    "topic": "topic",
    "namespace": "namespace",
    "financial_status": "displayFinancialStatus",
    "fulfillment_status": "displayFulfillmentStatus",
    "state": "state",
}
_COMPARE: dict[str, Callable[[Indexes, int], Mask]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "": np.equal,
}


@dataclass
class Found:
    """The indexes that matched, and what `extensions.search` says of the search."""

    indexes: Indexes
    warnings: list[dict[str, Any]] = field(default_factory=list)
    parsed: dict[str, Any] = field(default_factory=dict)


def search(rows: Rows, query: str | None) -> Found:
    """The nodes that match; all of them where there is nothing to search for.

    Raises:
        RequestError: a moment that is none.
    """
    indexes = rows.indexes()
    if not query or not query.strip():
        return Found(indexes)
    parser = _Parser(rows, indexes, query)
    mask = parser.either()
    return Found(indexes[mask], parser.warnings, parser.parsed)


class _Parser:
    """Terms side by side are joined by AND, which binds closer than OR."""

    def __init__(self, rows: Rows, indexes: Indexes, query: str) -> None:
        self._rows = rows
        self._indexes = indexes
        self._terms = list(_TERM.finditer(query))
        self._next = 0
        self.warnings: list[dict[str, Any]] = []
        self.parsed: dict[str, Any] = {}

    def either(self) -> Mask:
        mask = self._both()
        while self._word() == "OR":
            self._next += 1
            mask = mask | self._both()
        return mask

    def _both(self) -> Mask:
        mask = np.ones(len(self._indexes), dtype=np.bool_)
        while self._next < len(self._terms) and self._word() != "OR" and self._terms[self._next]["paren"] != ")":
            if self._word() == "AND":
                self._next += 1
                continue
            mask = mask & self._one()
        return mask

    def _word(self) -> str | None:
        return self._terms[self._next]["word"] if self._next < len(self._terms) else None

    def _one(self) -> Mask:
        if self._next >= len(self._terms):
            return np.ones(len(self._indexes), dtype=np.bool_)
        term = self._terms[self._next]
        self._next += 1
        if term["word"] == "NOT" or term["not"]:
            return ~self._one()
        if term["paren"] == "(":
            mask = self.either()
            self._next += 1
            return mask
        if term["field"]:
            return self._compare(term["field"], term["op"] or "", term["value"].strip("\"'"))
        return self._scan(lambda node: (term["bare"] or "").strip("\"'").lower() in str(node.get("title", "")).lower())

    def _compare(self, name: str, operator: str, value: str) -> Mask:
        self.parsed = self.parsed or {"field": name, "match_all": value}
        if name in _TIMES:
            moments = getattr(self._rows, _TIMES[name])(self._indexes)
            return _COMPARE[operator](moments, _moment(name, value))
        if name == "id":
            return self._ids(operator, value)
        if name in _PLAIN:
            wanted = value.lower().rstrip("*")
            return self._scan(lambda node: _holds(node.get(_PLAIN[name]), wanted, prefix=value.endswith("*")))
        message = "Invalid search field for this query."
        self.warnings.append({"field": name, "message": message, "code": "invalid_field"})
        return np.ones(len(self._indexes), dtype=np.bool_)

    def _ids(self, operator: str, value: str) -> Mask:
        digits = value.rpartition("/")[2]
        if not digits.isdigit():
            return np.zeros(len(self._indexes), dtype=np.bool_)
        base, first = self._origin()
        wanted = int(digits)
        numbers = base + (self._indexes + first) * ids.STEP
        return _COMPARE[operator](numbers, wanted)

    def _origin(self) -> tuple[int, int]:
        """The series' first id, and the number of the node with index 0."""
        if not len(self._indexes):
            return 0, 0
        index = int(self._indexes[0])
        found = ids.parse(str(self._rows.node(index).get("id", "")))
        return (ids.BASES[ids.series(found.type_name)], found.number - index) if found else (0, 0)

    def _scan(self, matches: Callable[[dict[str, Any]], bool]) -> Mask:
        return np.fromiter((matches(self._rows.node(int(index))) for index in self._indexes), np.bool_)


def _holds(value: object, wanted: str, *, prefix: bool) -> bool:
    values = value if isinstance(value, list) else [value]
    texts = [str(one).lower() for one in values if one is not None]
    return any(text.startswith(wanted) if prefix else text == wanted for text in texts)


def _moment(name: str, value: str) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        message = f"Invalid timestamp for query filter `{name}`."
        raise RequestError([{"message": message, "extensions": {"code": "BAD_REQUEST"}}]) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
