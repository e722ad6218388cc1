"""The events that the endpoint kept, as an asset: materializing it works off those that are new.

Belongs here: the asset, its job and the sensor that starts it. Does not belong here: what is done with an event.
"""

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.catalogue.specs import key_of, relation_spec
from neanelu_pipelines.defs.loads.faults import RETRIES, step_faults
from neanelu_pipelines.defs.waiting import waiting_sensor
from neanelu_pipelines.defs.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neanelu_pipelines.shopify.webhooks.processing import Batch

TABLE = "webhook_events"
JOB = "process_webhooks"

_SECONDS = 300.0
"""How long a run goes on beginning batches. What is left is the next run's: a run without an end has no figures."""
_PAUSE = timedelta(minutes=5)
"""After a run that failed: other shops' events wait meanwhile, so it is short."""
_HOW = (
    "`neanelu webhooks` receives and stores them; materializing this processes those that are new, in the order of "
    "each shop's time, through the same staging and merge as every load. Events that cannot be processed are set "
    "aside; processing_error says why."
)


def webhook_definitions() -> dg.Definitions:
    """The asset, its job and its sensor."""
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(key_of(TABLE)),
        description="Processes the webhooks that were received.",
        tags={"neanelu/room": "webhooks", "dagster/max_runtime": "3600"},
    )

    webhooks_waiting = waiting_sensor(
        "webhooks_waiting",
        job,
        any_new,
        description="Starts the processing of webhooks when there are new ones and no run is at it.",
        nothing="No webhook is new.",
        room="webhooks",
        every=30,
        pause=_PAUSE,
    )

    return dg.Definitions(assets=[webhook_events_asset()], jobs=[job], sensors=[webhooks_waiting])


def webhook_events_asset() -> dg.AssetsDefinition:
    """The asset of the table `webhook_events`."""

    @dg.multi_asset(
        name=TABLE,
        specs=[relation_spec(TABLE, deps=[key_of("shops")], how=_HOW)],
        retry_policy=RETRIES,
    )
    def webhook_events(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.perf_counter()
        batches: list[Batch] = []
        with step_faults(context, warehouse):
            # Said batch by batch: a shop that is hindered fails the step when the others are done.
            for batch in _batches(warehouse, context.run.run_id):
                batches.append(batch)
                left = "; its rows are busy, the rest waits" if batch.busy else ""
                left = "; too many failed, the rest waits" if batch.stopped else left
                said = (batch.domain, batch.done, batch.again, batch.aside, left)
                context.log.info("%s: %d done, %d again, %d aside%s", *said)
            queue = _queue(warehouse)
        return dg.MaterializeResult(metadata={**figures(batches, time.perf_counter() - started), **queue})

    return webhook_events


def any_new(database: Database) -> bool:
    """Whether an event waits to be processed."""
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        row = connection.execute(statement("webhooks/any_new")).fetchone()
    return bool(row and row[0])


def _batches(warehouse: Warehouse, run_id: str) -> "Iterator[Batch]":
    from neanelu_pipelines.defs.webhooks.writing import into_mirror
    from neanelu_pipelines.shopify.webhooks.rounds import work_off

    hands = into_mirror(warehouse.database, warehouse.settings)
    return work_off(warehouse.database, hands, job_id=run_id, seconds=_SECONDS)


def _queue(warehouse: Warehouse) -> dict[str, int]:
    """How many events there are, of all shops, that are not done."""
    with warehouse.database.connect(Role.PIPELINE, autocommit=True) as connection:
        row = connection.execute(statement("webhooks/count_queue")).fetchone()
    assert row is not None  # noqa: S101 - counts are one row
    return dict(zip(("events_new", "events_later", "events_waiting", "events_aside"), row, strict=True))


def figures(batches: "list[Batch]", seconds: float) -> dict[str, int | float]:
    """What became of the events."""
    done, again = sum(batch.done for batch in batches), sum(batch.again for batch in batches)
    aside = sum(batch.aside for batch in batches)
    read = done + again + aside
    return {
        "rows_read": read,
        "rows_updated": done,
        "rows_unchanged": again,
        "rows_rejected": aside,
        "loads": sum(batch.loads for batch in batches),
        "shops_busy": len({batch.shop_id for batch in batches if batch.busy}),
        "seconds": round(seconds, 3),
        "rows_per_second": round(read / seconds, 1) if seconds > 0 else 0.0,
    }
