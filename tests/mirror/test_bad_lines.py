"""Bad lines: each leaves its row in bulk_errors, with line, reason and payload; the rest loads."""

import json
from typing import Any

import pytest

from tests.mirror.lines import (
    River,
    catalogue,
    gid,
    media,
    metafield,
    product,
    variant,
)

P1 = gid("Product", 1)


def _with(line: bytes, **fields: Any) -> bytes:
    """The line with these fields set after all, `...` meaning that it does not have them."""
    node = json.loads(line) | fields
    return json.dumps({k: v for k, v in node.items() if v is not ...}, ensure_ascii=False).encode() + b"\n"


BAD_LINES = {
    "malformed": (b'{"id":"gid:\\/\\/shopify\\/Product\\/9","title":}\n', "PARSE", "malformed_json", "not JSON"),
    "torn inside": (product(9)[:80] + b"\n", "PARSE", "malformed_json", "not JSON"),
    "two objects in one line": (product(9).strip() + b"," + product(8), "PARSE", "malformed_json", "Extra data"),
    "a raw NUL": (product(9).replace(b"Gr\xc4\x83dinarul", b"Gr\x00d"), "PARSE", "malformed_json", "not JSON"),
    "not an object": (b'["gid:\\/\\/shopify\\/Product\\/9"]\n', "PARSE", "not_an_object", "not an object"),
    "plain text": (b"Internal Server Error\n", "PARSE", "malformed_json", "not JSON"),
    "invalid UTF-8": (product(9).replace("ă".encode(), b"\xe3"), "PARSE", "invalid_utf8", "UTF-8"),
    "invalid UTF-8 and escapes that jsonb refuses": (
        product(9, vendor="\0").replace("ă".encode(), b"\xe3").replace(b"9", rb"\ud800", 1),
        "PARSE",
        "invalid_utf8",
        "UTF-8",
    ),
    "no id": (_with(product(9), id=..., __typename=...), "PARSE", "unreadable_identity", "no `id`"),
    "no id but a type": (_with(product(9), id=...), "PARSE", "unreadable_identity", "no `id`"),
    "a media without id": (_with(media(9, P1), id=...), "PARSE", "unreadable_identity", "no `id`"),
    "an id that is a number": (_with(product(9), id=9, __typename=...), "PARSE", "unreadable_identity", "no `id`"),
    "an id longer than the column": (
        _with(product(9), id=gid("Product", "9" * 100)),
        "PARSE",
        "unreadable_identity",
        "no `id`",
    ),
    "unknown node": (product(9).replace(b"Product", b"Order"), "VALIDATION", "unknown_node_type", "Order is no node"),
    "unknown node with NaN": (
        b'{"id":"gid:\\/\\/shopify\\/Order\\/9","total":NaN}\n',
        "PARSE",
        "malformed_json",
        "not JSON: NaN is no value",
    ),
    "unknown node with 1e999": (
        b'{"id":"gid:\\/\\/shopify\\/Order\\/9","total":1e999}\n',
        "PARSE",
        "malformed_json",
        "a number is larger than any column holds",
    ),
    "a bare NaN": (
        variant(90, 1).replace(b'"price":"', b'"price":NaN,"was":"'),
        "PARSE",
        "malformed_json",
        "NaN is no",
    ),
    "a bare 1E400": (
        variant(90, 1).replace(b'"price":"', b'"price":1E400,"was":"'),
        "PARSE",
        "malformed_json",
        "a number is larger",
    ),
    "missing required": (_with(product(9), title=...), "VALIDATION", "missing_required", "title is missing, and"),
    "null required": (product(9, handle=None), "VALIDATION", "missing_required", "handle is missing or null"),
    "null price": (variant(90, 1, price=None), "VALIDATION", "missing_required", "price is missing or null"),
    "metafield without key": (
        _with(metafield(9, P1), key=None),
        "VALIDATION",
        "missing_required",
        "key is missing or null",
    ),
    "outside the enum": (product(9, status="PAUSED"), "VALIDATION", "not_in_enum", "status is none of ACTIVE"),
    "media of unknown content": (media(9, P1, mediaContentType="GIF"), "VALIDATION", "not_in_enum", "media_type"),
    "handle too long": (product(9, handle="h" * 256), "VALIDATION", "too_long", "handle is longer than 255"),
    "title too long": (product(9, title="ț" * 8193), "VALIDATION", "too_long", "title is longer than 16,384 bytes"),
    "tag too long": (product(9, tags=["a", "t" * 256]), "VALIDATION", "too_long", "tags has an element longer"),
    "price out of range": (variant(90, 1, price="10000000000.00"), "VALIDATION", "out_of_range", "numeric(12,2)"),
    "price that rounds out of range": (
        variant(90, 1, price="9999999999.995"),
        "VALIDATION",
        "out_of_range",
        "numeric(12,2)",
    ),
    "price no number": (variant(90, 1, price="gratis"), "VALIDATION", "not_a_number", "price is not a decimal"),
    "price NaN": (variant(90, 1, price="NaN"), "VALIDATION", "not_a_number", "price is not a decimal"),
    "price in other digits": (variant(90, 1, price="٧٩"), "VALIDATION", "not_a_number", "price is not a decimal"),
    "quantity out of range": (
        variant(90, 1, inventoryQuantity=2**31),
        "VALIDATION",
        "out_of_range",
        "inventory_quantity does not fit",
    ),
    "legacy id out of range": (
        product(9, legacyResourceId=str(2**63)),
        "VALIDATION",
        "not_a_number",
        "legacy_resource_id is not a whole number",
    ),
    "no boolean": (product(9, isGiftCard="poate"), "VALIDATION", "not_a_boolean", "is_gift_card"),
    "no time": (product(9, updatedAt="ieri"), "VALIDATION", "not_a_timestamp", "updated_at_shopify"),
    "30 February": (product(9, updatedAt="2026-02-30T10:00:00Z"), "VALIDATION", "not_a_timestamp", "updated_at"),
    "year 0": (product(9, updatedAt="0000-01-01T10:00:00Z"), "VALIDATION", "not_a_timestamp", "updated_at"),
    "a year that an offset makes": (
        product(9, updatedAt="0001-01-01T00:00:00+14:00"),
        "VALIDATION",
        "not_a_timestamp",
        "updated_at",
    ),
    "an offset of 20 hours": (
        product(9, updatedAt="2026-01-01T10:00:00+20:00"),
        "VALIDATION",
        "not_a_timestamp",
        "updated_at",
    ),
    "an object for a list": (product(9, tags={"a": 1}), "VALIDATION", "wrong_shape", "plain value belongs"),
    "a list for an object": (product(9, seo=["a"]), "VALIDATION", "wrong_shape", "plain value belongs"),
    "orphan variant": (variant(90, 404), "VALIDATION", "orphan", f"Its parent {gid('Product', 404)} is neither"),
    "orphan media": (media(90, gid("Product", 404)), "VALIDATION", "orphan", gid("Product", 404)),
    "orphan metafield": (metafield(90, gid("Product", 404)), "VALIDATION", "orphan", gid("Product", 404)),
    "variant without parent": (
        _with(variant(90, 1), __parentId=...),
        "VALIDATION",
        "orphan",
        "its line has no `__parentId`",
    ),
    "variant under a variant": (
        variant(90, 1).replace(b"Product\\/1", b"ProductVariant\\/10"),
        "VALIDATION",
        "unexpected_parent",
        "cannot stand under ProductVariant",
    ),
    "variant under nonsense": (
        _with(variant(90, 1), __parentId="nimic"),
        "VALIDATION",
        "unexpected_parent",
        "cannot stand under",
    ),
    "product under nonsense": (
        _with(product(9), __parentId="nimic"),
        "VALIDATION",
        "unexpected_parent",
        "cannot stand under",
    ),
    "media of a variant that is nowhere": (
        media(90, gid("ProductVariant", 10)),
        "VALIDATION",
        "orphan",
        gid("MediaImage", 90),
    ),
}


@pytest.mark.parametrize("at", [0, 13, 27], ids=["first", "in the middle", "last"])
def test_each_bad_line_is_recorded_and_the_rest_loads(river: River, at: int) -> None:
    good = catalogue()
    bad = [line for line, *_ in BAD_LINES.values()]

    report = river.load([*good[:at], *bad, *good[at:]])

    assert report.stage.total.rejected == len(bad)
    found = river.query(
        "SELECT line_number, error_type, error_code, error_message, payload FROM bulk_errors ORDER BY line_number"
    )
    assert [number for number, *_ in found] == list(range(at + 1, at + 1 + len(bad)))
    for (name, (line, kind, code, words)), (_, *row) in zip(BAD_LINES.items(), found, strict=True):
        assert row[:2] == [kind, code], name
        assert words in row[2], name
        assert row[3], name
        if code == "malformed_json":
            assert row[3]["text"][:60] == line.decode()[:60].replace("\0", "\ufffd").rstrip("\n"), name
    river.load(good, domain="gradina.myshopify.com")
    assert river.mirror() == river.mirror("gradina.myshopify.com")
    assert report.rejections[0].example_line


def test_bad_lines_again_beside_rows_that_are_there(river: River) -> None:
    """The second time the lines are hashed and compared first: another way through the same damage."""
    lines = [*(line for line, *_ in BAD_LINES.values()), *catalogue()]
    river.load(lines)
    first, before = river.errors(), river.versions()

    report = river.load(lines)

    assert river.errors(report.run_id) == first
    total = report.stage.total
    # What a row owns is looked at again as long as a damaged line claims to be part of it.
    assert total.staged + total.unchanged == len(catalogue())
    assert river.versions() == before


def test_the_payload_is_the_rejected_line(river: River) -> None:
    river.load([*catalogue(), product(9, status="PAUSED", vendor='Grădinarul "Ion" & fiii')])

    *_, payload = river.error()
    assert payload["vendor"] == 'Grădinarul "Ion" & fiii'
    assert payload["id"] == gid("Product", 9)


def test_everything_wrong_with_a_line_is_said_at_once(river: River) -> None:
    river.load([*catalogue(), variant(90, 1, price="gratis", inventoryPolicy="MAYBE", inventoryQuantity="multe")])

    *_, message, payload = river.error()
    assert "gratis" not in message, "it may be somebody's address, and messages are shown in logs"
    assert "gratis" in json.dumps(payload)
    for words in ("price is not a decimal number", "inventory_policy is none of", "inventory_quantity"):
        assert words in message
