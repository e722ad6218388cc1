"""Nodes as webhooks carry them: REST-shaped, snake_case, numeric ids, tags as one text, moments with the shop's offset.

Belongs here: the bodies of goods, people and orders. Does not belong here: which webhook is sent when (`hooks`).
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from neanelu_pipelines.sandbox.shop.overlay import Node

_ZONE = ZoneInfo("Europe/Bucharest")
_FIRST_VARIANTS = 100
"""Product bodies carry no more variants in full."""


def body_of(node: Node) -> Node:
    """The body of a create or update webhook about this node."""
    return _BODIES[node["__typename"]](node)


def moment(text: str | None) -> str | None:
    """A moment in the shop's own time."""
    return None if text is None else datetime.fromisoformat(text).astimezone(_ZONE).isoformat()


def number_of(gid: str | None) -> int | None:
    """The numeric id in a GID."""
    return None if gid is None else int(gid.rpartition("/")[2].partition("?")[0])


def _ids(node: Node) -> Node:
    return {"id": number_of(node["id"]), "admin_graphql_api_id": node["id"]}


def _product(node: Node) -> Node:
    images = [one for one in node["media"] if one["__typename"] == "MediaImage"]
    return {
        **_ids(node),
        "body_html": node["descriptionHtml"],
        "created_at": moment(node["createdAt"]),
        "handle": node["handle"],
        "product_type": node["productType"],
        "published_at": moment(node["publishedAt"]),
        "template_suffix": node["templateSuffix"],
        "title": node["title"],
        "updated_at": moment(node["updatedAt"]),
        "vendor": node["vendor"],
        "status": node["status"].lower(),
        "published_scope": "web",
        "tags": ", ".join(node["tags"]),
        "variants": [_variant(one, node) for one in node["variants"][:_FIRST_VARIANTS]],
        "options": [
            {
                "id": number_of(option["id"]),
                "product_id": number_of(node["id"]),
                "name": option["name"],
                "position": option["position"],
                "values": option["values"],
            }
            for option in node["options"]
        ],
        "images": [_image(one, place, node) for place, one in enumerate(images, 1)],
        "image": _image(images[0], 1, node) if images else None,
        "media": [
            {
                **_ids(one),
                "position": place,
                "alt": one["alt"],
                "status": one["status"],
                "media_content_type": one["mediaContentType"],
            }
            for place, one in enumerate(node["media"], 1)
        ],
        "variant_gids": [
            {"admin_graphql_api_id": one["id"], "updated_at": one["updatedAt"]} for one in node["variants"]
        ],
        "has_variants_that_requires_components": False,
        "category": _category(node["category"]),
    }


def _category(category: Node | None) -> Node | None:
    if category is None:
        return None
    name = category["fullName"].rpartition(" > ")[2]
    return {"admin_graphql_api_id": category["id"], "name": name, "full_name": category["fullName"]}


def _variant(variant: Node, product: Node) -> Node:
    options = [one["value"] for one in variant["selectedOptions"]] + [None, None]
    return {
        **_ids(variant),
        "product_id": number_of(product["id"]),
        "barcode": variant["barcode"],
        "compare_at_price": variant["compareAtPrice"],
        "created_at": moment(variant["createdAt"]),
        "inventory_policy": variant["inventoryPolicy"].lower(),
        "position": variant["position"],
        "price": variant["price"],
        "sku": variant["sku"],
        "taxable": variant["taxable"],
        "title": variant["title"],
        "updated_at": moment(variant["updatedAt"]),
        "option1": options[0],
        "option2": options[1],
        "option3": options[2],
        "image_id": number_of(variant["media"][0]["id"]) if variant["media"] else None,
        "inventory_item_id": number_of(variant["inventoryItem"]["id"]),
        "inventory_quantity": variant["inventoryQuantity"],
        "old_inventory_quantity": variant["inventoryQuantity"],
    }


def _image(image: Node, place: int, product: Node) -> Node:
    variants = [one["id"] for one in product["variants"] if any(m["id"] == image["id"] for m in one["media"])]
    return {
        **_ids(image),
        "product_id": number_of(product["id"]),
        "position": place,
        "alt": image["alt"],
        "created_at": moment(image["createdAt"]),
        "updated_at": moment(image["updatedAt"]),
        "src": image["image"]["url"],
        "width": image["image"]["width"],
        "height": image["image"]["height"],
        "variant_ids": [number_of(gid) for gid in variants],
    }


def _item(item: Node) -> Node:
    weight = item["measurement"]["weight"]
    return {
        **_ids(item),
        "sku": item["sku"],
        "created_at": moment(item["createdAt"]),
        "updated_at": moment(item["updatedAt"]),
        "requires_shipping": item["requiresShipping"],
        "cost": _price(item["unitCost"]) if item["unitCost"] else None,
        "country_code_of_origin": item["countryCodeOfOrigin"],
        "province_code_of_origin": None,
        "harmonized_system_code": item["harmonizedSystemCode"],
        "tracked": item["tracked"],
        "country_harmonized_system_codes": [],
        "weight_value": weight["value"],
        "weight_unit": {"KILOGRAMS": "kg", "GRAMS": "g"}[weight["unit"]],
    }


def _level(level: Node) -> Node:
    return {
        "inventory_item_id": number_of(level["item"]["id"]),
        "location_id": number_of(level["location"]["id"]),
        "available": next(one["quantity"] for one in level["quantities"] if one["name"] == "available"),
        "updated_at": moment(level["updatedAt"]),
        "admin_graphql_api_id": level["id"],
    }


def _collection(node: Node) -> Node:
    return {
        **_ids(node),
        "handle": node["handle"],
        "title": node["title"],
        "updated_at": moment(node["updatedAt"]),
        "body_html": node["descriptionHtml"],
        "published_at": moment(node["updatedAt"]),
        "sort_order": node["sortOrder"].lower().replace("_", "-"),
        "template_suffix": node["templateSuffix"],
        "published_scope": "web",
        **_rules(node["ruleSet"]),
        **({"image": {"src": node["image"]["url"], "alt": node["image"]["altText"]}} if node["image"] else {}),
    }


def _rules(rules: Node | None) -> Node:
    """Only collections that fill themselves have rules."""
    if rules is None:
        return {}
    shown = [{**one, "column": one["column"].lower(), "relation": one["relation"].lower()} for one in rules["rules"]]
    return {"rules": shown, "disjunctive": rules["appliedDisjunctively"]}


def _customer(node: Node) -> Node:
    email, phone = node["defaultEmailAddress"], node["defaultPhoneNumber"]
    addresses = [_customer_address(one, node) for one in node["addressesV2"]]
    return {
        **_ids(node),
        "created_at": moment(node["createdAt"]),
        "updated_at": moment(node["updatedAt"]),
        "first_name": node["firstName"],
        "last_name": node["lastName"],
        "state": node["state"].lower(),
        "note": node["note"],
        "verified_email": node["verifiedEmail"],
        "multipass_identifier": None,
        "tax_exempt": node["taxExempt"],
        "email": email["emailAddress"] if email else None,
        "phone": phone["phoneNumber"] if phone else None,
        "currency": "RON",
        "addresses": addresses,
        "tax_exemptions": node["taxExemptions"],
        **({"default_address": next(one for one in addresses if one["default"])} if addresses else {}),
    }


def _customer_address(address: Node, customer: Node) -> Node:
    default = customer["defaultAddress"]
    return {
        "id": number_of(address["id"]),
        "customer_id": number_of(customer["id"]),
        **_address(address),
        "country_name": address["country"],
        "default": default is not None and default["id"] == address["id"],
    }


def _address(address: Node) -> Node:
    return {
        "first_name": address["firstName"],
        "last_name": address["lastName"],
        "company": address["company"],
        "address1": address["address1"],
        "address2": address["address2"],
        "city": address["city"],
        "province": address["province"],
        "country": address["country"],
        "zip": address["zip"],
        "phone": address["phone"],
        "name": address["name"],
        "province_code": address["provinceCode"],
        "country_code": address["countryCodeV2"],
    }


def _location(node: Node) -> Node:
    address = node["address"]
    return {
        **_ids(node),
        "name": node["name"],
        **{name: address[name] for name in ("address1", "address2", "city", "zip", "province", "phone")},
        "country": address["countryCode"],
        "country_code": address["countryCode"],
        "country_name": address["country"],
        "province_code": address["provinceCode"],
        "created_at": moment(node["createdAt"]),
        "updated_at": moment(node["updatedAt"]),
        "legacy": node["isFulfillmentService"],
        "active": node["isActive"],
    }


def _metaobject(node: Node) -> Node:
    return {
        "id": node["id"],
        "type": node["type"],
        "handle": node["handle"],
        "display_name": node["displayName"],
        "created_at": moment(node["createdAt"]),
        "updated_at": moment(node["updatedAt"]),
        "fields": {one["key"]: one["value"] for one in node["fields"]},
    }


def _price(amount: Node) -> str:
    """A price as REST writes it: always two decimals."""
    return str(Decimal(amount["amount"]).quantize(Decimal("0.01")))


def _set(bag: Node) -> Node:
    shop, shown = bag["shopMoney"], bag["presentmentMoney"]
    return {
        "shop_money": {"amount": _price(shop), "currency_code": shop["currencyCode"]},
        "presentment_money": {"amount": _price(shown), "currency_code": shown["currencyCode"]},
    }


def _money(name: str, bag: Node) -> Node:
    return {name: _price(bag["shopMoney"]), f"{name}_set": _set(bag)}


def _order(node: Node) -> Node:
    customer = node["customer"]
    return {
        **_ids(node),
        "name": node["name"],
        "order_number": int(node["name"].removeprefix("#")),
        "email": node["email"],
        "contact_email": node["email"],
        "phone": node["phone"],
        **{f"{name}_at": moment(node[f"{name}At"]) for name in ("created", "updated", "processed", "cancelled")},
        "closed_at": moment(node["closedAt"]),
        "cancel_reason": node["cancelReason"].lower() if node["cancelReason"] else None,
        "test": node["test"],
        "financial_status": node["displayFinancialStatus"].lower(),
        "fulfillment_status": _FULFILLMENT.get(node["displayFulfillmentStatus"]),
        "currency": node["currencyCode"],
        "presentment_currency": node["presentmentCurrencyCode"],
        "taxes_included": node["taxesIncluded"],
        "source_name": node["sourceName"],
        "source_identifier": node["sourceIdentifier"],
        "customer_locale": node["customerLocale"],
        "discount_codes": [{"code": one, "amount": "0.00", "type": "percentage"} for one in node["discountCodes"]],
        "payment_gateway_names": node["paymentGatewayNames"],
        "tags": ", ".join(node["tags"]),
        "note": node["note"],
        "note_attributes": [{"name": one["key"], "value": one["value"]} for one in node["customAttributes"]],
        **_money("total_price", node["totalPriceSet"]),
        **_money("subtotal_price", node["subtotalPriceSet"]),
        **_money("total_tax", node["totalTaxSet"]),
        **_money("total_discounts", node["totalDiscountsSet"]),
        **_money("current_total_price", node["currentTotalPriceSet"]),
        "total_shipping_price_set": _set(node["totalShippingPriceSet"]),
        "customer": None if customer is None else _ids(customer),
        "billing_address": _address(node["billingAddress"]) if node["billingAddress"] else None,
        "shipping_address": _address(node["shippingAddress"]) if node["shippingAddress"] else None,
        "line_items": [_line(one) for one in node["lineItems"]],
        "shipping_lines": [
            {"id": number_of(one["id"]), "title": one["title"], "code": one["code"]}
            | _money("price", one["originalPriceSet"])
            for one in node["shippingLines"]
        ],
        "refunds": [_refund(one, node) for one in node["refunds"]],
        "fulfillments": [
            {**_ids(one), "status": one["status"].lower(), "created_at": moment(one["createdAt"])}
            for one in node["fulfillments"]
        ],
    }


_FULFILLMENT = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}


def _line(line: Node) -> Node:
    product, variant = line["product"], line["variant"]
    off = _discount(line)
    return {
        **_ids(line),
        "name": line["name"],
        "title": line["title"],
        "sku": line["sku"],
        "quantity": line["quantity"],
        "current_quantity": line["currentQuantity"],
        "product_exists": product is not None,
        "product_id": number_of(product["id"]) if product else None,
        "variant_id": number_of(variant["id"]) if variant else None,
        **_money("price", line["originalUnitPriceSet"]),
        **_money("total_discount", off),
        "tax_lines": [
            {"title": one["title"], "rate": one["rate"]} | _money("price", one["priceSet"]) for one in line["taxLines"]
        ],
    }


def _discount(line: Node) -> Node:
    """What the line's own discounts take off it."""
    bag = {}
    for kind, price in line["originalUnitPriceSet"].items():
        off = Decimal(price["amount"]) * line["quantity"] - Decimal(line["discountedTotalSet"][kind]["amount"])
        bag[kind] = {**price, "amount": str(off)}
    return bag


def _refund(refund: Node, order: Node) -> Node:
    paid_back = next(one for one in order["transactions"] if one["kind"] == "REFUND")
    amount = {"kind": "refund", "status": "success", "amount": _price(paid_back["amountSet"]["shopMoney"])}
    return {
        **_ids(refund),
        "order_id": number_of(order["id"]),
        "created_at": moment(refund["createdAt"]),
        "transactions": [{"id": number_of(paid_back["id"]), **amount, "currency": order["currencyCode"]}],
    }


_BODIES: dict[str, Callable[[Node], Node]] = {
    "Product": _product,
    "InventoryItem": _item,
    "InventoryLevel": _level,
    "Collection": _collection,
    "Customer": _customer,
    "Order": _order,
    "Location": _location,
    "Metaobject": _metaobject,
}
