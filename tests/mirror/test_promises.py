"""What a load may change: never what is newer, nor what the file does not speak about."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import (
    CHANGED,
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

P1, V10 = gid("Product", 1), gid("ProductVariant", 10)


def test_the_same_file_again_changes_nothing_at_all(river: River) -> None:
    river.load(catalogue(), as_of=moment(5))
    before, audited = river.versions(), river.audit_rows()

    for day in (5, 6, 4):
        report = river.load(catalogue(), as_of=moment(day))
        assert written(report) == {}
        assert report.stage.total.unchanged == len(catalogue())
        assert report.stage.tables == dict.fromkeys(report.stage.tables, 0)

    assert river.versions() == before
    assert river.audit_rows() == audited
    assert river.staged_rows() == 0


def test_the_ledger_says_what_was_done(river: River) -> None:
    report = river.load([*catalogue(), product(9, status="PAUSED")], as_of=moment(5))

    names = river.query(
        "SELECT step_name, status, completed_at >= started_at FROM bulk_steps WHERE bulk_run_id = %s"
        " ORDER BY started_at",
        report.run_id,
    )
    assert names == [(name, "completed", True) for name in ("artifact", "stage", "merge")]
    rows, size, checksum = river.one("SELECT rows_count, bytes_size, checksum FROM bulk_artifacts")
    assert (rows, size, len(checksum)) == (28, report.stage.bytes, 64)
    assert river.one("SELECT status, records_processed, error_message FROM bulk_runs") == ("completed", 28, None)


@settings(
    max_examples=4,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32))
def test_any_order_of_lines_gives_the_same_rows(river: River, seed: int) -> None:
    """Also of lines that contradict each other and are equally new."""
    river.clear()
    everything = river.settings.model_copy(update={"max_reject_share": 1.0})
    contradicting = [
        product(1, title="alt titlu"),
        variant(20, 2, price="1.00"),
        media(10, P1, alt="altă poză"),
        metafield(10, P1, value="inox"),
        metafield(99, gid("Product", 3), value="inox"),
    ]
    lines = [*catalogue(), *contradicting]
    first = river.load(lines, domain=OTHER_DOMAIN, settings=everything, as_of=moment(5))
    shuffled = random.Random(seed).sample(lines, len(lines))

    report = river.load(shuffled, settings=everything, as_of=moment(5))

    assert report.stage.total.rejected == first.stage.total.rejected == len(contradicting)
    assert river.mirror() == river.mirror(OTHER_DOMAIN)


def test_a_time_of_change_that_lies_ahead_is_rejected_and_freezes_nothing(river: River) -> None:
    """One such line would make every true line after it an older one, ignored without a word."""
    ahead = "2999-01-01T00:00:00Z"
    report = river.load([product(1), product(2, updatedAt=ahead), variant(10, 1, updatedAt=ahead)], as_of=moment(4))

    assert river.errors(report.run_id) == [(2, "out_of_range"), (3, "out_of_range")]
    assert "updated_at_shopify lies more than a day ahead" in report.rejections[0].example_message
    told = river.load([product(2, toldAt=ahead)], as_of=moment(4))
    assert "told_at lies more than a day ahead" in told.rejections[0].example_message
    assert river.one("SELECT title FROM shopify_products") == "Ferăstrău pentru grădină nr. 1"

    # A row of before this was checked: only an export taken later is news of it.
    river.do("UPDATE shopify_products SET updated_at_shopify = %s, title = 'înghețat'", ahead)
    assert written(river.load([product(1)], as_of=moment(3))) == {}
    assert written(river.load([product(1)], as_of=moment(5))) == {"shopify_products": (0, 1, 0)}
    assert river.one("SELECT title, updated_at_shopify::date::text FROM shopify_products") == (
        "Ferăstrău pentru grădină nr. 1",
        CHANGED[:10],
    )


DAMAGES: dict[str, Callable[[bytes, int], bytes]] = {
    "cut": lambda line, n: line[: n % len(line)] + b"\n",
    "drop": lambda _line, _n: b"",
    "repeat": lambda line, _n: line * 2,
    "change": lambda line, _n: line + line.replace("Grădinarul".encode(), b"Altul").replace(b"poza", b"fila"),
    "byte": lambda line, n: line[: n % len(line)] + bytes([n % 256]) + line[n % len(line) + 1 :],
    "number": lambda line, n: line.replace(b"1", str(n % 10).encode()),
    "glue": lambda line, _n: line.rstrip(b"\n"),
    "null": lambda line, _n: line.replace(b'"ACTIVE"', b"null").replace(b'"79.90"', b"null"),
    "empty": lambda line, _n: line + b"\n",
}


def _damaged(lines: list[bytes], damages: list[tuple[int, str]]) -> bytes:
    for n, kind in damages:
        at = n % len(lines)
        lines[at] = DAMAGES[kind](lines[at] or b"\n", n)
    # And some of it far from where it was.
    strewn = sorted(lines, key=lambda line: len(line) % 3) if len(damages) % 2 else lines
    return b"".join(strewn)


@settings(
    max_examples=12,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damages=st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(sorted(DAMAGES))), min_size=1, max_size=12))
def test_every_line_is_accounted_for_whatever_the_damage(river: River, damages: list[tuple[int, str]]) -> None:
    """`load` checks the sums by node type; here also that none is missing, and that it is so beside older rows."""
    river.clear()
    content = _damaged(catalogue(2), damages)
    everything = river.settings.model_copy(update={"max_reject_share": 1.0})

    first = river.load(content, settings=everything, as_of=moment(5))
    before = river.versions()
    again = river.load(content, settings=everything, as_of=moment(5))

    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    assert first.stage.total.read == again.stage.total.read == lines
    assert river.errors(again.run_id) == river.errors(first.run_id)
    assert river.versions() == before


def test_an_older_file_overwrites_nothing(river: River) -> None:
    river.load(catalogue(updatedAt=LATER), as_of=moment(5))
    before = river.versions()
    older = [line.replace("Grădinarul".encode(), b"Vechi").replace(b"poza", b"veche") for line in catalogue(4)]
    older = [line.replace(b"79.90", b"1.00") for line in without(older, 5, 7)]

    report = river.load(older, as_of=moment(4))

    assert written(report) == {
        "shopify_products": (1, 0, 0),
        "shopify_variants": (2, 0, 0),
        "shopify_media": (2, 0, 0),
        "shopify_product_media": (2, 0, 0),
        "shopify_variant_media": (1, 0, 0),
    }, "only product 4 is not newer here"
    now = river.versions()
    for table, rows in before.items():
        assert [row for row in now[table] if row in rows] == rows
    assert fates(report)["Product"] == (1, 0, 0, 3)
    assert report.stage.total.rejected == 0


def test_single_rows_that_are_newer_stay(river: River) -> None:
    """A newer file with older rows in it (a result that took hours): row by row, the newer version stays."""
    river.load([product(1, title="nou", updatedAt=LATER), product(2), metafield(1, P1)], as_of=moment(4))

    report = river.load(
        [product(1, title="vechi"), metafield(1, P1, value="vechi"), product(2, title="mai nou", updatedAt=LATER)],
        as_of=moment(5),
    )

    assert river.query("SELECT title FROM shopify_products ORDER BY shopify_gid") == [("nou",), ("mai nou",)]
    assert (
        river.one("SELECT metafields->'custom.material'->>'value' FROM shopify_products WHERE title = 'nou'") == "oțel"
    )
    assert fates(report)["Metafield"] == (0, 0, 0, 1)


def test_rows_without_a_time_of_change_go_by_the_moment_of_the_export(river: River) -> None:
    """A query that does not select updatedAt has only the moment of the export to show how old it is."""
    lines = [encode_line({"id": P1, "handle": "h", "status": "ACTIVE", "title": "vechi"})]
    river.load(catalogue(1), as_of=moment(5))

    assert written(river.load(lines, as_of=moment(4))) == {}
    assert written(river.load(lines, as_of=moment(6))) == {"shopify_products": (0, 1, 0)}
    assert river.one("SELECT updated_at_shopify FROM shopify_products") is not None, "not selected, so kept"


def test_older_media_and_links_and_metafields_change_nothing(river: River) -> None:
    """Of a product that changed without a new time of change, the newest export counts."""
    newer = [product(1), media(1, P1, alt="nou"), metafield(1, P1, value="nou")]
    river.load(newer, as_of=moment(5))
    before = river.versions()

    river.load([product(1), media(1, P1, alt="vechi"), media(2, P1), metafield(1, P1, value="vechi")], as_of=moment(4))

    now = river.versions()
    assert now == before


def test_a_row_that_a_newer_export_found_unchanged_is_as_new_as_that(river: River) -> None:
    """Nothing is written to it then, so its synced_at is old; the ledger knows better."""
    river.load([product(1, title="la fel"), media(1, P1)], as_of=moment(4))
    river.load([product(1, title="la fel"), media(1, P1)], as_of=moment(6))
    before = river.versions()

    river.load([product(1, title="vechi"), media(1, P1, alt="vechi")], as_of=moment(5))

    assert river.versions() == before


def test_a_picture_shared_by_an_older_and_a_new_product_is_there_for_the_new_one(river: River) -> None:
    river.load([product(1, updatedAt=LATER)], as_of=moment(5))

    report = river.load([product(1), product(2), media(5, gid("Product", 2)), media(5, P1)], as_of=moment(4))

    assert report.stage.total.rejected == 0
    assert [row[:2] for row in river.mirror()["shopify_product_media"]] == [(gid("Product", 2), gid("MediaImage", 5))]


@pytest.mark.parametrize(
    ("field", "column", "value"),
    [
        ("vendor", "vendor", "Grădinarul"),
        ("tags", "tags", ["grădină"]),
        ("descriptionHtml", "description", "Lamă"),
        ("seo", "seo", {"title": "t", "description": None}),
        ("productType", "product_type", "ferăstraie"),
        ("publishedAt", "published_at", CHANGED),
        ("category", "category_id", {"id": gid("TaxonomyCategory", "hg-1")}),
    ],
)
def test_a_field_cleared_is_cleared_and_one_not_selected_is_kept(
    river: River, field: str, column: str, value: Any
) -> None:
    river.load([product(1, **{field: value})], as_of=moment(4))
    full = river.one(f"SELECT {column} FROM shopify_products")
    assert full is not None
    node = {"id": P1, "handle": "h", "title": "t", "status": "ACTIVE", "updatedAt": LATER}

    river.load([encode_line(node)], as_of=moment(5))
    assert river.one(f"SELECT {column} FROM shopify_products") == full
    river.load([encode_line(node | {field: None})], as_of=moment(6))
    assert river.one(f"SELECT {column} FROM shopify_products") is None


def test_a_compare_at_price_is_cleared_never_filled(river: River) -> None:
    river.load([product(1), variant(10, 1), variant(11, 1, compareAtPrice=None)], as_of=moment(4))
    assert river.one("SELECT compare_at_price FROM shopify_variants WHERE sku = 'FER-11'") is None

    river.load([product(1), variant(10, 1, compareAtPrice=None, updatedAt=LATER), variant(11, 1)], as_of=moment(5))

    prices = river.query("SELECT price::text, compare_at_price::text FROM shopify_variants ORDER BY sku")
    assert prices == [("79.90", None), ("79.90", "99.90")]


def test_metafields_links_and_the_featured_picture_go_when_they_are_gone(river: River) -> None:
    river.load(catalogue(), as_of=moment(4))
    gone = without(catalogue(), 0, 2, 3, 6, 7, 8)  # product 1: one picture left, no metafields, none of its variant's

    report = river.load([product(1, updatedAt=LATER), *gone], as_of=moment(5))

    assert report.stage.total.rejected == 0
    row = river.one("SELECT metafields, featured_image_url FROM shopify_products WHERE shopify_gid = %s", P1)
    assert row == ({}, None)
    assert river.one("SELECT metafields FROM shopify_variants WHERE shopify_gid = %s", V10) == {}
    links = [row for row in river.mirror()["shopify_product_media"] if row[0] == P1]
    assert [(row[1], row[2]["position"]) for row in links] == [(gid("MediaImage", 10), 0)]
    assert not [row for row in river.mirror()["shopify_variant_media"] if row[0] == V10]
    assert written(report)["shopify_product_media"] == (0, 1, 1)


def test_all_pictures_and_metafields_gone_is_known_only_of_the_whole_query(river: River) -> None:
    """A result without a single picture: nobody asked for them, or there are none. The products' fields tell."""
    asked_too: dict[str, Any] = dict.fromkeys(
        ("productType", "templateSuffix", "createdAt", "publishedAt", "category", "priceRangeV2"), None
    ) | {"options": [], "hasOnlyDefaultVariant": False, "requiresSellingPlan": False}
    river.load(catalogue(1), as_of=moment(4))

    river.load([product(1, updatedAt=LATER)], as_of=moment(5))
    assert len(river.mirror()["shopify_product_media"]) == 2
    assert len(river.one("SELECT metafields FROM shopify_products")) == 2

    river.load([product(1, updatedAt=LATER, **asked_too)], as_of=moment(6))
    assert river.mirror()["shopify_product_media"] == []
    assert river.one("SELECT metafields FROM shopify_products") == {}


def test_a_damaged_file_takes_nothing_away(river: River) -> None:
    """What is absent may have stood in a line that was rejected; the next whole file takes it away."""
    river.load(catalogue(1), as_of=moment(4))
    left = [product(1, updatedAt=LATER), *without(catalogue(1), 0, 5, 7)]

    river.load([*left, b'{"torn\n'], as_of=moment(5))
    assert len(river.mirror()["shopify_product_media"]) == 2
    assert len(river.one("SELECT metafields FROM shopify_products")) == 2

    river.load(left, as_of=moment(6))
    assert len(river.mirror()["shopify_product_media"]) == 1
    assert len(river.one("SELECT metafields FROM shopify_products")) == 1


def test_a_variant_that_moves_to_another_product(river: River) -> None:
    """Also when nothing but the parent differs."""
    river.load([product(1), product(2), variant(10, 2)], as_of=moment(4))

    river.load([product(1), product(2), variant(10, 1)], as_of=moment(5))

    assert river.mirror()["shopify_variants"][0][2] == P1


@pytest.mark.parametrize(
    "meddling",
    [
        "UPDATE shopify_products SET vendor = 'altcineva'",
        "UPDATE shopify_products SET metafields = '{}'",
        "UPDATE shopify_variants SET price = 1, compare_at_price = NULL",
        "UPDATE shopify_media SET alt = 'altceva'",
        "DELETE FROM shopify_product_media",
        "DELETE FROM shopify_variant_media",
        "UPDATE shopify_product_media SET position = 9, is_featured = false",
        "DELETE FROM shopify_variant_media; DELETE FROM shopify_variants",
        "INSERT INTO shopify_product_media (shop_id, product_id, media_id)"
        " SELECT p.shop_id, p.id, m.media_id FROM shopify_products p, shopify_media m ON CONFLICT DO NOTHING",
    ],
)
def test_what_somebody_else_wrote_is_brought_back_by_the_same_file(river: River, meddling: str) -> None:
    river.load(catalogue(), as_of=moment(4))
    before = river.mirror()
    for statement in meddling.split(";"):
        river.do(statement)
    assert river.mirror() != before

    river.load(catalogue(), as_of=moment(5))

    assert river.mirror() == before


def test_a_price_that_changed_is_one_update_and_says_so(river: River) -> None:
    river.load(catalogue(), as_of=moment(4))
    lines = catalogue()
    lines[1] = variant(10, 1, price="59.90", updatedAt=LATER)

    report = river.load(lines, as_of=moment(5))

    assert written(report) == {"shopify_variants": (0, 1, 0)}
    assert report.stage.total.unchanged == len(lines) - 3, "the variant is staged with its metafield and its picture"


def test_a_load_of_events_says_nothing_of_the_rows_that_it_does_not_name(river: River) -> None:
    river.load([product(1), product(2, title="vechi")], as_of=moment(3))
    river.load([product(1, title="eveniment", updatedAt=LATER)], as_of=moment(6), snapshot=False)

    river.load([product(1), product(2, title="nou")], as_of=moment(5))

    assert river.query("SELECT title FROM shopify_products ORDER BY shopify_gid") == [("eveniment",), ("nou",)]
