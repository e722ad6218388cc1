"""The app's webhook subscriptions in a made-up shop.

Belongs here: the list, and the mutations that change it. Does not belong here: sending webhooks.
"""

from typing import Any

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.shop.overlay import Node, Overlay, stamp

_FIRST = (
    ("PRODUCTS_UPDATE", "https://neanelu.example/webhooks/products-update"),
    ("PRODUCTS_DELETE", "https://neanelu.example/webhooks/products-delete"),
    ("ORDERS_UPDATED", "https://neanelu.example/webhooks/orders-updated"),
    ("BULK_OPERATIONS_FINISH", "https://neanelu.example/webhooks/bulk-finish"),
)


class Subscriptions:
    """What the app has subscribed to."""

    def __init__(self, first: int, overlay: Overlay) -> None:
        self._overlay = overlay
        self._next = first
        self.nodes: list[Node] = []
        for topic, uri in _FIRST:
            self._add(topic, {"uri": uri}, "2025-10", "2025-05-05T10:00:00Z")

    def mutate(self, name: str, arguments: dict[str, Any], api_version: str) -> Node:
        """Do what a `webhookSubscription…` mutation says; its payload."""
        given = arguments.get("webhookSubscription") or {}
        if name == "webhookSubscriptionCreate":
            return self._create(str(arguments.get("topic")), given, api_version)
        found = next((one for one in self.nodes if one["id"] == arguments.get("id")), None)
        if name == "webhookSubscriptionDelete":
            if found is None:
                errors = [{"field": ["id"], "message": "Webhook subscription does not exist"}]
                return {"deletedWebhookSubscriptionId": None, "userErrors": errors}
            self.nodes = [one for one in self.nodes if one is not found]
            return {"deletedWebhookSubscriptionId": found["id"], "userErrors": []}
        if found is None:
            return _refused(["id"], "Webhook subscription does not exist")
        found.update(_settable(given), updatedAt=stamp(self._overlay.now()))
        return {"webhookSubscription": found, "userErrors": []}

    def _create(self, topic: str, given: dict[str, Any], api_version: str) -> Node:
        uri = given.get("uri") or given.get("callbackUrl")
        if not uri:
            return _refused(["webhookSubscription", "callbackUrl"], "Address can't be blank")
        if any((one["topic"], one["uri"]) == (topic, uri) for one in self.nodes):
            return _refused(["webhookSubscription", "callbackUrl"], "Address for this topic has already been taken")
        node = self._add(topic, {**given, "uri": uri}, api_version, stamp(self._overlay.now()))
        return {"webhookSubscription": node, "userErrors": []}

    def _add(self, topic: str, given: dict[str, Any], api_version: str, moment: str) -> Node:
        number, self._next = self._next, self._next + 1
        node = {
            "__typename": "WebhookSubscription",
            "id": ids.gid("WebhookSubscription", number),
            "legacyResourceId": str(ids.legacy_id("WebhookSubscription", number)),
            "topic": topic,
            "uri": given["uri"],
            "format": "JSON",
            "filter": None,
            "includeFields": [],
            "metafieldNamespaces": [],
            "createdAt": moment,
            "updatedAt": moment,
            "apiVersion": {"handle": api_version, "displayName": api_version, "supported": True},
            **_settable(given),
        }
        self.nodes = [*self.nodes, node]
        return node


def _settable(given: dict[str, Any]) -> Node:
    known = ("uri", "format", "filter", "includeFields", "metafieldNamespaces")
    return {name: given[name] for name in known if name in given}


def _refused(field: list[str], message: str) -> Node:
    return {"webhookSubscription": None, "userErrors": [{"field": field, "message": message}]}
