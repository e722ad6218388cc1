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
    ("customers", "ALTER TABLE shopify_customers ADD COLUMN forgotten text"),
)


def test_among_faults_the_mirror_becomes_the_shop_and_what_is_wrong_is_seen(
    server: EmbeddedServer, database: Database
) -> None:
    # The server, which other tests share, is left alive.
    with trial(server, database, insert_shop(database), seed=5) as made:
        made.run(4, every=100, kill_server=False, most_seconds=8)
        report = made.report
        assert (report.agreement.differences, report.broken) == ([], [])
        assert report.is_good
        assert 0 < report.syncs == sum(report.outcomes.values())
        assert report.agreement.rows > 400
        assert report.comparisons >= len(EXPECTED)

        for resource, damage in DAMAGE:
            assert not_seen(made, resource, damage) == [], damage


def not_seen(made: Trial, resource: str, damage: str) -> list[str]:
    """Nothing, if the comparison sees the damage and saw nothing before; which is rolled back."""
    with made.database.connect(Role.ADMIN) as connection:
        before = compare(connection, made.shop_id, made.shop, resource).differences
        connection.execute(damage)
        after = compare(connection, made.shop_id, made.shop, resource).differences
        connection.rollback()
    return before + ([] if after else ["not seen"])
