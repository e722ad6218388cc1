"""One made-up shop: every list of nodes it has, any node by its id, and edits and deletions from outside.

Belongs here: putting the lists together, finding, changing. Does not belong here: what nodes look like.
"""

import threading
import time
from typing import Any

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.shop.generated import GeneratedShop
from neanelu_pipelines.sandbox.shop.overlay import Clock, Node, Overlay, stamp
from neanelu_pipelines.sandbox.shop.places import Places
from neanelu_pipelines.sandbox.shop.products import Products
from neanelu_pipelines.sandbox.shop.subscriptions import Subscriptions
from neanelu_pipelines.sandbox.shop.table import ListRows, Rows

_OF_PRODUCT = {"ProductVariant": 1, "InventoryItem": 1, "MediaImage": 1, "Video": 1, "ExternalVideo": 1, "Model3d": 1}


class Shop:
    """A shop as the API sees it."""

    def __init__(self, spec: GeneratedShop, clock: Clock = time.time) -> None:
        self.spec = spec
        self.overlay = Overlay(clock)
        self._lock = threading.RLock()
        first = spec.first
        self.places = Places(spec.seed, first, self.overlay)
        self.webhooks = Subscriptions(first, self.overlay)
        self.products = Products(spec.seed, first, spec.products, self.overlay, self.places)

    def about(self) -> Node:
        """The shop itself."""
        domain = self.spec.domain
        return {
            "id": f"gid://shopify/Shop/{92_891_250_994 + self.spec.seed}",
            "name": domain.partition(".")[0].replace("-", " ").title(),
            "email": f"contact@{domain.partition('.')[0]}.example",
            "contactEmail": f"contact@{domain.partition('.')[0]}.example",
            "myshopifyDomain": domain,
            "currencyCode": "RON",
            "ianaTimezone": "Europe/Bucharest",
            "timezoneOffset": "+0200",
            "weightUnit": "KILOGRAMS",
            "createdAt": "2021-01-15T08:00:00Z",
            "updatedAt": "2025-10-01T08:00:00Z",
            "taxesIncluded": True,
            "url": f"https://{domain}",
            "plan": {
                "displayName": "Basic",
                "publicDisplayName": "Basic",
                "partnerDevelopment": False,
                "shopifyPlus": False,
            },
            "primaryDomain": {
                "id": f"gid://shopify/Domain/{92_891_250_994 + self.spec.seed}",
                "host": domain,
                "url": f"https://{domain}",
                "sslEnabled": True,
            },
        }

    def rows(self, name: str, arguments: dict[str, Any]) -> Rows:
        """The list behind a field of the API's root."""
        del arguments
        if name == "products":
            return self.products.table
        if name == "productVariants":
            return self.products.variants
        if name == "inventoryItems":
            return self.products.items
        return ListRows("Location", self.places.locations)

    def node(self, gid: str) -> Node | None:
        """The node with this id, or None where it is gone or never was."""
        found = ids.parse(gid)
        if found is None or gid in self.overlay.gone:
            return None
        if found.type_name == "Product":
            table = self.products.table
            return table.by_number(found.number) if table.has(found.number) else None
        if found.type_name in _OF_PRODUCT:
            return self._under_product(found)
        return None

    def _under_product(self, found: ids.Node) -> Node | None:
        table = self.products.table
        number = found.number // ids.SLOTS
        if not table.has(number):
            return None
        product = table.by_number(number)
        wanted = ids.gid(found.type_name, found.number)
        every = [*product["variants"], *product["media"], *(one["inventoryItem"] for one in product["variants"])]
        return next((one for one in every if one["id"] == wanted), None)

    def update(self, gid: str, **changes: Any) -> None:
        """Change fields of a node; its `updatedAt` moves to now, and that of the product it belongs to."""
        found = ids.parse(gid)
        if found is None or self.node(gid) is None:
            raise LookupError(f"{self.spec.domain} has no {gid}.")
        with self._lock:
            now = self.overlay.now()
            self.overlay.edit(gid, {"updatedAt": stamp(now), **changes})
            owner = found.number // ids.SLOTS if found.type_name in _OF_PRODUCT else found.number
            if found.type_name in _OF_PRODUCT:
                self.overlay.edit(ids.gid("Product", owner), {"updatedAt": stamp(now)})
            self.overlay.touch("Product", owner, now)

    def delete(self, gid: str) -> None:
        """Remove a node."""
        found = ids.parse(gid)
        if found is None or self.node(gid) is None:
            raise LookupError(f"{self.spec.domain} has no {gid}.")
        with self._lock:
            self.overlay.remove(gid, found.type_name, found.number)
