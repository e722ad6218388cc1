"""A product's webhook body as the lines that the products bulk query gives of the same product.

Belongs here: names and shapes of REST to those of GraphQL. Does not belong here: checking values, which staging does
for every source alike.

Of a product with more than 100 variants the body carries the first 100 in full; the others stay as they are.
"""

from neanelu_pipelines.shopify.webhooks.bodies import (
    Body,
    Node,
    Reading,
    gid,
    gid_of,
    html,
    identity,
    reading,
    renamed,
    tag_list,
    upper,
)

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
_ALL_MEDIA = frozenset(("Product", kind) for kind in ("MediaImage", "Video", "ExternalVideo", "Model3d"))


def _read(body: Body) -> Reading:
    product = _product(body)
    parent = {"__parentId": product["id"]}
    media = _media(body)
    if media is not None:
        product["featuredMedia"] = {"id": media[0]["id"]} if media else None
    whole = frozenset() if media is None else _ALL_MEDIA
    variants = [_variant(one, body) for one in body.get("variants") or () if set(one) >= _WHOLE_VARIANT]
    files = [[product, *(one | parent for one in (*alike, *(media or ())))] for alike in _by_shape(variants)]
    # Of all variants, however many; a product has one at least.
    there = frozenset(gid_of("ProductVariant", one) for one in body.get("variant_gids") or ())
    return Reading(files[0], whole, there, tuple(Reading(lines, whole) for lines in files[1:]))


read_product = reading("a product", _read)
"""A body of products/create and products/update: the product's line, then its variants' and its media's."""


def _product(body: Body) -> Node:
    node = identity("Product", body) | renamed(body, _PRODUCT_FIELDS)
    if "body_html" in body:
        node["descriptionHtml"] = html(body["body_html"])
    if "status" in body:
        node["status"] = upper(body["status"])
    if "tags" in body:
        node["tags"] = tag_list(body["tags"])
    if "category" in body:
        category = body["category"]
        node["category"] = {"id": category["admin_graphql_api_id"]} if category else None
    if "options" in body:
        node["options"] = [_option(one) for one in body["options"]]
    return node


def _variant(variant: Body, product: Body) -> Node:
    node = identity("ProductVariant", variant) | renamed(variant, _VARIANT_FIELDS)
    if "inventory_policy" in variant:
        node["inventoryPolicy"] = upper(variant["inventory_policy"])
    if variant.get("inventory_item_id") is not None:
        node["inventoryItem"] = {"id": gid("InventoryItem", variant["inventory_item_id"])}
    names = [one["name"] for one in sorted(product.get("options") or (), key=lambda one: one["position"])]
    values = [variant.get(f"option{place}") for place in (1, 2, 3)]
    values = [value for value in values if value is not None]
    if names and len(names) == len(values):
        node["selectedOptions"] = [{"name": n, "value": v} for n, v in zip(names, values, strict=True)]
    return node


def _media(body: Body) -> list[Node] | None:
    """The product's pictures; None where the body does not carry all of its media with all that the mirror keeps."""
    if "media" not in body:
        return None
    images = {one["admin_graphql_api_id"]: one for one in body.get("images") or ()}
    found: list[Node] = []
    for one in sorted(body["media"], key=lambda one: one["position"]):
        image = _image(one.get("preview_image") or images.get(one["admin_graphql_api_id"]) or {})
        if one["media_content_type"] != "IMAGE" or image is None:
            return None
        node = {"__typename": "MediaImage", "id": gid_of("MediaImage", one), "alt": one["alt"]}
        found.append(node | {"mediaContentType": "IMAGE", "status": one["status"], "image": image})
    return found


def _image(image: Body) -> Node | None:
    if not image.get("src"):
        return None
    return {"url": image["src"], "width": image.get("width"), "height": image.get("height")}


def _by_shape(variants: list[Node]) -> list[list[Node]]:
    """Those together that carry the same fields; one list at least, if an empty one."""
    shapes: dict[frozenset[str], list[Node]] = {}
    for one in variants:
        shapes.setdefault(frozenset(one), []).append(one)
    return list(shapes.values()) or [[]]


def _option(option: Body) -> Node:
    return {
        "id": gid("ProductOption", option["id"]),
        "name": option["name"],
        "position": option["position"],
        "values": option["values"],
    }
