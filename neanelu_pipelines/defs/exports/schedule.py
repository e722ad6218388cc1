"""Full snapshots by the clock.

Belongs here: the daily schedule of a resource. Does not belong here: what is done when there is no daemon.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.warehouse import Warehouse

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

CRON = "30 3 * * *"
ZONE = "Europe/Bucharest"


def daily_schedule(resource: str, job: "UnresolvedAssetJobDefinition") -> dg.ScheduleDefinition:
    """A full snapshot of a resource for every shop with a token. Off until a person turns it on: it asks Shopify."""

    @dg.schedule(
        name=f"sync_{resource}_daily",
        job=job,
        cron_schedule=CRON,
        execution_timezone=ZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"Every night, for each shop with a token: all {resource} from Shopify. Off until you turn it on.",
        tags={"neanelu/resource": resource},
    )
    def sync_daily(
        context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        from neanelu_pipelines.shopify import shops

        known = set(context.instance.get_dynamic_partitions(str(SHOPS.name)))
        connected = [
            shop["domain"]
            for shop in shops.listed(warehouse.database)
            if shop["installed"] and shop["token"] and shop["domain"] in known
        ]
        day = context.scheduled_execution_time.date().isoformat()
        for domain in connected:
            yield dg.RunRequest(run_key=f"{domain}/{day}", partition_key=domain)
        if not connected:
            yield dg.SkipReason("No shop has a token; `neanelu shop add` gives it one.")

    return sync_daily
