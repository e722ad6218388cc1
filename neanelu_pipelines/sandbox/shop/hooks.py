"""Webhooks of a made-up shop: what happens in it is posted, signed, to an address.

Belongs here: topics, headers, the signature, posting and trying again. Does not belong here: bodies (`rest`), and
receiving webhooks.
"""

import base64
import hashlib
import hmac
import json
import queue
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.rest import body_of, number_of

_TOPICS = {
    "Product": "products",
    "Collection": "collections",
    "Customer": "customers",
    "Order": "orders",
    "InventoryItem": "inventory_items",
    "InventoryLevel": "inventory_levels",
    "Location": "locations",
    "Metaobject": "metaobjects",
}
_TRIES = 5
_PAUSE = 0.2


@dataclass(frozen=True)
class Event:
    """A webhook: what is posted. `webhook_id` stays the same however often it is."""

    topic: str
    body: bytes
    webhook_id: str
    triggered_at: str


def event(topic: str, body: Node) -> Event:
    """A new event, as of now."""
    return Event(
        topic,
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        str(uuid.uuid4()),
        datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    )


def event_about(what: str, gid: str, node: Node | None) -> Event | None:
    """The event of a node that was created, updated or deleted; None where Shopify has no topic for it."""
    type_name = gid.split("/")[3]
    prefix = _TOPICS.get(type_name)
    if prefix is None:
        return None
    if node is None:
        body: Node = {"id": gid if type_name == "Metaobject" else number_of(gid)}
        return event(f"{prefix}/delete", body)
    verb = "updated" if (type_name, what) == ("Order", "update") else what
    return event(f"{prefix}/{verb}", body_of(node))


def headers_of(one: Event, domain: str, secret: str, api_version: str = "2025-10") -> dict[str, str]:
    """The headers of an event, its signature among them."""
    digest = hmac.new(secret.encode(), one.body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": one.topic,
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Shop-Domain": domain,
        "X-Shopify-API-Version": api_version,
        "X-Shopify-Webhook-Id": one.webhook_id,
        "X-Shopify-Event-Id": one.webhook_id,
        "X-Shopify-Triggered-At": one.triggered_at,
    }


class Hooks:
    """Posts events in a thread of its own, one after the other; again where the answer is not 2xx."""

    def __init__(self, domain: str, url: str, secret: str) -> None:
        self._domain = domain
        self._url = url
        self._secret = secret
        self._waiting: queue.Queue[Event | None] = queue.Queue()
        self.sent: list[Event] = []
        self.given_up: list[Event] = []
        threading.Thread(target=self._run, daemon=True, name="sandbox-webhooks").start()

    def send(self, one: Event) -> None:
        """Post the event soon."""
        self._waiting.put(one)

    def close(self) -> None:
        """Post what is waiting, and nothing more."""
        self._waiting.put(None)

    def drain(self, seconds: float = 10.0) -> bool:
        """Wait until all was posted; whether it was."""
        deadline = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self._waiting.unfinished_tasks

    def _run(self) -> None:
        with httpx.Client(timeout=5.0) as client:
            while True:
                one = self._waiting.get()
                if one is None:
                    return
                (self.sent if self._posted(client, one) else self.given_up).append(one)
                self._waiting.task_done()

    def _posted(self, client: httpx.Client, one: Event) -> bool:
        headers = headers_of(one, self._domain, self._secret)
        for tried in range(_TRIES):
            time.sleep(_PAUSE if tried else 0)
            try:
                if client.post(self._url, content=one.body, headers=headers).is_success:
                    return True
            except httpx.TransportError:
                continue
        return False
