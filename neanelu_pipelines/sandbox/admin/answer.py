"""The answer to a query: its selection walked over the shop's nodes.

Belongs here: values, connections, counts, the actual cost, denied fields. Does not belong here: mutations and the
root's other fields (`api`), bulk results (`bulk`).
"""

from collections.abc import Callable
from typing import Any

from neanelu_pipelines.sandbox.admin.document import RequestError, Selected, Selection
from neanelu_pipelines.sandbox.admin.pages import Page, cursor, page
from neanelu_pipelines.sandbox.admin.schema import SCOPES, Shape
from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.table import ListRows, Rows
from neanelu_pipelines.shopify.queries import page_weight

Resolver = Callable[[Selected], Any]


class AccessDeniedError(RequestError):
    """The token lacks the scope that a field needs."""

    def __init__(self, part: Selected, scope: str, path: list[str]) -> None:
        access = f"`{scope}` access scope."
        documentation = "https://shopify.dev/api/usage/access-scopes"
        error = {
            "message": f"Access denied for {part.field.name} field. Required access: {access}",
            "locations": [part.location],
            "extensions": {"code": "ACCESS_DENIED", "documentation": documentation, "requiredAccess": access},
            "path": path,
        }
        super().__init__([error])


class Walk:
    """One walk over an answer; `cost` and `search` are what the answer's extensions say."""

    def __init__(self, scopes: frozenset[str]) -> None:
        self._scopes = scopes
        self._path: list[str] = []
        self.cost = 0.0
        self.search: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    def root(self, selection: Selection, resolve: Resolver) -> dict[str, Any] | None:
        """The answer's `data`; None where a field that may not be null was denied."""
        data: dict[str, Any] = {}
        for part in selection.of(selection.type_name):
            self._path = [part.key]
            if part.field.name == "__typename":
                data[part.key] = selection.type_name
                continue
            try:
                self._allow(selection.type_name, part)
                data[part.key] = self._value(part, resolve(part), 1.0)
            except RequestError as error:
                for one in error.errors:
                    self.errors.append({"locations": [part.location], "path": list(self._path), **one})
                if part.field.shape is Shape.CONNECTION:
                    return None
                data[part.key] = None
        return data

    def project(self, node: Node, selection: Selection, times: float = 1.0) -> dict[str, Any]:
        """What was asked of this node; `times` weighs its cost."""
        concrete = node.get("__typename") or selection.type_name
        if "id" in node:
            self.cost += times
        result = {}
        for part in selection.of(concrete):
            name = part.field.name
            if name == "__typename":
                result[part.key] = concrete
                continue
            self._path.append(part.key)
            self._allow(concrete, part)
            result[part.key] = self._value(part, argued(node, part), times)
            self._path.pop()
        return result

    def _allow(self, type_name: str, part: Selected) -> None:
        scope = SCOPES.get((type_name, part.field.name))
        if scope is not None and scope not in self._scopes:
            raise AccessDeniedError(part, scope, list(self._path))

    def _value(self, part: Selected, value: Any, times: float) -> Any:
        shape = part.field.shape
        if value is None or shape is Shape.SCALAR:
            return value
        if shape is Shape.OBJECT:
            return self.project(value, part.selection, times)
        if shape is Shape.LIST:
            return [None if one is None else self.project(one, part.selection, times) for one in value]
        return self._connection(part, as_rows(part, value), times)

    def _connection(self, part: Selected, rows: Rows, times: float) -> dict[str, Any]:
        shown = page(rows, part.arguments)
        if shown.found.warnings:
            self._warn(part, shown)
        size = len(shown.keys)
        self.cost += 2 * times
        inner = times * page_weight(size) / max(size, 1)
        nodes = [rows.node(index) for index in shown.indexes()]
        result: dict[str, Any] = {}
        for one in part.selection.of(part.selection.type_name):
            name = one.field.name
            if name == "nodes":
                result[one.key] = [self.project(node, one.selection, inner) for node in nodes]
            elif name == "edges":
                result[one.key] = [
                    self._edge(one.selection, node, int(key), inner)
                    for node, key in zip(nodes, shown.keys, strict=True)
                ]
            elif name == "pageInfo":
                result[one.key] = self.project(_page_info(shown), one.selection, 0.0)
            else:
                result[one.key] = part.selection.type_name
        return result

    def _edge(self, selection: Selection, node: Node, key: int, times: float) -> dict[str, Any]:
        edge: dict[str, Any] = {}
        for part in selection.of(selection.type_name):
            if part.field.name == "node":
                edge[part.key] = self.project(node, part.selection, times)
            else:
                edge[part.key] = cursor(key) if part.field.name == "cursor" else selection.type_name
        return edge

    def _warn(self, part: Selected, shown: Page) -> None:
        self.search.append(
            {
                "path": list(self._path),
                "query": part.arguments.get("query"),
                "parsed": shown.found.parsed,
                "warnings": shown.found.warnings,
            }
        )


def argued(node: Node, part: Selected) -> Any:
    """The value of a field, as its arguments limit it."""
    name, arguments = part.field.name, part.arguments
    if name == "metafield":
        every = node.get("metafields", ())
        return next((one for one in every if (one["namespace"], one["key"]) == _named(arguments)), None)
    value = node.get(name)
    if not arguments or not isinstance(value, list):
        return value
    if name == "quantities" and arguments.get("names"):
        return [one for one in value if one["name"] in arguments["names"]]
    if name == "metafields":
        value = [one for one in value if arguments.get("namespace") in {None, one["namespace"]}]
        keys = arguments.get("keys")
        return value if not keys else [one for one in value if f"{one['namespace']}.{one['key']}" in keys]
    if part.field.shape is Shape.LIST and arguments.get("first") is not None:
        return value[: int(arguments["first"])]
    return value


def _named(arguments: dict[str, Any]) -> tuple[str, str]:
    namespace, _, key = str(arguments.get("key", "")).rpartition(".")
    return arguments.get("namespace") or namespace, key


def as_rows(part: Selected, value: Any) -> Rows:
    """A connection's nodes: a list of the node's children, or a list of the shop."""
    if isinstance(value, list):
        return ListRows(part.field.type_name, value)
    rows: Rows = value
    return rows


def _page_info(shown: Page) -> Node:
    return {
        "hasNextPage": shown.has_next,
        "hasPreviousPage": shown.has_previous,
        "startCursor": cursor(int(shown.keys[0])) if len(shown.keys) else None,
        "endCursor": cursor(int(shown.keys[-1])) if len(shown.keys) else None,
    }
