"""The upkeep of partitions by time: they are there ahead of time, and what fell beside them is seen."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.partitions import default_partition_rows
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.maintenance.partitions import AHEAD, PARTITIONED
from neanelu_pipelines.defs.warehouse import Warehouse


def test_the_list_is_the_catalogs(warehouse: Warehouse) -> None:
    with warehouse.database.connect(Role.PIPELINE, autocommit=True) as connection:
        assert set(default_partition_rows(connection)) == set(PARTITIONED)


def test_after_the_nightly_job_rows_of_the_coming_months_have_partitions(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    job = build_defs(warehouse=warehouse).resolve_job_def("keep_partitions")
    assert job.execute_in_process(instance=instance).success
    last = datetime.now(UTC) + AHEAD - timedelta(days=1)
    with warehouse.database.connect(Role.ADMIN) as connection:
        connection.execute(
            "INSERT INTO api_usage_log (api_provider, endpoint, created_at) VALUES ('openai', '/v1', %s)", (last,)
        )
    with warehouse.database.connect(Role.PIPELINE, autocommit=True) as connection:
        assert not any(default_partition_rows(connection).values())


def test_the_check_sees_what_fell_beside(warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
    job = build_defs(warehouse=warehouse).resolve_job_def("check_partitions")
    clean = job.execute_in_process(instance=instance)
    assert {check.asset_key.path[-1]: check.passed for check in clean.get_asset_check_evaluations()} == dict.fromkeys(
        PARTITIONED, True
    )
    with warehouse.database.connect(Role.ADMIN) as connection:
        connection.execute(
            "INSERT INTO api_usage_log (api_provider, endpoint, created_at) VALUES ('openai', '/v1', '1999-01-01')"
        )
    found = job.execute_in_process(instance=instance).get_asset_check_evaluations()
    assert {check.asset_key.path[-1] for check in found if not check.passed} == {"api_usage_log"}
