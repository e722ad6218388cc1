"""Syncs by the clock: full snapshots at night, and every hour what changed since.

Belongs here: the schedules of a resource, and how they put shops into runs. Does not belong here: what is done when
there is no daemon.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from neanelu_pipelines.defs.loads.keys import load_op_name
from neanelu_pipelines.defs.shops.partitions import SHOPS, neighbours
from neanelu_pipelines.defs.shops.sensor import RANGE_END, RANGE_START
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.declarations import Resource

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

NIGHTLY = "30 3 * * *"
HOURLY = "7 * * * *"
ZONE = "Europe/Bucharest"


def sync_schedules(resource: Resource, job: "UnresolvedAssetJobDefinition") -> list[dg.ScheduleDefinition]:
    """A full snapshot every night; of what Shopify can be asked for by time of change, the changes every hour too."""
    nightly = _schedule(
        resource,
        job,
        name=f"sync_{resource.name}_daily",
        cron=NIGHTLY,
        words=f"Every night, for each shop with a token: all {resource.name} from Shopify.",
        config={},
    )
    if resource.window is None:
        return [nightly]
    hourly = _schedule(
        resource,
        job,
        name=f"sync_{resource.name}_hourly",
        cron=HOURLY,
        words=f"Every hour, for each shop with a token: the {resource.name} that changed since the checkpoint.",
        config={"ops": {load_op_name(resource.name): {"config": {"since_last": True}}}},
    )
    return [nightly, hourly]


def _schedule(
    resource: Resource,
    job: "UnresolvedAssetJobDefinition",
    *,
    name: str,
    cron: str,
    words: str,
    config: dict[str, Any],
) -> dg.ScheduleDefinition:
    """Off until a person turns it on: it asks Shopify."""

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=ZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"{words} Off until you turn it on.",
        tags={"neanelu/resource": resource.name},
    )
    def sync(
        context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        from neanelu_pipelines.shopify import shops

        connected = {shop["domain"] for shop in shops.listed(warehouse.database) if shop["installed"] and shop["token"]}
        together = neighbours(connected, context.instance.get_dynamic_partitions(str(SHOPS.name)))
        moment = context.scheduled_execution_time.isoformat()
        yield from (_request(group, moment, config) for group in together)
        if not together:
            yield dg.SkipReason("No shop has a token; `neanelu shop add` gives it one.")

    return sync


def _request(group: tuple[str, ...], moment: str, config: dict[str, Any]) -> dg.RunRequest:
    """One run for neighbouring shops."""
    first, last = group[0], group[-1]
    if first == last:
        return dg.RunRequest(run_key=f"{first}/{moment}", partition_key=first, run_config=config)
    tags = {RANGE_START: first, RANGE_END: last}
    return dg.RunRequest(run_key=f"{first}..{last}/{moment}", tags=tags, run_config=config)
