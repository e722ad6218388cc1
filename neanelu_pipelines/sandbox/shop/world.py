"""One made-up shop: every list of nodes it has, any node by its id, and edits and deletions from outside.

Belongs here: putting the lists together, finding, changing. Does not belong here: what nodes look like.
"""

import threading
import time
from typing import TYPE_CHECKING, Any

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.shop.about import about
from neanelu_pipelines.sandbox.shop.collections import Collections
from neanelu_pipelines.sandbox.shop.content import Metaobjects, menus
from neanelu_pipelines.sandbox.shop.customers import Customers
from neanelu_pipelines.sandbox.shop.files import Files
from neanelu_pipelines.sandbox.shop.generated import GeneratedShop
from neanelu_pipelines.sandbox.shop.hooks import Event, Hooks, event_about
from neanelu_pipelines.sandbox.shop.orders import Orders
from neanelu_pipelines.sandbox.shop.overlay import Clock, Node, Overlay, stamp
from neanelu_pipelines.sandbox.shop.places import Places
from neanelu_pipelines.sandbox.shop.products import Products
from neanelu_pipelines.sandbox.shop.subscriptions import Subscriptions
from neanelu_pipelines.sandbox.shop.table import ListRows, Rows, Table

if TYPE_CHECKING:
    from collections.abc import Callable

_MEDIA = ("MediaImage", "Video", "ExternalVideo", "Model3d")
_OWNERS = {
    "ProductVariant": "Product",
    "InventoryItem": "Product",
    "LineItem": "Order",
    "MailingAddress": "Customer",
} | dict.fromkeys(_MEDIA, "Product")
"""Nodes of these types are parts of others; their numbers say of which."""


_TWINS = {"ProductVariant": "InventoryItem", "InventoryItem": "ProductVariant"}
"""A variant and its inventory item have one sku."""


class NoSuchNodeError(LookupError):
    """The shop has no such node, or it cannot be changed."""


class Shop:
    """A shop as the API sees it."""

    def __init__(self, spec: GeneratedShop, clock: Clock = time.time) -> None:
        self.spec = spec
        self.overlay = Overlay(clock)
        self.hooks: list[Hooks] = []
        self._lock = threading.RLock()
        seed, first, overlay = spec.seed, spec.first, self.overlay
        self.places = Places(seed, first, overlay)
        self.webhooks = Subscriptions(first, overlay)
        self.products = Products(seed, first, spec.products, overlay, self.places)
        self.customers = Customers(seed, first, spec.customers, overlay)
        self.orders = Orders(seed, first, spec.orders, overlay, products=self.products, customers=self.customers)
        self.collections = Collections(seed, first, spec.collection_count, overlay, self.products)
        self.metaobjects = Metaobjects(seed, first, spec.metaobjects, overlay)
        self.files = Files(seed, first, spec.file_count, overlay, self.products)
        self._menus = menus(first, spec.domain)
        self._tables: dict[str, Table] = {
            "Product": self.products.table,
            "Customer": self.customers.table,
            "Order": self.orders.table,
            "Collection": self.collections.table,
        }

    def about(self) -> Node:
        """The shop itself."""
        return about(self.spec)

    def rows(self, name: str, arguments: dict[str, Any]) -> Rows:
        """The list behind a field of the API's root."""
        large: dict[str, Rows] = {
            "products": self.products.table,
            "productVariants": self.products.variants,
            "inventoryItems": self.products.items,
            "customers": self.customers.table,
            "orders": self.orders.table,
            "collections": self.collections.table,
            "files": self.files,
        }
        if name in large:
            return large[name]
        if name == "metaobjects":
            kind = str(arguments.get("type"))
            return self.metaobjects.by_type.get(kind, ListRows("Metaobject", []))
        return ListRows(name, self._short(name, arguments))

    def _short(self, name: str, arguments: dict[str, Any]) -> list[Node]:
        if name == "locations":
            return self._locations(arguments)
        if name == "deletionEvents":
            return self._deletions(arguments)
        lists: dict[str, Callable[[], list[Node]]] = {
            "publications": lambda: self.overlay.apply_all(dict(one) for one in self.places.publications),
            "menus": lambda: self.overlay.apply_all(dict(menu) for menu in self._menus),
            "metaobjectDefinitions": self.metaobjects.definitions,
            "webhookSubscriptions": lambda: self.webhooks.nodes,
        }
        return lists[name]()

    def _locations(self, arguments: dict[str, Any]) -> list[Node]:
        every = self.overlay.apply_all(dict(location) for location in self.places.locations)
        inactive, legacy = arguments.get("includeInactive"), arguments.get("includeLegacy")
        return [one for one in every if (inactive or one["isActive"]) and (legacy or not one["isFulfillmentService"])]

    def _deletions(self, arguments: dict[str, Any]) -> list[Node]:
        wanted = arguments.get("subjectTypes") or ["PRODUCT", "COLLECTION"]
        return [
            {"occurredAt": stamp(one.at), "subjectId": one.gid, "subjectType": one.type_name.upper()}
            for one in self.overlay.deletions
            if one.type_name.upper() in wanted and one.type_name in {"Product", "Collection"}
        ]

    def node(self, gid: str) -> Node | None:
        """The node with this id, or None where it is gone or never was."""
        found = ids.parse(gid)
        if found is None or gid in self.overlay.gone:
            return None
        if found.type_name in self._tables:
            return self._row(found.type_name, found.number)
        if found.type_name == "InventoryLevel":
            return self._level(gid, found)
        if found.type_name == "Metaobject":
            return self.metaobjects.find(found.number)
        owner, part = _owner_of(found), None
        if owner is not None:
            whole = self._row(*owner)
            part = None if whole is None else next((one for one in _parts(whole) if one["id"] == gid), None)
        return part or self._among_short(gid)

    def _row(self, type_name: str, number: int) -> Node | None:
        table = self._tables[type_name]
        return table.by_number(number) if table.has(number) else None

    def _level(self, gid: str, found: ids.Node) -> Node | None:
        item = self.node(f"gid://shopify/InventoryItem/{found.query.partition('=')[2]}")
        return None if item is None else next((one for one in item["inventoryLevels"] if one["id"] == gid), None)

    def _among_short(self, gid: str) -> Node | None:
        every = [*self._locations({"includeInactive": True, "includeLegacy": True}), *self.places.publications]
        every += [*self._short("menus", {}), *self.webhooks.nodes, *self.metaobjects.definitions()]
        return next((one for one in (*every, *self.files.loose()) if one["id"] == gid), None)

    def create(self, type_name: str) -> str:
        """Add one more product, order, customer or collection, as of now; its id."""
        with self._lock:
            table = self._tables[type_name]
            number = table.first + table.count
            gid, now = ids.gid(type_name, number), self.overlay.now()
            moments = {"updatedAt": stamp(now)}
            self.overlay.edit(gid, moments if type_name == "Collection" else {"createdAt": stamp(now), **moments})
            table.count += 1
            self.overlay.touch(type_name, number, now)
        self._tell("create", gid)
        return gid

    def update(self, gid: str, **changes: Any) -> None:
        """Change fields of a node. Its `updatedAt` moves to now, and that of the product or order it is part of.

        Raises:
            NoSuchNodeError: there is no such node.
        """
        found = self._found(gid)
        with self._lock:
            now = self.overlay.now()
            self.overlay.edit(gid, {**changes, "updatedAt": stamp(now)})
            twin = _TWINS.get(found.type_name)
            if twin is not None and "sku" in changes:
                self.overlay.edit(ids.gid(twin, found.number), {"sku": changes["sku"]})
            self._touch(found, now)
        self._tell("update", gid)

    def set_stock(self, level_gid: str, **quantities: int) -> None:
        """Set quantities (available, committed, …) of an inventory level; what the variant has in all follows.

        Raises:
            NoSuchNodeError: there is no such level.
        """
        found = self._found(level_gid)
        item = ids.parse(f"gid://shopify/InventoryItem/{found.query.partition('=')[2]}")
        if item is None:
            raise NoSuchNodeError(f"{self.spec.domain} has no {level_gid}.")
        with self._lock:
            now = self.overlay.now()
            moment = {"updatedAt": stamp(now)}
            self.overlay.put_stock(item.number, found.number - self.spec.first, {**quantities, **moment})
            for type_name in ("ProductVariant", "InventoryItem"):
                self.overlay.edit(ids.gid(type_name, item.number), moment)
            self._touch(item, now)
        self._tell("update", level_gid)

    def delete(self, gid: str) -> None:
        """Remove a node.

        Raises:
            NoSuchNodeError: there is no such node.
        """
        found = self._found(gid)
        with self._lock:
            self.overlay.remove(gid, found.type_name, found.number)
            if _owner_of(found) is not None:
                self._touch(found, self.overlay.now())
        self._tell("delete", gid)

    def _found(self, gid: str) -> ids.Node:
        found = ids.parse(gid)
        if found is None or self.node(gid) is None:
            raise NoSuchNodeError(f"{self.spec.domain} has no {gid}.")
        return found

    def _touch(self, found: ids.Node, now: int) -> None:
        owner = _owner_of(found)
        if owner is not None:
            self.overlay.edit(ids.gid(*owner), {"updatedAt": stamp(now)})
            self.overlay.touch(*owner, now)
        elif found.type_name in {*self._tables, "Metaobject"}:
            self.overlay.touch(found.type_name, found.number, now)

    def webhooks_to(self, url: str, secret: str) -> Hooks:
        """From now on post a signed webhook of everything that happens in the shop to `url`."""
        hooks = Hooks(self.spec.domain, url, secret)
        self.hooks.append(hooks)
        return hooks

    def close(self) -> None:
        """Post no more webhooks."""
        for hooks in self.hooks:
            hooks.close()

    def announce(self, one: Event) -> None:
        """Post a webhook to whoever asked for them."""
        for hooks in self.hooks:
            hooks.send(one)

    def _tell(self, what: str, gid: str) -> None:
        if not self.hooks:
            return
        found = ids.parse(gid)
        happened = [(what, gid)]
        owner = _owner_of(found) if found is not None else None
        if owner is not None:
            happened.append(("update", ids.gid(*owner)))
        if found is not None and found.type_name == "InventoryLevel":
            item = ids.parse(f"gid://shopify/InventoryItem/{found.query.partition('=')[2]}")
            happened += [("update", ids.gid("Product", item.number // ids.SLOTS))] if item else []
        for verb, about_gid in happened:
            one = event_about(verb, about_gid, None if verb == "delete" else self.node(about_gid))
            if one is not None:
                self.announce(one)


def _parts(whole: Node) -> list[Node]:
    """The parts of a product, an order or a customer that have ids of their own."""
    variants = whole.get("variants", [])
    parts = [*variants, *(one["inventoryItem"] for one in variants), *whole.get("media", [])]
    metafields = [*whole.get("metafields", []), *(field for one in variants for field in one["metafields"])]
    return [*parts, *metafields, *whole.get("lineItems", []), *whole.get("addressesV2", [])]


def _owner_of(found: ids.Node) -> tuple[str, int] | None:
    """The type and number of what this node is part of; None where it stands alone."""
    if found.type_name == "Metafield":
        # Of products, of variants, of customers.
        kind, number = divmod(found.number, ids.FAR)
        return ("Customer", number) if kind > 1 else ("Product", number // ids.SLOTS)
    owner = _OWNERS.get(found.type_name)
    if found.type_name in _MEDIA and found.number >= ids.FAR:
        return None  # a file that hangs on no product
    return None if owner is None else (owner, found.number // ids.SLOTS)
