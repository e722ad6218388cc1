"""What a whole export does not hold goes, if all speaks for it; and nothing does otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from neanelu_pipelines.mirror.removals import Reason, remove
from neanelu_pipelines.mirror.removals.snapshots import FEW, Removal, remove_missing
from neanelu_pipelines.mirror.removals.work import refused
from neanelu_pipelines.mirror.reports import LoadReport, LoadRun
from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.sandbox.wire import encode_line
from neanelu_pipelines.shopify.faults import ShopifyFault, TokenRefused, Unavailable
from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError
from neanelu_pipelines.shopify.replies import Reply
from tests.mirror.lines import DOMAIN, River, catalogue, file, gid, media, moment, product, variant
from tests.mirror.test_inventory import item
from tests.mirror.test_orders import order

AFTER = "2026-03-04T00:00:00Z"


@dataclass
class Shop:
    """Shopify as it is asked: it has everything but what is `gone`."""

    gone: set[str] = field(default_factory=set)
    domain: str = DOMAIN
    asked: list[str] = field(default_factory=list)
    scopes: tuple[str, ...] = ("read_orders", "read_all_orders")
    away: ShopifyFault | None = None

    def execute(self, document: str, variables: Mapping[str, Any] | None = None, *, cost: float | None = None) -> Reply:
        if self.away:
            raise self.away
        ids = list((variables or {})["ids"])
        assert len(ids) <= 250
        self.asked += ids
        nodes = [None if one in self.gone else {"id": one} for one in ids]
        shop = {"id": "gid://shopify/Shop/1", "myshopifyDomain": self.domain}
        scopes = [{"handle": scope} for scope in self.scopes]
        return Reply({"shop": shop, "currentAppInstallation": {"accessScopes": scopes}, "nodes": nodes}, None)


@pytest.fixture
def stocked(river: River) -> River:
    """Products 1 to 30 with two variants and two pictures each."""
    river.load(catalogue(30), as_of=moment(2))
    return river


def without_product(*numbers: int) -> list[bytes]:
    """The same catalogue without these products and all that stands under them."""
    lines = catalogue(30)
    return [line for n in range(1, 31) if n not in numbers for line in lines[(n - 1) * 9 : n * 9]]


def gids_of(*numbers: int) -> set[str]:
    pictures = {gid("MediaImage", n * 10 + i) for n in numbers for i in (0, 1)}
    return pictures | {gid("Product", n) for n in numbers} | {gid("ProductVariant", n * 10) for n in numbers}


def run_of(river: River, report: LoadReport, resource: str = "products") -> LoadRun:
    return LoadRun(report.run_id, river.shops[DOMAIN], DOMAIN, resource, "", 0, "")


def after(river: River, lines: list[bytes], client: Shop | None, day: int = 3, **options: Any) -> Removal:
    report = river.load(lines, as_of=moment(day))
    return remove_missing(river.database, river.settings, run_of(river, report), client, **options)


def products(river: River) -> int:
    return int(river.one("SELECT count(*) FROM shopify_products"))


def test_what_is_missing_and_confirmed_goes_with_a_record(stocked: River) -> None:
    shop = Shop(gone=gids_of(4, 5))

    done = after(stocked, without_product(4, 5), shop)

    assert (done.outcome, done.still_there) == ("removed", 0)
    assert done.missing == {"shopify_media": 4, "shopify_products": 2}, "variants go with their products, unasked"
    assert done.tables["shopify_products"] == 2
    assert done.tables["shopify_variants"] == 4
    assert products(stocked) == 28
    assert stocked.query(
        "SELECT shopify_gid, reason, confirmed, gone_at FROM pipeline.removals"
        " WHERE table_name = 'shopify_products' ORDER BY 1"
    ) == [(gid("Product", n), "snapshot", True, moment(3)) for n in (4, 5)]
    status, records = stocked.one("SELECT status, records_processed FROM bulk_steps WHERE step_name = 'removal'")
    assert (status, records) == ("completed", sum(done.tables.values()))


def test_a_variant_that_is_gone_goes_and_its_product_stays(stocked: River) -> None:
    lines = [line for line in catalogue(30) if line != variant(71, 7)]

    done = after(stocked, lines, Shop(gone={gid("ProductVariant", 71)}))

    assert done.tables == {"shopify_variants": 1}
    assert products(stocked) == 30


def test_what_shopify_still_has_stays(stocked: River) -> None:
    done = after(stocked, without_product(4, 5), Shop(gone=gids_of(5)))

    assert done.still_there == 3, "a product and its two pictures"
    assert products(stocked) == 29


def test_a_picture_that_files_hold_is_theirs_to_miss(stocked: River) -> None:
    """Without its product it is a file like any other; the products' export never lists it again."""
    stocked.load([file(40)], resource="files", as_of=moment(2))
    shop = Shop(gone=gids_of(4))

    done = after(stocked, without_product(4), shop)

    assert done.missing == {"shopify_media": 1, "shopify_products": 1}
    assert gid("MediaImage", 40) not in shop.asked
    assert gid("MediaImage", 41) in shop.asked


def test_a_file_removes_when_a_person_wishes_it(stocked: River) -> None:
    done = after(stocked, without_product(4, 5), None, unconfirmed=True)

    assert (done.outcome, products(stocked)) == ("removed", 28)
    assert not stocked.one("SELECT bool_or(confirmed) FROM pipeline.removals")


def test_more_than_the_share_is_refused_and_says_why(stocked: River) -> None:
    gone = tuple(range(1, FEW + 2))
    shop = Shop(gone=gids_of(*gone))

    done = after(stocked, without_product(*gone), shop)

    assert done.outcome == "refused"
    assert "11 of 30 rows of shopify_products" in done.reason
    assert "NEANELU_MAX_REMOVAL_SHARE" in done.reason
    assert (products(stocked), shop.asked) == (30, [])
    run = run_of(stocked, stocked.load(without_product(*gone), as_of=moment(4)))
    assert remove_missing(stocked.database, stocked.settings, run, shop, max_share=0.5).outcome == "removed"
    assert products(stocked) == 19


def test_a_row_that_failed_validation_is_not_missing(stocked: River) -> None:
    rejected = product(4, status="NIMIC")
    # Shopify has it, and may be asked of it as of any row of the export: to see whether its answers are to be believed.
    shop = Shop(gone=gids_of(4, 5) - {gid("Product", 4)})

    done = after(stocked, [*without_product(4, 5), rejected], shop)

    assert (done.missing["shopify_products"], done.tables["shopify_products"]) == (1, 1)
    assert stocked.one("SELECT count(*) FROM shopify_products WHERE shopify_gid = %s", gid("Product", 4)) == 1


def test_only_the_newest_whole_export_can_say_it(stocked: River) -> None:
    old = stocked.load(without_product(4), as_of=moment(3))
    stocked.load(catalogue(30), as_of=moment(5))

    done = remove_missing(stocked.database, stocked.settings, run_of(stocked, old), Shop(gone=gids_of(4)))

    assert (done.outcome, products(stocked)) == ("unfit", 30)


def test_an_empty_export_of_a_small_shop_is_not_believed_without_a_row_that_shopify_has_to_know(river: River) -> None:
    river.load([product(1), product(2), media(1, gid("Product", 1))], as_of=moment(2))
    shop = Shop(gone={gid("Product", 1), gid("Product", 2)})

    done = after(river, [], shop)

    assert (done.outcome, products(river), shop.asked) == ("refused", 2, [])
    assert "unconfirmed" in done.reason
    wished = after(river, [], shop, day=4, unconfirmed=True, max_share=1.0)
    assert (wished.outcome, products(river), wished.still_there) == ("removed", 0, 1)


def test_of_orders_a_file_says_nothing_its_token_may_have_seen_those_of_sixty_days(river: River) -> None:
    river.load([order(1), order(2)], resource="orders", as_of=moment(2))
    report = river.load([order(2)], resource="orders", as_of=moment(3))

    shop = Shop(gone={gid("Order", 1)})
    done = remove_missing(river.database, river.settings, run_of(river, report, "orders"), shop)

    assert (done.outcome, shop.asked) == ("unfit", [])
    assert river.one("SELECT count(*) FROM shopify_orders") == 2


def test_every_resource_can_be_looked_at_and_told_of(river: River) -> None:
    for name, resource in RESOURCES.items():
        kind = {"product_publications": "Product", "variant_media": "ProductVariant"}.get(name)
        lines = [encode_line({"__typename": kind, "id": gid(kind, 9)})] if kind else []
        report = river.load(lines, resource=name, as_of=moment(3))
        done = remove_missing(river.database, river.settings, run_of(river, report, name), None, unconfirmed=True)
        assert done.outcome == ("unfit" if name in ("metaobjects", "orders") else "nothing"), (name, done.reason)
        for entity in resource.entities:
            one = gid(entity.node_types[0], 1)
            told = remove(
                river.database,
                shop_domain=DOMAIN,
                resource=name,
                gone={one: moment(4)},
                reason=Reason.WEBHOOK,
                told_by="webhook",
            )
            assert told.absent == [one], name


def test_nothing_goes_unless_all_speaks_for_it_and_done_once_it_is_done(stocked: River) -> None:
    report = stocked.load(without_product(4), as_of=moment(3))
    run, gone = run_of(stocked, report), gids_of(4)

    def look(client: Shop | None) -> str:
        done = remove_missing(stocked.database, stocked.settings, run, client)
        assert products(stocked) == (29 if done.outcome == "removed" else 30)
        return done.outcome

    assert look(None) == "unfit", "nobody can be asked, and nobody wishes it"
    assert look(Shop(gone, domain="alt.myshopify.com")) == "refused", "another shop answers"
    assert look(Shop(gids_of(*range(1, 31)))) == "refused", "it does not know what its own export holds"
    with pytest.raises(Unavailable):
        look(Shop(gone, away=Unavailable("Shopify is away.")))
    assert look(Shop(gone, away=TokenRefused("Shopify does not know the token."))) == "refused"

    searched = '{ products(query: "id:1") { edges { node { id } } } }'
    stocked.do(
        "UPDATE bulk_runs SET cursor_state = cursor_state || jsonb_build_object('bulk',"
        " jsonb_build_object('query', %s::text)) WHERE id = %s",
        searched,
        run.run_id,
    )
    assert look(Shop(gone)) == "unfit", "it searched for something"
    stocked.do("UPDATE bulk_runs SET cursor_state = cursor_state - 'bulk'")

    path = Path(stocked.one("SELECT file_path FROM bulk_artifacts WHERE bulk_run_id = %s", run.run_id))
    whole = path.read_bytes()
    path.write_bytes(whole[:2000])
    assert look(Shop(gone)) == "refused", "the artifact was cut since"
    path.unlink()
    assert look(Shop(gone)) == "unfit", "nobody knows any more what it held"
    path.mkdir()
    with pytest.raises(ArtifactUnreadableError, match="cannot be read"):
        look(Shop(gone))
    path.rmdir()
    path.write_bytes(whole)

    assert look(Shop(gone)) == "removed"
    again = Shop(gone)
    assert look(again) == "removed"
    assert again.asked == [], "done once it is not done again"


def test_what_went_before_the_export_is_no_share_of_what_it_lacks(stocked: River) -> None:
    """A third of the products, each proved: the inventory's export must not be refused for it ever after."""
    stocked.load([item(n * 10) for n in range(1, 31)], resource="inventory", as_of=moment(2))
    stocked.do(
        "UPDATE shopify_variants SET inventory_item_id = replace(shopify_gid, 'ProductVariant', 'InventoryItem')"
    )
    gone = {gid("Product", n): moment(3) for n in range(1, FEW + 2)}
    counts = remove(
        stocked.database,
        shop_domain=DOMAIN,
        resource="products",
        gone=gone,
        reason=Reason.DELETION_EVENT,
        told_by="Shopify's deletion events",
    )
    assert counts.tables["pipeline.inventory_items"] == len(gone)
    record = "SELECT with_gid FROM pipeline.removals WHERE shopify_gid = %s"
    assert stocked.one(record, gid("InventoryItem", 20)) == gid("Product", 2)

    report = stocked.load([item(n * 10) for n in range(FEW + 2, 31)], resource="inventory", as_of=moment(4))
    done = remove_missing(stocked.database, stocked.settings, run_of(stocked, report, "inventory"), Shop())

    assert (done.outcome, done.missing) == ("nothing", {})
    assert stocked.one("SELECT count(*) FROM pipeline.inventory_items") == 30 - len(gone)


def test_pictures_of_products_that_went_before_are_no_share_of_what_is_lacking(stocked: River) -> None:
    gone = (1, 2, 3, 4, 5, 6)
    shared = media(10, gid("Product", 30))
    stocked.load([*catalogue(30), shared], as_of=moment(2))
    remove(
        stocked.database,
        shop_domain=DOMAIN,
        resource="products",
        gone={gid("Product", n): moment(3) for n in gone},
        reason=Reason.WEBHOOK,
        told_by="webhook products/delete",
    )
    assert stocked.one("SELECT count(*) FROM shopify_media") == 60, "each may still be a file"
    record = "SELECT array_agg(one ORDER BY one) FROM pipeline.removals, unnest(left_gids) AS one"
    pictures = sorted({gid("MediaImage", n * 10 + i) for n in gone for i in (0, 1)} - {gid("MediaImage", 10)})
    assert stocked.one(record) == pictures

    done = after(stocked, [*without_product(*gone), shared], Shop(gids_of(*gone) - {gid("MediaImage", 10)}), day=4)

    assert (done.outcome, done.reason, done.tables) == ("removed", "", {"shopify_media": 11})
    record = (
        "SELECT array_agg(shopify_gid ORDER BY shopify_gid) FROM pipeline.removals WHERE table_name = 'shopify_media'"
    )
    assert stocked.one(record) == pictures


def test_pictures_that_only_the_export_took_from_their_products_are_its_share(stocked: River) -> None:
    """Of products that are there. Merging such an export unlinks them: that nothing shows them proves nothing."""
    lost = {media(n * 10 + 1, gid("ProductVariant", n * 10)) for n in range(1, 21)}
    lost |= {media(n * 10 + i, gid("Product", n)) for n in range(1, 21) for i in (0, 1)}

    done = after(stocked, [line for line in catalogue(30) if line not in lost], Shop(gone=gids_of(*range(1, 21))))

    assert stocked.one("SELECT count(*) FROM shopify_product_media") == 20
    assert (done.outcome, stocked.one("SELECT count(*) FROM shopify_media")) == ("refused", 60)
    assert "40 of 60 rows of shopify_media" in done.reason


@pytest.mark.parametrize("hides", [b'{"id":"gid:\\/\\/shopify\\/Product\\/4","title\n', b"\xff\xfe\n", None])
def test_behind_a_line_that_cannot_be_read_any_row_may_stand(stocked: River, hides: bytes | None) -> None:
    lines = without_product(4)
    lines = [*lines, hides] if hides else [*lines[:-1], lines[-1].rstrip(b"\n")]

    done = after(stocked, lines, Shop(gone=gids_of(4)))

    assert (done.outcome, products(stocked)) == ("refused", 30), "the next one is no better: a person has to know"
    stocked.do("UPDATE bulk_runs SET cursor_state = cursor_state || jsonb_build_object('bulk', jsonb_build_object())")
    assert [done.reason] == refused(stocked.database)
    assert "sync products again" in done.reason
    stocked.do("UPDATE bulk_artifacts SET deleted_at = now()")
    assert refused(stocked.database) == [], "of a file that is gone nobody can decide anything"


def test_what_came_after_the_export_is_not_missing_and_events_say_nothing_of_the_rest(stocked: River) -> None:
    newer = [
        product(4, createdAt=AFTER, updatedAt="2026-03-01T11:00:00Z"),
        product(5, createdAt=AFTER, updatedAt=AFTER),
    ]
    events = stocked.load(newer, as_of=moment(1), snapshot=False)
    shop = Shop(gone=gids_of(*range(31)))
    assert remove_missing(stocked.database, stocked.settings, run_of(stocked, events), shop).outcome == "unfit"

    done = after(stocked, without_product(4, 5), shop)

    assert not {gid("Product", 4), gid("Product", 5)} & set(shop.asked)
    assert "shopify_products" not in done.tables
