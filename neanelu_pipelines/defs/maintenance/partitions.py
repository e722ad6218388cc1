"""PostgreSQL's partitions by time: made ahead of time, and a check that nothing fell beside them.

Belongs here: when that is done, and how far ahead. Does not belong here: how (`neanelu_pipelines.database.partitions`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.defs.catalogue.specs import key_of
from neanelu_pipelines.defs.warehouse import Warehouse

PARTITIONED = (
    "api_cost_tracking",
    "api_usage_log",
    "audit_logs",
    "inventory_ledger",
    "prod_raw_harvest",
    "webhook_events",
)
"""The tables that the schema partitions by time; a test compares them with the catalog."""

AHEAD = timedelta(days=45)
"""How far into the future partitions exist. Long enough that a month without this job loses nothing."""

_CHECK = "default_partition_empty"


@dg.op(description="Makes the partitions that the coming months need; those that exist stay as they are.")
def make_partitions(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Make the partitions from now on; a transaction per table, so that no lock is held for long."""
    from neanelu_pipelines.database.partitions import ensure_partitions

    now = datetime.now(UTC)
    with warehouse.database.connect(Role.PIPELINE, autocommit=True) as connection:
        for table in PARTITIONED:
            made = ensure_partitions(connection, table, now, now + AHEAD)
            context.log.info("%s: %d partitions made%s", table, len(made), f", up to {made[-1]}" if made else "")


@dg.job(
    description="Makes the partitions of the coming months, of every table that PostgreSQL partitions by time.",
    tags={"neanelu/room": "database", "dagster/max_runtime": "600"},
)
def keep_partitions() -> None:
    """The daily upkeep of partitions."""
    make_partitions()


@dg.multi_asset_check(
    name="default_partitions_empty",
    specs=[
        dg.AssetCheckSpec(
            _CHECK,
            asset=key_of(table),
            description="No row fell into the DEFAULT partition: each has a partition of its own time, which can be "
            "pruned and dropped.",
        )
        for table in PARTITIONED
    ],
    can_subset=True,
)
def default_partitions_empty(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> Iterator[dg.AssetCheckResult]:
    """Count what fell beside the partitions."""
    from neanelu_pipelines.database.partitions import default_partition_rows

    with warehouse.database.connect(Role.PIPELINE, autocommit=True) as connection:
        rows = default_partition_rows(connection)
    asked = {check.asset_key for check in context.selected_asset_check_keys}
    for table in PARTITIONED:
        if key_of(table) not in asked:
            continue
        found = rows[table]
        yield dg.AssetCheckResult(
            asset_key=key_of(table),
            check_name=_CHECK,
            passed=found == 0,
            description=None if found == 0 else f"Make partitions for the time of these {found} rows and move them.",
            metadata={"rows": found},
        )


def maintenance_definitions() -> dg.Definitions:
    """The upkeep's jobs, checks and schedules. Schedules run where a daemon runs; they need no choice by a person."""
    check_job = dg.define_asset_job(
        "check_partitions",
        selection=dg.AssetSelection.checks_for_assets(*(key_of(table) for table in PARTITIONED)),
        description="Checks that no row fell beside the partitions by time.",
        tags={"neanelu/room": "database", "dagster/max_runtime": "600"},
    )
    running = dg.DefaultScheduleStatus.RUNNING
    return dg.Definitions(
        jobs=[keep_partitions, check_job],
        asset_checks=[default_partitions_empty],
        schedules=[
            dg.ScheduleDefinition(
                name="keep_partitions_daily",
                job=keep_partitions,
                cron_schedule="10 2 * * *",
                execution_timezone="Europe/Bucharest",
                default_status=running,
                description="Every night: the partitions of the coming months.",
            ),
            dg.ScheduleDefinition(
                name="check_partitions_daily",
                job=check_job,
                cron_schedule="30 2 * * *",
                execution_timezone="Europe/Bucharest",
                default_status=running,
                description="Every night, after the partitions were made: none of the rows fell beside them.",
            ),
        ],
    )
