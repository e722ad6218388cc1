"""An order's webhook body as the lines that the orders bulk query gives of the same order.

Belongs here: names and shapes of REST to those of GraphQL. Does not belong here: checking values.

REST knows fewer states of fulfillment: nothing fulfilled yet is null whether the goods are on hold, scheduled or in
progress. Null becomes UNFULFILLED; the next export tells the finer state.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from neanelu_pipelines.shopify.webhooks.bodies import (
    Body,
    Node,
    Reading,
    address,
    gid,
    gid_of,
    identity,
    money_bag,
    reading,
    reference,
    renamed,
    tag_list,
    upper,
)

_FIELDS = {
    "name": "name",
    "order_number": "number",
    "email": "email",
    "phone": "phone",
    "currency": "currencyCode",
    "presentment_currency": "presentmentCurrencyCode",
    "discount_codes": "discountCodes",
    "shipping_address": "shippingAddress",
    "billing_address": "billingAddress",
    "customer": "customer",
    "customer_locale": "customerLocale",
    "tags": "tags",
    "note": "note",
    "note_attributes": "customAttributes",
    "payment_gateway_names": "paymentGatewayNames",
    "source_name": "sourceName",
    "source_identifier": "sourceIdentifier",
    "financial_status": "displayFinancialStatus",
    "fulfillment_status": "displayFulfillmentStatus",
    "total_price_set": "totalPriceSet",
    "subtotal_price_set": "subtotalPriceSet",
    "total_tax_set": "totalTaxSet",
    "total_discounts_set": "totalDiscountsSet",
    "total_shipping_price_set": "totalShippingPriceSet",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "processed_at": "processedAt",
    "cancelled_at": "cancelledAt",
    "cancel_reason": "cancelReason",
    "closed_at": "closedAt",
}
_FULFILLMENT = {None: "UNFULFILLED", "fulfilled": "FULFILLED", "partial": "PARTIALLY_FULFILLED"}
_LINE_FIELDS = {
    "name": "name",
    "title": "title",
    "sku": "sku",
    "quantity": "quantity",
    "current_quantity": "currentQuantity",
}
_MONEY_KINDS = ("shop_money", "presentment_money")


def _read(body: Body) -> Reading:
    node = identity("Order", body) | {
        name: _CHANGED.get(name, _same)(value) for name, value in renamed(body, _FIELDS).items()
    }
    parent = {"__parentId": node["id"]}
    lines = [node]
    whole = set()
    if "line_items" in body:
        lines += [_line_item(item) | parent for item in body["line_items"]]
        whole.add(("Order", "LineItem"))
    if "shipping_lines" in body:
        # The bulk query gives none of those that were taken off the order.
        lines += [_shipping_line(line) | parent for line in body["shipping_lines"] if not line.get("is_removed")]
        whole.add(("Order", "ShippingLine"))
    return Reading(lines, frozenset(whole))


read_order = reading("an order", _read)
"""A body of orders/create, orders/updated and the other topics that carry the whole order."""


def _line_item(item: Body) -> Node:
    node = {"__typename": "LineItem", "id": gid_of("LineItem", item), **renamed(item, _LINE_FIELDS)}
    node["variant"] = reference("ProductVariant", item.get("variant_id"))
    # A product that is gone may still be named.
    node["product"] = reference("Product", item.get("product_id")) if item.get("product_exists", True) else None
    node["originalUnitPriceSet"] = money_bag(item["price_set"])
    node["discountedTotalSet"] = _discounted(item)
    node["taxLines"] = [_tax_line(line) for line in item.get("tax_lines") or ()]
    return node


def _discounted(item: Body) -> Node | None:
    """What the line costs with the discounts of its own; REST tells what they take off it."""
    bag: Node = {}
    for kind in _MONEY_KINDS:
        try:
            price, off = (Decimal(item[name][kind]["amount"]) for name in ("price_set", "total_discount_set"))
        except (KeyError, InvalidOperation):
            return None
        total = price * int(item["quantity"]) - off
        bag[kind] = {"amount": str(total), "currency_code": item["price_set"][kind]["currency_code"]}
    return money_bag(bag)


def _shipping_line(line: Body) -> Node:
    node = {"__typename": "ShippingLine", "id": gid("ShippingLine", line["id"])}
    return node | renamed(line, {"title": "title", "code": "code"}) | {"originalPriceSet": money_bag(line["price_set"])}


def _tax_line(line: Body) -> Node:
    return {"title": line["title"], "rate": line["rate"], "priceSet": money_bag(line["price_set"])}


def _customer(customer: Body | None) -> Node | None:
    return None if customer is None else {"id": gid_of("Customer", customer)}


def _attributes(attributes: list[Body]) -> list[Node]:
    return [{"key": one["name"], "value": one["value"]} for one in attributes]


def _fulfillment(status: Any) -> Any:
    return _FULFILLMENT.get(status, upper(status))


def _same(value: Any) -> Any:
    return value


_CHANGED: Mapping[str, Any] = {
    "discountCodes": lambda codes: [one["code"] for one in codes],
    "shippingAddress": address,
    "billingAddress": address,
    "customer": _customer,
    "tags": tag_list,
    "customAttributes": _attributes,
    "displayFinancialStatus": upper,
    "displayFulfillmentStatus": _fulfillment,
    "cancelReason": upper,
    **dict.fromkeys(
        ("totalPriceSet", "subtotalPriceSet", "totalTaxSet", "totalDiscountsSet", "totalShippingPriceSet"), money_bag
    ),
}
