"""What is gone goes, with what belongs to it and a record of why; older news neither removes nor brings back."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg.sql import SQL

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.removals import Reason, RemovalCounts, RemovalError, remove
from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River, catalogue, gid, media, moment, product, variant, written
from tests.mirror.test_orders import item, order

GONE = moment(10)
TABLES = (
    "shopify_products",
    "shopify_variants",
    "shopify_media",
    "shopify_product_media",
    "shopify_variant_media",
)


@pytest.fixture
def stocked(river: River) -> Iterator[River]:
    """Products 1 to 3 with two variants and two pictures each."""
    river.load(catalogue(3), as_of=moment(2))
    yield river
    river.do("DELETE FROM pipeline.removals")


def told(
    river: River, *gids: str, at: datetime = GONE, resource: str = "products", domain: str = DOMAIN
) -> RemovalCounts:
    return remove(
        river.database,
        shop_domain=domain,
        resource=resource,
        gone=dict.fromkeys(gids, at),
        reason=Reason.WEBHOOK,
        told_by="webhook products/delete",
    )


def rows(river: River, domain: str = DOMAIN) -> tuple[int, ...]:
    return tuple(river.one(f"SELECT count(*) FROM {table} WHERE shop_id = %s", river.shops[domain]) for table in TABLES)


def records(river: River) -> list[tuple[Any, ...]]:
    return river.query(
        "SELECT shopify_gid, table_name, reason, with_gid, was_here, gone_at FROM pipeline.removals ORDER BY 2, 1"
    )


def test_a_product_goes_with_its_variants_and_links_and_each_row_has_a_record(stocked: River) -> None:
    assert rows(stocked) == (3, 6, 6, 6, 3)

    done = told(stocked, gid("Product", 2))

    assert (done.removed, done.absent, done.kept) == ([gid("Product", 2)], [], [])
    assert done.tables == {
        "shopify_products": 1,
        "shopify_variants": 2,
        "shopify_product_media": 2,
        "shopify_variant_media": 1,
    }
    assert rows(stocked) == (2, 4, 6, 4, 2), "the pictures are rows of their own: a snapshot says whether they are gone"
    assert records(stocked) == [
        (gid("Product", 2), "shopify_products", "webhook", None, True, GONE),
        (gid("ProductVariant", 20), "shopify_variants", "webhook", gid("Product", 2), True, GONE),
        (gid("ProductVariant", 21), "shopify_variants", "webhook", gid("Product", 2), True, GONE),
    ]
    run = "SELECT operation_type, status, records_processed FROM bulk_runs WHERE operation_type LIKE '%%REMOVAL'"
    assert stocked.query(run) == [("PRODUCTS_REMOVAL", "completed", 1)]
    assert stocked.one("SELECT count(*) FROM audit_logs WHERE action = 'DELETE'") == 1


def test_said_twice_it_changes_nothing_more(stocked: River) -> None:
    told(stocked, gid("Product", 2))
    before, kept = records(stocked), rows(stocked)

    again = told(stocked, gid("Product", 2))

    assert (again.removed, again.absent) == ([], [gid("Product", 2)])
    assert (records(stocked), rows(stocked)) == (before, kept)


def test_another_shops_row_of_the_same_gid_stays(stocked: River) -> None:
    stocked.load(catalogue(3), domain=OTHER_DOMAIN, as_of=moment(2))

    told(stocked, gid("Product", 1))

    assert rows(stocked, OTHER_DOMAIN) == (3, 6, 6, 6, 3)


@pytest.mark.parametrize("newer", ["updated in the shop", "seen by a later export"])
def test_an_older_delete_event_leaves_a_newer_row(stocked: River, newer: str) -> None:
    changed = (GONE + timedelta(hours=1)).isoformat()
    if newer == "updated in the shop":
        stocked.load([product(1, updatedAt=changed)], as_of=moment(5), snapshot=False)
    else:
        stocked.load(catalogue(3, title="Titlu nou"), as_of=moment(11))

    done = told(stocked, gid("Product", 1))

    assert (done.removed, done.kept) == ([], [gid("Product", 1)])
    assert rows(stocked)[:2] == (3, 6)


def test_a_delete_event_older_than_an_export_that_did_not_hold_the_row_removes_it(stocked: River) -> None:
    stocked.load(catalogue(2), as_of=moment(11))

    assert told(stocked, gid("Product", 3)).removed == [gid("Product", 3)]


@pytest.mark.parametrize("snapshot", [True, False])
def test_older_news_does_not_bring_a_removed_row_back(stocked: River, snapshot: bool) -> None:
    told(stocked, gid("Product", 2))
    # A variant that the mirror never had stands under it in the old export.
    old = [*catalogue(3, title="Titlu vechi"), variant(29, 2), media(29, gid("ProductVariant", 29))]

    report = stocked.load(old, as_of=moment(9), snapshot=snapshot)

    assert rows(stocked)[:2] == (2, 4)
    assert report.stage.total.rejected == 0, "old news is no fault of the line"
    assert stocked.one("SELECT count(*) FROM shopify_media WHERE shopify_gid = %s", gid("MediaImage", 29)) == 0


def test_a_later_export_that_holds_the_row_brings_it_back(stocked: River) -> None:
    told(stocked, gid("Product", 2))

    report = stocked.load(catalogue(3), as_of=moment(11))

    assert written(report)["shopify_products"] == (1, 0, 0)
    assert rows(stocked) == (3, 6, 6, 6, 3)
    assert told(stocked, gid("Product", 2)).kept == [gid("Product", 2)], "the event is older now"


def test_an_update_later_than_the_removal_brings_the_row_back(stocked: River) -> None:
    told(stocked, gid("Product", 2))

    stocked.load([product(2, updatedAt=(GONE + timedelta(seconds=1)).isoformat())], as_of=moment(9), snapshot=False)

    assert rows(stocked)[0] == 3


def test_what_was_removed_before_it_ever_came_does_not_come_late(stocked: River) -> None:
    done = told(stocked, gid("Product", 7))
    assert (done.removed, done.absent) == ([], [gid("Product", 7)])
    assert records(stocked) == [(gid("Product", 7), "shopify_products", "webhook", None, False, GONE)]

    report = stocked.load([product(7), variant(70, 7)], as_of=moment(9), snapshot=False)

    assert rows(stocked)[:2] == (3, 6)
    assert report.stage.total.rejected == 0
    assert report.stage.total.ignored == 2


def test_a_removal_between_staging_and_merge_is_seen(stocked: River) -> None:
    from neanelu_pipelines.mirror import river as steps

    source = stocked.file(catalogue(3, title="Titlu vechi", updatedAt="2026-03-01T11:00:00Z"))
    load = steps.open_load(
        stocked.database, stocked.settings, shop_domain=DOMAIN, resource="products", source=source, as_of=moment(9)
    )
    steps.stage(stocked.database, stocked.settings, load)
    told(stocked, gid("Product", 2))

    steps.merge(stocked.database, stocked.settings, load)

    assert rows(stocked)[:2] == (2, 4)
    assert stocked.one("SELECT count(*) FROM shopify_products WHERE title = 'Titlu vechi'") == 2


def test_orders_keep_shopifys_ids_and_lose_the_mirrors(stocked: River) -> None:
    customer = encode_line({"__typename": "Customer", "id": gid("Customer", 1), "displayName": "Ana"})
    stocked.load([customer], resource="customers", as_of=moment(2))
    lines = [order(1, customer={"id": gid("Customer", 1)}), item(1, 20), item(2, 10)]
    stocked.load(lines, resource="orders", as_of=moment(2))

    told(stocked, gid("Product", 2))
    told(stocked, gid("Customer", 1), resource="customers")

    customer_id, line_items, fingerprint = stocked.one(
        "SELECT customer_id, line_items, fingerprint FROM shopify_orders"
    )
    assert customer_id is None
    assert [(item["variant_id"] is None, item["variant_gid"]) for item in line_items] == [
        (True, gid("ProductVariant", 20)),
        (False, gid("ProductVariant", 10)),
    ]
    assert fingerprint is None, "the next load looks at it again"


def test_a_gid_of_another_kind_is_refused(stocked: River) -> None:
    with pytest.raises(RemovalError, match="Collection/1"):
        told(stocked, gid("Collection", 1))
    assert rows(stocked)[0] == 3


NOBODY = "'00000000-0000-7000-8000-000000000000'"


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (f"SELECT FROM shopify_product_media WHERE media_id = {NOBODY}", "idx_product_media_media"),
        (f"SELECT FROM shopify_variant_media WHERE media_id = {NOBODY}", "idx_variant_media_media"),
        (
            f"SELECT FROM shopify_resource_publications WHERE resource_id = {NOBODY}",
            "idx_resource_publications_resource",
        ),
        ("SELECT FROM bulk_artifacts WHERE deleted_at IS NULL ORDER BY created_at LIMIT 9", "idx_bulk_artifacts_kept"),
    ],
)
def test_what_a_removal_looks_for_has_an_index(river: River, query: str, index: str) -> None:
    with river.database.connect(Role.PIPELINE) as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {query}").fetchall())

    assert index in plan


@pytest.mark.parametrize("name", ["ledger/last_merge", "ledger/shown_through"])
def test_the_last_merge_is_found_among_all_runs_of_a_shop(river: River, name: str) -> None:
    values = {"shop_id": river.shops[DOMAIN], "resource": "products"}
    with river.database.connect(Role.PIPELINE) as connection:
        connection.execute(
            "INSERT INTO bulk_runs (shop_id, operation_type, query_type, status)"
            " SELECT %s, 'TEST', 'kind ' || n %% 200, 'completed' FROM generate_series(1, 5000) n",
            (values["shop_id"],),
        )
        connection.execute(
            "INSERT INTO bulk_steps (bulk_run_id, shop_id, step_name, status)"
            " SELECT id, shop_id, 'merge', 'completed' FROM bulk_runs"
        )
        connection.execute("ANALYZE bulk_runs")
        connection.execute("ANALYZE bulk_steps")
        query = SQL("EXPLAIN {}").format(statement(name))
        plan = "\n".join(row[0] for row in connection.execute(query, values).fetchall())
        connection.rollback()

    assert "idx_bulk_runs_query_type" in plan
