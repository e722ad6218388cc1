"""Collections: their fields, and their members in order, also where the mirror does not have the product yet."""

from typing import Any

import pytest

from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River, fates, gid, moment, product, written


def collection(number: int, **fields: Any) -> bytes:
    node = {
        "__typename": "Collection",
        "id": gid("Collection", number),
        "legacyResourceId": str(number),
        "handle": f"unelte-{number}",
        "title": "Unelte & grădină",
        "descriptionHtml": "<p>Alese <b>bine</b></p>",
        "sortOrder": "MANUAL",
        "templateSuffix": None,
        "updatedAt": "2026-03-01T10:00:00Z",
        "seo": {"title": "Unelte", "description": None},
        "image": {"url": "https://cdn.example/c.jpg", "altText": None},
        "productsCount": {"count": 3, "precision": "EXACT"},
        "ruleSet": None,
    }
    return encode_line(node | fields)


def member(number: int, of: int) -> bytes:
    return encode_line({"__typename": "Product", "id": gid("Product", number)}, gid("Collection", of))


def with_members(*numbers: int, of: int = 1, **fields: Any) -> list[bytes]:
    return [collection(of, **fields), *(member(number, of) for number in numbers)]


SMART = {
    "appliedDisjunctively": True,
    "rules": [{"column": "TYPE", "relation": "EQUALS", "condition": "Ferăstraie"}],
}


@pytest.fixture
def stocked(river: River) -> River:
    """Products 1 to 5 are in the mirror."""
    river.load([product(n) for n in range(1, 6)], as_of=moment(2))
    return river


def members(river: River, domain: str = DOMAIN) -> list[tuple[str, int]]:
    return river.query(
        "SELECT split_part(p.shopify_gid, '/', 5), position FROM shopify_collection_products"
        " JOIN shopify_products p ON p.id = product_id WHERE p.shop_id = %s ORDER BY collection_id, position",
        river.shops[domain],
    )


def load(river: River, *lines: bytes, day: int = 5, **options: Any) -> Any:
    return river.load(lines, resource="collections", as_of=moment(day), **options)


def test_a_collection_becomes_a_row_with_its_members_in_order(stocked: River) -> None:
    report = load(stocked, *with_members(3, 1, 2), *with_members(4, of=2, ruleSet=SMART))

    assert written(report) == {"shopify_collections": (2, 0, 0), "shopify_collection_products": (4, 0, 0)}
    assert members(stocked) == [("3", 0), ("1", 1), ("2", 2), ("4", 0)]
    first, second = stocked.query(
        "SELECT title, handle, description, description_html, collection_type, sort_order, rules, disjunctive, seo,"
        " image_url, products_count, fingerprint IS NOT NULL FROM shopify_collections ORDER BY legacy_resource_id"
    )
    assert first == (
        "Unelte & grădină",
        "unelte-1",
        "Alese bine",
        "<p>Alese <b>bine</b></p>",
        "MANUAL",
        "MANUAL",
        None,
        False,
        {"title": "Unelte", "description": None},
        "https://cdn.example/c.jpg",
        3,
        True,
    )
    assert second[4:8] == ("SMART", "MANUAL", SMART["rules"], True)


def test_the_same_collections_again_change_nothing_at_all(stocked: River) -> None:
    lines = [*with_members(3, 1, 2), *with_members(4, of=2)]
    load(stocked, *lines)
    before, audited = stocked.versions(), stocked.audit_rows()

    report = load(stocked, *lines, day=6)

    assert written(report) == {}
    assert fates(report) == {"Collection": (0, 2, 0, 0), "Product": (0, 4, 0, 0)}
    assert (stocked.versions(), stocked.audit_rows()) == (before, audited)


def test_another_order_moves_the_members(stocked: River) -> None:
    load(stocked, *with_members(1, 2, 3), *with_members(4, 5, of=2))

    report = load(stocked, *with_members(2, 1, 3), *with_members(4, 5, of=2), day=6)

    assert written(report) == {"shopify_collection_products": (0, 2, 0)}
    assert members(stocked) == [("2", 0), ("1", 1), ("3", 2), ("4", 0), ("5", 1)]
    assert fates(report)["Collection"] == (1, 1, 0, 0), "the other collection is not looked at"


def test_members_come_and_go(stocked: River) -> None:
    load(stocked, *with_members(1, 2, 3))

    assert written(load(stocked, *with_members(1, 3, 4), day=6)) == {"shopify_collection_products": (1, 1, 1)}
    assert members(stocked) == [("1", 0), ("3", 1), ("4", 2)]
    assert written(load(stocked, *with_members(), day=7)) == {"shopify_collection_products": (0, 0, 3)}


@pytest.mark.parametrize("big", [10**9, 0], ids=["one transaction", "side by side"])
def test_a_member_that_is_not_in_the_mirror_yet_is_ignored_and_comes_later(
    stocked: River, monkeypatch: pytest.MonkeyPatch, big: int
) -> None:
    monkeypatch.setattr(steps, "_BIG_LOAD_ROWS", big)
    lines = with_members(1, 9, 2)
    report = load(stocked, *lines)
    assert fates(report) == {"Collection": (1, 0, 0, 0), "Product": (2, 0, 0, 1)}
    assert report.stage.notes == [
        "shopify_collection_products names rows of shopify_products that the mirror does not have, 1 times: left out"
        " until a load finds them there."
    ]
    assert members(stocked) == [("1", 0), ("2", 2)], "its place is kept"
    before = stocked.versions()
    assert written(load(stocked, *lines, day=6)) == {}
    assert stocked.versions() == before

    stocked.load([product(9)], as_of=moment(6))
    report = load(stocked, *lines, day=7)

    assert written(report) == {"shopify_collection_products": (1, 0, 0)}
    assert members(stocked) == [("1", 0), ("9", 1), ("2", 2)]
    assert fates(load(stocked, *lines, day=8)) == {"Collection": (0, 1, 0, 0), "Product": (0, 3, 0, 0)}


def test_bad_lines_are_rejected_each_with_its_reason(stocked: River) -> None:
    report = load(
        stocked,
        *with_members(1, 2),
        collection(2, title=None),
        member(3, 2),
        collection(3, sortOrder="RANDOM"),
        collection(4, productsCount={"count": "multe"}),
        member(5, 77),
        encode_line({"__typename": "Product", "id": gid("Product", 5)}),
        b'{"id":"gid://shopify/Collection/5","title":\n',
    )

    assert stocked.errors(report.run_id) == [
        (4, "missing_required"),
        (5, "orphan"),
        (6, "not_in_enum"),
        (7, "not_a_number"),
        (8, "orphan"),
        (9, "orphan"),
        (10, "malformed_json"),
    ]
    assert members(stocked) == [("1", 0), ("2", 1)]


def test_a_damaged_file_removes_no_member(stocked: River) -> None:
    load(stocked, *with_members(1, 2, 3))

    report = load(stocked, *with_members(1, 3), b"{\n", day=6)

    assert report.stage.total.rejected == 1
    assert sorted(members(stocked)) == [("1", 0), ("2", 1), ("3", 1)]
    assert written(load(stocked, *with_members(1, 3), day=7)) == {"shopify_collection_products": (0, 0, 1)}


def test_an_older_export_overwrites_nothing(stocked: River) -> None:
    load(stocked, *with_members(1, 2, title="Noi"), day=6)
    before = stocked.versions()

    report = load(stocked, *with_members(3, title="Vechi"), day=5)

    assert fates(report) == {"Collection": (0, 0, 0, 1), "Product": (0, 0, 0, 1)}
    assert stocked.versions() == before


def test_a_query_without_rules_and_members_leaves_them_alone(stocked: River) -> None:
    load(stocked, *with_members(1, 2, ruleSet=SMART))
    short = {"__typename": "Collection", "id": gid("Collection", 1), "title": "Altfel", "handle": "altfel"}
    other = {**short, "id": gid("Collection", 2)}

    load(stocked, encode_line(short), encode_line(other), day=6)

    assert stocked.query(
        "SELECT title, collection_type, disjunctive, description FROM shopify_collections ORDER BY legacy_resource_id"
    ) == [("Altfel", "SMART", True, "Alese bine"), ("Altfel", "MANUAL", False, None)]
    assert members(stocked) == [("1", 0), ("2", 1)]
    report = load(stocked, *with_members(1, 2, ruleSet=SMART), day=7)
    assert written(report) == {"shopify_collections": (0, 1, 0)}, "what was asked for in part is looked at again"


def test_whoever_else_changes_the_members_makes_the_fingerprint_unknown(stocked: River) -> None:
    lines = with_members(1, 2, 3)
    load(stocked, *lines)
    stocked.do("UPDATE shopify_collection_products SET position = 7 WHERE position = 1")
    assert written(load(stocked, *lines, day=6)) == {"shopify_collection_products": (0, 1, 0)}
    stocked.do("DELETE FROM shopify_collection_products WHERE position = 0")
    assert written(load(stocked, *lines, day=7)) == {"shopify_collection_products": (1, 0, 0)}
    stocked.do("UPDATE shopify_collections SET title = 'altceva'")
    assert written(load(stocked, *lines, day=8)) == {"shopify_collections": (0, 1, 0)}


def test_members_are_products_of_the_same_shop(stocked: River) -> None:
    report = load(stocked, *with_members(1, 2), domain=OTHER_DOMAIN)

    assert fates(report)["Product"] == (0, 0, 0, 2)
    assert stocked.one("SELECT count(*) FROM shopify_collection_products") == 0
