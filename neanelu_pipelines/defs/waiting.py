"""Sensors that start a job when something waits for it.

Belongs here: when such a job is started, and when it is left alone. Does not belong here: what waits, and the work.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs.shops.sensor import IN_FLIGHT
from neanelu_pipelines.defs.warehouse import Warehouse

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


def waiting_sensor(
    name: str,
    job: "UnresolvedAssetJobDefinition",
    waits: Callable[[Database], bool],
    *,
    description: str,
    nothing: str,
    room: str,
    every: int,
    pause: timedelta | None = None,
) -> dg.SensorDefinition:
    """A sensor that looks every `every` seconds and starts the job if something waits and no run is at it.

    `nothing` is said when nothing waits. For `pause` after a run that failed none is started: what made it fail would
    have one at each look.
    """

    @dg.sensor(
        name=name,
        job=job,
        description=description,
        minimum_interval_seconds=every,
        default_status=dg.DefaultSensorStatus.RUNNING,
        tags={"neanelu/room": room},
    )
    def waiting(
        context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.RunRequest | dg.SkipReason:
        if not waits(warehouse.database):
            return dg.SkipReason(nothing)
        if _any_run(context.instance, dg.RunsFilter(job_name=job.name, statuses=list(IN_FLIGHT))):
            return dg.SkipReason("A run is at them.")
        if pause is not None and _any_run(context.instance, _failed_since(job.name, pause)):
            return dg.SkipReason("A run failed a short while ago: its log says why.")
        return dg.RunRequest()

    return waiting


def _any_run(instance: dg.DagsterInstance, of: dg.RunsFilter) -> bool:
    return bool(instance.get_runs(of, limit=1))


def _failed_since(job: str, pause: timedelta) -> dg.RunsFilter:
    return dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(UTC) - pause)
