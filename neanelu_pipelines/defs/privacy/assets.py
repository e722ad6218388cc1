"""The records of redactions and exports, as an asset: materializing it answers the privacy requests that wait.

Belongs here: the asset, its job and the sensor that starts it. Does not belong here: what is done with a request.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.defs.catalogue.specs import OWNERS, column_schema, key_of
from neanelu_pipelines.defs.loads.faults import RETRIES, step_faults
from neanelu_pipelines.defs.shops.sensor import IN_FLIGHT
from neanelu_pipelines.defs.warehouse import Warehouse

if TYPE_CHECKING:
    from neanelu_pipelines.mirror.redaction.work import Answered

JOB = "answer_privacy_requests"
KEY = dg.AssetKey(["audit", "redactions"])

_PAUSE = timedelta(minutes=10)
"""After a run that failed."""
_COLUMNS = (
    ("id", "uuid", False, "Primary key"),
    ("kind", "varchar", False, "customer, shop: forgotten; export: what is known of a customer"),
    ("status", "varchar", False, "running, completed, residue or refused"),
    ("removed", "jsonb", False, "Rows deleted or emptied by table, and files"),
    ("proof", "jsonb", True, "What was searched afterwards, and what was found, without the values"),
)
_HOW = (
    "What was done about customers/redact, shop/redact and customers/data_request, with its proof: afterwards every "
    "column of every table and every file of the shop is searched for what was to go. Materializing it answers the "
    "requests that wait. Its records hold counts and hashes, no names."
)


def privacy_definitions() -> dg.Definitions:
    """The asset, its job and its sensor."""
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(KEY),
        description="Answers the privacy requests that wait.",
        tags={"neanelu/room": "privacy", "dagster/max_runtime": "21600"},
    )

    @dg.sensor(
        name="privacy_requests",
        job=job,
        description="Starts the answering of privacy requests when some wait and no run is at it.",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        tags={"neanelu/room": "privacy"},
    )
    def privacy_requests(
        context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.RunRequest | dg.SkipReason:
        from neanelu_pipelines.mirror.redaction.work import any_waiting

        if not any_waiting(warehouse.database):
            return dg.SkipReason("No privacy request waits.")
        if context.instance.get_runs(dg.RunsFilter(job_name=JOB, statuses=list(IN_FLIGHT)), limit=1):
            return dg.SkipReason("A run is at them.")
        lately = dg.RunsFilter(
            job_name=JOB, statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(UTC) - _PAUSE
        )
        if context.instance.get_runs(lately, limit=1):
            return dg.SkipReason("A run failed a short while ago: its log says why.")
        return dg.RunRequest()

    return dg.Definitions(assets=[redactions_asset()], jobs=[job], sensors=[privacy_requests])


def redactions_asset() -> dg.AssetsDefinition:
    """The asset of the table `pipeline.redactions`."""

    @dg.asset(
        name="redactions",
        key_prefix=KEY.path[:-1],
        description=_HOW,
        group_name="audit",
        owners=[OWNERS["audit"]],
        kinds={"postgres", "table"},
        tags={"neanelu/rows": "per-shop"},
        metadata={
            "dagster/table_name": "pipeline.redactions",
            "dagster/column_schema": column_schema(_COLUMNS),
            "dagster/storage_kind": "postgres",
        },
        deps=[key_of("webhook_events")],
        retry_policy=RETRIES,
    )
    def redactions(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult:  # type: ignore[type-arg]
        from neanelu_pipelines.mirror.redaction.work import work_off

        started = time.perf_counter()
        answered: list[Answered] = []
        with step_faults(context, warehouse):
            for one in work_off(warehouse.database, warehouse.settings, job_id=context.run.run_id):
                answered.append(one)
                context.log.info("%s: %s", one.topic, one.outcome.status if one.outcome else "set aside")
        figures = _figures(answered, time.perf_counter() - started)
        if aside := [f"{one.topic}: {one.error}" for one in answered if one.error]:
            # The others are answered. Somebody has to look at these, by law within days.
            raise dg.Failure("\n".join(aside), metadata=figures, allow_retries=False)
        return dg.MaterializeResult(metadata=figures)

    return redactions


def _figures(answered: "list[Answered]", seconds: float) -> dict[str, int | float]:
    done = [one.outcome for one in answered if one.outcome and not one.error]
    return {
        "rows_read": len(answered),
        "rows_inserted": len(done),
        "rows_rejected": len(answered) - len(done),
        "rows_deleted": sum(count for outcome in done for count in outcome.removed.values() if isinstance(count, int)),
        "seconds": round(seconds, 3),
        "rows_per_second": round(len(answered) / seconds, 1) if seconds > 0 else 0.0,
    }
