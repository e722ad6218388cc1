"""Going on with exports that are due: one indexed query, and a run for each that nobody is at.

Belongs here: which exports get a run now. Does not belong here: calls to Shopify, and what the run does (`bring`).

Nobody is at an export when no process holds its lock and no run that began it, or was launched for it, is under way.
How often it was launched is part of the run key, so two ticks that see the same launch it once; after runs that failed,
the next one waits longer.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.exports.reports import EXPORT_TAG
from neanelu_pipelines.defs.loads.keys import load_job_name, load_op_name, months_job_name, months_op_name
from neanelu_pipelines.defs.months.partitions import months_of, partition
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.shops.sensor import IN_FLIGHT, RANGE_END, RANGE_START
from neanelu_pipelines.defs.warehouse import Warehouse

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from neanelu_pipelines.defs.months.asset import MonthsDefinitions
    from neanelu_pipelines.shopify.bulk.ledger import DueExport

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)
_LOOKED_AT = 10
"""How many earlier runs of an export are looked at; after so many failures the pause is the longest anyway."""


def exports_sensor(
    jobs: "Mapping[str, UnresolvedAssetJobDefinition]", months: "Mapping[str, MonthsDefinitions]"
) -> dg.SensorDefinition:
    """The sensor `exports_due`; `jobs` are the loads by resource, `months` what is asked for by month."""
    first_months = {resource: one.first for resource, one in months.items()}

    @dg.sensor(
        name="exports_due",
        jobs=[*jobs.values(), *(one.job for one in months.values())],
        description="Goes on with exports from Shopify that a run has stopped waiting for, when they are due.",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        tags={"neanelu/room": "exports"},
    )
    def exports_due(
        context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        under_way = [run.run_id for run in context.instance.get_runs(dg.RunsFilter(statuses=list(IN_FLIGHT)))]
        due = [export for export in due_exports(warehouse, under_way) if export.resource in jobs]
        shops = set(context.instance.get_dynamic_partitions(str(SHOPS.name))) if due else set()
        requests = [
            request
            for export in due
            if export.domain in shops
            and (request := request_for(context.instance, export, datetime.now(UTC), first_months))
        ]
        yield from requests
        if not requests:
            yield dg.SkipReason(f"{len(due)} exports are due; somebody is at each, or it failed a short while ago.")

    return exports_due


def due_exports(warehouse: Warehouse, under_way: Sequence[str] = ()) -> "Sequence[DueExport]":
    """Exports that are due and that nobody is at: no process, and none of the Dagster runs under way."""
    from neanelu_pipelines.shopify.bulk import ledger

    with warehouse.database.connect(Role.PIPELINE, autocommit=True) as book:
        due = ledger.due_exports(book, datetime.now(UTC))
        in_hand: set[object] = set()
        if due:
            ids = {"run_ids": [export.run_id for export in due], "dagster_run_ids": list(under_way)}
            in_hand = {row[0] for row in book.execute(statement("defs/exports_in_hand"), ids)}
    return [export for export in due if export.run_id not in in_hand]


def request_for(
    instance: dg.DagsterInstance, export: "DueExport", now: datetime, first_months: Mapping[str, str]
) -> dg.RunRequest | None:
    """A run that takes the export further, or None: one is under way, or failed too short a while ago.

    An export of months goes on as theirs (`first_months` by resource), so that they end as materialized.
    """
    tag = {EXPORT_TAG: str(export.run_id)}
    earlier = instance.get_run_records(dg.RunsFilter(tags=tag), limit=_LOOKED_AT)
    if any(record.dagster_run.status in IN_FLIGHT for record in earlier) or now < _not_before(earlier):
        return None
    run_key = f"{export.run_id}/{instance.get_runs_count(dg.RunsFilter(tags=tag))}"
    config = {"config": {"export": str(export.run_id)}}
    if months := _months(export, first_months):
        first, last = (partition(export.domain, month) for month in months)
        return dg.RunRequest(
            run_key=run_key,
            job_name=months_job_name(export.resource),
            tags={**tag, RANGE_START: first, RANGE_END: last},
            run_config={"ops": {months_op_name(export.resource): config}},
        )
    return dg.RunRequest(
        run_key=run_key,
        job_name=load_job_name(export.resource),
        partition_key=export.domain,
        tags=tag,
        run_config={"ops": {load_op_name(export.resource): config}},
    )


def _months(export: "DueExport", first_months: Mapping[str, str]) -> tuple[str, str] | None:
    """The first and the last month that the export was begun for, if it was for months."""
    from neanelu_pipelines.mirror.asking import Reach

    first = first_months.get(export.resource)
    return months_of(Reach.of(export), first=first) if first else None


def _not_before(newest_first: Sequence[dg.RunRecord]) -> datetime:
    """The end of the pause after runs that failed one after another; it doubles with each."""
    failures = 0
    for record in newest_first:
        if record.dagster_run.status is not dg.DagsterRunStatus.FAILURE:
            break
        failures += 1
    if not failures:
        return datetime.min.replace(tzinfo=UTC)
    last = newest_first[0]
    ended = datetime.fromtimestamp(last.end_time or last.update_timestamp.timestamp(), UTC)
    return ended + min(_LONGEST_PAUSE, _FIRST_PAUSE * (1 << (failures - 1)))
