"""Orders: exact money, line items with the mirror's variants, and customers and variants that are not there yet."""

from decimal import Decimal
from typing import Any

import pytest

from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import CHANGED, LATER, OTHER_DOMAIN, River, fates, gid, moment, product, variant, written

ORDER = gid("Order", 1)


def bag(amount: str, currency: str = "RON") -> dict[str, Any]:
    return {
        "shopMoney": {"amount": amount, "currencyCode": "RON"},
        "presentmentMoney": {"amount": amount, "currencyCode": currency},
    }


def order(number: int = 1, /, **fields: Any) -> bytes:
    node = {
        "__typename": "Order",
        "id": gid("Order", number),
        "legacyResourceId": str(number),
        "name": f"#{1000 + number}",
        "number": 1000 + number,
        "email": "ana@example.com",
        "phone": None,
        "createdAt": CHANGED,
        "updatedAt": CHANGED,
        "processedAt": CHANGED,
        "cancelledAt": None,
        "cancelReason": None,
        "closedAt": None,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "currencyCode": "RON",
        "presentmentCurrencyCode": "EUR",
        "sourceName": "web",
        "sourceIdentifier": None,
        "customerLocale": "ro",
        "discountCodes": ["VARA"],
        "paymentGatewayNames": ["Ramburs", "Card cadou"],
        "tags": ["urgent"],
        "note": None,
        "customAttributes": [{"key": "bon", "value": "B-1"}],
        "customer": {"id": gid("Customer", 5)},
        "totalPriceSet": bag("9999999999.99"),
        "subtotalPriceSet": bag("0.1"),
        "totalTaxSet": bag("0.02"),
        "totalDiscountsSet": bag("0.0"),
        "totalShippingPriceSet": bag("19.9"),
        "billingAddress": None,
        "shippingAddress": {"name": "Ana Mureșan", "city": "Cluj-Napoca", "countryCodeV2": "RO"},
    }
    return encode_line(node | fields)


def item(number: int, variant_number: int | None = 10, of: str = ORDER, **fields: Any) -> bytes:
    node = {
        "__typename": "LineItem",
        "id": gid("LineItem", number),
        "name": "Ferăstrău - 30 cm",
        "title": "Ferăstrău",
        "sku": "FER-10",
        "quantity": 2,
        "currentQuantity": 1,
        "variant": None if variant_number is None else {"id": gid("ProductVariant", variant_number)},
        "product": {"id": gid("Product", 1)},
        "originalUnitPriceSet": bag("79.9"),
        "discountedTotalSet": bag("159.80"),
        "taxLines": [{"title": "TVA", "rate": 0.21, "priceSet": bag("27.73")}],
    }
    return encode_line(node | fields, of)


def shipping(number: int, **fields: Any) -> bytes:
    node = {"__typename": "ShippingLine", "id": gid("ShippingLine", number), "title": "Curier", "code": "CURIER"}
    return encode_line(node | {"originalPriceSet": bag("19.9")} | fields, ORDER)


@pytest.fixture
def stocked(river: River) -> River:
    """Product 1 with variants 10 and 11, and customer 5, are in the mirror."""
    river.load([product(1), variant(10, 1), variant(11, 1)], as_of=moment(2))
    _add_customer(river, 5)
    return river


def _add_customer(river: River, number: int) -> None:
    line = encode_line({"__typename": "Customer", "id": gid("Customer", number), "updatedAt": CHANGED})
    river.load([line], resource="customers", as_of=moment(2))


def load(river: River, *lines: bytes, day: int = 5, **options: Any) -> Any:
    return river.load(lines, resource="orders", as_of=moment(day), **options)


def items(river: River, number: int = 1) -> list[dict[str, Any]]:
    return river.one("SELECT line_items FROM shopify_orders WHERE legacy_resource_id = %s", number)  # type: ignore[no-any-return]


def mirror_id(river: River, table: str, gid_: str) -> str:
    return str(river.one(f"SELECT max(id::text) FROM {table} WHERE shopify_gid = %s", gid_))


def test_an_order_becomes_a_row_with_its_lines(stocked: River) -> None:
    report = load(stocked, order(), shipping(1), item(2, 11), item(1))

    assert written(report) == {"shopify_orders": (1, 0, 0)}
    assert stocked.one(
        "SELECT name, order_number, email, financial_status, fulfillment_status, total_price, subtotal_price,"
        " total_tax, total_discounts, total_shipping, currency_code, presentment_currency, discount_codes, gateway,"
        " tags, note_attributes, customer_locale, source_name, shipping_address ->> 'city', billing_address"
        " FROM shopify_orders"
    ) == (
        "#1001",
        1001,
        "ana@example.com",
        "PAID",
        "UNFULFILLED",
        Decimal("9999999999.99"),
        Decimal("0.10"),
        Decimal("0.02"),
        Decimal("0.00"),
        Decimal("19.90"),
        "RON",
        "EUR",
        ["VARA"],
        "Ramburs",
        ["urgent"],
        [{"key": "bon", "value": "B-1"}],
        "ro",
        "web",
        "Cluj-Napoca",
        None,
    )
    first, second = items(stocked)
    assert first == {
        "id": gid("LineItem", 1),
        "variant_id": mirror_id(stocked, "shopify_variants", gid("ProductVariant", 10)),
        "variant_gid": gid("ProductVariant", 10),
        "product_gid": gid("Product", 1),
        "name": "Ferăstrău - 30 cm",
        "title": "Ferăstrău",
        "sku": "FER-10",
        "quantity": 2,
        "current_quantity": 1,
        "price": "79.9",
        "discounted_total": "159.80",
        "tax_lines": [{"title": "TVA", "rate": 0.21, "priceSet": bag("27.73")}],
    }
    assert second["variant_id"] == mirror_id(stocked, "shopify_variants", gid("ProductVariant", 11))
    assert stocked.one("SELECT shipping_lines FROM shopify_orders") == [
        {"id": gid("ShippingLine", 1), "title": "Curier", "code": "CURIER", "price": "19.9"}
    ]
    assert str(stocked.one("SELECT customer_id FROM shopify_orders")) == mirror_id(
        stocked, "shopify_customers", gid("Customer", 5)
    )


def test_the_same_orders_again_change_nothing_at_all(stocked: River) -> None:
    lines = [order(), item(1), item(2), shipping(1), order(2, customer=None), item(3, of=gid("Order", 2))]
    load(stocked, *lines)
    before, audited = stocked.versions(), stocked.audit_rows()

    report = load(stocked, *reversed(lines), day=6)

    assert written(report) == {}
    assert report.stage.total.unchanged == len(lines)
    assert (stocked.versions(), stocked.audit_rows()) == (before, audited)


def test_variants_and_customers_that_are_not_there_yet_are_found_later(stocked: River) -> None:
    lines = [order(customer={"id": gid("Customer", 6)}), item(1, 77), item(2, 10)]
    report = load(stocked, *lines)
    assert [note.partition(" that ")[0] for note in report.stage.notes] == [
        "shopify_orders.customer_id names rows of shopify_customers",
        "shopify_orders.line_items names rows of shopify_variants",
    ]
    assert [one["variant_id"] is None for one in items(stocked)] == [True, False]
    assert items(stocked)[0]["variant_gid"] == gid("ProductVariant", 77), "the item stays"
    assert stocked.one("SELECT customer_id, fingerprint FROM shopify_orders") == (None, None)
    before = stocked.versions()
    assert written(load(stocked, *lines, day=6)) == {}
    assert stocked.versions() == before

    stocked.load([variant(77, 1)], as_of=moment(6))
    _add_customer(stocked, 6)
    report = load(stocked, *lines, day=7)

    assert written(report) == {"shopify_orders": (0, 1, 0)}
    assert items(stocked)[0]["variant_id"] == mirror_id(stocked, "shopify_variants", gid("ProductVariant", 77))
    assert str(stocked.one("SELECT customer_id FROM shopify_orders")) == mirror_id(
        stocked, "shopify_customers", gid("Customer", 6)
    )
    assert load(stocked, *lines, day=8).stage.total.unchanged == len(lines)


def test_items_of_vanished_variants_stay_and_are_counted_apart(stocked: River) -> None:
    load(stocked, order(), item(1, 10), item(2, None, quantity=3))
    stocked.do("UPDATE shopify_orders SET created_at_shopify = now()")
    stocked.do("REFRESH MATERIALIZED VIEW mv_top_sellers")

    assert items(stocked)[1]["variant_id"] is None
    assert stocked.query(
        "SELECT product_title IS NOT NULL, units_sold, revenue FROM mv_top_sellers WHERE shop_id = %s ORDER BY 1",
        next(iter(stocked.shops.values())),
    ) == [(False, 3, Decimal("239.7")), (True, 2, Decimal("159.8"))]


def test_a_variant_of_another_shop_is_not_taken(stocked: River) -> None:
    load(stocked, order(), item(1, 10), domain=OTHER_DOMAIN)

    assert items(stocked)[0]["variant_id"] is None
    assert stocked.one("SELECT customer_id FROM shopify_orders") is None


@pytest.mark.parametrize("name", ["financial_status", "fulfillment_status"])
def test_every_status_of_the_api_version_is_taken(stocked: River, name: str) -> None:
    field = {"financial_status": "displayFinancialStatus", "fulfillment_status": "displayFulfillmentStatus"}[name]
    columns = RESOURCES["orders"].entities[0].columns
    choices = sorted(next(column.choices for column in columns if column.name == name) or ())
    assert len(choices) in {8, 10}

    report = load(stocked, *(order(n, **{field: choice}) for n, choice in enumerate(choices, 1)))

    assert report.stage.total.rejected == 0
    assert [row for (row,) in stocked.query(f"SELECT {name} FROM shopify_orders ORDER BY 1")] == choices


def test_the_gravest_assessment_is_an_orders_risk(stocked: River) -> None:
    def at_risk(number: int, *levels: str) -> bytes:
        return order(number, risk={"assessments": [{"riskLevel": level} for level in levels]})

    query = "SELECT risk_level FROM shopify_orders ORDER BY legacy_resource_id"
    load(stocked, at_risk(1, "LOW", "HIGH", "MEDIUM"), at_risk(2, "NONE", "LOW"), at_risk(3, "PENDING"), at_risk(4))
    assert [level for (level,) in stocked.query(query)] == ["HIGH", "LOW", "PENDING", None]

    load(stocked, order(1), order(2), order(3), order(4), day=6)
    assert [level for (level,) in stocked.query(query)] == ["HIGH", "LOW", "PENDING", None], "not asked for: left alone"

    load(stocked, at_risk(1), at_risk(2, "NONE"), at_risk(3), at_risk(4, "MEDIUM"), day=7)
    assert [level for (level,) in stocked.query(query)] == [None, "NONE", None, "MEDIUM"]
    assert stocked.errors(load(stocked, at_risk(1, "GRAV"), day=8).run_id) == [(1, "not_in_enum")]


def test_bad_lines_are_rejected_each_with_its_reason(stocked: River) -> None:
    report = load(
        stocked,
        order(),
        item(1),
        item(2, quantity=None),
        item(3, quantity="două"),
        item(4, originalUnitPriceSet=bag("99999999999.99")),
        order(2, displayFinancialStatus="LOST"),
        item(5, of=gid("Order", 2)),
        order(3, totalPriceSet=None),
        order(4, number=None),
        item(1),
    )

    assert stocked.errors(report.run_id) == [
        (3, "missing_required"),
        (4, "not_a_number"),
        (5, "out_of_range"),
        (6, "not_in_enum"),
        (7, "orphan"),
        (8, "missing_required"),
        (9, "missing_required"),
    ]
    assert fates(report)["LineItem"] == (1, 0, 4, 1), "the same line twice counts once"
    assert [one["id"] for one in items(stocked)] == [gid("LineItem", 1)]


def test_an_older_export_overwrites_nothing(stocked: River) -> None:
    load(stocked, order(updatedAt=LATER), item(1), day=6)
    before = stocked.versions()

    report = load(stocked, order(note="veche"), item(2), day=7)

    assert fates(report) == {"Order": (0, 0, 0, 1), "LineItem": (0, 0, 0, 1)}
    assert stocked.versions() == before


def test_a_damaged_file_removes_no_item_and_an_edited_order_loses_its_own(stocked: River) -> None:
    load(stocked, order(), item(1), item(2), shipping(1))

    load(stocked, order(updatedAt=LATER), item(2, quantity=5), b"{\n", day=6)
    assert [one["quantity"] for one in items(stocked)] == [2, 5]

    load(stocked, order(updatedAt=LATER), item(2, quantity=5), day=7)
    assert [one["quantity"] for one in items(stocked)] == [5]
    assert stocked.one("SELECT shipping_lines FROM shopify_orders") == []


def test_a_query_without_items_leaves_them_alone(stocked: River) -> None:
    load(stocked, order(), item(1))
    short = {
        "__typename": "Order",
        "name": "#1",
        "number": 1,
        "currencyCode": "RON",
        "totalPriceSet": bag("1.0"),
        "updatedAt": LATER,
    }

    load(stocked, encode_line({"id": ORDER, **short}), encode_line({"id": gid("Order", 2), **short}), day=6)

    assert stocked.query("SELECT name, jsonb_array_length(line_items) FROM shopify_orders ORDER BY shopify_gid") == [
        ("#1", 1),
        ("#1", 0),
    ]
