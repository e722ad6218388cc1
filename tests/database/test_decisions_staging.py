"""Staging holds all that its mirror takes from Shopify; a fingerprint says that a row is as the loader left it."""

from uuid import UUID

import psycopg
import pytest

from neanelu_pipelines.database.connect import Database, Role
from tests.database.rows import insert, new_shop, product, scalar, variant

OURS = {"id", "media_id", "shop_id", "product_id", "variant_id", "customer_id", "synced_at", "created_at", "updated_at"}
OURS |= {"file_fingerprint"}
STAGED = {
    "public.staging_products": "shopify_products",
    "public.staging_variants": "shopify_variants",
    "pipeline.staging_media": "shopify_media",
    "pipeline.staging_collections": "shopify_collections",
    "pipeline.staging_customers": "shopify_customers",
    "pipeline.staging_orders": "shopify_orders",
    "pipeline.staging_locations": "inventory_locations",
    "pipeline.staging_inventory_items": "pipeline.inventory_items",
    "pipeline.staging_inventory_levels": "pipeline.inventory_levels",
    "pipeline.staging_metaobjects": "shopify_metaobjects",
    "pipeline.staging_publications": "shopify_publications",
    "pipeline.staging_webhooks": "shopify_webhooks",
}


def _columns(connection: psycopg.Connection, table: str) -> dict[str, str]:
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [table],
    ).fetchall()
    return dict(rows)


@pytest.mark.parametrize(("staging", "mirror"), STAGED.items())
def test_staging_has_every_column_the_mirror_takes_from_shopify(database: Database, staging: str, mirror: str) -> None:
    with database.connect(Role.ADMIN) as connection:
        staged, mirrored = _columns(connection, staging), _columns(connection, mirror)
    assert {name: kind for name, kind in mirrored.items() if name not in OURS} == {
        name: kind for name, kind in staged.items() if name in mirrored and name not in OURS
    }
    assert staged["line_number"] == "bigint"


def test_staging_takes_null_and_leaves_the_verdict_to_the_validation(database: Database) -> None:
    """What Shopify sends goes in; a missing field or a foreign value is a verdict about a row, not a failed COPY."""
    shop = new_shop(database)
    with database.connect(Role.PIPELINE) as connection:
        run = insert(connection, "bulk_runs", shop_id=shop)
        for table in STAGED:
            insert(connection, table.removeprefix("public."), bulk_run_id=run, shop_id=shop)
        insert(connection, "staging_products", bulk_run_id=run, shop_id=shop, status="NONSENSE")


def test_staging_is_unlogged_and_nothing_else_is(database: Database) -> None:
    """Empty after a crash: the loader counts on knowing which tables that concerns."""
    with database.connect(Role.ADMIN) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relpersistence = 'u'"
        ).fetchall()
    assert {name for (name,) in rows} == {
        "staging_products",
        "staging_variants",
        "staging_media",
        "staging_collections",
        "staging_customers",
        "staging_orders",
        "staging_locations",
        "staging_inventory_items",
        "staging_inventory_levels",
        "staging_metaobjects",
        "staging_publications",
        "staging_product_publications",
        "staging_variant_media",
        "staging_menus",
        "staging_webhooks",
        "staging_files",
        "staging_children",
        "staging_links",
        "staging_lines",
    }


def test_staging_pays_for_no_foreign_key(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        enforced = (
            "SELECT count(*) FROM pg_constraint WHERE conrelid::regclass::text ~ 'staging_' AND contype = 'f'"
            " AND conenforced"
        )
        assert scalar(connection, enforced) == 0
        assert scalar(connection, enforced.replace("AND conenforced", "")) == 39


def test_gids_are_compared_by_bytes(database: Database) -> None:
    """On both sides of a join: otherwise the mirror's index cannot be used."""
    with database.connect(Role.ADMIN) as connection:
        rows = connection.execute(
            "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relkind = 'r' AND attname ~ '^(shopify|product|parent|child)?_?gid$' AND attnum > 0"
            " AND attcollation <> '\"C\"'::regcollation"
        ).fetchall()
    assert rows == []


def test_large_values_are_compressed_with_lz4(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        rows = connection.execute(
            "SELECT attrelid::regclass::text || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
            " WHERE relkind IN ('r', 'p') AND attcompression <> 'l'"
            " AND attname IN ('raw_data', 'metafields', 'description_html', 'raw_html', 'raw_json', 'line_items')"
        ).fetchall()
    assert rows == []


@pytest.fixture
def shop(database: Database) -> UUID:
    return new_shop(database)


@pytest.fixture
def mirrored(database: Database, shop: UUID) -> dict[str, UUID]:
    """A product, its variant and a medium, as the loader left them."""
    with database.connect(Role.ADMIN) as connection:
        item = product(connection, shop, fingerprint=1)
        return {
            "shopify_products": item,
            "shopify_variants": variant(connection, shop, item, fingerprint=1),
            "shopify_media": insert(connection, "shopify_media", shop_id=shop, status="READY", fingerprint=1),
        }


def _fingerprints(database: Database) -> dict[str, int | None]:
    with database.connect(Role.PIPELINE) as connection:
        tables = ("shopify_products", "shopify_variants", "shopify_media")
        return {table: scalar(connection, f"SELECT fingerprint FROM {table}") for table in tables}  # type: ignore[misc]


@pytest.mark.parametrize("role", [Role.TENANT, Role.PIPELINE, Role.ADMIN])
def test_whoever_else_writes_a_row_makes_its_fingerprint_unknown(
    database: Database, shop: UUID, mirrored: dict[str, UUID], role: Role
) -> None:
    with database.connect(role) as connection:
        connection.execute("SELECT set_config('app.current_shop_id', %s, true)", [str(shop)])
        for table, column in (("shopify_products", "title"), ("shopify_variants", "title"), ("shopify_media", "alt")):
            assert connection.execute(f"UPDATE {table} SET {column} = 'altul'").rowcount == 1
    assert _fingerprints(database) == dict.fromkeys(mirrored)


def test_the_merge_sets_a_new_fingerprint(database: Database, shop: UUID, mirrored: dict[str, UUID]) -> None:
    with database.tenant(shop) as connection:
        for table in mirrored:
            connection.execute(f"UPDATE {table} SET fingerprint = 2, updated_at = now()")
    assert _fingerprints(database) == dict.fromkeys(mirrored, 2)


LINKS = [
    ("shopify_product_media", "product_id", "shopify_products"),
    ("shopify_variant_media", "variant_id", "shopify_variants"),
]


@pytest.mark.parametrize(("link", "key", "owner"), LINKS)
@pytest.mark.parametrize("change", ["insert", "update", "delete"])
@pytest.mark.parametrize("merging", [False, True])
def test_links_to_media_count_as_part_of_the_row(
    database: Database,
    shop: UUID,
    mirrored: dict[str, UUID],
    link: str,
    key: str,
    owner: str,
    change: str,
    merging: bool,
) -> None:
    ids = {"shop_id": shop, key: mirrored[owner], "media_id": mirrored["shopify_media"]}
    if change != "insert":
        with database.connect(Role.ADMIN) as connection:
            connection.execute("SET LOCAL app.mirror_merge TO 'on'")
            insert(connection, link, **ids)
    assert _fingerprints(database)[owner] == 1
    with database.tenant(shop) as connection:
        connection.execute("SELECT set_config('app.mirror_merge', %s, true)", ["on" if merging else "off"])
        if change == "insert":
            insert(connection, link, **ids)
        else:
            connection.execute(f"UPDATE {link} SET position = 3" if change == "update" else f"DELETE FROM {link}")
    assert _fingerprints(database)[owner] == (1 if merging else None)


@pytest.mark.parametrize(("link", "key", "owner"), LINKS)
def test_a_link_that_moves_makes_both_unknown(
    database: Database, shop: UUID, mirrored: dict[str, UUID], link: str, key: str, owner: str
) -> None:
    with database.connect(Role.ADMIN) as connection:
        connection.execute("SET LOCAL app.mirror_merge TO 'on'")
        second = product(connection, shop, 2, fingerprint=1)
        if owner == "shopify_variants":
            second = variant(connection, shop, second, 2, fingerprint=1)
        insert(connection, link, shop_id=shop, media_id=mirrored["shopify_media"], **{key: mirrored[owner]})
    with database.tenant(shop) as connection:
        connection.execute(f"UPDATE {link} SET {key} = %s", [second])
        assert scalar(connection, f"SELECT count(fingerprint) FROM {owner}") == 0


def test_postgresql_makes_no_statistics_of_staging_by_itself(database: Database) -> None:
    """They would be of rows that are gone by then, and come at the cost of the load that is under way."""
    with database.connect(Role.ADMIN) as connection:
        rows = connection.execute(
            "SELECT c.relname, coalesce(c.reloptions, '{}'), t.reloptions FROM pg_class c"
            " LEFT JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.relkind = 'r' AND c.relpersistence = 'u'"
        ).fetchall()
    kept_out = {"autovacuum_analyze_threshold=2147483647", "autovacuum_vacuum_insert_threshold=-1"}
    assert [name for name, options, _ in rows if not kept_out <= set(options)] == []
    assert {tuple(toast or ()) for _, _, toast in rows} == {("autovacuum_vacuum_insert_threshold=-1",)}
