"""A product's webhook body and the lines of the bulk query say the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from neanelu_pipelines.shopify.webhooks.bodies import BodyError, Node, encoded
from neanelu_pipelines.shopify.webhooks.products import read_product

WEBHOOKS = "data/shopify/webhooks/metadatas/2025-10"


def body(**fields: Any) -> dict[str, Any]:
    return {"id": 7, "title": "Sapă", "handle": "sapa", "status": "active"} | fields


def product_lines(body: Any) -> list[Node]:
    return read_product(body).lines


@pytest.mark.parametrize("topic", ["create", "update"])
def test_the_published_example_becomes_lines(shared: Path, topic: str) -> None:
    example = json.loads((shared / WEBHOOKS / "products" / f"{topic}.json").read_text())["response"]
    product, *variants = product_lines(example)
    # The number in the example went through a float; the GID did not.
    assert product["legacyResourceId"] == "788032119674292922"
    assert product["tags"] == ["example", "mens", "t-shirt"]
    assert (product["status"], product["updatedAt"]) == ("ACTIVE", "2021-12-31T19:00:00-05:00")
    assert product["featuredMedia"] is None
    assert [(one["title"], one["price"], one["__parentId"]) for one in variants] == [
        ("Small", "19.99", product["id"]),
        ("Medium", "19.99", product["id"]),
    ]
    # Null in the body, but every variant has an item: nothing is said of it.
    assert all("inventoryItem" not in one for one in variants)


def test_every_field_of_the_published_schema_is_known_or_knowingly_left(shared: Path) -> None:
    schema = json.loads((shared / "data/shopify/webhooks/schemas/2025-10/products/update.json").read_text())
    read = {"id", "admin_graphql_api_id", "title", "handle", "body_html", "vendor", "product_type", "status", "tags"}
    read |= {"template_suffix", "created_at", "updated_at", "published_at", "category", "options", "variants", "media"}
    read |= {"images"}
    read |= {"variant_gids"}
    left = {"image", "published_scope", "has_variants_that_requires_components"}
    assert set(schema["properties"]) == read | left


def test_what_the_body_does_not_carry_is_left_out() -> None:
    reading = read_product({"id": 7, "title": "Sapă"})
    (line,) = reading.lines
    assert line == {
        "__typename": "Product",
        "id": "gid://shopify/Product/7",
        "legacyResourceId": "7",
        "title": "Sapă",
    }
    other = read_product({"id": 7, "vendor": None, "tags": "", "body_html": None, "category": None})
    (cleared,) = other.lines
    assert cleared["vendor"] is None
    assert cleared["category"] is None
    assert (cleared["tags"], cleared["descriptionHtml"]) == ([], "")
    assert reading.shape != other.shape


def test_variants_that_carry_other_fields_are_read_apart() -> None:
    whole = {"id": 1, "title": "A", "price": "1.00", "updated_at": "2026-11-01T10:00:00+02:00"}
    stocked = {**whole, "id": 2, "inventory_item_id": 20}
    there = [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{number}"} for number in (1, 2, 3)]
    found = read_product(body(variants=[whole, stocked, {**whole, "id": 3}], variant_gids=there))
    (apart,) = found.apart
    assert [line["legacyResourceId"] for line in found.lines] == ["7", "1", "3"]
    assert [line["legacyResourceId"] for line in apart.lines] == ["7", "2"]
    assert found.lines[0] == apart.lines[0]
    assert (len(found.parts), len(apart.parts)) == (3, 0)


def test_variants_that_are_only_mentioned_are_not_taken() -> None:
    whole = {"id": 1, "title": "A", "price": "1.00", "updated_at": "2026-11-01T10:00:00+02:00", "sku": None}
    lines = product_lines(body(variants=[whole, {"id": 2}, {**whole, "id": 3}]))
    assert [line["legacyResourceId"] for line in lines[1:]] == ["1", "3"]


def test_media_of_which_something_is_missing_are_left_as_they_are() -> None:
    image = {"admin_graphql_api_id": "gid://shopify/MediaImage/5", "alt": "", "position": 1, "status": "READY"}
    image |= {"media_content_type": "IMAGE"}
    shown = {"src": "https://cdn.example/a.jpg", "width": 3, "height": 4, "status": "READY"}
    product, media = product_lines(body(media=[image | {"preview_image": shown}]))
    assert product["featuredMedia"] == {"id": media["id"]}
    assert media["image"] == {"url": "https://cdn.example/a.jpg", "width": 3, "height": 4}
    for other in (image, image | {"media_content_type": "VIDEO", "preview_image": shown}):
        (alone,) = product_lines(body(media=[image | {"preview_image": shown}, other | {"position": 2}]))
        assert "featuredMedia" not in alone


@pytest.mark.parametrize(
    "wrong",
    [None, [], "x", {}, body(options=[1]), body(variants=3), body(media=[{}]), body(tags=4), body(category="x"),
     {"admin_graphql_api_id": "gid://shopify/Order/1"}],
)  # fmt: skip
def test_a_body_that_is_not_a_products_is_refused_in_words(wrong: Any) -> None:
    with pytest.raises(BodyError):
        product_lines(wrong)


def test_lines_are_utf8_jsonl() -> None:
    assert encoded([{"id": "1", "title": "Sapă\n"}]).decode() == '{"id":"1","title":"Sapă\\n"}\n'
