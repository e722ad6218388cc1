"""The fault run can tell: a few syncs among faults end well, and whatever is wrong in the mirror is seen."""

from benchmarks.agreement import compare
from benchmarks.databases import insert_shop
from benchmarks.expected import EXPECTED
from benchmarks.faults import Trial, trial
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.embedded import EmbeddedServer

DAMAGE = (
    (
        "products",
        "UPDATE shopify_products SET vendor = 'Altul' WHERE handle = (SELECT min(handle) FROM shopify_products)",
    ),
    ("products", "UPDATE shopify_variants SET price = price + 0.01 WHERE position = 1"),
    ("products", "DELETE FROM shopify_product_media WHERE position = 0"),
    ("collections", "UPDATE shopify_collection_products SET position = position + 1"),
    ("orders", "UPDATE shopify_orders SET customer_id = NULL"),
    ("orders", "UPDATE shopify_orders SET line_items = jsonb_set(line_items, '{0,variant_id}', 'null')"),
    ("metaobjects", "DELETE FROM shopify_metaobjects WHERE type = 'producator'"),
    ("locations", "UPDATE inventory_locations SET shopify_gid = shopify_gid || '0'"),
    ("inventory", "UPDATE pipeline.inventory_items SET tracked = NOT tracked"),
    ("inventory", "UPDATE pipeline.inventory_levels SET incoming = 1"),
    # The trigger writes an entry to each: the sums agree with the levels, and not with the shop.
    ("inventory", "UPDATE pipeline.inventory_levels SET available = available + 1"),
    ("inventory", "UPDATE inventory_ledger SET delta = delta - 1"),
    ("inventory", "UPDATE inventory_ledger SET previous_quantity = 1, new_quantity = delta + 1"),
    ("inventory", "DELETE FROM inventory_ledger"),
    ("files", "UPDATE shopify_media SET file_size = 1 WHERE media_type = 'GENERIC_FILE'"),
    ("files", "UPDATE shopify_media SET alt = 'Altul' WHERE media_id IN (SELECT media_id FROM shopify_product_media)"),
    ("files", "DELETE FROM shopify_media WHERE media_type = 'GENERIC_FILE'"),
    # Of a row that no list of files has told of, products alone could have said that it is gone.
    ("products", "UPDATE shopify_media SET file_fingerprint = NULL WHERE media_type = 'GENERIC_FILE'"),
    ("product_publications", "UPDATE shopify_resource_publications SET is_published = NOT is_published"),
    ("product_publications", "DELETE FROM shopify_resource_publications"),
    ("product_publications", "UPDATE pipeline.product_publications SET publications = '{}'"),
    ("menus", "UPDATE shopify_menu_items SET path = path[:1]"),
    ("menus", "UPDATE shopify_menu_items SET parent_item_id = NULL"),
    ("menus", "UPDATE shopify_menu_items SET position = position + 1"),
    ("menus", "UPDATE shopify_menus SET items_count = 0"),
    ("customers", "ALTER TABLE shopify_customers ADD COLUMN forgotten text"),
)


def test_among_faults_the_mirror_becomes_the_shop_and_what_is_wrong_is_seen(
    server: EmbeddedServer, database: Database
) -> None:
    # The server, which other tests share, is left alive.
    with trial(server, database, insert_shop(database), seed=6) as made:
        made.run(4, every=100, kill_server=False, most_seconds=5)
        report = made.report
        assert (report.agreement.differences, report.broken) == ([], [])
        assert report.is_good
        assert 0 < report.syncs == sum(report.outcomes.values())
        assert report.agreement.rows > 400
        assert report.comparisons >= len(EXPECTED)

        # The last quiet round compared every resource and saw nothing.
        assert [damage for resource, damage in DAMAGE if not is_seen(made, resource, damage)] == []


def is_seen(made: Trial, resource: str, damage: str) -> bool:
    """Whether the comparison sees the damage, which is rolled back."""
    with made.database.connect(Role.ADMIN) as connection:
        connection.execute(damage)
        found = compare(connection, made.shop_id, made.shop, resource).differences
        connection.rollback()
    return bool(found)
