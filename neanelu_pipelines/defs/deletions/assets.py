"""The records of what was removed from the mirror, as an asset: materializing it looks at what is gone.

Belongs here: the asset, its job, the sensor and the schedule that start it. Does not belong here: what is gone.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import dagster as dg

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.faults import words_of
from neanelu_pipelines.defs.catalogue.specs import OWNERS, column_schema, key_of
from neanelu_pipelines.defs.loads.faults import RETRIES, is_transient, step_faults
from neanelu_pipelines.defs.waiting import waiting_sensor
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.errors import NeaneluError

if TYPE_CHECKING:
    from neanelu_pipelines.mirror.reports import LoadRun

JOB = "remove_what_is_gone"
KEY = dg.AssetKey(["ledger", "removals"])
CHECK = "no_export_refused"

_PAUSE = timedelta(minutes=15)
"""After a run that failed: a shop whose token does not open any more would have one a minute."""

_COLUMNS = (
    ("shop_id", "uuid", False, "The shop that the row belonged to"),
    ("shopify_gid", "varchar", False, "What was removed"),
    ("gone_at", "timestamptz", False, "The moment, in the shop's time, at which it was gone"),
    ("table_name", "varchar", False, "The mirror table of the row"),
    ("reason", "varchar", False, "snapshot, webhook or deletion_event"),
    ("told_by", "text", False, "What said so, in words"),
    ("confirmed", "boolean", False, "Whether Shopify itself said that it is gone"),
)
_HOW = (
    "Rows that were removed from the mirror, and why. Materializing it looks at the newest whole export of each shop's "
    "resources that nobody has looked at yet, and removes what it does not hold any more and Shopify confirms, asked "
    "for it by its id; with `deletion_events`, also what Shopify lists as deleted. Webhooks `*/delete` remove by "
    "themselves. If more is missing than NEANELU_MAX_REMOVAL_SHARE, if the export is damaged, or if Shopify may not be "
    "asked with the shop's token, nothing is removed, and a check warns; `look_again` with `max_share` has that export "
    "looked at once more."
)


class RemovalConfig(dg.Config):
    """What to look at."""

    deletion_events: bool = False
    """Also ask every shop with a token for its deletion events."""
    look_again: str | None = None
    """The id of an export that was refused, as its refusal names it: it alone is looked at, once more."""
    max_share: float | None = None
    """With `look_again`: the share of a table's rows that may go this time, instead of NEANELU_MAX_REMOVAL_SHARE."""
    unconfirmed: bool = False
    """With `look_again`: you say that the export holds everything, though of some table it holds no row at all."""


@dataclass
class _Sums:
    tables: Counter[str] = field(default_factory=Counter)
    looked_at: int = 0
    still_there: int = 0
    refused: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def deletion_definitions() -> dg.Definitions:
    """The asset, its job, the sensor for whole exports, and the schedule for deletion events."""
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(KEY),
        description="Removes from the mirror what is gone in the shops.",
        tags={"neanelu/room": "deletions", "dagster/max_runtime": "7200"},
    )

    exports_merged = waiting_sensor(
        "exports_merged",
        job,
        _snapshots_waiting,
        description="Looks at what whole exports do not hold any more, after they were merged.",
        nothing="Every whole export was looked at.",
        room="deletions",
        every=60,
        pause=_PAUSE,
    )

    @dg.schedule(
        name="deletion_events_hourly",
        job=job,
        cron_schedule="17 * * * *",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every hour: what Shopify lists as deleted. Off until you turn it on: it asks Shopify.",
        tags={"neanelu/room": "deletions"},
    )
    def deletion_events_hourly() -> dg.RunRequest:
        return dg.RunRequest(run_config={"ops": {"ledger__removals": {"config": {"deletion_events": True}}}})

    return dg.Definitions(
        assets=[removals_asset()], jobs=[job], sensors=[exports_merged], schedules=[deletion_events_hourly]
    )


def _snapshots_waiting(database: Database) -> bool:
    from neanelu_pipelines.mirror.removals.work import snapshots_waiting

    return bool(snapshots_waiting(database))


def removals_asset() -> dg.AssetsDefinition:
    """The asset of the table `pipeline.removals`."""

    @dg.asset(
        name="removals",
        key_prefix=KEY.path[:-1],
        description=_HOW,
        group_name="ledger",
        owners=[OWNERS["ledger"]],
        kinds={"postgres", "table"},
        tags={"neanelu/rows": "per-shop"},
        metadata={
            "dagster/table_name": "pipeline.removals",
            "dagster/column_schema": column_schema(_COLUMNS),
            "dagster/storage_kind": "postgres",
        },
        deps=[key_of("bulk_runs"), key_of("webhook_events")],
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=KEY,
                description="No shop's newest whole export is refused, and each tells what was deleted: nothing waits "
                "for a person.",
            )
        ],
        retry_policy=RETRIES,
    )
    def removals(
        context: dg.AssetExecutionContext, config: RemovalConfig, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.perf_counter()
        sums = _Sums()
        with step_faults(context, warehouse):
            _snapshots(context, warehouse, sums, config)
            if config.deletion_events:
                _deletion_events(context, warehouse, sums)
        figures = _figures(sums, time.perf_counter() - started)
        if sums.failed:
            raise dg.Failure("\n".join(sums.failed), metadata=figures, allow_retries=False)
        return dg.MaterializeResult(metadata=figures, check_results=[_refusals(warehouse)])

    return removals


def _refusals(warehouse: Warehouse) -> dg.AssetCheckResult:
    from neanelu_pipelines.mirror.removals.work import refused

    refusals = refused(warehouse.database)
    return dg.AssetCheckResult(
        asset_key=KEY,
        check_name=CHECK,
        passed=not refusals,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(refusals) or None,
        metadata={"exports_refused": len(refusals)},
    )


def _exports(warehouse: Warehouse, config: RemovalConfig) -> "Sequence[LoadRun]":
    from neanelu_pipelines.mirror.removals.work import export_of, snapshots_waiting

    if config.look_again is None:
        if config.max_share is not None or config.unconfirmed:
            raise dg.Failure("max_share and unconfirmed are of one export: name it in look_again.", allow_retries=False)
        return snapshots_waiting(warehouse.database)
    try:
        run_id = UUID(config.look_again)
    except ValueError as fault:
        raise dg.Failure(
            f"look_again: {config.look_again!r} is no id of an export; its refusal names it.", allow_retries=False
        ) from fault
    return [export_of(warehouse.database, run_id)]


def _snapshots(context: dg.AssetExecutionContext, warehouse: Warehouse, sums: _Sums, config: RemovalConfig) -> None:
    from neanelu_pipelines.mirror.removals.work import look_at

    for load in _exports(warehouse, config):
        with_ = f"{load.resource} of {load.shop_domain}"

        def look(load: "LoadRun" = load, with_: str = with_) -> None:
            done = look_at(
                warehouse.database,
                warehouse.settings,
                load,
                max_share=config.max_share,
                unconfirmed=config.unconfirmed,
            )
            sums.looked_at += 1
            sums.still_there += done.still_there
            sums.tables.update(done.tables)
            if done.outcome == "refused":
                sums.refused.append(done.reason)
            say = context.log.warning if done.outcome in ("refused", "unfit") else context.log.info
            say("%s: %s. %s %s", with_, done.outcome, done.reason, done.tables or "")

        _attempt(sums, with_, look)


def _deletion_events(context: dg.AssetExecutionContext, warehouse: Warehouse, sums: _Sums) -> None:
    from neanelu_pipelines.mirror.removals.work import client_of, look_at_deletion_events
    from neanelu_pipelines.shopify import shops

    for shop in shops.listed(warehouse.database):
        if not (shop["installed"] and shop["token"]):
            continue

        def ask(domain: str = shop["domain"]) -> None:
            with client_of(warehouse.database, warehouse.settings, domain) as client:
                told = look_at_deletion_events(warehouse.database, client, domain)
            for counts in told.counts:
                sums.tables.update(counts.tables)
            if told.refused:
                context.log.warning("%s tells of no deletions: %s", domain, told.refused)
            else:
                context.log.info("%s: %d deletion events.", domain, told.events)

        _attempt(sums, f"the deletion events of {shop['domain']}", ask)


def _attempt(sums: _Sums, what: str, work: Callable[[], None]) -> None:
    """One shop's trouble, whatever it is, does not keep the others waiting; a database that is away ends the step."""
    try:
        work()
    except Exception as fault:
        if is_transient(fault) and not isinstance(fault, NeaneluError):
            raise
        later = " It is looked at again." if is_transient(fault) else ""
        sums.failed.append(f"{what}: {words_of(fault)}{later}")


def _figures(sums: _Sums, seconds: float) -> dict[str, int | float | str]:
    deleted = sums.tables.total()
    return {
        "rows_deleted": deleted,
        "exports_looked_at": sums.looked_at,
        "rows_still_in_shopify": sums.still_there,
        "exports_refused": len(sums.refused),
        **({"refused_because": "\n".join(sums.refused)} if sums.refused else {}),
        **{f"deleted_{table.replace('.', '_')}": count for table, count in sorted(sums.tables.items()) if count},
        "seconds": round(seconds, 3),
        "rows_per_second": round(deleted / seconds, 1) if seconds > 0 else 0.0,
    }
