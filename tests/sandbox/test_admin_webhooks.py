"""Webhooks of the sandbox: signed, REST-shaped, stable across retries."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.sandbox.admin_client import AdminClient
from tests.sandbox.conftest import DOMAIN

SECRET = "un-secret"


class Receiver:
    """Keeps what is posted to it; answers with the statuses it was told to, then with 200."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def bodies(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(body) for headers, body in self.got if headers["x-shopify-topic"] == topic]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    started = Receiver()
    yield started
    started.server.shutdown()
    started.server.server_close()


def test_an_edit_is_posted_signed_and_rest_shaped(admin: AdminClient, receiver: Receiver) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    hooks = shop.webhooks_to(receiver.url, SECRET)
    product = shop.products.table.node(3)
    shop.update(product["id"], title="Sapă & lopată", tags=["unelte", "grădină"])
    assert hooks.drain()
    ((headers, body),) = receiver.got
    expected = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    assert headers["x-shopify-hmac-sha256"] == expected
    assert headers["x-shopify-topic"] == "products/update"
    assert headers["x-shopify-shop-domain"] == DOMAIN
    said = json.loads(body)
    assert said["admin_graphql_api_id"] == product["id"]
    assert said["id"] == int(product["legacyResourceId"])
    assert (said["title"], said["tags"]) == ("Sapă & lopată", "unelte, grădină")
    assert said["updated_at"][-6:] in {"+02:00", "+03:00"}
    assert [one["price"] for one in said["variants"]] == [one["price"] for one in product["variants"]]


def test_each_kind_of_event_has_its_topic(admin: AdminClient, receiver: Receiver) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    hooks = shop.webhooks_to(receiver.url, SECRET)
    order, customer = shop.orders.table.node(1), shop.customers.table.node(1)
    product = shop.products.table.node(1)
    variant = product["variants"][0]
    shop.update(order["id"], note="Fără grabă")
    shop.update(customer["id"], firstName="Ionuț")
    shop.set_stock(variant["inventoryItem"]["inventoryLevels"][0]["id"], available=5)
    shop.update(variant["id"], price="1.50")
    shop.delete(product["id"])
    created = shop.create("Customer")
    assert hooks.drain()
    topics = [headers["x-shopify-topic"] for headers, _ in receiver.got]
    assert topics == [
        "orders/updated",
        "customers/update",
        "inventory_levels/update",
        "products/update",
        "products/update",
        "products/delete",
        "customers/create",
    ]
    assert receiver.bodies("inventory_levels/update")[0]["available"] == 5
    assert receiver.bodies("products/update")[-1]["variants"][0]["price"] == "1.50"
    assert receiver.bodies("products/delete") == [{"id": int(product["legacyResourceId"])}]
    assert receiver.bodies("orders/updated")[0]["note"] == "Fără grabă"
    assert receiver.bodies("customers/create")[0]["admin_graphql_api_id"] == created


def test_a_refused_webhook_is_posted_again_under_the_same_id(admin: AdminClient, receiver: Receiver) -> None:
    receiver.statuses = [500, 503]
    shop = admin.sandbox.shop(DOMAIN)
    hooks = shop.webhooks_to(receiver.url, SECRET)
    shop.update(shop.products.table.node(0)["id"], vendor="X")
    assert hooks.drain()
    assert len(receiver.got) == 3
    assert len({headers["x-shopify-webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1


def test_the_end_of_a_bulk_operation_is_announced(admin: AdminClient, receiver: Receiver) -> None:
    hooks = admin.sandbox.shop(DOMAIN).webhooks_to(receiver.url, SECRET)
    gid = admin.start("{ products { edges { node { id } } } }")
    admin.finish(gid)
    deadline = threading.Event()
    while not receiver.got and not deadline.wait(0.02):
        pass
    assert hooks.drain()
    (body,) = receiver.bodies("bulk_operations/finish")
    assert (body["admin_graphql_api_id"], body["status"], body["type"]) == (gid, "completed", "query")
    assert body["error_code"] is None
