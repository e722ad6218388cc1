"""Materialized views: they refresh whatever the shops hold, count right, and show a tenant its own rows only."""

from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from neanelu_pipelines.database.connect import Database, Role
from tests.database.rows import insert, new_shop, product, scalar, variant

VIEWS = (
    "inventory_current",
    "mv_shop_summary",
    "mv_low_stock_alerts",
    "mv_top_sellers",
    "mv_pim_quality_progress",
    "mv_pim_enrichment_status",
    "mv_pim_source_performance",
)
TENANT_VIEWS = {
    "tenant_inventory_current": "inventory_current",
    "tenant_shop_summary": "mv_shop_summary",
    "tenant_low_stock_alerts": "mv_low_stock_alerts",
    "tenant_top_sellers": "mv_top_sellers",
}


@pytest.fixture
def shop(database: Database) -> UUID:
    return new_shop(database)


def _refresh(database: Database, *views: str) -> None:
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        for view in views:
            connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW CONCURRENTLY {}").format(sql.Identifier(view)))


def _order(connection: psycopg.Connection, shop: UUID, number: int, *items: dict[str, object]) -> None:
    insert(
        connection,
        "shopify_orders",
        shop_id=shop,
        shopify_gid=f"gid://shopify/Order/{number}",
        total_price=100,
        line_items=Jsonb(list(items)),
        financial_status="PAID",
        created_at_shopify="now",
    )


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_refreshed_concurrently_by_the_pipeline(database: Database, shop: UUID, view: str) -> None:
    _refresh(database, view)


def test_a_shop_is_counted_once_per_table(database: Database, shop: UUID) -> None:
    """3 products and 2 orders of 100 make 200, not 600; and the refresh of FORCE'd tables is not empty."""
    with database.connect(Role.ADMIN) as connection:
        for number in range(3):
            variant(connection, shop, product(connection, shop, number), number)
        product(connection, shop, 4, status="DRAFT")
        for number in range(2):
            _order(connection, shop, number)
    _refresh(database, "mv_shop_summary")
    with database.connect(Role.PIPELINE) as connection:
        row = connection.execute(
            "SELECT total_products, total_variants, total_orders, total_revenue, total_customers FROM mv_shop_summary"
        ).fetchall()
    assert row == [(3, 3, 2, 200, 0)]


@pytest.mark.parametrize(
    ("metafields", "threshold"),
    [
        ({}, 5),
        ({"low_stock_threshold": "9"}, 9),
        ({"low_stock_threshold": 9}, 9),
        ({"custom.low_stock_threshold": {"type": "number_integer", "value": "9"}}, 9),
        ({"low_stock_threshold": "five"}, 5),
        ({"low_stock_threshold": ""}, 5),
        ({"low_stock_threshold": "9.5"}, 5),
        ({"low_stock_threshold": "99999999999"}, 5),
        ({"low_stock_threshold": {"value": 9}}, 5),
        ({"custom.low_stock_threshold": {"type": "single_line_text_field", "value": "cinci"}}, 5),
    ],
)
def test_a_threshold_that_is_no_number_counts_as_not_set(
    database: Database, shop: UUID, metafields: dict[str, object], threshold: int
) -> None:
    """One merchant's typing does not fail the refresh for all shops."""
    with database.connect(Role.ADMIN) as connection:
        item = product(connection, shop, metafields=Jsonb(metafields))
        for number, quantity in enumerate((-1, 0, threshold, threshold + 1)):
            variant(connection, shop, item, number, inventory_quantity=quantity)
    _refresh(database, "mv_low_stock_alerts")
    with database.connect(Role.PIPELINE) as connection:
        rows = connection.execute("SELECT inventory_quantity, threshold FROM mv_low_stock_alerts ORDER BY 1").fetchall()
    assert rows == [(0, threshold), (threshold, threshold)]


def test_top_sellers_survive_what_shopify_sends(database: Database, shop: UUID) -> None:
    """GIDs, items whose variant is gone, and nonsense: sold things are counted, the gone ones apart and unranked."""
    other = new_shop(database, "gradina.myshopify.com")
    with database.connect(Role.ADMIN) as connection:
        hammer, saw = product(connection, shop, 1, title="Ciocan"), product(connection, shop, 2, title="Ferăstrău")
        small, big = variant(connection, shop, hammer, 1), variant(connection, shop, hammer, 2)
        blade = variant(connection, shop, saw, 3)
        foreign = variant(connection, other, product(connection, other, 9), 9)
        gid = "gid://shopify/ProductVariant/1"
        sold: list[dict[str, object]] = [
            {"variant_id": str(small), "variant_gid": gid, "quantity": 2, "price": "10.00"},
            {"variant_id": str(big), "quantity": 1, "price": "50.00"},
            {"variant_id": str(blade), "quantity": 1, "price": "100.00"},
            {"variant_id": None, "variant_gid": "gid://shopify/ProductVariant/77", "quantity": 3, "price": "1000.00"},
            {"variant_id": gid, "quantity": 1, "price": "1.00"},
            {"variant_id": str(uuid4()), "quantity": 1, "price": "1.00"},
            {"variant_id": str(foreign), "quantity": 1, "price": "1.00"},
        ]
        _order(connection, shop, 1, *sold)
        _order(connection, shop, 2, {"variant_id": str(blade), "quantity": "două", "price": "x"})
        insert(
            connection, "shopify_orders", shop_id=shop, shopify_gid="gid://shopify/Order/3", total_price=0,
            line_items=Jsonb({}), financial_status="PAID", created_at_shopify="now",
        )  # fmt: skip
    _refresh(database, "mv_top_sellers")
    with database.connect(Role.PIPELINE) as connection:
        rows = connection.execute(
            "SELECT product_title, units_sold, revenue, variants_sold, revenue_rank FROM mv_top_sellers"
            " ORDER BY revenue_rank NULLS LAST"
        ).fetchall()
    assert rows == [("Ferăstrău", 1, 100, 1, 1), ("Ciocan", 3, 70, 2, 2), (None, 6, 3003, 4, None)]


def test_stock_is_the_sum_of_the_ledger(database: Database, shop: UUID) -> None:
    with database.connect(Role.ADMIN) as connection:
        item = variant(connection, shop, product(connection, shop))
        for delta, place in ((10, "gid://shopify/Location/1"), (-3, "gid://shopify/Location/1"), (4, None)):
            insert(connection, "inventory_ledger", shop_id=shop, variant_id=item, delta=delta, location_id=place)
    _refresh(database, "inventory_current", "inventory_current")
    with database.connect(Role.PIPELINE) as connection:
        rows = connection.execute("SELECT shop_id, variant_id, quantity FROM inventory_current ORDER BY 3").fetchall()
    assert rows == [(shop, item, 4), (shop, item, 7)]


def test_tenants_read_their_own_rows_through_views_and_nothing_else(database: Database, shop: UUID) -> None:
    other = new_shop(database, "gradina.myshopify.com")
    with database.connect(Role.ADMIN) as connection:
        for number, owner in enumerate((shop, other)):
            item = variant(connection, owner, product(connection, owner, number), number, inventory_quantity=1)
            insert(connection, "inventory_ledger", shop_id=owner, variant_id=item)
            _order(connection, owner, number, {"variant_id": str(item), "quantity": 1, "price": "5"})
    _refresh(database, *VIEWS)
    with database.tenant(shop) as connection:
        for view, source in TENANT_VIEWS.items():
            rows = connection.execute(sql.SQL("SELECT shop_id FROM pipeline.{}").format(sql.Identifier(view)))
            assert rows.fetchall() == [(shop,)], view
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(source)))
    with database.connect(Role.ADMIN) as connection:
        granted = (
            "SELECT relname FROM pg_class WHERE relkind = 'm' AND has_any_column_privilege('neanelu_tenant', oid, %s)"
        )
        assert connection.execute(granted, ["SELECT"]).fetchall() == []
        barrier = "SELECT bool_and('security_barrier=true' = ANY (reloptions)) FROM pg_class WHERE relname = ANY (%s)"
        assert scalar(connection, barrier, list(TENANT_VIEWS)) is True


def test_the_view_of_costs_shows_a_tenant_its_own(database: Database, shop: UUID) -> None:
    other = new_shop(database, "gradina.myshopify.com")
    with database.connect(Role.ADMIN) as connection:
        for owner in (shop, other):
            insert(connection, "api_usage_log", shop_id=owner, api_provider="google", estimated_cost=1)
    with database.tenant(shop) as connection:
        assert scalar(connection, "SELECT sum(total_cost) FROM v_api_daily_costs") == 1
    with database.connect(Role.PIPELINE) as connection:
        assert scalar(connection, "SELECT sum(total_cost) FROM v_api_daily_costs") == 2
