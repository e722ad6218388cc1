"""Lines that a bulk result should not hold, for the demo and for tests: each is known by its name.

Belongs here: one bad line for each thing that goes wrong by line. Does not belong here: what is wrong with a file as
a whole (its order, its compression), and what the loader makes of it.
"""

import enum
from typing import Any

from neanelu_pipelines.sandbox.wire import encode_line

_FIRST_ID = 9_700_000_000_001


class Fault(enum.StrEnum):
    """What is wrong with the line."""

    MALFORMED = "malformed"
    """Not JSON: torn off in the middle of a string."""
    NOT_AN_OBJECT = "not_an_object"
    INVALID_UTF8 = "invalid_utf8"
    UNKNOWN_TYPE = "unknown_type"
    """A node type that the products query does not select."""
    MISSING_TITLE = "missing_title"
    NULL_TITLE = "null_title"
    UNKNOWN_STATUS = "unknown_status"
    """A status outside the enum."""
    BAD_PRICE = "bad_price"
    """A price that is no number."""
    NUMBER_TOO_LARGE = "number_too_large"
    """A price of more digits than the column holds."""
    OVERLONG_VENDOR = "overlong_vendor"
    """More text than the column holds."""
    ORPHAN = "orphan"
    """A variant whose product is not in the file."""
    NUL_CHARACTER = "nul_character"
    """U+0000 in a title, which PostgreSQL refuses; the product is otherwise fine."""


def fault_line(fault: Fault, number: int) -> bytes:
    """A line with this fault, with its LF; `number` keeps the ids of several apart."""
    product_id = _FIRST_ID + number
    if fault is Fault.MALFORMED:
        return encode_line(_product(product_id))[:120] + b"\n"
    if fault is Fault.NOT_AN_OBJECT:
        return b'["gid:\\/\\/shopify\\/Product\\/1"]\n'
    if fault is Fault.INVALID_UTF8:
        return encode_line(_product(product_id)).replace("ă".encode(), b"\xe3")
    if fault is Fault.UNKNOWN_TYPE:
        node = {"__typename": "SellingPlan", "id": f"gid://shopify/SellingPlan/{product_id}", "name": "Lunar"}
        return encode_line(node)
    if fault in {Fault.BAD_PRICE, Fault.NUMBER_TOO_LARGE, Fault.ORPHAN}:
        return _bad_variant(fault, product_id)
    return _bad_product(fault, product_id)


def _bad_product(fault: Fault, product_id: int) -> bytes:
    node = _product(product_id)
    if fault is Fault.MISSING_TITLE:
        del node["title"]
    elif fault is Fault.NULL_TITLE:
        node["title"] = None
    elif fault is Fault.UNKNOWN_STATUS:
        node["status"] = "PAUSED"
    elif fault is Fault.OVERLONG_VENDOR:
        node["vendor"] = "Grădina " * 40
    elif fault is Fault.NUL_CHARACTER:
        node["title"] = "Ghiveci\x00 ceramic"
    return encode_line(node)


def _bad_variant(fault: Fault, product_id: int) -> bytes:
    price = {Fault.BAD_PRICE: "gratis", Fault.NUMBER_TOO_LARGE: "12345678901234.00"}.get(fault, "9.90")
    variant_id = f"gid://shopify/ProductVariant/{product_id}"
    node = {
        "__typename": "ProductVariant",
        "id": variant_id,
        "legacyResourceId": str(product_id),
        "title": "Default Title",
        "sku": None,
        "barcode": None,
        "price": price,
        "compareAtPrice": None,
        "position": 1,
        "taxable": True,
        "inventoryPolicy": "DENY",
        "inventoryQuantity": 0,
        "availableForSale": False,
        "createdAt": "2025-03-01T08:00:00Z",
        "updatedAt": "2025-03-01T08:00:00Z",
        "selectedOptions": [{"name": "Title", "value": "Default Title"}],
        "inventoryItem": {
            "id": f"gid://shopify/InventoryItem/{product_id}",
            "tracked": True,
            "sku": None,
            "unitCost": None,
            "measurement": {"weight": {"value": 0.0, "unit": "KILOGRAMS"}},
        },
    }
    return encode_line(node, parent=f"gid://shopify/Product/{product_id}")


def _product(product_id: int) -> dict[str, Any]:
    money = {"amount": "9.9", "currencyCode": "RON"}
    return {
        "__typename": "Product",
        "id": f"gid://shopify/Product/{product_id}",
        "legacyResourceId": str(product_id),
        "handle": f"ghiveci-{product_id}",
        "title": "Ghiveci ceramic pentru terasă",
        "descriptionHtml": "<p>Pentru grădină & balcon.</p>",
        "vendor": "Casa & Grădina",
        "productType": "Ghivece și jardiniere",
        "status": "ACTIVE",
        "tags": ["flori"],
        "isGiftCard": False,
        "templateSuffix": None,
        "createdAt": "2025-03-01T08:00:00Z",
        "updatedAt": "2025-03-01T08:00:00Z",
        "publishedAt": None,
        "totalInventory": 0,
        "tracksInventory": True,
        "hasOnlyDefaultVariant": True,
        "requiresSellingPlan": False,
        "seo": {"title": None, "description": None},
        "category": None,
        "featuredMedia": None,
        "options": [],
        "priceRangeV2": {"minVariantPrice": money, "maxVariantPrice": money},
    }
