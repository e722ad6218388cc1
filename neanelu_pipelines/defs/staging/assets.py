"""The staging tables of a load, and the checks that stand between them and the mirror.

Belongs here: the second step of a load. Does not belong here: the checks' own logic (`neanelu_pipelines.mirror`).

Dagster records a materialization before its checks run, so the checks are on staging: what they refuse is never
merged.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from neanelu_pipelines.defs.catalogue.specs import (
    OWNERS,
    column_schema,
    relation_kinds,
    relation_metadata,
    relation_named,
)
from neanelu_pipelines.defs.loads.faults import RETRIES, step_faults
from neanelu_pipelines.defs.loads.figures import staging_figures
from neanelu_pipelines.defs.loads.keys import artifact_key, bare, staging_key
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.reports import LoadRun, StagingCheck

CHECKS = {
    "counts_add_up": "Every line read was staged, found unchanged, knowingly ignored or rejected; none is lost.",
    "rejected_share": "No larger a share of the lines was rejected than NEANELU_MAX_REJECT_SHARE allows.",
    "staging_complete": "Staging holds as many rows as were copied into it; a crash of the server empties it.",
}

LOADER_COLUMNS = {
    "bulk_run_id": ("uuid", "The load, in the ledger."),
    "shop_id": ("uuid", "The shop."),
    "line_number": ("bigint", "The line of the artifact it was read from."),
    "fingerprint": ("bigint", "A hash of the lines it was made from."),
}
"""What every staging table of the loader has besides the columns of its declaration."""


def staging_assets(resource: Resource) -> dg.AssetsDefinition:
    """The staging step of a resource."""
    checked = checked_key(resource)

    @dg.multi_asset(
        name=f"{resource.name}_staging",
        specs=[staging_spec(resource, table) for table in resource.staging_tables],
        check_specs=[
            dg.AssetCheckSpec(name, asset=checked, description=description, blocking=True)
            for name, description in CHECKS.items()
        ],
        partitions_def=SHOPS,
        retry_policy=RETRIES,
        pool="copy",
        op_tags={"neanelu/step": "staging"},
    )
    def staging(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
        from neanelu_pipelines.mirror import river

        with step_faults(context, warehouse):
            load = river.current_load(
                warehouse.database,
                shop_domain=context.partition_key,
                resource=resource.name,
                dagster_run_id=context.run.run_id,
            )
        with step_faults(context, warehouse, load):
            report = river.stage(warehouse.database, warehouse.settings, load)
            checks = river.check(warehouse.database, warehouse.settings, load)
            rejections = river.rejections(warehouse.database, load)
            refuse_if_failed(warehouse, load, checks)
        for table in resource.staging_tables:
            yield dg.MaterializeResult(
                asset_key=staging_key(resource, table),
                metadata=staging_figures(load, report, report.tables.get(table, 0), rejections),
            )
        yield from (check_result(checked, load, check) for check in checks)

    return staging


def checked_key(resource: Resource) -> dg.AssetKey:
    """The table that carries the checks of the whole staging: the one named after the resource, if there is one."""
    named = (table for table in resource.staging_tables if bare(table) == f"staging_{resource.name}")
    return staging_key(resource, next(named, resource.staging_tables[0]))


def refuse_if_failed(warehouse: Warehouse, load: LoadRun, checks: Sequence[StagingCheck]) -> None:
    """Close the load in the ledger as failed if a check refuses it; Dagster stops the run at the blocking check."""
    failed = [f"{check.name}: {check.description}" for check in checks if not check.passed]
    if failed:
        from neanelu_pipelines.mirror import river

        river.fail(warehouse.database, load, "; ".join(failed))


def check_result(key: dg.AssetKey, load: LoadRun, check: StagingCheck) -> dg.AssetCheckResult:
    """A verdict as Dagster shows it."""
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=check.name,
        passed=check.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=check.description,
        metadata={"shop": load.shop_domain, "ledger_run_id": str(load.run_id), **check.figures},
    )


def staging_spec(resource: Resource, table: str) -> dg.AssetSpec:
    """The spec of one staging table."""
    relation = relation_named(bare(table))
    return dg.AssetSpec(
        staging_key(resource, table),
        deps=[artifact_key(resource)],
        description=relation.comment if relation else _loader_description(resource, table),
        group_name="staging",
        owners=[OWNERS["staging"]],
        kinds=relation_kinds(relation) if relation else {"postgres", "table"},
        tags={"neanelu/resource": resource.name, "neanelu/rows": "per-shop"},
        metadata=relation_metadata(relation) if relation else _loader_metadata(resource, table),
    )


def _loader_description(resource: Resource, table: str) -> str:
    entity = next((entity for entity in resource.entities if entity.staging == table), None)
    rows = f"the rows on their way into {entity.table}" if entity else "what belongs to other staged rows"
    return f"Staging of the loader's own: {rows}. Unlogged: it is empty after a crash, and staged again then."


def _loader_metadata(resource: Resource, table: str) -> dict[str, object]:
    declared = [
        (column.name, column.kind.value, not column.required, f"From {', '.join(column.paths)}.")
        for entity in resource.entities
        if entity.staging == table
        for column in entity.columns
    ]
    own = [(name, kind, False, description) for name, (kind, description) in LOADER_COLUMNS.items()]
    return {
        "dagster/table_name": table,
        "dagster/column_schema": column_schema([*own, *declared]),
        "dagster/storage_kind": "postgres",
    }
