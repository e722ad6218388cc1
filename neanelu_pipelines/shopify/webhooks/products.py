"""A product's webhook body as the lines that the products bulk query gives of the same product.

Belongs here: names and shapes of REST to those of GraphQL. Does not belong here: checking values, which staging does
for every source alike.

What the body does not carry is left out, never null: the mirror keeps what it has of it. So lines of bodies that carry
different fields must not stand in one file: `shape` tells them apart. Of a product with more than 100 variants the body
carries the first 100 in full; the others stay as they are.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from neanelu_pipelines.errors import NeaneluError

_PRODUCT_FIELDS = {
    "handle": "handle",
    "title": "title",
    "vendor": "vendor",
    "product_type": "productType",
    "template_suffix": "templateSuffix",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "published_at": "publishedAt",
}
_VARIANT_FIELDS = {
    "title": "title",
    "sku": "sku",
    "barcode": "barcode",
    "price": "price",
    "compare_at_price": "compareAtPrice",
    "position": "position",
    "taxable": "taxable",
    "inventory_quantity": "inventoryQuantity",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
}
_WHOLE_VARIANT = frozenset({"id", "title", "price", "updated_at"})
"""Without these an entry only mentions a variant."""

Node = dict[str, Any]


class BodyError(NeaneluError):
    """A body that is not a product's: trying again would read the same."""


def product_lines(body: Any) -> list[Node]:
    """The product's node, then its variants' and its media's, each with its parent.

    Raises:
        BodyError: it is not the body of a product.
    """
    try:
        return _lines(body)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BodyError(f"The body is not a product's: {type(error).__name__} at {error}.") from error


def product_gid(body: Mapping[str, Any]) -> str:
    """The GID of the product that a body is about.

    Raises:
        BodyError: it names none.
    """
    try:
        return _gid("Product", body)
    except (AttributeError, KeyError, TypeError) as error:
        raise BodyError("The body names no product.") from error


def shape(lines: Iterable[Node]) -> frozenset[tuple[str, ...]]:
    """Which fields the nodes of each kind carry: only bodies of one shape may share a file."""
    return frozenset((line["__typename"], *sorted(line)) for line in lines)


def encoded(lines: Iterable[Node]) -> bytes:
    """The lines as JSONL."""
    return b"".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines)


def _lines(body: Mapping[str, Any]) -> list[Node]:
    product = _product(body)
    parent = {"__parentId": product["id"]}
    media = _media(body)
    if media is not None:
        product["featuredMedia"] = {"id": media[0]["id"]} if media else None
    variants = _of_one_shape([_variant(one, body) for one in body.get("variants") or () if set(one) >= _WHOLE_VARIANT])
    return [product, *(one | parent for one in (*variants, *(media or ())))]


def _product(body: Mapping[str, Any]) -> Node:
    node = _identity("Product", body) | _renamed(body, _PRODUCT_FIELDS)
    if "body_html" in body:
        # REST says null where GraphQL has the empty text.
        node["descriptionHtml"] = body["body_html"] or ""
    if "status" in body:
        node["status"] = _upper(body["status"])
    if "tags" in body:
        node["tags"] = _tags(body["tags"])
    if "category" in body:
        category = body["category"]
        node["category"] = {"id": category["admin_graphql_api_id"]} if category else None
    if "options" in body:
        node["options"] = [_option(one) for one in body["options"]]
    return node


def _variant(variant: Mapping[str, Any], product: Mapping[str, Any]) -> Node:
    node = _identity("ProductVariant", variant) | _renamed(variant, _VARIANT_FIELDS)
    if "inventory_policy" in variant:
        node["inventoryPolicy"] = _upper(variant["inventory_policy"])
    if variant.get("inventory_item_id") is not None:
        node["inventoryItem"] = {"id": f"gid://shopify/InventoryItem/{variant['inventory_item_id']}"}
    names = [one["name"] for one in sorted(product.get("options") or (), key=lambda one: one["position"])]
    values = [variant.get(f"option{place}") for place in (1, 2, 3)]
    values = [value for value in values if value is not None]
    if names and len(names) == len(values):
        node["selectedOptions"] = [{"name": n, "value": v} for n, v in zip(names, values, strict=True)]
    return node


def _media(body: Mapping[str, Any]) -> list[Node] | None:
    """The product's pictures; None where the body does not carry all of its media with all that the mirror keeps."""
    if "media" not in body:
        return None
    images = {one["admin_graphql_api_id"]: one for one in body.get("images") or ()}
    found: list[Node] = []
    for one in sorted(body["media"], key=lambda one: one["position"]):
        image = _image(one.get("preview_image") or images.get(one["admin_graphql_api_id"]) or {})
        if one["media_content_type"] != "IMAGE" or image is None:
            return None
        node = {"__typename": "MediaImage", "id": one["admin_graphql_api_id"], "alt": one["alt"]}
        found.append(node | {"mediaContentType": "IMAGE", "status": one["status"], "image": image})
    return found


def _image(image: Mapping[str, Any]) -> Node | None:
    if not image.get("src"):
        return None
    return {"url": image["src"], "width": image.get("width"), "height": image.get("height")}


def _of_one_shape(variants: list[Node]) -> list[Node]:
    """Those that carry what the first one does."""
    return [one for one in variants if set(one) == set(variants[0])]


def _identity(kind: str, node: Mapping[str, Any]) -> Node:
    gid = _gid(kind, node)
    return {"__typename": kind, "id": gid, "legacyResourceId": gid.rpartition("/")[2]}


def _gid(kind: str, node: Mapping[str, Any]) -> str:
    """The GID, as it is said: numbers beyond 2^53 may have gone through a float on their way."""
    said = node.get("admin_graphql_api_id")
    gid = said if said is not None else f"gid://shopify/{kind}/{node['id']}"
    if not gid.startswith(f"gid://shopify/{kind}/"):
        raise BodyError(f"The body is not a {kind}'s: it says that it is {gid[:100]!r}.")
    return str(gid)


def _renamed(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    return {name: node[theirs] for theirs, name in names.items() if theirs in node}


def _option(option: Mapping[str, Any]) -> Node:
    return {
        "id": f"gid://shopify/ProductOption/{option['id']}",
        "name": option["name"],
        "position": option["position"],
        "values": option["values"],
    }


def _tags(tags: Any) -> list[str]:
    """REST writes tags as one text; a tag cannot hold a comma."""
    said = tags.split(",") if isinstance(tags, str) else tags
    return [tag.strip() for tag in said if tag.strip()]


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value
