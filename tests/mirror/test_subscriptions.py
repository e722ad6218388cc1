"""Webhook subscriptions: topics as headers spell them, changed and unchanged."""

import re
from pathlib import Path
from typing import Any

import polars as pl

from neanelu_pipelines.mirror.columns import DECODED, fields_of
from neanelu_pipelines.mirror.resources.webhook_subscriptions import WEBHOOK_SUBSCRIPTIONS
from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River, fates, gid, moment, written


def subscription(number: int, topic: str | None = "PRODUCTS_UPDATE", **fields: Any) -> bytes:
    node: dict[str, Any] = {
        "__typename": "WebhookSubscription",
        "id": gid("WebhookSubscription", number),
        "legacyResourceId": str(number),
        "topic": topic,
        "uri": f"https://neanelu.example/{number}",
        "format": "JSON",
        "filter": None,
        "includeFields": [],
        "metafieldNamespaces": [],
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
        "apiVersion": {"handle": "2025-10"},
    }
    return encode_line(node | fields)


def load(river: River, *lines: bytes, day: int = 5, **options: Any) -> Any:
    return river.load(lines, resource="webhook_subscriptions", as_of=moment(day), **options)


def spelled(*names: str) -> list[str]:
    """Topics by the names that the API gives them."""
    (topic,) = (one for one in fields_of(WEBHOOK_SUBSCRIPTIONS.entities[0].columns, shop_currency=None)
                if one.column.name == "topic")  # fmt: skip
    frame = pl.DataFrame({DECODED: [{"topic": name} for name in names]})
    return frame.select(topic.raw)["topic"].to_list()


def test_a_subscription_becomes_a_row(river: River) -> None:
    fields = {"includeFields": ["id", "title"], "metafieldNamespaces": ["custom"], "format": "XML"}
    report = load(river, subscription(1), subscription(2, "BULK_OPERATIONS_FINISH", **fields))

    assert written(report) == {"shopify_webhooks": (2, 0, 0)}
    assert report.stage.notes == []
    assert river.query(
        "SELECT topic, address, format, api_version, include_fields, metafield_namespaces"
        " FROM shopify_webhooks ORDER BY 2"
    ) == [
        ("products/update", "https://neanelu.example/1", "json", "2025-10", [], []),
        ("bulk_operations/finish", "https://neanelu.example/2", "xml", "2025-10", ["id", "title"], ["custom"]),
    ]


def test_the_same_again_changes_nothing_and_a_change_one_row(river: River) -> None:
    lines = [subscription(n) for n in range(1, 4)]
    load(river, *lines)
    before = river.versions()
    assert written(load(river, *lines, day=6)) == {}
    assert river.versions() == before

    moved = subscription(2, uri="https://neanelu.example/altundeva")
    assert written(load(river, lines[0], moved, lines[2], day=7)) == {"shopify_webhooks": (0, 1, 0)}
    assert fates(load(river, *lines, day=6)) == {"WebhookSubscription": (0, 2, 0, 1)}, "older"
    river.do("UPDATE shopify_webhooks SET address = 'x'")
    assert written(load(river, lines[0], moved, lines[2], day=8)) == {"shopify_webhooks": (0, 3, 0)}


def test_bad_lines_are_rejected(river: River) -> None:
    report = load(river, subscription(1, uri=None), subscription(2, format="TOML"), subscription(3, topic=None))
    assert [code for _, code in river.errors(report.run_id)] == ["missing_required", "not_in_enum", "missing_required"]


def test_a_shops_subscriptions_are_its_own(river: River) -> None:
    load(river, subscription(1))
    load(river, subscription(1), domain=OTHER_DOMAIN)
    shops = dict(river.query("SELECT shop_id, count(*) FROM shopify_webhooks GROUP BY 1"))
    assert shops == {river.shops[DOMAIN]: 1, river.shops[OTHER_DOMAIN]: 1}


def test_topics_are_spelled_as_in_headers() -> None:
    names = {
        "ORDERS_CREATE": "orders/create",
        "APP_UNINSTALLED": "app/uninstalled",
        "APP_SCOPES_UPDATE": "app/scopes_update",
        "APP_SUBSCRIPTIONS_UPDATE": "app_subscriptions/update",
        "INVENTORY_LEVELS_UPDATE": "inventory_levels/update",
        "ORDERS_PARTIALLY_FULFILLED": "orders/partially_fulfilled",
        "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE": "customers_email_marketing_consent/update",
        "CUSTOMER_TAGS_ADDED": "customer.tags_added",
        "FULFILLMENT_ORDERS_FULFILLMENT_REQUEST_ACCEPTED": "fulfillment_orders/fulfillment_request_accepted",
        "FULFILLMENT_ORDERS_MERGED": "fulfillment_orders/merged",
        "PRODUCT_FEEDS_FULL_SYNC_FINISH": "product_feeds/full_sync_finish",
        "VARIANTS_OUT_OF_STOCK": "variants/out_of_stock",
        "SHOP_UPDATE": "shop/update",
    }
    assert spelled(*names) == list(names.values())


def test_every_topic_of_the_schema_is_an_object_and_what_happened(shared: Path) -> None:
    schema = (shared / "data/shopify/admin_2025-10.graphql").read_text(encoding="utf-8")
    found = re.search(r"enum WebhookSubscriptionTopic \{(.*?)\}", schema, re.DOTALL)
    assert found
    names = re.findall(r"^  (\w+)", found[1], re.MULTILINE)

    topics = spelled(*names)

    assert [topic.upper().replace("/", "_").replace(".", "_") for topic in topics] == names
    assert [topic for topic in topics if len(re.findall("[/.]", topic)) != 1] == []
    folder = shared / "data/shopify/webhooks/metadatas/2025-10"
    published = {f"{path.parent.name}/{path.name.partition('.')[0]}" for path in folder.glob("*/*")}
    assert published
    assert published - set(topics) <= {"customers/redact", "customers/data_request", "shop/redact"}
