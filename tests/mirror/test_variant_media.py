"""Which media variants show: sets as links, also where variant or medium come later, and beside a products file's."""

from typing import Any

import pytest

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.mirror.removals import Reason, remove
from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import (
    DOMAIN,
    OTHER_DOMAIN,
    River,
    catalogue,
    fates,
    gid,
    media,
    moment,
    product,
    variant,
    written,
)

SETS, LINKS = "pipeline.variant_media", "shopify_variant_media"


def shown(*numbers: int, of: int, kind: str = "MediaImage") -> list[bytes]:
    """The lines of a variant that shows these media."""
    parent = gid("ProductVariant", of)
    head = encode_line({"__typename": "ProductVariant", "id": parent})
    return [head, *(encode_line({"__typename": kind, "id": gid(kind, n)}, parent) for n in numbers)]


def load(river: River, *lines: bytes, day: int = 5, **options: Any) -> Any:
    return river.load(lines, resource="variant_media", as_of=moment(day), **options)


def rows(river: River, domain: str = DOMAIN) -> list[tuple[int, int, int]]:
    """By the numbers of variant and medium, with the position."""
    return river.query(
        "SELECT split_part(v.shopify_gid, '/', 5)::int, split_part(m.shopify_gid, '/', 5)::int, l.position"
        " FROM shopify_variant_media l JOIN shopify_variants v ON v.id = l.variant_id"
        " JOIN shopify_media m USING (media_id) WHERE l.shop_id = %s ORDER BY 1, 2",
        river.shops[domain],
    )


def sets(river: River) -> list[tuple[int, bool]]:
    """The variants that have a set, and whether all is known that makes it."""
    return river.query(
        "SELECT split_part(shopify_gid, '/', 5)::int, fingerprint IS NOT NULL FROM pipeline.variant_media ORDER BY 1"
    )


def goods(products: int = 2, *, of_variants: bool = False) -> list[bytes]:
    """Products of two variants (10, 11) and two media (10, 11); with `of_variants`, the first shows medium 11."""
    lines = catalogue(products)
    mine = {media(n * 10 + 1, gid("ProductVariant", n * 10)) for n in range(1, products + 1)}
    return lines if of_variants else [line for line in lines if line not in mine]


@pytest.fixture
def stocked(river: River) -> River:
    """What an export of products brings, whose query asks for no variant's media."""
    video = {"__typename": "Video", "id": gid("Video", 12), "mediaContentType": "VIDEO", "image": None}
    river.load([*goods(), media(12, gid("Product", 1), **video)], as_of=moment(2))
    return river


def test_sets_become_links_in_the_order_of_upload(stocked: River) -> None:
    film = shown(12, of=10, kind="Video")[1]
    report = load(stocked, *shown(11, 10, of=10), film, *shown(20, of=20), *shown(of=21))

    assert written(report) == {SETS: (3, 0, 0), LINKS: (4, 0, 0)}
    assert fates(report) == {"ProductVariant": (3, 0, 0, 0), "MediaImage": (3, 0, 0, 0), "Video": (1, 0, 0, 0)}
    assert rows(stocked) == [(10, 10, 0), (10, 11, 1), (10, 12, 2), (20, 20, 0)]

    before = stocked.versions()
    again = load(stocked, *shown(20, of=20), *shown(of=21), *shown(10, 11, of=10), film, day=6)
    assert (written(again), again.stage.total.unchanged) == ({}, 7)
    assert stocked.versions() == before


def test_media_come_and_go_with_the_next_export_and_an_older_one_says_nothing(stocked: River) -> None:
    load(stocked, *shown(10, 11, of=10), *shown(20, of=20))

    assert written(load(stocked, *shown(11, of=10), *shown(20, of=20), day=6)) == {SETS: (0, 1, 0), LINKS: (0, 1, 1)}
    assert rows(stocked) == [(10, 11, 0), (20, 20, 0)]
    assert written(load(stocked, *shown(10, of=10), *shown(of=20), day=5)) == {}
    assert written(load(stocked, *shown(of=10), *shown(of=20), day=7))[LINKS] == (0, 0, 2)


def test_what_the_mirror_does_not_have_yet_comes_later(river: River) -> None:
    river.load([product(1), variant(10, 1), media(10, gid("Product", 1))], as_of=moment(2))
    lines = [*shown(10, 11, of=10), *shown(10, of=11)]

    report = load(river, *lines)

    assert (report.stage.total.rejected, len(report.stage.notes)) == (0, 2)
    assert (rows(river), sets(river)) == ([(10, 10, 0)], [(10, False), (11, False)])
    before = river.versions()
    assert written(load(river, *lines, day=6)) == {}, "looked at again, and still not there"
    assert river.versions() == before
    river.load(goods(1), as_of=moment(6))
    assert written(load(river, *lines, day=7))[LINKS] == (2, 0, 0)
    assert (rows(river), sets(river)) == ([(10, 10, 0), (10, 11, 1), (11, 10, 0)], [(10, True), (11, True)])


def test_bad_lines_are_rejected_each_as_what_it_is_and_a_damaged_file_takes_nothing_away(stocked: River) -> None:
    load(stocked, *shown(10, 11, of=10))

    report = load(stocked, *shown(10, of=10), *shown(9, of=9, kind="Video")[1:], *shown(8, of=8)[1:], day=6)

    assert stocked.errors(report.run_id) == [(3, "orphan"), (4, "orphan")]
    assert fates(report)["Video"] == (0, 0, 1, 0), "counted as a video"
    assert rows(stocked) == [(10, 10, 0), (10, 11, 1)]
    assert written(load(stocked, *shown(10, of=10), day=7))[LINKS] == (0, 0, 1)


def test_a_products_result_without_variants_media_leaves_the_links_alone(stocked: River) -> None:
    load(stocked, *shown(11, of=10))
    before = stocked.versions()["shopify_variant_media"]

    stocked.load([line.replace(b"30 cm", b"40 cm") for line in goods()], as_of=moment(6))

    assert stocked.versions()["shopify_variant_media"] == before


def test_a_products_file_with_them_and_an_export_that_agree_change_nothing_in_turns(river: River) -> None:
    of_file, lines = goods(of_variants=True), [line for n in (10, 20) for line in shown(n + 1, of=n)]
    river.load(of_file, as_of=moment(2))
    assert rows(river) == [(10, 11, 0), (20, 21, 0)], "of which no export has told, the file does"
    assert written(load(river, *lines, *shown(of=11), *shown(of=21), day=3)) == {SETS: (4, 0, 0)}

    before = river.versions()
    for day in (4, 6):
        assert written(river.load(of_file, as_of=moment(day))) == {}
        assert written(load(river, *lines, *shown(of=11), *shown(of=21), day=day + 1)) == {}
    assert river.versions() == before


@pytest.mark.parametrize("file_first", [True, False])
def test_of_what_an_export_has_told_it_alone_speaks_whichever_comes_later(river: River, *, file_first: bool) -> None:
    river.load(goods(3), as_of=moment(2))
    of_file, told = goods(3, of_variants=True), [*shown(of=10), *shown(20, of=20)]
    for day, is_file in ((3, file_first), (4, not file_first)):
        if is_file:
            river.load(of_file, as_of=moment(day))
        else:
            load(river, *told, day=day)

    links = [(20, 20, 0), (30, 31, 0)]
    assert rows(river) == links, "of variant 30 no export has told"
    before = river.versions()
    river.load(of_file, as_of=moment(6))
    load(river, *told, day=7)
    assert river.versions() == before
    river.load([line.replace(b"30 cm", b"40 cm") for line in of_file], as_of=moment(8))
    assert rows(river) == links


def test_whoever_else_changes_the_links_is_put_right_by_the_next_export(stocked: River) -> None:
    lines = [*shown(10, 11, of=10), *shown(20, of=20)]
    load(stocked, *lines)
    for day, (change, repair) in enumerate(
        [
            ("UPDATE shopify_variant_media SET position = 7 WHERE position = 1", (0, 1, 0)),
            ("DELETE FROM shopify_variant_media", (3, 0, 0)),
            ("UPDATE shopify_variant_media l SET media_id = m.media_id FROM shopify_media m"
             " WHERE position = 1 AND m.shopify_gid LIKE '%%/21'", (1, 0, 1)),
        ],
        6,
    ):  # fmt: skip
        stocked.do(change)
        assert written(load(stocked, *lines, day=day)) == {LINKS: repair}, change
    assert rows(stocked) == [(10, 10, 0), (10, 11, 1), (20, 20, 0)]


def test_a_variant_or_a_medium_that_goes_takes_its_links_and_what_was_said_of_them(stocked: River) -> None:
    load(stocked, *shown(10, 11, of=10), *shown(10, of=11), *shown(20, of=20))

    def goes(resource: str, one: str) -> None:
        done = remove(
            stocked.database,
            shop_domain=DOMAIN,
            resource=resource,
            gone={one: moment(12)},
            reason=Reason.WEBHOOK,
            told_by="webhook",
        )
        assert done.removed == [one]

    goes("products", gid("ProductVariant", 11))
    assert (rows(stocked), sets(stocked)) == ([(10, 10, 0), (10, 11, 1), (20, 20, 0)], [(10, True), (20, True)])
    goes("files", gid("MediaImage", 10))
    assert (rows(stocked), sets(stocked)) == ([(10, 11, 1), (20, 20, 0)], [(10, False), (20, True)])
    load(stocked, *shown(11, of=10), *shown(20, of=20), day=11)
    assert (rows(stocked), sets(stocked)) == ([(10, 11, 0), (20, 20, 0)], [(10, True), (20, True)])
    goes("variant_media", gid("ProductVariant", 20))
    assert (rows(stocked), sets(stocked)) == ([(10, 11, 0)], [(10, True)]), "as a snapshot of this resource says it"
    goes("products", gid("Product", 1))
    assert (rows(stocked), sets(stocked)) == ([], [])
    stocked.do("DELETE FROM pipeline.removals")


def test_a_medium_that_went_is_linked_by_no_damaged_file(stocked: River) -> None:
    load(stocked, *shown(10, 11, of=10))
    stocked.do("DELETE FROM shopify_variant_media; DELETE FROM shopify_product_media")
    stocked.do("DELETE FROM shopify_media WHERE shopify_gid = %s", gid("MediaImage", 10))

    load(stocked, *shown(11, of=10), b"{\n", day=6)

    assert rows(stocked) == [(10, 11, 0)]


def test_sets_are_their_shops_alone(stocked: River) -> None:
    load(stocked, *shown(10, of=10), domain=OTHER_DOMAIN)
    assert rows(stocked) == rows(stocked, OTHER_DOMAIN) == []

    load(stocked, *shown(10, of=10))
    for domain, numbers in ((DOMAIN, 1), (OTHER_DOMAIN, 1)):
        with stocked.database.connect(Role.TENANT) as connection:
            assert connection.execute("SELECT count(*) FROM pipeline.variant_media").fetchone() == (0,)
            connection.execute("SELECT set_config('app.current_shop_id', %s, true)", [str(stocked.shops[domain])])
            found = connection.execute("SELECT count(*), min(shop_id::text) FROM pipeline.variant_media").fetchone()
            assert found == (numbers, str(stocked.shops[domain]))
