"""What is past its time goes, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg
import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.partitions import PartitionError, drop_partitions, ensure_partitions
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.mirror.expiry import KEPT, FilesLeftError, delete_expired, delete_old, delete_past
from neanelu_pipelines.shopify.webhooks.processing import process_batch
from neanelu_pipelines.shopify.webhooks.retention import KEYS_KEPT, purge
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import event, posted, rows

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEPT_DAYS = timedelta(days=30)


def kept(database: Database, when: datetime, state: str, name: str, topic: str = "orders/create") -> None:
    """An event that came then, in that state."""
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        ensure_partitions(connection, "webhook_events", when, when)
        connection.execute(
            "WITH e AS (INSERT INTO webhook_events (topic, payload, idempotency_key, created_at)"
            " VALUES (%(topic)s, '{}', %(name)s, %(when)s) RETURNING id)"
            " INSERT INTO pipeline.webhook_keys (idempotency_key, shop_id, event_id, received_at, state)"
            " SELECT %(name)s, (SELECT id FROM shops), id, %(when)s, %(state)s FROM e",
            {"name": name, "when": when, "state": state, "topic": topic},
        )


def names(database: Database, query: str) -> set[str]:
    return {name for (name,) in rows(database, query)}


def partitions(database: Database, table: str) -> set[str]:
    return names(database, f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass")


def test_events_and_keys_past_their_time_go_and_those_that_wait_stay(database: Database) -> None:
    make_shop(database)
    kept(database, NOW - timedelta(days=75), "done", "old")
    kept(database, NOW - timedelta(days=76), "aside", "old aside")
    kept(database, NOW - timedelta(days=110), "new", "old new")
    kept(database, NOW - timedelta(days=140), "waiting", "old waiting")
    kept(database, NOW - timedelta(days=110), "aside", "old privacy", "customers/redact")
    kept(database, NOW - timedelta(days=76), "done", "old answered", "customers/redact")
    kept(database, NOW - timedelta(days=20), "done", "young")
    kept(database, NOW - timedelta(days=20), "aside", "young aside")
    kept(database, NOW - KEYS_KEPT + timedelta(hours=1), "done", "may come again")
    gone = purge(database, now=NOW, events_kept=KEPT_DAYS)
    assert (gone.events, gone.keys) == (3, 4)
    waiting = {"old new", "old waiting", "old privacy"}
    events = names(database, "SELECT idempotency_key FROM webhook_events")
    assert events == waiting | {"young", "young aside", "may come again"}
    keys = names(database, "SELECT idempotency_key FROM pipeline.webhook_keys")
    assert keys == waiting | {"young aside", "may come again"}
    # September is over and empty; the months of those that wait, and October, which is partly kept, are there.
    assert gone.partitions == ["webhook_events_2026_09"]
    there = partitions(database, "webhook_events")
    assert {"webhook_events_2026_07", "webhook_events_2026_08", "webhook_events_2026_10"} <= there
    assert purge(database, now=NOW, events_kept=KEPT_DAYS).events == 0


def test_only_what_has_a_retention_is_dropped(database: Database) -> None:
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        for table in ("audit_logs", "inventory_ledger", "shops", "nothing"):
            with pytest.raises(PartitionError):
                drop_partitions(connection, table, NOW)


def test_artifacts_of_events_are_deleted_a_day_later_and_the_ledger_says_so(
    database: Database, warehouse: Warehouse
) -> None:
    make_shop(database)
    product = {"id": 7, "title": "Sapă", "handle": "sapa", "status": "active", "updated_at": "2026-11-01T10:00:00Z"}
    posted(database, event(product))
    process_batch(database, into_mirror(database, warehouse.settings))
    ((path,),) = rows(database, "SELECT file_path FROM bulk_artifacts")
    assert Path(path).exists()
    tomorrow = datetime.now(UTC) + KEPT
    assert delete_expired(database, now=tomorrow - timedelta(minutes=5)) == 0
    # An export is no load of events: it has its own time, after which only the newest whole one stays.
    with database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE bulk_runs SET cursor_state = cursor_state || '{\"snapshot\": true}'")
    assert delete_expired(database, now=tomorrow + timedelta(minutes=5)) == 0
    with database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE bulk_runs SET cursor_state = cursor_state || '{\"snapshot\": false}'")
    assert delete_expired(database, now=tomorrow + timedelta(minutes=5)) == 1
    assert not Path(path).exists()
    assert rows(database, "SELECT count(*) FROM bulk_artifacts WHERE deleted_at IS NOT NULL") == [(1,)]
    assert delete_expired(database, now=tomorrow + timedelta(minutes=5)) == 0


def test_loads_past_their_time_go_and_what_is_still_needed_stays(database: Database, tmp_path: Path) -> None:
    make_shop(database)
    with database.connect(Role.ADMIN, autocommit=True) as connection:

        def ended(days_ago: int, state: str, status: str = "completed", resource: str = "products") -> UUID:
            when = NOW - timedelta(days=days_ago)
            row = connection.execute(
                "INSERT INTO bulk_runs (shop_id, operation_type, query_type, status, completed_at, cursor_state)"
                " SELECT id, 'EXPORT', %(resource)s, %(status)s, %(when)s,"
                " %(state)s::jsonb || jsonb_build_object('as_of', %(when)s::timestamptz) FROM shops RETURNING id",
                {"when": when, "state": state, "status": status, "resource": resource},
            ).fetchone()
            assert row
            file = tmp_path / f"{row[0]}.jsonl"
            file.touch()
            for query in (
                "INSERT INTO bulk_steps (bulk_run_id, shop_id, step_name, status)",
                "INSERT INTO bulk_errors (bulk_run_id, shop_id, error_type, error_message)",
            ):
                words = "'merge', ''" if "steps" in query else "'', ''"
                connection.execute(f"{query} SELECT %s, id, {words} FROM shops", [row[0]])
            connection.execute("UPDATE bulk_steps SET started_at = %s WHERE bulk_run_id = %s", [when, row[0]])
            connection.execute(
                "INSERT INTO bulk_artifacts (bulk_run_id, shop_id, artifact_type, file_path)"
                " SELECT %s, id, 'jsonl', %s FROM shops",
                [row[0], str(file)],
            )
            return UUID(str(row[0]))

        part, whole = '{"snapshot": false}', '{"snapshot": true}'
        gone = {
            ended(90, whole),
            ended(80, part),
            ended(70, part, "failed"),
            ended(60, whole, "failed"),
            ended(45, part),
            # Of a resource that was never complete.
            ended(90, whole, "failed", "menus"),
        }
        stays = {"refused": ended(95, whole), "refers": ended(85, part), "checkpoint": ended(75, part)}
        stays |= {"newest whole": ended(50, whole), "young": ended(5, part)}
        stays |= {"the last to write": ended(80, whole, "failed", "menus")}
        stays |= {"of another resource": ended(99, whole, resource="orders"), "begun": ended(99, part, "pending")}
        # A file that shows a newer state than what was loaded after it.
        stays["shows the newest"] = ended(55, whole)
        connection.execute(
            "UPDATE bulk_runs SET cursor_state = cursor_state || jsonb_build_object('as_of', %s::timestamptz)"
            " WHERE id = %s",
            [NOW, stays["shows the newest"]],
        )
        connection.execute(
            "INSERT INTO bulk_steps (bulk_run_id, shop_id, step_name, status, metadata)"
            " SELECT %s, id, 'removal', 'completed', '{\"outcome\": \"refused\"}' FROM shops",
            [stays["refused"]],
        )
        connection.execute(
            "INSERT INTO pipeline.removals (shop_id, shopify_gid, gone_at, table_name, reason, told_by, was_here,"
            " confirmed, bulk_run_id) SELECT id, 'gid://shopify/Product/1', now(), 'shopify_products', 'webhook', '',"
            " true, true, %s FROM shops",
            [stays["refers"]],
        )
        connection.execute(
            "INSERT INTO sync_checkpoints (shop_id, resource_type, last_sync_at, metadata)"
            " SELECT id, 'products', now(), jsonb_build_object('run_id', %s::uuid) FROM shops",
            [stays["checkpoint"]],
        )
    # One file that cannot be deleted keeps its own load, and no other.
    stuck = tmp_path / f"{min(gone, key=str)}.jsonl"
    stuck.unlink()
    stuck.mkdir()
    for _ in range(2):
        with pytest.raises(FilesLeftError, match=stuck.name):
            delete_past(database, str(tmp_path), now=NOW, kept=timedelta(days=30))
        assert rows(database, "SELECT count(*) FROM bulk_runs") == [(len(stays) + 1,)]
    stuck.rmdir()
    assert delete_past(database, str(tmp_path), now=NOW, kept=timedelta(days=30)).runs == 1
    left = {key for (key,) in rows(database, "SELECT id FROM bulk_runs")}
    assert {name for name, key in stays.items() if key not in left} == set()
    assert not gone & left
    assert {UUID(file.stem) for file in tmp_path.iterdir()} == left
    for table in ("bulk_steps", "bulk_errors", "bulk_artifacts"):
        assert {key for (key,) in rows(database, f"SELECT bulk_run_id FROM {table}")} == left
    assert delete_past(database, str(tmp_path), now=NOW, kept=timedelta(days=30)).runs == 0
    stuck = tmp_path / f"{stays['refused']}.jsonl"
    stuck.unlink()
    stuck.mkdir()
    with pytest.raises(FilesLeftError, match=stuck.name):
        delete_old(database, now=NOW, kept=timedelta(days=14))
    stuck.rmdir()
    # Files go sooner, and the ledger says so; of each resource that of the newest whole load stays.
    stay = {stays[name] for name in ("shows the newest", "of another resource", "young", "begun")}
    assert delete_old(database, now=NOW, kept=timedelta(days=14)) == 1
    assert {UUID(file.stem) for file in tmp_path.iterdir()} == stay
    assert {key for (key,) in rows(database, "SELECT bulk_run_id FROM bulk_artifacts WHERE deleted_at IS NULL")} == stay
    assert rows(database, "SELECT count(*) FROM bulk_runs") == [(len(left),)]
    assert delete_old(database, now=NOW, kept=timedelta(days=14)) == 0


def test_the_nightly_job_does_all_of_it(database: Database, warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
    make_shop(database)
    now = datetime.now(UTC)
    kept(database, now - timedelta(days=warehouse.settings.webhook_retention_days + 1), "done", "old")
    old, young = now - timedelta(days=9), now - timedelta(days=6)
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        for day in (old, young):
            ensure_partitions(connection, "api_cost_tracking", day, day)
    job = build_defs(warehouse=warehouse).resolve_job_def("keep_retention")
    done = job.execute_in_process(instance=instance)
    assert done.success
    assert {"delete_artifacts_of_events", "delete_old_artifacts"} <= {event.node_name for event in done.all_node_events}
    days = partitions(database, "api_cost_tracking")
    assert f"api_cost_tracking_{young:%Y_%m_%d}" in days
    assert f"api_cost_tracking_{old:%Y_%m_%d}" not in days
    assert rows(database, "SELECT count(*) FROM webhook_events") == [(0,)]


def test_a_partition_that_somebody_reads_is_left_for_the_next_night(
    database: Database, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    day = datetime.now(UTC) - timedelta(days=9)
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        ensure_partitions(connection, "api_cost_tracking", day, day)
    job = build_defs(warehouse=warehouse).resolve_job_def("keep_retention")
    with database.connect(Role.ADMIN) as reader:
        reader.execute("SELECT count(*) FROM api_cost_tracking")
        assert job.execute_in_process(instance=instance).success
    assert f"api_cost_tracking_{day:%Y_%m_%d}" in partitions(database, "api_cost_tracking")
