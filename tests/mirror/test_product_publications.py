"""Where products are published: sets of lines without ids, as rows, also where product or publication come later."""

from typing import Any

import pytest

from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River, fates, gid, moment, product, written

SINCE = "2026-01-05T08:00:00Z"


def publication(number: int) -> bytes:
    title = f"Canal {number}"
    node = {"__typename": "Publication", "id": gid("Publication", number), "autoPublish": False}
    return encode_line(
        {**node, "supportsFuturePublishing": True, "catalog": {"id": gid("AppCatalog", number), "title": title}}
    )


def published(number: int, of: int, **fields: Any) -> bytes:
    node = {
        "__typename": "ResourcePublicationV2",
        "isPublished": True,
        "publishDate": SINCE,
        "publication": {"id": gid("Publication", number)},
    }
    return encode_line(node | fields, gid("Product", of))


def product_in(*numbers: int, of: int = 1) -> list[bytes]:
    head = encode_line({"__typename": "Product", "id": gid("Product", of)})
    return [head, *(published(number, of) for number in numbers)]


@pytest.fixture
def stocked(river: River) -> River:
    """Products 1 to 3 and publications 1 to 3 are in the mirror."""
    river.load([product(n) for n in range(1, 4)], as_of=moment(2))
    river.load([publication(n) for n in range(1, 4)], resource="publications", as_of=moment(2))
    return river


def load(river: River, *lines: bytes, day: int = 5, **options: Any) -> Any:
    return river.load(lines, resource="product_publications", as_of=moment(day), **options)


def rows(river: River, columns: str = "is_published", domain: str = DOMAIN) -> list[tuple[Any, ...]]:
    """By the numbers of product and publication."""
    return river.query(
        "SELECT split_part(p.shopify_gid, '/', 5), split_part(c.shopify_gid, '/', 5),"
        f" {columns} FROM shopify_resource_publications r JOIN shopify_products p ON p.id = r.resource_id"
        " JOIN shopify_publications c ON c.id = r.publication_id"
        " WHERE r.shop_id = %s AND r.resource_type = 'Product' ORDER BY 1, 2",
        river.shops[domain],
    )


def test_a_publication_is_of_its_catalogs_kind_and_as_active(river: River) -> None:
    def lines(**said: Any) -> list[bytes]:
        node = {"__typename": "Publication", "name": "Canal", "autoPublish": False, "supportsFuturePublishing": True}
        kinds = ("AppCatalog", "MarketCatalog", "CompanyLocationCatalog")
        catalogs = [{"id": gid(kind, 1), "title": "Canal"} | said for kind in kinds]
        return [
            encode_line({**node, "id": gid("Publication", n), "catalog": catalog})
            for n, catalog in enumerate([*catalogs, None], 1)
        ]

    def told(day: int, **said: Any) -> list[tuple[Any, ...]]:
        river.load(lines(**said), resource="publications", as_of=moment(day))
        return river.query("SELECT catalog_type, is_active FROM shopify_publications ORDER BY shopify_gid")

    kinds = ("APP", "MARKET", "COMPANY_LOCATION")
    assert told(2) == [*((kind, True) for kind in kinds), (None, True)]
    assert told(3, status="DRAFT") == [*((kind, False) for kind in kinds), (None, True)]
    assert told(4) == [*((kind, False) for kind in kinds), (None, True)], "not asked for: left alone"
    assert told(5, status="ACTIVE") == [*((kind, True) for kind in kinds), (None, True)]


def test_products_become_rows_by_product_and_publication(stocked: River) -> None:
    later = published(3, 2, isPublished=False, publishDate="2027-01-01T00:00:00Z")
    report = load(stocked, *product_in(1, 2), *product_in(1, of=2), later, *product_in(of=3))

    assert written(report) == {
        "pipeline.product_publications": (3, 0, 0),
        "shopify_resource_publications": (4, 0, 0),
    }
    assert fates(report) == {"Product": (3, 0, 0, 0), "ResourcePublicationV2": (4, 0, 0, 0)}
    when = "is_published, r.published_at::date::text, publish_date::date::text"
    assert rows(stocked, when) == [
        ("1", "1", True, "2026-01-05", "2026-01-05"),
        ("1", "2", True, "2026-01-05", "2026-01-05"),
        ("2", "1", True, "2026-01-05", "2026-01-05"),
        ("2", "3", False, None, "2027-01-01"),
    ]


def test_the_same_again_in_any_order_changes_nothing_at_all(stocked: River) -> None:
    lines = [*product_in(1, 2, 3), *product_in(1, of=2), *product_in(of=3)]
    load(stocked, *lines)
    before = stocked.versions()

    for day, again in ((6, lines), (7, lines[::-1])):
        report = load(stocked, *again, day=day)
        assert written(report) == {}
        assert fates(report) == {"Product": (0, 3, 0, 0), "ResourcePublicationV2": (0, 4, 0, 0)}
    assert stocked.versions() == before


def test_publications_come_change_and_go_with_their_product(stocked: River) -> None:
    load(stocked, *product_in(1, 2), *product_in(1, of=2))

    report = load(stocked, *product_in(3), published(2, 1, isPublished=False), *product_in(1, of=2), day=6)

    assert written(report) == {
        "pipeline.product_publications": (0, 1, 0),
        "shopify_resource_publications": (1, 1, 1),
    }
    assert fates(report)["Product"] == (1, 1, 0, 0), "the other product is not looked at"
    assert rows(stocked) == [("1", "2", False), ("1", "3", True), ("2", "1", True)]
    report = load(stocked, *product_in(), *product_in(1, of=2), day=7)
    assert written(report)["shopify_resource_publications"] == (0, 0, 2)


def test_what_the_mirror_does_not_have_yet_comes_later(river: River) -> None:
    river.load([product(1)], as_of=moment(2))
    river.load([publication(1)], resource="publications", as_of=moment(2))
    lines = [*product_in(1, 2), *product_in(1, of=2)]

    report = load(river, *lines)

    assert report.stage.total.rejected == 0
    assert len(report.stage.notes) == 2
    assert rows(river) == [("1", "1", True)]
    before = river.versions()
    assert written(load(river, *lines, day=6)) == {}, "looked at again, and still not there"
    assert river.versions() == before

    river.load([product(2)], as_of=moment(6))
    river.load([publication(2)], resource="publications", as_of=moment(6))
    assert written(load(river, *lines, day=7))["shopify_resource_publications"] == (2, 0, 0)
    assert rows(river) == [("1", "1", True), ("1", "2", True), ("2", "1", True)]
    assert fates(load(river, *lines, day=8))["Product"] == (0, 2, 0, 0)


def test_bad_lines_are_rejected_each_with_its_reason(stocked: River) -> None:
    report = load(
        stocked,
        *product_in(1),
        published(1, 1),
        published(1, 1, isPublished=False),
        published(2, 1, publishDate="ieri"),
        published(2, 1, publication=None),
        published(3, 1, isPublished=None),
        published(3, 9),
        encode_line({"__typename": "ResourcePublicationV2", "isPublished": True, "publication": {"id": gid("P", 1)}}),
    )

    assert stocked.errors(report.run_id) == [
        (4, "conflicting_duplicate"),  # which of equally new ones stays, their content decides
        (5, "not_a_timestamp"),
        (6, "missing_required"),
        (7, "missing_required"),
        (8, "orphan"),
        (9, "unreadable_identity"),
    ]
    assert rows(stocked) == [("1", "1", True)]


def test_a_damaged_file_unpublishes_nothing(stocked: River) -> None:
    load(stocked, *product_in(1, 2))

    load(stocked, *product_in(1), b"{\n", day=6)

    assert [row[:2] for row in rows(stocked)] == [("1", "1"), ("1", "2")]
    assert written(load(stocked, *product_in(1), day=7))["shopify_resource_publications"] == (0, 0, 1)


def test_an_older_export_overwrites_nothing(stocked: River) -> None:
    load(stocked, *product_in(1, 2), day=6)
    before = stocked.versions()

    assert written(load(stocked, *product_in(3), day=5)) == {}
    assert stocked.versions() == before


def test_whoever_else_changes_the_rows_is_put_right_by_the_next_load(stocked: River) -> None:
    lines = [*product_in(1, 2), *product_in(1, of=2)]
    load(stocked, *lines)
    changed = {"shopify_resource_publications": (0, 1, 0)}
    stocked.do(
        "UPDATE shopify_resource_publications SET is_published = false WHERE publish_date IS NOT NULL AND id ="
        " (SELECT min(id::text)::uuid FROM shopify_resource_publications)"
    )
    assert written(load(stocked, *lines, day=6)) == changed
    stocked.do("DELETE FROM shopify_resource_publications")
    assert written(load(stocked, *lines, day=7)) == {"shopify_resource_publications": (3, 0, 0)}


def test_a_product_that_goes_takes_its_publications_with_it(stocked: River) -> None:
    load(stocked, *product_in(1, 2), *product_in(1, of=2))

    stocked.do("DELETE FROM shopify_products WHERE shopify_gid = %s", gid("Product", 1))

    assert rows(stocked) == [("2", "1", True)]
    assert stocked.one("SELECT count(*) FROM shopify_resource_publications") == 1


def test_a_set_that_goes_takes_its_rows_with_it_though_the_mirror_has_the_product(stocked: River) -> None:
    """The list of publications may hear of a product's end before the list of products does."""
    load(stocked, *product_in(1, 2), *product_in(1, of=2))

    stocked.do("DELETE FROM pipeline.product_publications WHERE shopify_gid = %s", gid("Product", 1))

    assert rows(stocked) == [("2", "1", True)]
    assert stocked.one("SELECT count(*) FROM shopify_resource_publications") == 1


def test_a_file_of_one_shop_publishes_nothing_in_another(stocked: River) -> None:
    load(stocked, *product_in(1), domain=OTHER_DOMAIN)

    assert rows(stocked) == rows(stocked, domain=OTHER_DOMAIN) == []
