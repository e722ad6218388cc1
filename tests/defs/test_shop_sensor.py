"""The shops' partitions follow the table, and only the table."""

from collections.abc import Callable

import dagster as dg
import psycopg
import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.shops.sensor import WAITING, shop_sensor
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.settings import Settings
from tests.defs.shops import add_shop

A, B = "a-shop.myshopify.com", "b-shop.myshopify.com"

Tick = Callable[[], dg.SensorResult | dg.SkipReason]


@pytest.fixture
def tick(warehouse: Warehouse, instance: dg.DagsterInstance) -> Tick:
    """One tick with the cursor of the last, its requests carried out as the daemon would."""
    cursor: list[str | None] = [None]

    def run() -> dg.SensorResult | dg.SkipReason:
        context = dg.build_sensor_context(instance=instance, cursor=cursor[0], resources={"warehouse": warehouse})
        result = shop_sensor(context)
        assert isinstance(result, dg.SensorResult | dg.SkipReason)
        if isinstance(result, dg.SensorResult):
            cursor[0] = result.cursor or cursor[0]
            for request in result.dynamic_partitions_requests or []:
                if isinstance(request, dg.AddDynamicPartitionsRequest):
                    instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
                else:
                    for key in request.partition_keys:
                        instance.delete_dynamic_partition(request.partitions_def_name, key)
        return result

    return run


def partitions(instance: dg.DagsterInstance) -> list[str]:
    return sorted(instance.get_dynamic_partitions(str(SHOPS.name)))


def uninstall(database: Database, domain: str) -> None:
    with database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE shops SET uninstalled_at = now() WHERE shopify_domain = %s", (domain,))


def test_shops_come_and_go(database: Database, instance: dg.DagsterInstance, tick: Tick) -> None:
    add_shop(database, A)
    add_shop(database, B)
    tick()
    assert partitions(instance) == [A, B]
    assert isinstance(tick(), dg.SkipReason), "an unchanged answer asks nothing further"
    uninstall(database, A)
    tick()
    assert partitions(instance) == [B]
    with database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE shops SET uninstalled_at = NULL")
    tick()
    assert partitions(instance) == [A, B]


def test_a_shop_that_was_deleted_leaves_too(database: Database, instance: dg.DagsterInstance, tick: Tick) -> None:
    add_shop(database, A)
    add_shop(database, B)
    tick()
    with database.connect(Role.ADMIN) as connection:
        connection.execute("DELETE FROM shops WHERE shopify_domain = %s", (A,))
    tick()
    assert partitions(instance) == [B]


def test_an_empty_table_removes_nothing(database: Database, instance: dg.DagsterInstance, tick: Tick) -> None:
    add_shop(database, A)
    tick()
    with database.connect(Role.ADMIN) as connection:
        connection.execute("DELETE FROM shops")
    assert isinstance(tick(), dg.SkipReason)
    assert partitions(instance) == [A]


def test_a_database_that_cannot_be_read_removes_nothing(instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions(str(SHOPS.name), [A])
    nowhere = Warehouse(Database.from_login("postgresql://nobody@127.0.0.1:1/none"), Settings(_env_file=None))
    context = dg.build_sensor_context(instance=instance, resources={"warehouse": nowhere})
    with pytest.raises(psycopg.OperationalError):
        shop_sensor(context)
    assert partitions(instance) == [A]


def test_a_shop_with_a_run_in_flight_stays_until_it_has_ended(
    database: Database, instance: dg.DagsterInstance, tick: Tick
) -> None:
    add_shop(database, A)
    add_shop(database, B)
    tick()
    run = instance.create_run(
        run_id=None,
        job_name="load_products",
        run_config=None,
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": A},
        root_run_id=None,
        parent_run_id=None,
        step_keys_to_execute=None,
        execution_plan_snapshot=None,
        job_snapshot=None,
        parent_job_snapshot=None,
        asset_selection=None,
        asset_check_selection=None,
        resolved_op_selection=None,
        op_selection=None,
        remote_job_origin=None,
        job_code_origin=None,
        asset_graph=dg.Definitions().resolve_asset_graph(),
    )
    uninstall(database, A)
    result = tick()
    assert isinstance(result, dg.SensorResult)
    assert result.cursor == WAITING
    assert partitions(instance) == [A, B]
    instance.report_run_canceled(run)
    tick()
    assert partitions(instance) == [B]


def test_what_the_cursor_missed_is_seen_after_a_wait(
    database: Database, instance: dg.DagsterInstance, tick: Tick
) -> None:
    """While one departure waits, other shops still come."""
    add_shop(database, A)
    tick()
    add_shop(database, B)
    tick()
    assert partitions(instance) == [A, B]
