"""Partitions: they exist for whatever is loaded, hold what is theirs, and are no way around the policies."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors, sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.partitions import PartitionError, default_partition_rows, ensure_partitions
from tests.database.rows import insert, new_shop, product, scalar, variant

PARTITIONED = {
    "api_cost_tracking": "created_at",
    "api_usage_log": "created_at",
    "audit_logs": "created_at",
    "inventory_ledger": "recorded_at",
    "prod_raw_harvest": "fetched_at",
    "webhook_events": "created_at",
}


def _partitions(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table]
    )
    return sorted(name for (name,) in rows)


def test_the_partition_column_is_in_the_key(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        keys = connection.execute(
            "SELECT conrelid::regclass::text, array_agg(attname::text ORDER BY attnum) FROM pg_constraint"
            " JOIN pg_partitioned_table ON partrelid = conrelid"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey) AND attnotnull"
            " WHERE contype = 'p' GROUP BY conrelid"
        ).fetchall()
    assert {table: set(columns) for table, columns in keys} == {t: {"id", c} for t, c in PARTITIONED.items()}


def test_now_and_the_near_future_have_partitions(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        for table in PARTITIONED:
            ahead = datetime.now(UTC) + (timedelta(days=5) if table == "api_cost_tracking" else timedelta(days=60))
            form = "%Y_%m_%d" if table == "api_cost_tracking" else "%Y_%m"
            names = {f"{table}_default", f"{table}_{datetime.now(UTC):{form}}", f"{table}_{ahead:{form}}"}
            assert names <= set(_partitions(connection, table))


def test_every_index_stands_on_every_partition(database: Database) -> None:
    """They cannot be built concurrently on a partitioned table; built plainly, all of them are valid."""
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        made = ensure_partitions(
            connection, "audit_logs", datetime(2019, 3, 1, tzinfo=UTC), datetime(2019, 3, 2, tzinfo=UTC)
        )
    with database.connect(Role.ADMIN) as connection:
        assert scalar(connection, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
        count = "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass"
        assert scalar(connection, count, made[0]) == scalar(connection, count, "audit_logs")
        attached = (
            "SELECT count(*) FROM pg_index JOIN pg_inherits ON inhrelid = indexrelid WHERE indrelid = %s::regclass"
        )
        assert scalar(connection, attached, made[0]) == scalar(connection, count, "audit_logs")


def test_history_gets_partitions_before_it_is_loaded(database: Database) -> None:
    start, end = datetime(2019, 11, 30, 23, 30, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        made = ensure_partitions(connection, "inventory_ledger", start, end)
        assert made == [f"inventory_ledger_{month}" for month in ("2019_11", "2019_12", "2020_01", "2020_02")]
        assert ensure_partitions(connection, "inventory_ledger", start, end) == []


def test_costs_are_partitioned_by_day(database: Database) -> None:
    """They are kept for 7 days: a month could not be dropped to keep a week."""
    start = datetime(2024, 2, 28, 12, tzinfo=UTC)
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        made = ensure_partitions(connection, "api_cost_tracking", start, start + timedelta(days=2))
    assert made == [f"api_cost_tracking_2024_{day}" for day in ("02_28", "02_29", "03_01")]


@pytest.mark.parametrize("zone", ["Europe/Bucharest", "America/Los_Angeles"])
def test_months_are_those_of_utc_whatever_the_session_says(database: Database, zone: str) -> None:
    moment = datetime(2018, 6, 30, 23, 59, tzinfo=UTC)
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        connection.execute(sql.SQL("SET timezone TO {}").format(sql.Literal(zone)))
        assert ensure_partitions(connection, "audit_logs", moment, moment) == ["audit_logs_2018_06"]
    with database.connect(Role.ADMIN) as connection:
        insert(connection, "audit_logs", created_at=moment)
        assert scalar(connection, "SELECT tableoid::regclass::text FROM audit_logs") == "audit_logs_2018_06"


def test_what_nobody_asked_for_waits_in_the_default_and_then_moves(database: Database) -> None:
    """Nothing is refused, nothing is lost: the check sees it, and making the partition takes it over."""
    shop = new_shop(database)
    moment = datetime(2017, 5, 17, tzinfo=UTC)
    with database.connect(Role.ADMIN) as connection:
        item = variant(connection, shop, product(connection, shop))
        entry = insert(connection, "inventory_ledger", shop_id=shop, variant_id=item, recorded_at=moment)
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        assert default_partition_rows(connection) == {table: int(table == "inventory_ledger") for table in PARTITIONED}
        assert ensure_partitions(connection, "inventory_ledger", moment, moment) == ["inventory_ledger_2017_05"]
        assert default_partition_rows(connection) == dict.fromkeys(PARTITIONED, 0)
        found = connection.execute("SELECT id, tableoid::regclass::text FROM inventory_ledger").fetchall()
    assert found == [(entry, "inventory_ledger_2017_05")]


def test_two_who_make_the_same_partitions_do_not_meet(database: Database) -> None:
    def make(_: int) -> list[str]:
        with database.connect(Role.PIPELINE, autocommit=True) as connection:
            return ensure_partitions(
                connection, "webhook_events", datetime(2015, 1, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC)
            )

    with ThreadPoolExecutor(4) as pool:
        made = [name for names in pool.map(make, range(4)) for name in names]
    assert sorted(made) == sorted(set(made))
    assert len(made) == 13


@pytest.mark.parametrize("table", ["shopify_products", "no_such_table"])
def test_a_table_without_partitions_is_refused(database: Database, table: str) -> None:
    now = datetime.now(UTC)
    with database.connect(Role.PIPELINE) as connection, pytest.raises(PartitionError, match=table):
        ensure_partitions(connection, table, now, now)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2020, 2, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)),
        (datetime(1, 1, 2, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)),
        (datetime(2020, 1, 1), datetime(2020, 1, 1)),  # noqa: DTZ001
    ],
)
def test_an_absurd_range_is_refused(database: Database, start: datetime, end: datetime) -> None:
    with database.connect(Role.PIPELINE) as connection, pytest.raises(PartitionError):
        ensure_partitions(connection, "audit_logs", start, end)


def test_tenants_make_no_partitions(database: Database) -> None:
    now = datetime.now(UTC)
    with database.connect(Role.TENANT) as connection, pytest.raises(errors.InsufficientPrivilege):
        ensure_partitions(connection, "audit_logs", now, now)


def test_no_partition_is_a_way_around_the_policies(database: Database) -> None:
    """Tried on every partition, also on one made later."""
    shop, other = new_shop(database), new_shop(database, "gradina.myshopify.com")
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        ensure_partitions(connection, "audit_logs", datetime(2016, 1, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC))
    with database.connect(Role.ADMIN) as connection:
        insert(connection, "audit_logs", shop_id=other, created_at=datetime(2016, 1, 5, tzinfo=UTC))
        insert(connection, "audit_logs", shop_id=other)
        partitions = [name for table in PARTITIONED for name in _partitions(connection, table)]
    with database.tenant(shop) as connection:
        for partition in partitions:
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(partition)))


def test_a_partition_granted_by_mistake_still_shows_nothing(database: Database) -> None:
    shop, other = new_shop(database), new_shop(database, "gradina.myshopify.com")
    with database.connect(Role.ADMIN) as connection:
        insert(connection, "audit_logs", shop_id=other)
        insert(connection, "audit_logs", shop_id=other, created_at=datetime(2010, 1, 1, tzinfo=UTC))
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO neanelu_tenant")
        partitions = _partitions(connection, "audit_logs")
    with database.tenant(shop) as connection:
        for partition in partitions:
            assert scalar(connection, f"SELECT count(*) FROM {partition}") == 0, partition


def test_an_extraction_outlives_the_page_it_read(database: Database) -> None:
    """The page's partition can be dropped; until then the page is found in one partition."""
    moment = datetime(2021, 4, 9, tzinfo=UTC)
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        ensure_partitions(connection, "prod_raw_harvest", moment, moment)
    with database.connect(Role.ADMIN) as connection:
        source = insert(connection, "prod_sources")
        page = insert(connection, "prod_raw_harvest", source_id=source, fetched_at=moment)
        insert(connection, "prod_extraction_sessions", harvest_id=page, harvest_fetched_at=moment)
        query = "SELECT FROM prod_raw_harvest WHERE id = %s AND fetched_at = %s"
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {query}", [page, moment]))
        assert plan.count("prod_raw_harvest_") - plan.count("_pkey") == 1, plan
        connection.execute("DROP TABLE prod_raw_harvest_2021_04")
        assert scalar(connection, "SELECT count(*) FROM prod_extraction_sessions") == 1
