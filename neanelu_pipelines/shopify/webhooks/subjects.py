"""What webhooks are about: for each kind of row its topics, and how its bodies are read.

Belongs here: the declarations, in the order in which they are written: what others name comes first. Does not belong
here: reading itself (`products`, `orders`, …), and what is done with what was read (`processing`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neanelu_pipelines.shopify.webhooks.bodies import Reading
from neanelu_pipelines.shopify.webhooks.collections import read_collection
from neanelu_pipelines.shopify.webhooks.customers import read_customer
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
    has_versions: bool = True
    """Whether the mirror keeps Shopify's own time of the row's change. Where it does not, only the moment of the event
    tells whether the mirror's row is newer, and a file may hold the events of one moment only."""


def _topics(prefix: str, *verbs: str) -> frozenset[str]:
    return frozenset(f"{prefix}/{verb}" for verb in verbs)


SUBJECTS = (
    Subject(
        "locations",
        _topics("locations", "create", "update", "activate", "deactivate"),
        read_location,
        has_versions=False,
    ),
    Subject("products", _topics("products", "create", "update"), read_product),
    Subject("collections", _topics("collections", "create", "update"), read_collection, has_versions=False),
    Subject("customers", _topics("customers", "create", "update", "enable", "disable"), read_customer),
    Subject(
        "orders",
        _topics("orders", "create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled"),
        read_order,
    ),
)

TOPICS = frozenset(topic for subject in SUBJECTS for topic in subject.changes)
"""All topics that are about rows of the mirror."""
