"""The API's root: what each field of a query or a mutation stands for, for one shop.

Belongs here: the fields of QueryRoot and Mutation. Does not belong here: walking a selection (`answer`), the shop's
lists (`sandbox.shop`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.admin.bulk import BulkOperation, BulkOperations
from neanelu_pipelines.sandbox.admin.document import RequestError, Selected
from neanelu_pipelines.sandbox.admin.schema import Shape
from neanelu_pipelines.sandbox.admin.search import search
from neanelu_pipelines.sandbox.admin.sight import seen
from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.table import ListRows, Rows
from neanelu_pipelines.sandbox.shop.world import Shop

_COUNTS = {
    "productsCount": "products",
    "productVariantsCount": "productVariants",
    "ordersCount": "orders",
    "customersCount": "customers",
    "collectionsCount": "collections",
}


@dataclass(frozen=True)
class Api:
    """One request's view of a shop."""

    shop: Shop
    bulk: BulkOperations
    scopes: frozenset[str]
    api_version: str
    url_of: Callable[[BulkOperation], str]

    def query(self, part: Selected) -> Any:
        """The value of a field of QueryRoot."""
        name = part.field.name
        special: dict[str, Callable[[], Any]] = {
            "shop": self.shop.about,
            "currentAppInstallation": self._installation,
            "nodes": lambda: [self._node(gid) for gid in _required(part, "ids")],
            "currentBulkOperation": self._newest,
            "bulkOperations": self._operations,
        }
        if name in special:
            return special[name]()
        if name in _COUNTS:
            found = search(self._rows(_COUNTS[name], {}), part.arguments.get("query"))
            return {"count": len(found.indexes), "precision": "EXACT"}
        return self._rows(name, part.arguments) if part.field.shape is Shape.CONNECTION else self._one(part)

    def mutation(self, part: Selected) -> Any:
        """Do what a field of Mutation says; its payload."""
        name, arguments = part.field.name, part.arguments
        if name == "bulkOperationRunQuery":
            # The default changed from true to false with 2026-01.
            grouped = bool(arguments.get("groupObjects", self.api_version < "2026-01"))
            query = str(_required(part, "query"))
            return self.bulk.run(query, self.api_version, grouped=grouped, scopes=self.scopes)
        if name == "bulkOperationCancel":
            return self.bulk.cancel(str(_required(part, "id")))
        return self.shop.webhooks.mutate(name, arguments, self.api_version)

    def _rows(self, name: str, arguments: dict[str, Any]) -> Rows:
        return seen(self.shop.rows(name, arguments), self.scopes)

    def _one(self, part: Selected) -> Node | None:
        gid = str(_required(part, "id"))
        node = self._node(gid)
        wanted = part.field.type_name
        if wanted != "Node" and node is not None and node["__typename"] != wanted:
            message = f"Invalid id: {gid}"
            raise RequestError([{"message": message, "extensions": {"code": "RESOURCE_NOT_FOUND"}}])
        return node

    def _node(self, gid: str) -> Node | None:
        if not gid.startswith("gid://shopify/"):
            extensions = {"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"}
            raise RequestError([{"message": f"Invalid global id '{gid}'", "extensions": extensions}])
        operation = self.bulk.find(gid)
        if operation is not None:
            return self.bulk.shown(operation, self.url_of)
        return self.shop.node(gid)

    def _newest(self) -> Node | None:
        newest = self.bulk.newest()
        return None if newest is None else self.bulk.shown(newest, self.url_of)

    def _operations(self) -> ListRows:
        every = [self.bulk.shown(one, self.url_of) for one in reversed(self.bulk.every())]
        return ListRows("BulkOperation", every)

    def _installation(self) -> Node:
        scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in sorted(self.scopes)]
        return {"id": f"gid://shopify/AppInstallation/{ids.STEP}", "accessScopes": scopes}


def _required(part: Selected, name: str) -> Any:
    value = part.arguments.get(name)
    if value is None:
        message = f"Field '{part.field.name}' is missing required arguments: {name}"
        extensions = {"code": "missingRequiredArguments", "className": "Field", "name": part.field.name}
        raise RequestError([{"message": message, "extensions": {**extensions, "arguments": name}}])
    return value
