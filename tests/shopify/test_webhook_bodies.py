"""The bodies of webhooks and the lines of the bulk queries say the same of the same rows."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.sandbox.shop.rest import body_of
from neanelu_pipelines.shopify.documents import document, inlined
from neanelu_pipelines.shopify.webhooks.bodies import BodyError, Reading, amount
from neanelu_pipelines.shopify.webhooks.collections import read_collection
from neanelu_pipelines.shopify.webhooks.customers import read_customer
from neanelu_pipelines.shopify.webhooks.inventory import read_item, read_level
from neanelu_pipelines.shopify.webhooks.locations import read_location
from neanelu_pipelines.shopify.webhooks.orders import read_order
from neanelu_pipelines.shopify.webhooks.products import read_product
from neanelu_pipelines.shopify.webhooks.subjects import SUBJECTS
from tests.sandbox.admin_client import AdminClient
from tests.shopify.webhooks import DOMAIN

WEBHOOKS = "data/shopify/webhooks"
READERS: dict[str, Callable[[Any], Reading]] = {subject.resource: subject.read for subject in SUBJECTS}
COUNT = 60
NOT_ASKED = {"createdAt", "currencyCode", "presentmentMoney", "updatedAt"}
"""What a body may say that a query of ours does not ask for, because no column is made of it there."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([GeneratedShop(DOMAIN, seed=5, products=COUNT, orders=COUNT, customers=COUNT)]) as running:
        yield running


def said(value: Any, key: str) -> Any:
    """A value to compare: moments by the instant, whatever their offset."""
    return datetime.fromisoformat(value) if value and key.endswith("At") else value


def assert_says(mine: Any, theirs: Any, key: str = "") -> None:
    """Everything in `mine` that theirs was asked for is in `theirs`."""
    if isinstance(mine, dict) and theirs is not None:
        for name, value in mine.items():
            assert name in theirs or name in NOT_ASKED, f"{key}.{name}"
            if name in theirs:
                assert_says(value, theirs[name], name)
    elif isinstance(mine, list):
        assert len(mine) == len(theirs), key
        for one, other in zip(mine, theirs, strict=True):
            assert_says(one, other, key)
    else:
        assert said(mine, key) == said(theirs, key), key


@pytest.mark.parametrize(
    ("resource", "left"),
    [
        # Media: only of products of which all are pictures.
        ("products", {"Metafield", "MediaImage", "Video", "ExternalVideo", "Model3d"}),
        ("orders", set()),
        ("customers", {"Metafield"}),
        # Members: lines of products under their collection.
        ("collections", {"Product"}),
        ("locations", set()),
    ],
)
def test_bodies_give_the_lines_of_the_bulk_query(sandbox: Sandbox, resource: str, left: set[str]) -> None:
    query = inlined(document(resource), {"search": None} if resource != "locations" else {})
    bulk = {(node["id"], node.get("__parentId")): node for node in AdminClient(sandbox, DOMAIN).nodes(query)}
    shop = sandbox.shop(DOMAIN)
    if resource == "locations":
        nodes = shop.places.locations
    else:
        table = getattr(shop, resource).table
        nodes = [table.node(int(index)) for index in table.indexes()]
    found = set()
    for node in nodes:
        read = READERS[resource](json.loads(json.dumps(body_of(node))))
        for line in read.lines:
            key = (line["id"], line.get("__parentId"))
            found.add(key)
            assert_says(line, bulk[key])
    assert {key for key, line in bulk.items() if line["__typename"] not in left} <= found
    assert sum("MediaImage" in gid for gid, _ in found) > 20 or resource != "products"


def test_bodies_of_inventory_say_what_the_bulk_query_says(sandbox: Sandbox) -> None:
    query = inlined(document("inventory"))
    bulk = {(node["id"], node.get("__parentId")): node for node in AdminClient(sandbox, DOMAIN).nodes(query)}
    table = sandbox.shop(DOMAIN).products.table
    items = [one["inventoryItem"] for index in range(COUNT) for one in table.node(index)["variants"]]
    found = set()
    for item in items:
        (line,) = read_item(body_of(item)).lines
        assert_says(line, bulk[line["id"], None])
        found.add((line["id"], None))
        for level in item["inventoryLevels"]:
            (line,) = read_level(body_of(level)).lines
            other = bulk[line["id"], line["__parentId"]]
            said = next(one["quantity"] for one in other["quantities"] if one["name"] == "available")
            assert line.pop("available") == said
            assert_says(line, other)
            found.add((line["id"], line["__parentId"]))
    assert found == set(bulk)


def example(shared: Path, topic: str) -> Any:
    return json.loads((shared / WEBHOOKS / f"metadatas/2025-10/{topic}.json").read_text())["response"]


def test_the_published_order_becomes_lines(shared: Path) -> None:
    read = read_order(example(shared, "orders/updated"))
    order, *rest = read.lines
    assert order["id"] == "gid://shopify/Order/820982911946154508"
    assert (order["name"], order["number"]) == ("#9999", 1234)
    assert order["displayFinancialStatus"] == "VOIDED"
    assert order["displayFulfillmentStatus"] == "UNFULFILLED"
    assert order["cancelReason"] == "CUSTOMER"
    assert order["totalPriceSet"]["shopMoney"] == {"amount": "359.97", "currencyCode": "USD"}
    assert order["totalShippingPriceSet"]["shopMoney"]["amount"] == "10.0"
    assert order["customer"] == {"id": "gid://shopify/Customer/115310627314723954"}
    assert order["tags"] == ["tag1", "tag2"]
    assert order["updatedAt"] == "2021-12-31T19:00:00-05:00"
    assert order["shippingAddress"]["countryCodeV2"] == "US"
    assert [one["__typename"] for one in rest] == ["LineItem"] * 3 + ["ShippingLine"]
    assert rest[0]["discountedTotalSet"]["shopMoney"] == {"amount": "89.99", "currencyCode": "USD"}
    assert all(one["__parentId"] == order["id"] for one in rest)
    assert read.whole == {("Order", "LineItem"), ("Order", "ShippingLine")}


def test_the_published_customer_collection_and_location_become_lines(shared: Path) -> None:
    (customer,) = read_customer(example(shared, "customers/update")).lines
    assert customer["state"] == "DISABLED"
    assert customer["defaultEmailAddress"] == {"emailAddress": "bob@biller.com"}
    assert customer["defaultPhoneNumber"] is None
    assert customer["defaultAddress"]["id"] == "gid://shopify/MailingAddress/12321?model_name=CustomerAddress"
    (collection,) = read_collection(example(shared, "collections/update")).lines
    assert collection["descriptionHtml"] == "<b>Some HTML</b>"
    assert "sortOrder" not in collection
    (location,) = read_location(example(shared, "locations/deactivate")).lines
    assert (location["isActive"], location["address"]["country"]) == (True, "Canada")


KNOWN = {
    "orders/updated": "number total_price subtotal_price total_tax total_discounts token refunds fulfillments"
    " total_line_items_price total_line_items_price_set total_outstanding total_weight total_tip_received tax_lines"
    " taxes_included tax_exempt test user_id contact_email confirmed confirmation_number company client_details"
    " cart_token checkout_id checkout_token browser_ip buyer_accepts_marketing app_id device_id discount_applications"
    " duties_included estimated_taxes landing_site landing_site_ref line_item_groups location_id reference"
    " merchant_business_entity_id merchant_of_record_app_id order_status_url payment_terms po_number referring_site"
    " returns source_url original_total_additional_fees_set original_total_duties_set current_shipping_price_set"
    " current_subtotal_price current_subtotal_price_set current_total_additional_fees_set current_total_discounts"
    " current_total_discounts_set current_total_duties_set current_total_price current_total_price_set"
    " current_total_tax current_total_tax_set total_cash_rounding_payment_adjustment_set"
    " total_cash_rounding_refund_adjustment_set",
    "customers/update": "currency multipass_identifier",
    "collections/update": "published_at published_scope",
    "locations/update": "country legacy",
}
"""What bodies say that no column of the mirror takes, or that another field says better."""


class Noting(dict[str, Any]):
    """A body that notes which of its fields are looked at."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body)
        self.seen: set[str] = set()

    def __contains__(self, key: object) -> bool:
        self.seen.add(str(key))
        return super().__contains__(key)

    def __getitem__(self, key: str) -> Any:
        self.seen.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.seen.add(key)
        return super().get(key, default)


@pytest.mark.parametrize("topic", KNOWN)
def test_every_field_of_the_published_schemas_is_read_or_knowingly_left(shared: Path, topic: str) -> None:
    schema = json.loads((shared / WEBHOOKS / f"schemas/2025-10/{topic}.json").read_text())
    body = Noting(example(shared, topic))
    READERS[topic.partition("/")[0]](body)
    left = set(schema["properties"]) - body.seen
    # Looked for only where there is no GID, and only where there are rules.
    assert left - {"id", "disjunctive"} == set(KNOWN[topic].split())


def test_enumerations_are_those_of_the_api() -> None:
    def state(**fields: Any) -> dict[str, Any]:
        return read_order({"id": 1, **fields}).lines[0]

    assert state(financial_status="partially_refunded")["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert state(fulfillment_status="partial")["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    assert state(fulfillment_status="restocked")["displayFulfillmentStatus"] == "RESTOCKED"
    assert state(fulfillment_status=None)["displayFulfillmentStatus"] == "UNFULFILLED"
    assert state(financial_status=None, cancel_reason=None) == {
        "__typename": "Order",
        "id": "gid://shopify/Order/1",
        "legacyResourceId": "1",
        "displayFinancialStatus": None,
        "cancelReason": None,
    }
    rules = [{"column": "variant_price", "relation": "greater_than", "condition": "10"}]
    (collection,) = read_collection({"id": 2, "sort_order": "alpha-des", "rules": rules, "disjunctive": True}).lines
    assert collection["sortOrder"] == "ALPHA_DESC"
    assert collection["ruleSet"] == {
        "appliedDisjunctively": True,
        "rules": [{"column": "VARIANT_PRICE", "relation": "GREATER_THAN", "condition": "10"}],
    }


def test_what_the_body_does_not_carry_is_left_out_and_empty_lists_are_known_to_be_empty() -> None:
    for resource, kind in (("customers", "Customer"), ("orders", "Order"), ("collections", "Collection")):
        read = READERS[resource]({"id": 5})
        assert read.lines == [{"__typename": kind, "id": f"gid://shopify/{kind}/5", "legacyResourceId": "5"}]
        assert read.whole == frozenset()
    read = read_customer({"id": 5, "addresses": [], "email": None})
    assert read.whole == {("Customer", "MailingAddress")}
    assert (read.lines[0]["defaultAddress"], read.lines[0]["defaultEmailAddress"]) == (None, None)
    assert read.shape != read_customer({"id": 5, "default_address": None, "email": None}).shape
    assert ("Product", "MediaImage") in read_product({"id": 5, "media": []}).whole


def test_shipping_that_was_taken_off_is_left_out_and_goods_that_are_gone_are_nobody() -> None:
    price = {"shop_money": {"amount": "10.00", "currency_code": "RON"}}
    price["presentment_money"] = price["shop_money"]
    line = {"id": 1, "title": "Curier", "code": None, "price_set": price}
    item = {"id": 3, "quantity": 2, "price_set": price, "product_exists": False, "product_id": 9, "variant_id": None}
    read = read_order({"id": 1, "shipping_lines": [line, line | {"id": 2, "is_removed": True}], "line_items": [item]})
    assert [one["id"] for one in read.lines[1:]] == ["gid://shopify/LineItem/3", "gid://shopify/ShippingLine/1"]
    assert (read.lines[1]["product"], read.lines[1]["variant"]) == (None, None)


@pytest.mark.parametrize(
    ("text", "written"),
    [("7.90", "7.9"), ("10.00", "10.0"), ("0", "0.0"), ("1000", "1000.0"), ("-3.45", "-3.45"), ("x", "x"),
     (None, None), ("NaN", "NaN"), ("1234567890123.45", "1234567890123.45")],
)  # fmt: skip
def test_money_is_written_as_the_api_writes_it(text: Any, written: Any) -> None:
    assert amount(text) == written


@pytest.mark.parametrize("resource", READERS)
@pytest.mark.parametrize("wrong", [None, [], "x", 5, {}, {"id": "x"}, {"admin_graphql_api_id": "gid://shopify/App/1"}])
def test_what_is_no_body_is_refused_in_words(resource: str, wrong: Any) -> None:
    with pytest.raises(BodyError):
        READERS[resource](wrong)
