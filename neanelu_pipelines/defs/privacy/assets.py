"""The records of redactions and exports, as an asset: materializing it answers the privacy requests that wait.

Belongs here: the asset, its job and the sensor that starts it. Does not belong here: what is done with a request.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.defs.catalogue.specs import OWNERS, column_schema, key_of
from neanelu_pipelines.defs.loads.faults import RETRIES, step_faults
from neanelu_pipelines.defs.waiting import waiting_sensor
from neanelu_pipelines.defs.warehouse import Warehouse

if TYPE_CHECKING:
    from neanelu_pipelines.database.connect import Database
    from neanelu_pipelines.mirror.redaction.work import Answered

JOB = "answer_privacy_requests"
CHECK = "requests_answered"
KEY = dg.AssetKey(["audit", "redactions"])

_PAUSE = timedelta(minutes=10)
"""After a run that failed."""
_COLUMNS = (
    ("id", "uuid", False, "Primary key"),
    ("kind", "varchar", False, "customer, shop: forgotten; export: what is known of a customer"),
    ("status", "varchar", False, "running, hindered, completed, residue or refused"),
    ("removed", "jsonb", False, "Rows deleted or emptied by table, and files"),
    ("proof", "jsonb", True, "What was searched afterwards, and what was found, without the values"),
)
_HOW = (
    "What was done about customers/redact, shop/redact and customers/data_request, with its proof: afterwards every "
    "column that can hold a text, a number or an id, and every file in the shop's folders of the artifact store is "
    "searched for what was to go; Dagster's own storage, too, of customers (what is found there is yours to delete: "
    "the runs that name them). Materializing it answers the requests that wait; one that fails is tried again, later "
    "and later, and a check says why; one that was set aside waits again after `neanelu webhooks retry`, or is "
    "closed unanswered by a person (`neanelu webhooks dismiss`), until when the check is red. Its records hold counts "
    "and hashes, no names."
)


def privacy_definitions() -> dg.Definitions:
    """The asset, its job and its sensor."""
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(KEY),
        description="Answers the privacy requests that wait.",
        tags={"neanelu/room": "privacy", "dagster/max_runtime": "21600"},
    )

    privacy_requests = waiting_sensor(
        "privacy_requests",
        job,
        _any_waiting,
        description="Starts the answering of privacy requests when some wait and no run is at it.",
        nothing="No privacy request waits.",
        room="privacy",
        every=60,
        pause=_PAUSE,
    )

    return dg.Definitions(assets=[redactions_asset()], jobs=[job], sensors=[privacy_requests])


def _any_waiting(database: "Database") -> bool:
    from neanelu_pipelines.mirror.redaction.work import any_waiting

    return any_waiting(database)


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
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=KEY,
                description="Every privacy request that was tried is answered and left nothing, or a person closed it.",
            )
        ],
        retry_policy=RETRIES,
    )
    def redactions(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:  # type: ignore[type-arg]
        from neanelu_pipelines.mirror.redaction.work import work_off

        started = time.perf_counter()
        answered: list[Answered] = []
        with step_faults(context, warehouse):
            also = databases_of(context.instance)
            for one in work_off(warehouse.database, warehouse.settings, job_id=context.run.run_id, also=also):
                answered.append(one)
                # A person has to look at what is set aside, by law within days: the check is red until they did. The
                # run does not fail for it: after one that failed new requests wait.
                say = context.log.warning if one.error else context.log.info
                say("%s: %s", one.topic, one.error or (one.outcome.status if one.outcome else None))
        yield _unanswered(warehouse, answered)
        yield dg.MaterializeResult(metadata=_figures(answered, time.perf_counter() - started))

    return redactions


def databases_of(instance: dg.DagsterInstance) -> dict[str, str]:
    """Dagster's own storage, if it is PostgreSQL: errors and configurations in it may hold what nobody put there."""
    url = getattr(instance.event_log_storage, "postgres_url", None)
    return {"dagster": str(url).replace("postgresql+psycopg2://", "postgresql://", 1)} if url else {}


def _unanswered(warehouse: Warehouse, answered: "list[Answered]") -> dg.AssetCheckResult:
    from neanelu_pipelines.mirror.redaction.work import unanswered

    found = unanswered(warehouse.database)
    reasons = {one.reason for one in found}
    # One whose event went with its shop is not set aside, and the record alone says so from the next run on.
    refused = [one for one in answered if one.error and not one.hindered and not one.outcome]
    told = [*map(str, found), *(f"{one.topic}: {one.error}" for one in refused if one.error not in reasons)]
    for_good = bool(refused) or any(one.for_good for one in found)
    return dg.AssetCheckResult(
        asset_key=KEY,
        check_name=CHECK,
        passed=not told,
        severity=dg.AssetCheckSeverity.ERROR if for_good else dg.AssetCheckSeverity.WARN,
        description="\n".join(told) or None,
        metadata={"requests_unanswered": len(told)},
    )


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
