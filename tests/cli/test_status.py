"""What `status` and `doctor` say of the data, read from a database in which it has happened."""

from pathlib import Path
from typing import Any

import pytest

from neanelu_pipelines.cli import doctor
from neanelu_pipelines.cli.output import Output
from neanelu_pipelines.cli.status import print_status, read_status
from neanelu_pipelines.cli.troubles import troubles
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.migrations import LateMigrationError, migrate
from neanelu_pipelines.settings import Settings
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
    execute(
        database,
        "INSERT INTO sync_checkpoints (shop_id, resource_type, last_sync_at) "
        "SELECT id, 'deletion_events', now() - interval '3 days' FROM shops",
    )
    assert shown(database)["freshness"] == "fresh", "the checkpoint has moved: every change is here"


def test_a_file_that_was_cut_off_is_incomplete_and_a_reason_behind_a_long_path_is_told(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    make_shop(database, SHOP)
    load(database, "orders", '{"snapshot": false, "cut_off": true}', 1)
    load(database, "products", '{"snapshot": false}', 1)
    reason = f"/{'dosar/' * 30}produse.jsonl.gz: the gzip stream is damaged or cut off. {'x' * 900}"
    execute(
        database,
        "UPDATE bulk_runs SET status = 'failed', error_message = %(reason)s WHERE query_type = 'products'",
        reason=reason,
    )
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        found = read_status(connection)
    assert {run["resource"]: run["status"] for run in found["runs"]} == {"orders": "incomplete", "products": "failed"}
    print_status(Output(as_json=False), found)
    loads = capsys.readouterr().out.partition("Newest loads")[2]
    said = "".join(loads.split())
    assert "damagedorcutoff." in said
    assert "x…" in said


def test_one_late_resource_makes_the_shop_late(database: Database) -> None:
    make_shop(database, SHOP)
    load(database, "products", WHOLE, 1)
    assert shown(database)["freshness"] == "fresh"
    load(database, "orders", WHOLE, 30)
    assert (shown(database)["freshness"], shown(database)["late"]) == ("late", ["orders"])
    execute(database, "UPDATE shops SET uninstalled_at = now()")
    assert (shown(database)["freshness"], shown(database)["late"]) == ("removed", [])


def test_a_migration_that_comes_too_late_is_told_by_all_as_migrate_tells_it(database: Database, tmp_path: Path) -> None:
    class Here(World):
        @property
        def database(self) -> Database:
            return database

    world = Here(Settings(home=tmp_path, _env_file=None))
    assert doctor._look("schema", doctor.schema, world).verdict is doctor.Verdict.GOOD
    with database.connect(Role.ADMIN) as connection:
        connection.execute("DELETE FROM migration_history WHERE migration_name LIKE '0066%'")
    with pytest.raises(LateMigrationError, match="0066_orders_by_number") as refused:
        migrate(database)
    told = doctor._look("schema", doctor.schema, world)
    assert (told.verdict, told.found) == (doctor.Verdict.WRONG, str(refused.value))
    with pytest.raises(LateMigrationError):
        world.require_schema()


def found(database: Database) -> dict[str, str]:
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        return {trouble.what: trouble.found for trouble in troubles(connection) if trouble.found}


def event(database: Database, key: str, topic: str, state: str, hours_ago: float) -> None:
    execute(
        database,
        "WITH e AS ("
        "INSERT INTO webhook_events (shop_id, topic, payload, processing_error, idempotency_key, created_at) "
        "SELECT id, %(topic)s, '{}', 'Its price is no number.', %(key)s, now() FROM shops RETURNING *) "
        "INSERT INTO pipeline.webhook_keys (idempotency_key, shop_id, event_id, received_at, state) "
        "SELECT %(key)s, shop_id, id, created_at, %(state)s FROM e",
        key=key,
        topic=topic,
        state=state,
    )
    # Both hold the moment at which it came.
    for table, column in (("webhook_events", "created_at"), ("pipeline.webhook_keys", "received_at")):
        execute(
            database,
            f"UPDATE {table} SET {column} = {column} - %(hours)s * interval '1 hour' WHERE idempotency_key = %(key)s",
            hours=hours_ago,
            key=key,
        )


def test_what_waits_for_somebody_is_said_until_it_is_done(database: Database) -> None:
    make_shop(database, SHOP)
    event(database, "just-came", "products/update", "new", 0)
    assert found(database) == {}

    event(database, "old", "products/update", "new", 0.5)
    event(database, "poison", "orders/create", "aside", 1)
    event(database, "privacy", "customers/redact", "waiting", 1)
    failed = "UPDATE bulk_runs SET status = 'failed', error_message = 'The shop is closed.' WHERE query_type = 'orders'"
    load(database, "orders", '{"bulk": {}}', 2)
    execute(database, failed)
    load(database, "products", '{"bulk": {}, "as_of": "2026-01-01T00:00:00Z"}', 2)
    execute(
        database,
        "INSERT INTO bulk_steps (bulk_run_id, shop_id, step_name, status, metadata) "
        'SELECT id, shop_id, \'removal\', \'completed\', \'{"outcome": "refused", "reason": "Half is missing."}\' '
        "FROM bulk_runs WHERE query_type = 'products'",
    )
    said = found(database)
    assert said.pop("webhooks waiting") == "2 wait, the oldest for 30 minutes"
    assert said.pop("webhooks set aside") == f"1 orders/create of {SHOP} (Its price is no number.)"
    assert said.pop("loads of the last day") == f"orders of {SHOP} failed (The shop is closed.)"
    assert said.pop("checkpoints") == f"orders of {SHOP} is in error (The shop is closed.)"
    assert said.pop("removals") == "Half is missing."
    assert said.pop("privacy requests").startswith("1 customers/redact: waiting since ")
    assert said == {}
    event(database, "no-shop", "shop/redact", "aside", 1)
    execute(
        database,
        "INSERT INTO pipeline.redactions (request_key, kind, subject_hash, status, error) "
        "VALUES ('privacy', 'customer', '', 'hindered', 'A load is busy.')",
    )
    assert "shop/redact" not in found(database)["webhooks set aside"], "no sync answers it"
    [hindered, aside] = found(database)["privacy requests"].split("; ")
    assert hindered.startswith("1 customer: hindered since ")
    assert hindered.endswith("(A load is busy.)")
    assert aside.startswith("1 shop/redact: aside since ")
    assert aside.endswith("(Its price is no number.)")
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        shown = read_status(connection)
    assert {trouble["what"] for trouble in shown["troubles"]} == set(found(database))

    load(database, "orders", '{"snapshot": false}', 0)
    assert "loads of the last day" in found(database), "events are no export"
    load(database, "orders", '{"bulk": {}}', 0)
    assert "loads of the last day" not in found(database)
    assert "checkpoints" not in found(database)
    execute(database, "UPDATE bulk_runs SET operation_type = 'ORDERS_REMOVAL' WHERE query_type = 'orders'")
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        assert [run["resource"] for run in read_status(connection)["runs"]] == ["products"], "a removal is no load"


def test_a_redaction_that_left_something_may_not_stay_so(database: Database) -> None:
    execute(
        database,
        "INSERT INTO pipeline.redactions (request_key, kind, subject_hash, status) "
        "VALUES ('1', 'customer', '', 'residue')",
    )
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        [trouble] = [trouble for trouble in troubles(connection) if trouble.found]
    assert (trouble.what, trouble.grave) == ("privacy requests", True)
    assert trouble.found.startswith("1 customer: residue since ")
