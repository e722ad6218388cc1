"""Rows that follow from more than their own line: another row, the shop, the end of the file; and rows left alone."""

import pytest

from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror.declarations import Kind
from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError
from tests.mirror.lines import DOMAIN, LATER, River, catalogue, gid, media, metafield, moment, product, variant, without

P1, P2 = gid("Product", 1), gid("Product", 2)
FEATURED = {"featuredMedia": {"id": gid("MediaImage", 7)}}


def test_the_featured_picture_follows_its_media(river: River) -> None:
    """An upload begins without a URL; the product's own line does not change when it is ready."""
    coming = media(7, P1, status="PROCESSING", image=None)
    river.load([product(1, **FEATURED), coming], as_of=moment(4))
    assert river.one("SELECT featured_image_url FROM shopify_products") is None

    report = river.load([product(1, **FEATURED), media(7, P1)], as_of=moment(5))
    assert river.one("SELECT featured_image_url FROM shopify_products") == "https://cdn.example/7.jpg"
    assert report.tables["shopify_products"].updated == 1

    before = river.versions()
    river.load([product(1, **FEATURED), media(7, P1)], as_of=moment(6))
    assert river.versions() == before


def test_a_shop_that_changes_its_currency_gets_other_variants(river: River) -> None:
    river.load([product(1), variant(10, 1)], as_of=moment(4))
    river.do("UPDATE shops SET currency_code = 'EUR' WHERE shopify_domain = %s", DOMAIN)
    river.load([product(1), variant(10, 1)], as_of=moment(5))
    assert river.one("SELECT currency_code FROM shopify_variants") == "EUR"


def test_a_file_without_a_line_end_takes_nothing_away(river: River) -> None:
    river.load(catalogue(1), as_of=moment(4))
    left = [product(1, updatedAt=LATER), *without(catalogue(1), 0, 5, 7)]
    river.load(b"".join(left).rstrip(b"\n"), as_of=moment(5))
    assert len(river.mirror()["shopify_product_media"]) == 2
    assert len(river.one("SELECT metafields FROM shopify_products")) == 2


def test_lines_that_only_together_are_json_do_not_become_each_other(river: River) -> None:
    """Polars reads all lines as one array: three bad lines can have as many nodes as they are lines."""
    whole = product(2, options=[{"id": "x", "name": "Lungime", "position": 1, "values": ["30 cm"]}])
    cut = whole.index(b'"values"')
    head, tail = whole[:cut] + b'"values":[]}\n', b'{"name":"Lungime"' + whole[whole.index(b"}]", cut) :]
    two = product(3).rstrip(b"\n") + b"," + product(33)
    river.load([product(1), head, tail, two, product(4)])
    made = river.query("SELECT legacy_resource_id, handle FROM shopify_products ORDER BY 1")
    assert made == [(1, "ferastrau-1"), (4, "ferastrau-4")]
    assert [line for line, _ in river.errors()] == [2, 3, 4]


def test_a_picture_under_two_products_is_unchanged_the_second_time(river: River) -> None:
    lines = [*catalogue(2), media(7, P1), media(7, P2)]
    river.load(lines, as_of=moment(4))
    report = river.load(lines, as_of=moment(5))
    assert report.stage.total.unchanged == len(lines)


def test_rows_left_alone_are_counted_by_table(river: River) -> None:
    river.load(catalogue(3), as_of=moment(4))
    again = river.load(catalogue(3), as_of=moment(5))
    assert {table: counts.unchanged for table, counts in again.tables.items()} == {
        "shopify_products": 3,
        "shopify_variants": 6,
        "shopify_media": 6,
        "shopify_product_media": 6,
        "shopify_variant_media": 3,
    }
    lines = [product(1, title="Altul", updatedAt=LATER), *catalogue(3)[1:]]
    changed = river.load(lines, as_of=moment(6)).tables["shopify_products"]
    assert (changed.updated, changed.unchanged) == (1, 2)


def test_a_null_object_does_not_say_what_the_query_asked_of_it(river: River) -> None:
    costly = {"inventoryItem": {"id": gid("InventoryItem", 1), "unitCost": {"amount": "12.5"}}}
    river.load([product(1), variant(10, 1, **costly), variant(11, 1, **costly)], as_of=moment(4))
    lines = [
        product(1),
        variant(10, 1, inventoryItem=None, updatedAt=LATER),
        variant(11, 1, inventoryItem={"id": gid("InventoryItem", 1)}, updatedAt=LATER),
    ]
    river.load(lines, as_of=moment(5))
    assert river.query("SELECT cost::text FROM shopify_variants ORDER BY shopify_gid") == [("12.50",), ("12.50",)]


def test_a_query_that_asked_for_less_does_not_hide_what_is_gone(river: River) -> None:
    """It keeps the metafields that it did not ask for; the next whole result, alike in all else, takes them away."""
    whole = dict.fromkeys(("productType", "priceRangeV2", "templateSuffix", "category", "publishedAt", "createdAt"))
    whole |= {"hasOnlyDefaultVariant": True, "requiresSellingPlan": False, "options": []}
    river.load([product(1, **whole), metafield(1, P1)], as_of=moment(4))
    river.load([product(1, title="Altul")], as_of=moment(5))
    assert river.one("SELECT title, metafields <> '{}' FROM shopify_products") == ("Altul", True)
    river.load([product(1, title="Iar altul")], as_of=moment(6))
    assert river.one("SELECT title FROM shopify_products") == "Iar altul"
    river.load([product(1, title="Iar altul", **whole)], as_of=moment(7))
    assert river.one("SELECT metafields FROM shopify_products") == {}


def test_a_source_that_cannot_be_read_shows_no_secret(river: River) -> None:
    with pytest.raises(ArtifactUnreadableError, match="cannot be copied") as caught:
        steps.open_load(
            river.database,
            river.settings,
            shop_domain=DOMAIN,
            resource="products",
            source="memory://nirgends/1.jsonl?sig=parola",
        )
    assert "parola" not in str(caught.value)
    assert river.query("SELECT status, position('parola' IN bulk_runs::text) FROM bulk_runs") == [("failed", 0)]


def test_what_an_index_holds_has_an_end(river: River) -> None:
    """A row of an index has a largest size: one text without an end would fail the whole load, not its own row."""
    indexed = set(
        river.query(
            "SELECT c.oid::regclass::text, a.attname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam AND am.amname = 'btree'"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)"
        )
    )
    endless = [
        f"{entity.table}.{column.name}"
        for resource in RESOURCES.values()
        for entity in resource.entities
        for column in entity.columns
        if (entity.table, column.name) in indexed
        and column.kind is Kind.TEXT
        and not (column.max_length or column.max_bytes or column.choices or column.test)
    ]
    assert endless == []
