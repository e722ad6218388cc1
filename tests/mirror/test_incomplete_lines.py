"""Lines without a field that a row needs: rows that are there keep it, rows that are not there are rejected."""

import json
from typing import Any

import pytest

from neanelu_pipelines.mirror.verdicts import judge
from tests.mirror.lines import (
    DOMAIN,
    LATER,
    OTHER_DOMAIN,
    River,
    catalogue,
    fates,
    gid,
    media,
    metafield,
    moment,
    product,
    variant,
    without,
    written,
)


def lacking(line: bytes, *names: str, **changed: Any) -> bytes:
    """The line of a query that did not ask for these fields."""
    node = {name: value for name, value in json.loads(line).items() if name not in names}
    return json.dumps(node | changed).encode() + b"\n"


def as_mirrored(river: River, **expected: Any) -> None:
    """Compare columns of product 1."""
    columns = ", ".join(expected)
    row = river.query(f"SELECT {columns} FROM shopify_products WHERE shopify_gid = %s", gid("Product", 1))
    assert row == [tuple(expected.values())]


def test_a_row_that_is_there_takes_what_its_line_carries_and_keeps_the_rest(river: River) -> None:
    river.load(catalogue())
    before = river.mirror()
    line = json.dumps({"__typename": "Product", "id": gid("Product", 1), "vendor": "Silva", "updatedAt": LATER})
    report = river.load(line.encode() + b"\n")
    assert fates(report) == {"Product": (1, 0, 0, 0)}
    assert written(report) == {"shopify_products": (0, 1, 0)}
    as_mirrored(river, vendor="Silva", title="Ferăstrău pentru grădină nr. 1", status="ACTIVE", handle="ferastrau-1")
    after = river.mirror()
    del before["shopify_products"][0], after["shopify_products"][0]
    assert after == before
    assert river.one(
        "SELECT metafields ? 'custom.culoare', featured_image_url FROM shopify_products WHERE shopify_gid = %s",
        gid("Product", 1),
    ) == (True, "https://cdn.example/11.jpg")


def test_the_same_incomplete_lines_again_change_nothing_and_the_whole_ones_bring_everything_back(river: River) -> None:
    river.load(catalogue(), as_of=moment(1))
    whole = river.mirror()
    lines = [lacking(product(1), "title", "status", vendor="Silva"), lacking(variant(10, 1), "price", sku="NOU")]
    river.load(lines, as_of=moment(2))
    assert river.one(
        "SELECT sku, price::text FROM shopify_variants WHERE shopify_gid = %s", gid("ProductVariant", 10)
    ) == (
        "NOU",
        "79.90",
    )
    versions, audited = river.versions(), river.audit_rows()
    assert written(river.load(lines, as_of=moment(3))) == {}
    assert (river.versions(), river.audit_rows()) == (versions, audited)
    river.load(catalogue(), as_of=moment(4))
    assert river.mirror() == whole


@pytest.mark.parametrize("mirror_has_rows", [False, True])
def test_a_row_that_is_not_there_is_rejected_with_what_it_lacks(river: River, *, mirror_has_rows: bool) -> None:
    if mirror_has_rows:
        river.load(catalogue(1))
    # It names what only the other shop has.
    river.load([product(9)], domain=OTHER_DOMAIN)
    report = river.load([lacking(product(9), "title", "handle", "vendor"), metafield(90, gid("Product", 9))])
    assert fates(report) == {"Product": (0, 0, 1, 0), "Metafield": (0, 0, 1, 0)}
    said = river.query(
        "SELECT error_type, error_code, error_message, payload ->> 'shopify_gid' FROM bulk_errors"
        " WHERE bulk_run_id = %s AND line_number = 1",
        report.run_id,
    )
    message = "handle, title is missing, and the mirror has no such row that could keep it."
    assert said == [("VALIDATION", "missing_required", message, gid("Product", 9))]
    assert river.one("SELECT title FROM shopify_products WHERE shop_id = %s", river.shops[OTHER_DOMAIN])


def test_null_where_a_value_must_be_stays_wrong(river: River) -> None:
    river.load(catalogue(1))
    before = river.mirror()
    report = river.load(
        [
            product(1, title=None, vendor="Silva"),
            lacking(product(1), "handle", status=None),
            lacking(variant(10, 1), "title", price="ieftin"),
        ]
    )
    assert river.errors(report.run_id) == [(1, "missing_required"), (2, "missing_required"), (3, "not_a_number")]
    said = river.one("SELECT error_message FROM bulk_errors WHERE bulk_run_id = %s AND line_number = 2", report.run_id)
    assert said == "status is missing or null."
    assert river.mirror() == before


def test_whole_and_incomplete_lines_in_one_file(river: River) -> None:
    river.load(catalogue(2))
    before = river.mirror()
    lines = catalogue(2, vendor="Silva", updatedAt=LATER)
    lines[0] = lacking(lines[0], "title", "seo", "tags", "descriptionHtml", "featuredMedia")
    # Product 1 is incomplete and has neither metafields nor media here; product 2 is whole and has them.
    mixed = without(lines, 5, 6, 7, 8)
    assert river.load(mixed).stage.total.rejected == 0
    assert river.query("SELECT DISTINCT vendor FROM shopify_products") == [("Silva",)]
    after = river.mirror()
    for n in (0, 1):
        was, now = before["shopify_products"][n][1], after["shopify_products"][n][1]
        changed = {name for name in was if was[name] != now[name]}
        assert changed == {"vendor", "updated_at_shopify", "fingerprint"}
    assert after["shopify_product_media"] == before["shopify_product_media"]
    report = river.load([*mixed, lacking(product(3), "title")])
    assert (river.errors(report.run_id), written(report)) == ([(len(mixed) + 1, "missing_required")], {})


def test_lines_that_an_incomplete_row_has_replace_those_of_before(river: River) -> None:
    river.load(catalogue(3))
    first = gid("Product", 1)
    report = river.load(
        [
            lacking(product(1), "title", "featuredMedia"),
            metafield(10, first, value="lemn"),
            media(11, first),
            # Whole products in the same file: one has another picture now, one has lost everything.
            product(2, featuredMedia={"id": gid("MediaImage", 20)}),
            media(20, gid("Product", 2)),
            product(3),
        ]
    )
    assert report.stage.total.rejected == 0
    assert river.query(
        "SELECT p.shopify_gid, m.shopify_gid, l.position, l.is_featured FROM shopify_product_media l"
        " JOIN shopify_products p ON p.id = l.product_id JOIN shopify_media m USING (media_id) ORDER BY 1"
    ) == [(first, gid("MediaImage", 11), 0, True), (gid("Product", 2), gid("MediaImage", 20), 0, True)]
    assert river.query("SELECT metafields, featured_image_url FROM shopify_products ORDER BY shopify_gid") == [
        ({"custom.material": {"type": "single_line_text_field", "value": "lemn"}}, "https://cdn.example/11.jpg"),
        ({}, "https://cdn.example/20.jpg"),
        ({}, None),
    ]


def test_older_incomplete_lines_never_overwrite_newer_rows(river: River) -> None:
    river.load(catalogue(1, updatedAt=LATER), as_of=moment(3))
    before = river.mirror()
    report = river.load([lacking(product(1), "title", vendor="Vechi")], as_of=moment(4))
    assert fates(report) == {"Product": (0, 0, 0, 1)}
    # Without a time of change, the moments decide.
    report = river.load([lacking(product(1), "title", "updatedAt", vendor="Vechi")], as_of=moment(2))
    assert fates(report) == {"Product": (0, 0, 0, 1)}
    assert river.mirror() == before
    river.load([lacking(product(1), "title", "updatedAt", vendor="Nou")], as_of=moment(5))
    as_mirrored(river, vendor="Nou", title="Ferăstrău pentru grădină nr. 1")
    assert river.one("SELECT updated_at_shopify FROM shopify_products").isoformat()[:10] == LATER[:10]


def test_the_same_node_whole_and_incomplete_in_one_file(river: River) -> None:
    river.load([product(1)])
    report = river.load([product(1, vendor="Întreg", updatedAt=LATER), lacking(product(1), "title", vendor="Parțial")])
    assert river.errors(report.run_id) == [(2, "conflicting_duplicate")]
    as_mirrored(river, vendor="Întreg")


def test_a_row_that_goes_between_staging_and_merge_is_left_out(river: River, monkeypatch: pytest.MonkeyPatch) -> None:
    from neanelu_pipelines.mirror import river as the_river

    river.load([product(1), product(2)])

    def judge_and_lose(*given: Any, **named: Any) -> list[str]:
        notes = judge(*given, **named)
        given[0].execute("DELETE FROM shopify_products WHERE shopify_gid = %s", [gid("Product", 1)])
        return notes

    monkeypatch.setattr(the_river, "judge", judge_and_lose)
    report = river.load([lacking(product(n), "title", vendor="Silva") for n in (1, 2)])
    assert written(report) == {"shopify_products": (0, 1, 0)}
    assert river.query("SELECT shopify_gid, vendor FROM shopify_products") == [(gid("Product", 2), "Silva")]


def test_it_is_the_same_on_several_connections(river: River) -> None:
    count = 5100  # more than the merge does in one transaction
    river.load([product(n) for n in range(count)])
    report = river.load([lacking(product(n), "title", "status", vendor="Silva") for n in range(count)])
    assert written(report) == {"shopify_products": (0, count, 0)}
    assert river.query("SELECT DISTINCT vendor, status, title IS NULL FROM shopify_products") == [
        ("Silva", "ACTIVE", False)
    ]


def test_no_row_of_another_shop_is_kept(river: River) -> None:
    river.load([product(1, title="Al meu")])
    river.load([product(1, title="Al altuia")], domain=OTHER_DOMAIN)
    river.load([lacking(product(1), "title", vendor="Silva")])
    titles = river.query(
        "SELECT s.shopify_domain, title, vendor FROM shopify_products JOIN shops s ON s.id = shop_id ORDER BY title"
    )
    assert titles == [(OTHER_DOMAIN, "Al altuia", "Grădinarul"), (DOMAIN, "Al meu", "Silva")]
