"""What `status` says of shops, read from a database in which it has happened."""

from typing import Any

import pytest

from neanelu_pipelines.cli.status import read_status
from neanelu_pipelines.database.connect import Database, Role
from tests.shopify.conftest import make_shop

SHOP = "casa-verde.myshopify.com"


def execute(database: Database, query: str, **values: object) -> None:
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        connection.execute(query, values)


def shown(database: Database) -> dict[str, Any]:
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        [shop] = read_status(connection)["shops"]
    return shop


def load(database: Database, resource: str, state: str, hours_ago: float) -> None:
    execute(
        database,
        "INSERT INTO bulk_runs (shop_id, operation_type, query_type, status, completed_at, cursor_state) "
        "SELECT id, upper(%(resource)s) || '_EXPORT', %(resource)s, 'completed', "
        "now() - %(hours)s * interval '1 hour', %(state)s::jsonb FROM shops",
        resource=resource,
        state=state,
        hours=hours_ago,
    )


WHOLE = '{"snapshot": true}'


@pytest.mark.parametrize("state", ['{"snapshot": false}', '{"snapshot": false, "windows": [], "bulk": {}}'])
def test_events_and_windows_of_the_past_make_no_late_shop_fresh(database: Database, state: str) -> None:
    make_shop(database, SHOP)
    assert shown(database)["freshness"] == "never loaded"
    load(database, "products", WHOLE, 72)
    load(database, "products", state, 0)
    assert (shown(database)["freshness"], shown(database)["late"]) == ("late", ["products"])
    execute(
        database,
        "INSERT INTO sync_checkpoints (shop_id, resource_type, last_sync_at) SELECT id, 'products', now() FROM shops "
        "ON CONFLICT (shop_id, resource_type) DO UPDATE SET last_sync_at = excluded.last_sync_at",
    )
    assert shown(database)["freshness"] == "fresh", "the checkpoint has moved: every change is here"


def test_one_late_resource_makes_the_shop_late(database: Database) -> None:
    make_shop(database, SHOP)
    load(database, "products", WHOLE, 1)
    assert shown(database)["freshness"] == "fresh"
    load(database, "orders", WHOLE, 30)
    assert (shown(database)["freshness"], shown(database)["late"]) == ("late", ["orders"])
    execute(database, "UPDATE shops SET uninstalled_at = now()")
    assert (shown(database)["freshness"], shown(database)["late"]) == ("removed", [])
