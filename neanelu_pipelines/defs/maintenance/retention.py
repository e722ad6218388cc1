"""What is past its time goes, every night: costs of requests, events and their keys, artifacts, loads.

Belongs here: when that is done, and for how long things are kept where the schema says so. Does not belong here: how.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
from psycopg import errors

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.defs.loads.faults import RETRIES
from neanelu_pipelines.defs.warehouse import Warehouse

COSTS_KEPT = timedelta(days=7)
"""As the schema document says of api_cost_tracking."""
_LOCKED = "A long query holds a partition that is past its time: the next night drops it."


@dg.op(description="Drops the days of api_cost_tracking that are more than a week old.", retry_policy=RETRIES)
def drop_old_costs(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Whole partitions; those who write today's are not disturbed."""
    from neanelu_pipelines.database.partitions import drop_partitions

    with warehouse.database.connect(Role.PIPELINE, autocommit=True) as connection:
        try:
            dropped = drop_partitions(connection, "api_cost_tracking", datetime.now(UTC) - COSTS_KEPT)
        except errors.LockNotAvailable:
            context.log.warning(_LOCKED)
        else:
            context.log.info("api_cost_tracking: %d partitions dropped", len(dropped))


@dg.op(description="Removes webhook events past NEANELU_WEBHOOK_RETENTION_DAYS, and old keys.", retry_policy=RETRIES)
def purge_webhooks(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """What still waits to be processed stays."""
    from neanelu_pipelines.shopify.webhooks.retention import purge

    kept = timedelta(days=warehouse.settings.webhook_retention_days)
    try:
        gone = purge(warehouse.database, now=datetime.now(UTC), events_kept=kept)
    except errors.LockNotAvailable:
        context.log.warning(_LOCKED)
    else:
        context.log.info("%d events, %d keys, %d partitions", gone.events, gone.keys, len(gone.partitions))


@dg.op(
    description="Deletes the artifacts that were made of webhooks a day ago or earlier, and those that tell of "
    "customers who were forgotten, or may do so and were not loaded.",
    retry_policy=RETRIES,
)
def delete_artifacts_of_events(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """The events hold the same facts, and of the others nobody may; the ledger says that the file is gone."""
    from neanelu_pipelines.mirror.expiry import delete_expired

    context.log.info("%d artifacts deleted", delete_expired(warehouse.database, now=datetime.now(UTC)))


@dg.op(description="Deletes artifacts past NEANELU_ARTIFACT_DAYS, except the newest whole ones.", retry_policy=RETRIES)
def delete_old_artifacts(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Nothing reads them any more, and they hold what is known of every customer."""
    from neanelu_pipelines.mirror.expiry import delete_old

    kept = timedelta(days=warehouse.settings.artifact_days)
    context.log.info("%d artifacts deleted", delete_old(warehouse.database, now=datetime.now(UTC), kept=kept))


@dg.op(
    description="Deletes loads from the ledger that are past NEANELU_LEDGER_DAYS, with their rejected lines and files, "
    "what loads that are over left behind in the artifact store, and answers to customers/data_request after 30 days.",
    retry_policy=RETRIES,
)
def purge_ledger(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Of each shop and resource the last complete ones stay, and what something refers to."""
    from neanelu_pipelines.mirror.expiry import delete_past

    kept = timedelta(days=warehouse.settings.ledger_days)
    root = warehouse.settings.artifact_root
    gone = delete_past(warehouse.database, root, now=datetime.now(UTC), kept=kept)
    told = "%d runs deleted, %d files that were left behind, %d answers to people"
    context.log.info(told, gone.runs, gone.files, gone.answers)


@dg.job(
    description="Removes what is past its time: costs of requests, webhook events and keys, artifacts, "
    "loads of the ledger, answers to people.",
    tags={"neanelu/room": "database", "dagster/max_runtime": "3600"},
)
def keep_retention() -> None:
    """The nightly cleaning; its parts do not depend on each other."""
    drop_old_costs()
    purge_webhooks()
    delete_artifacts_of_events()
    delete_old_artifacts()
    purge_ledger()


def retention_definitions() -> dg.Definitions:
    """The job and its schedule."""
    return dg.Definitions(
        jobs=[keep_retention],
        schedules=[
            dg.ScheduleDefinition(
                name="keep_retention_daily",
                job=keep_retention,
                cron_schedule="50 2 * * *",
                execution_timezone="Europe/Bucharest",
                default_status=dg.DefaultScheduleStatus.RUNNING,
                description="Every night: what is past its time goes.",
            )
        ],
    )
