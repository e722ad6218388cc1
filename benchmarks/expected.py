"""What the mirror must hold of a sandbox's shop, worked out from the shop's own nodes.

Belongs here: the rows that follow from nodes, column by column, by hand. Nothing of the loader is used here (no
declaration, no parser, no SQL), so that a mistake there cannot be repeated here. Does not belong here: comparing
(`agreement`).

A reference to another row is the GID of that row. A table's rows have keys: a GID, or the GIDs of what a link joins.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from benchmarks.expected_files import files, medium
from benchmarks.expected_stock import inventory
from benchmarks.expected_storefront import menus, product_publications
from benchmarks.values import (
    Row,
    Rows,
    decimal,
    identity,
    link,
    metafields,
    moment,
    moments,
    nodes,
    number,
    paid,
    text,
    url,
)
from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.world import Shop

_ADDRESS = (
    "name", "firstName", "lastName", "company", "address1", "address2", "city", "province", "provinceCode", "country",
    "countryCodeV2", "zip", "phone",
)  # fmt: skip
_PLACE = ("address1", "address2", "city", "province", "provinceCode", "country", "countryCode", "zip", "phone")


def products(shop: Shop) -> dict[str, Rows]:
    """Products, variants, media, and which media a product has."""
    made: dict[str, Rows] = {
        table: {} for table in ("shopify_products", "shopify_variants", "shopify_media", "shopify_product_media")
    }
    for node in nodes(shop, "products"):
        made["shopify_products"][node["id"],] = _product(node)
        made["shopify_variants"] |= {(one["id"],): _variant(one, node) for one in node["variants"]}
        made["shopify_media"] |= {(one["id"],): medium(one) for one in node["media"]}
        made["shopify_product_media"] |= dict(_product_media(node))
    return made


def variant_media(shop: Shop) -> dict[str, Rows]:
    """Which media a variant has, in the order of their numbers."""
    made: Rows = {}
    for node in nodes(shop, "productVariants"):
        shown = sorted((one["id"] for one in node["media"]), key=number)
        made |= {
            (node["id"], one): {"variant_id": node["id"], "media_id": one, "position": place}
            for place, one in enumerate(shown)
        }
    return {"shopify_variant_media": made}


def _product(node: Node) -> Row:
    featured = (node["featuredMedia"] or {}).get("id")
    return identity(node) | {
        "title": node["title"],
        "handle": node["handle"],
        "description": text(node["descriptionHtml"]),
        "description_html": node["descriptionHtml"],
        "vendor": node["vendor"],
        "product_type": node["productType"],
        "status": node["status"],
        "tags": node["tags"],
        "is_gift_card": node["isGiftCard"],
        "has_only_default_variant": node["hasOnlyDefaultVariant"],
        "has_out_of_stock_variants": any(one["inventoryQuantity"] <= 0 for one in node["variants"]),
        "requires_selling_plan": node["requiresSellingPlan"],
        "options": [{key: one[key] for key in ("id", "name", "position", "values")} for one in node["options"]],
        "seo": node["seo"] and {key: node["seo"][key] for key in ("title", "description")},
        "price_range": _range(node["priceRangeV2"], "Price"),
        "compare_at_price_range": _range(node["compareAtPriceRange"], "CompareAtPrice"),
        "featured_image_url": next((url(one) for one in node["media"] if one["id"] == featured), None),
        "template_suffix": node["templateSuffix"],
        "category_id": node["category"] and node["category"]["id"],
        "metafields": metafields(node),
        "published_at": moment(node["publishedAt"]),
        **moments(node),
    }


def _variant(node: Node, product: Node) -> Row:
    item = node["inventoryItem"]
    weight = (item["measurement"] or {}).get("weight") or {"value": None, "unit": None}
    return identity(node) | {
        "product_id": product["id"],
        "title": node["title"],
        "sku": node["sku"],
        "barcode": node["barcode"],
        "price": Decimal(node["price"]),
        "compare_at_price": decimal(node["compareAtPrice"]),
        "currency_code": "RON",
        "cost": decimal((item["unitCost"] or {}).get("amount")),
        "weight": decimal(weight["value"], "0.0001"),
        "weight_unit": weight["unit"],
        "inventory_quantity": node["inventoryQuantity"],
        "inventory_policy": node["inventoryPolicy"],
        "inventory_item_id": item["id"],
        "taxable": node["taxable"],
        "tax_code": node["taxCode"],
        "requires_shipping": item["requiresShipping"],
        "requires_components": node["requiresComponents"],
        "image_url": node["image"] and node["image"]["url"],
        "metafields": metafields(node),
        "available_for_sale": node["availableForSale"],
        "position": node["position"],
        "selected_options": [{key: one[key] for key in ("name", "value")} for one in node["selectedOptions"]],
        **moments(node),
    }


def _range(said: Node | None, of: str) -> Row | None:
    if said is None:
        return None
    low, high = said[f"minVariant{of}"], said[f"maxVariant{of}"]
    return {"min": low["amount"], "max": high["amount"], "currency": low["currencyCode"]}


def _product_media(node: Node) -> Iterator[tuple[tuple[str, str], Row]]:
    """Shopify gives no position: the featured one first, then in the order of upload."""
    featured = (node["featuredMedia"] or {}).get("id")
    order = sorted((one["id"] for one in node["media"]), key=lambda gid: (gid != featured, number(gid), gid))
    for position, gid in enumerate(order):
        yield (node["id"], gid), link(node, gid, "product_id", "media_id", position) | {"is_featured": gid == featured}


def collections(shop: Shop) -> dict[str, Rows]:
    """Collections, and which products are in them, in the collection's order."""
    every = nodes(shop, "collections")
    members: Rows = {}
    for node in every:
        inside = node["products"]
        for position, index in enumerate(inside.indexes()):
            gid = inside.node(int(index))["id"]
            members[node["id"], gid] = link(node, gid, "collection_id", "product_id", position)
    return {
        "shopify_collections": {(node["id"],): _collection(node) for node in every},
        "shopify_collection_products": members,
    }


def _collection(node: Node) -> Row:
    rules = node["ruleSet"]
    return identity(node) | {
        "title": node["title"],
        "handle": node["handle"],
        "description": text(node["descriptionHtml"]),
        "description_html": node["descriptionHtml"],
        "collection_type": "SMART" if rules else "MANUAL",
        "sort_order": node["sortOrder"],
        "rules": rules and [{key: one[key] for key in ("column", "relation", "condition")} for one in rules["rules"]],
        "disjunctive": bool(rules and rules["appliedDisjunctively"]),
        "seo": node["seo"] and {key: node["seo"][key] for key in ("title", "description")},
        "image_url": node["image"] and node["image"]["url"],
        "products_count": node["productsCount"]["count"],
        "template_suffix": node["templateSuffix"],
        "published_at": None,  # Shopify does not tell
    }


def customers(shop: Shop) -> dict[str, Rows]:
    """Customers with their addresses."""
    return {"shopify_customers": {(node["id"],): _customer(node) for node in nodes(shop, "customers")}}


def _customer(node: Node) -> Row:
    email = node["defaultEmailAddress"] or {}
    addresses = sorted(node["addressesV2"], key=lambda one: number(one["id"]))
    return identity(node) | {
        "email": email.get("emailAddress"),
        "phone": (node["defaultPhoneNumber"] or {}).get("phoneNumber"),
        "first_name": node["firstName"],
        "last_name": node["lastName"],
        "display_name": node["displayName"],
        "state": node["state"],
        "verified_email": node["verifiedEmail"],
        "accepts_marketing": email.get("marketingState") == "SUBSCRIBED",
        "accepts_marketing_updated_at": moment(email.get("marketingUpdatedAt")),
        "marketing_opt_in_level": email.get("marketingOptInLevel"),
        "orders_count": int(node["numberOfOrders"]),
        "total_spent": decimal(node["amountSpent"]["amount"]),
        "average_order_amount": None,  # Shopify does not tell in bulk
        "currency_code": node["amountSpent"]["currencyCode"],
        "tags": node["tags"],
        "tax_exempt": node["taxExempt"],
        "tax_exemptions": node["taxExemptions"],
        "locale": node["locale"],
        "note": node["note"],
        "default_address": node["defaultAddress"] and _address(node["defaultAddress"]),
        "addresses": [_address(one) for one in addresses],
        "metafields": metafields(node),
        **moments(node),
    }


def _address(node: Node) -> Row:
    return {key: node[key] for key in ("id", *_ADDRESS)}


def orders(shop: Shop) -> dict[str, Rows]:
    """Orders with their lines."""
    return {"shopify_orders": {(node["id"],): _order(node) for node in nodes(shop, "orders")}}


def _order(node: Node) -> Row:
    gateways = node["paymentGatewayNames"]
    lines = sorted(node["lineItems"], key=lambda one: number(one["id"]))
    risks = [one["riskLevel"] for one in node["risk"]["assessments"]]
    return identity(node) | {
        "name": node["name"],
        "order_number": node["number"],
        "email": node["email"],
        "phone": node["phone"],
        "financial_status": node["displayFinancialStatus"],
        "fulfillment_status": node["displayFulfillmentStatus"],
        "total_price": paid(node["totalPriceSet"]),
        "subtotal_price": paid(node["subtotalPriceSet"]),
        "total_tax": paid(node["totalTaxSet"]),
        "total_discounts": paid(node["totalDiscountsSet"]),
        "total_shipping": paid(node["totalShippingPriceSet"]),
        "currency_code": node["currencyCode"],
        "presentment_currency": node["presentmentCurrencyCode"],
        "line_items": [_line_item(one) for one in lines],
        "shipping_lines": [_shipping_line(one) for one in node["shippingLines"]],
        "discount_codes": node["discountCodes"],
        "shipping_address": node["shippingAddress"] and {key: node["shippingAddress"][key] for key in _ADDRESS},
        "billing_address": node["billingAddress"] and {key: node["billingAddress"][key] for key in _ADDRESS},
        "customer_id": node["customer"] and node["customer"]["id"],
        "customer_gid": node["customer"] and node["customer"]["id"],
        "customer_locale": node["customerLocale"],
        "tags": node["tags"],
        "note": node["note"],
        "note_attributes": node["customAttributes"],
        "gateway": gateways[0] if gateways else None,
        "payment_terms": None,  # not asked for
        "risk_level": next((one for one in ("HIGH", "MEDIUM", "LOW") if one in risks), (risks or [None])[0]),
        "source_name": node["sourceName"],
        "source_identifier": node["sourceIdentifier"],
        "cancelled_at": moment(node["cancelledAt"]),
        "cancel_reason": node["cancelReason"],
        "closed_at": moment(node["closedAt"]),
        "processed_at": moment(node["processedAt"]),
        **moments(node),
    }


def _line_item(node: Node) -> Row:
    variant = node["variant"] and node["variant"]["id"]
    return {
        "id": node["id"],
        "variant_id": variant,
        "variant_gid": variant,
        "product_gid": node["product"] and node["product"]["id"],
        "name": node["name"],
        "title": node["title"],
        "sku": node["sku"],
        "quantity": node["quantity"],
        "current_quantity": node["currentQuantity"],
        "price": node["originalUnitPriceSet"]["shopMoney"]["amount"],
        "discounted_total": node["discountedTotalSet"]["shopMoney"]["amount"],
        "tax_lines": node["taxLines"],
    }


def _shipping_line(node: Node) -> Row:
    price = node["originalPriceSet"]["shopMoney"]["amount"]
    return {"id": node["id"], "title": node["title"], "code": node["code"], "price": price}


def locations(shop: Shop) -> dict[str, Rows]:
    """Locations, active or not."""
    every = nodes(shop, "locations", includeInactive=True, includeLegacy=True)
    return {"inventory_locations": {(node["id"],): _location(node) for node in every}}


def _location(node: Node) -> Row:
    return identity(node) | {
        "name": node["name"],
        "address": {key: node["address"][key] for key in _PLACE},
        "is_active": node["isActive"],
        "is_primary": node["isPrimary"],
        "fulfills_online_orders": node["fulfillsOnlineOrders"],
    }


def metaobjects(shop: Shop) -> dict[str, Rows]:
    """Metaobjects of all types."""
    return {"shopify_metaobjects": {(node["id"],): _metaobject(node) for node in metaobject_nodes(shop)}}


def metaobject_nodes(shop: Shop) -> list[Node]:
    """The metaobjects of every type."""
    return [node for kind in shop.metaobjects.by_type for node in nodes(shop, "metaobjects", type=kind)]


def _metaobject(node: Node) -> Row:
    fields = {one["key"]: {key: one[key] for key in ("type", "value")} for one in node["fields"]}
    return {
        "shopify_gid": node["id"],
        "type": node["type"],
        "handle": node["handle"],
        "display_name": node["displayName"],
        "fields": fields,
        "capabilities": {},  # not asked for
        "updated_at_shopify": moment(node["updatedAt"]),
    }


def publications(shop: Shop) -> dict[str, Rows]:
    """Publications."""
    return {"shopify_publications": {(node["id"],): _publication(node) for node in nodes(shop, "publications")}}


def _publication(node: Node) -> Row:
    return {
        "shopify_gid": node["id"],
        "name": node["catalog"]["title"],
        "catalog_type": "APP",
        "is_active": node["catalog"]["status"] == "ACTIVE",
        "supports_future_publishing": node["supportsFuturePublishing"],
        "auto_publish": node["autoPublish"],
    }


EXPECTED: dict[str, Callable[[Shop], dict[str, Rows]]] = {
    "locations": locations,
    "publications": publications,
    "metaobjects": metaobjects,
    "products": products,
    "variant_media": variant_media,
    "files": files,
    "product_publications": product_publications,
    "inventory": inventory,
    "collections": collections,
    "customers": customers,
    "orders": orders,
    "menus": menus,
}
"""By resource, in an order in which nothing refers to what comes later: the rows of its tables."""
