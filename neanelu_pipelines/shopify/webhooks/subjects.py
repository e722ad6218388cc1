"""What webhooks are about: for each kind of row its topics, and how its bodies are read.

Belongs here: the declarations, in the order in which they are written: what others name comes first. Does not belong
here: reading itself (`products`, `orders`, …), and what is done with what was read (`processing`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neanelu_pipelines.shopify.webhooks.bodies import BODY_FAULTS, BodyError, Reading, gid_of
from neanelu_pipelines.shopify.webhooks.collections import read_collection
from neanelu_pipelines.shopify.webhooks.customers import read_customer
from neanelu_pipelines.shopify.webhooks.inventory import place_of_level, read_item, read_level
from neanelu_pipelines.shopify.webhooks.locations import read_location
from neanelu_pipelines.shopify.webhooks.orders import read_order
from neanelu_pipelines.shopify.webhooks.products import read_product


@dataclass(frozen=True)
class Subject:
    """A kind of row. A new one is a module that reads its bodies and a line below."""

    resource: str
    changes: frozenset[str]
    """The topics whose body is the row as it is now."""
    read: Callable[[Any], Reading]
    kind: str
    """The node type of the row."""
    deletion: str | None = None
    """The topic that says that a row is gone; its body holds nothing but the row's identity."""
    every_event_counts: bool = False
    """Whether the row has a history, in which no event is void for a newer one and each is named (`webhookKey`)."""
    others: str | None = None
    """The statement that finds the rows under these (`Reading.parts`) that they do not have any more."""
    place: Callable[[Any], str] | None = None
    """What a deletion names the row by, where not by its GID."""

    def gone(self, body: Any) -> str:
        """The name of the row that a deletion is about.

        Raises:
            BodyError: it names none.
        """
        try:
            return self.place(body) if self.place else gid_of(self.kind, body)
        except BODY_FAULTS as error:
            raise BodyError(f"The body names no {self.kind}.") from error


def _topics(prefix: str, *verbs: str) -> frozenset[str]:
    return frozenset(f"{prefix}/{verb}" for verb in verbs)


SUBJECTS = (
    Subject(
        "locations",
        _topics("locations", "create", "update", "activate", "deactivate"),
        read_location,
        "Location",
        "locations/delete",
    ),
    Subject(
        "products",
        _topics("products", "create", "update"),
        read_product,
        "Product",
        "products/delete",
        others="webhooks/other_variants",
    ),
    Subject(
        "collections",
        _topics("collections", "create", "update"),
        read_collection,
        "Collection",
        "collections/delete",
    ),
    Subject(
        "customers",
        _topics("customers", "create", "update", "enable", "disable"),
        read_customer,
        "Customer",
        "customers/delete",
    ),
    Subject(
        "orders",
        _topics("orders", "create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled"),
        read_order,
        "Order",
        "orders/delete",
    ),
    Subject(
        "inventory",
        _topics("inventory_items", "create", "update"),
        read_item,
        "InventoryItem",
        "inventory_items/delete",
    ),
    Subject(
        "inventory",
        _topics("inventory_levels", "connect", "update"),
        read_level,
        "InventoryLevel",
        "inventory_levels/disconnect",
        every_event_counts=True,
        place=place_of_level,
    ),
)

TOPICS = frozenset(topic for subject in SUBJECTS for topic in (*subject.changes, subject.deletion) if topic is not None)
"""All topics that are about rows of the mirror."""
