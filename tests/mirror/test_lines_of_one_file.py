"""What lines of one file are to each other: the same node twice, a child before its parent or without one."""

from typing import Any

import pytest

from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import (
    CHANGED,
    LATER,
    River,
    catalogue,
    fates,
    gid,
    media,
    metafield,
    moment,
    product,
    variant,
    written,
)

P1 = gid("Product", 1)


def test_the_same_node_twice_with_the_same_content(river: River) -> None:
    lines = catalogue()
    report = river.load([*lines, lines[0], lines[1], lines[7]])

    assert report.stage.total.rejected == 0
    assert fates(report)["Product"] == (3, 0, 0, 1)
    assert fates(report)["ProductVariant"] == (6, 0, 0, 1)
    assert fates(report)["Metafield"] == (9, 0, 0, 1)
    river.load(lines, domain="gradina.myshopify.com")
    assert river.mirror() == river.mirror("gradina.myshopify.com")


@pytest.mark.parametrize(
    ("first", "second", "kept", "rejected_line"),
    [
        (CHANGED, LATER, "al doilea", 1),
        (LATER, CHANGED, "primul", 2),
        (None, CHANGED, "al doilea", 1),
        (CHANGED, None, "primul", 2),
    ],
    ids=["newer last", "newer first", "no time first", "no time last"],
)
def test_the_same_node_twice_with_different_content(
    river: River, first: str | None, second: str | None, kept: str, rejected_line: int
) -> None:
    report = river.load([product(1, title="primul", updatedAt=first), product(1, title="al doilea", updatedAt=second)])

    number, _, code, message, payload = river.error()
    assert (number, code) == (rejected_line, "conflicting_duplicate")
    assert f"Line {3 - rejected_line} holds another version" in message
    assert payload["shopify_gid"] == P1
    assert river.one("SELECT title FROM shopify_products") == kept
    assert fates(report)["Product"] == (1, 0, 1, 0)


def test_a_metafield_twice(river: River) -> None:
    report = river.load([product(1), metafield(1, P1, value="oțel"), metafield(2, P1, value="inox")])

    assert river.error()[1:3] == ("VALIDATION", "conflicting_duplicate")
    assert fates(report)["Metafield"] == (1, 0, 1, 0)


def test_a_media_under_two_products_and_under_a_variant(river: River) -> None:
    lines = [product(1), product(2), variant(10, 1), *(media(5, gid("Product", n)) for n in (1, 2))]
    report = river.load([*lines, media(5, gid("ProductVariant", 10))])

    assert report.stage.total.rejected == 0
    assert fates(report)["MediaImage"] == (3, 0, 0, 0)
    assert written(report) == {
        "shopify_products": (2, 0, 0),
        "shopify_variants": (1, 0, 0),
        "shopify_media": (1, 0, 0),
        "shopify_product_media": (2, 0, 0),
        "shopify_variant_media": (1, 0, 0),
    }


def test_children_before_parents(river: River) -> None:
    report = river.load(list(reversed(catalogue())))

    assert report.stage.total.rejected == 0
    river.load(catalogue(), domain="gradina.myshopify.com")
    assert river.mirror() == river.mirror("gradina.myshopify.com")


def test_children_of_a_rejected_product_are_orphans_and_write_nothing(river: River) -> None:
    first, *rest = catalogue(1)
    report = river.load([first.replace(b"ACTIVE", b"PAUSED"), *rest, *catalogue(2)[9:]])

    codes = [code for _, code in river.errors()]
    assert codes == ["not_in_enum", *["orphan"] * 8]
    river.load(catalogue(2)[9:], domain="gradina.myshopify.com")
    assert river.mirror() == river.mirror("gradina.myshopify.com")
    assert report.stage.total.rejected == 9


def test_an_orphan_of_a_row_in_the_mirror_is_none(river: River) -> None:
    river.load(catalogue())

    report = river.load([variant(90, 1)])

    assert report.stage.total.rejected == 0
    assert written(report) == {"shopify_variants": (1, 0, 0)}


@pytest.mark.parametrize("turned", [False, True])
def test_an_older_product_with_one_picture_in_two_versions_changes_neither(river: River, *, turned: bool) -> None:
    """Of a link said twice one line is kept, of its picture perhaps the other: what is older is told by identity."""
    river.load([product(1, updatedAt=LATER), media(10, P1, alt="nou")])
    pictures = [media(10, P1, alt="vechi"), media(10, P1, alt="foarte vechi")]
    report = river.load([product(1, updatedAt=CHANGED), *(reversed(pictures) if turned else pictures)])

    assert river.one("SELECT alt FROM shopify_media") == "nou"
    assert written(report).get("shopify_media", (0, 0, 0))[:2] == (0, 0)


@pytest.mark.parametrize("alt", [None, "alt"])
def test_an_orphan_picture_said_twice_is_an_orphan_all_the_same(river: River, alt: str | None) -> None:
    nobody = gid("Product", 404)
    river.load([*catalogue(1), media(90, nobody), media(90, nobody, **({"alt": alt} if alt else {}))])

    assert not river.query("SELECT FROM shopify_media WHERE shopify_gid = %s", gid("MediaImage", 90))


@pytest.mark.parametrize(
    "line",
    [variant(31, 1)[:120] + b"\n", media(99, P1)[:100] + b"\n", variant(77, 1)[:90] + product(50)],
    ids=["a variant", "a picture", "a variant and a whole product"],
)
def test_a_torn_line_is_no_orphan(river: River, line: bytes) -> None:
    """What stood in the lost part nobody knows: it may hide a row, which must not be taken for one that is gone."""
    river.load([*catalogue(1), line])

    assert river.error()[1:3] == ("PARSE", "malformed_json")


def test_the_same_damaged_file_again_writes_nothing(river: River) -> None:
    """A row that keeps what a rejected line may have held has no fingerprint, and needs none to stay as it is."""
    lines = catalogue(2)
    river.load(lines)
    one = next(i for i, line in enumerate(lines) if b"Metafield" in line)
    torn = [product(1, title="Nou"), *lines[1:one], lines[one][:-30] + b"\n", *lines[one + 1 :]]
    river.load(torn)
    before = river.versions()
    report = river.load(torn)

    assert report.stage.total.rejected > 0
    assert river.versions() == before


def test_pictures_that_a_damaged_file_lost_stand_in_order_with_the_others(river: River) -> None:
    """Of a product one picture is featured, and one stands first, also while some are only kept."""
    pictures = [media(number, P1) for number in (10, 11, 12)]
    river.load([product(1, featuredMedia={"id": gid("MediaImage", 10)}), *pictures])
    damaged = [
        product(1, featuredMedia={"id": gid("MediaImage", 11)}, updatedAt=LATER),
        pictures[0][:-30] + b"\n",
        *pictures[1:],
        media(13, P1),
    ]
    report = river.load(damaged)

    assert written(report)["shopify_product_media"] == (1, 2, 0)
    in_order = [(11, 0, True), (10, 1, False), (12, 2, False), (13, 3, False)]
    query = (
        "SELECT m.legacy_resource_id, l.position, l.is_featured FROM shopify_product_media l"
        " JOIN shopify_media m USING (media_id) ORDER BY l.position, m.legacy_resource_id"
    )
    assert river.query(query) == in_order
    before = river.versions()
    report = river.load(damaged)
    assert river.versions() == before
    assert report.tables["shopify_product_media"].unchanged == len(in_order)


@pytest.mark.parametrize("where", [3, 140, 400])
@pytest.mark.parametrize("value", [None, "594"])
def test_lines_that_disagree_about_a_field_clear_nothing(river: River, where: int, value: str | None) -> None:
    """Results of two queries in one file: one that asked for barcodes, and one that did not."""
    numbers = range(10, 510)
    river.load([product(1), *(variant(number, 1, barcode=f"B{number}") for number in numbers)])
    asked = {"barcode": value} if value else {"barcode": None}
    lines = [variant(number, 1, sku="nou", **(asked if number - 10 == where else {})) for number in numbers]

    report = river.load([product(1), *lines])

    assert river.one("SELECT count(barcode) FROM shopify_variants") == len(numbers)
    assert river.one("SELECT count(*) FROM shopify_variants WHERE sku = 'nou'") == len(numbers)
    told = any("ProductVariant.barcode" in note for note in report.stage.notes)
    assert told or (value is None and where > 100), "a null that was not seen clears nothing either"


@pytest.mark.parametrize("where", [3, 140, 400])
@pytest.mark.parametrize(("field", "column"), [("barcode", "barcode"), ("inventoryItem", "inventory_item_id")])
def test_one_line_of_another_query_clears_nothing_wherever_it_stands(
    river: River, where: int, field: str, column: str
) -> None:
    """The others say what they were asked for, and hold it or hold nothing."""
    numbers = range(10, 510)
    item = {"id": gid("InventoryItem", 1), "requiresShipping": True}
    river.load([product(1), *(variant(number, 1, barcode=f"B{number}", inventoryItem=item) for number in numbers)])
    asked = {"barcode": "594", "inventoryItem": None}
    lines = [
        variant(number, 1, sku="nou", **{name: asked[name] for name in asked if (i, name) != (where, field)})
        for i, number in enumerate(numbers)
    ]

    river.load([product(1), *lines])

    assert river.one(f"SELECT count(*) FROM shopify_variants WHERE {column} IS NULL") == 0


def test_two_results_of_different_queries_in_one_file_are_told(river: River) -> None:
    numbers = range(10, 2010)
    river.load([product(1), *(variant(number, 1, barcode=f"B{number}") for number in numbers)])
    half = len(numbers) // 2
    with_barcodes = [variant(number, 1, sku="nou", barcode="594") for number in numbers[:half]]
    without_barcodes = [variant(number, 1, sku="nou") for number in numbers[half:]]

    report = river.load([product(1), *with_barcodes, *without_barcodes])

    assert river.one("SELECT count(barcode) FROM shopify_variants") == len(numbers)
    assert any("ProductVariant.barcode" in note for note in report.stage.notes)
    # What the note advises: the same lines say it now, and are not taken for what is there already.
    river.load([product(1), *with_barcodes], snapshot=False)
    assert river.one("SELECT count(*) FROM shopify_variants WHERE barcode = '594'") == half


def test_a_picture_is_cleared_also_beside_a_video_that_never_has_its_fields(river: River) -> None:
    def video(alt: str) -> bytes:
        clip = {"id": gid("ExternalVideo", 20), "alt": alt, "embedUrl": "https://video.example/20", "status": "READY"}
        return encode_line({**clip, "mediaContentType": "EXTERNAL_VIDEO"}, P1)

    river.load([product(1), media(10, P1), video("film")])
    river.load([product(1), media(10, P1, image=None, status="FAILED"), video("nou")])

    assert river.query("SELECT width, height FROM shopify_media WHERE media_type = 'IMAGE'") == [(None, None)]


def test_a_file_without_media_lines_whose_products_name_pictures_removes_none(river: River) -> None:
    amount = {"amount": "79.90", "currencyCode": "RON"}
    asked: dict[str, Any] = {
        **dict.fromkeys(("productType", "templateSuffix", "category", "publishedAt", "createdAt")),
        "hasOnlyDefaultVariant": True,
        "requiresSellingPlan": False,
        "options": [],
        "priceRangeV2": {"minVariantPrice": amount, "maxVariantPrice": amount},
    }
    featured = {"featuredMedia": {"id": gid("MediaImage", 10)}}
    river.load([product(1, **asked, **featured), media(10, P1), media(11, P1)])
    river.load([product(1, title="Nou", **asked, **featured)])
    assert river.one("SELECT count(*) FROM shopify_product_media") == 2

    river.load([product(1, title="Mai nou", **asked)])
    assert river.one("SELECT count(*) FROM shopify_product_media") == 0, "it has none any more"


@pytest.mark.parametrize("owner", [1, 77], ids=["a product whose line is rejected", "no product"])
def test_a_picture_that_is_rejected_writes_nothing_not_even_over_what_is_there(river: River, owner: int) -> None:
    river.load([product(1), media(10, P1, alt="vechi")], as_of=moment(5))

    report = river.load([product(1, status="ODD"), media(10, gid("Product", owner), alt="nou")], as_of=moment(6))

    assert report.stage.total.rejected == 2
    assert river.one("SELECT alt FROM shopify_media") == "vechi"


def test_what_a_row_keeps_is_taken_away_by_who_knows_better(river: River) -> None:
    """A file that does not ask for variants' metafields leaves them; the sync that does clears them."""
    asked = [("ProductVariant", "Metafield")]
    held = metafield(7, gid("ProductVariant", 10))
    river.load([product(1), variant(10, 1), held], whole=asked, as_of=moment(5))
    without = [product(1), variant(10, 1, updatedAt=LATER)]
    river.load(without, as_of=moment(6))
    assert river.one("SELECT metafields FROM shopify_variants") != {}

    river.load(without, whole=asked, as_of=moment(7))

    assert river.one("SELECT metafields FROM shopify_variants") == {}
