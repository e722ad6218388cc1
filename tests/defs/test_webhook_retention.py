"""What is past its time goes, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.partitions import PartitionError, drop_partitions, ensure_partitions
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.mirror.expiry import KEPT, delete_expired
from neanelu_pipelines.shopify.webhooks.processing import process_batch
from neanelu_pipelines.shopify.webhooks.retention import KEYS_KEPT, purge
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import event, posted, rows

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEPT_DAYS = timedelta(days=30)


def kept(database: Database, when: datetime, state: str, name: str) -> None:
    """An event that came then, in that state."""
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        ensure_partitions(connection, "webhook_events", when, when)
        connection.execute(
            "WITH e AS (INSERT INTO webhook_events (topic, payload, idempotency_key, created_at)"
            " VALUES ('orders/create', '{}', %(name)s, %(when)s) RETURNING id)"
            " INSERT INTO pipeline.webhook_keys (idempotency_key, shop_id, event_id, received_at, state)"
            " SELECT %(name)s, (SELECT id FROM shops), id, %(when)s, %(state)s FROM e",
            {"name": name, "when": when, "state": state},
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
    kept(database, NOW - timedelta(days=20), "done", "young")
    kept(database, NOW - timedelta(days=20), "aside", "young aside")
    kept(database, NOW - KEYS_KEPT + timedelta(hours=1), "done", "may come again")
    gone = purge(database, now=NOW, events_kept=KEPT_DAYS)
    assert (gone.events, gone.keys) == (2, 3)
    waiting = {"old new", "old waiting"}
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
    # An export is no load of events, whatever its age.
    with database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE bulk_runs SET cursor_state = cursor_state || '{\"snapshot\": true}'")
    assert delete_expired(database, now=tomorrow + timedelta(minutes=5)) == 0
    with database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE bulk_runs SET cursor_state = cursor_state || '{\"snapshot\": false}'")
    assert delete_expired(database, now=tomorrow + timedelta(minutes=5)) == 1
    assert not Path(path).exists()
    assert rows(database, "SELECT count(*) FROM bulk_artifacts WHERE deleted_at IS NOT NULL") == [(1,)]
    assert delete_expired(database, now=tomorrow + timedelta(minutes=5)) == 0


def test_the_nightly_job_does_all_of_it(database: Database, warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
    make_shop(database)
    now = datetime.now(UTC)
    kept(database, now - timedelta(days=warehouse.settings.webhook_retention_days + 1), "done", "old")
    old, young = now - timedelta(days=9), now - timedelta(days=6)
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        for day in (old, young):
            ensure_partitions(connection, "api_cost_tracking", day, day)
    job = build_defs(warehouse=warehouse).resolve_job_def("keep_retention")
    assert job.execute_in_process(instance=instance).success
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
