"""A bulk result as a file in the artifact store, opened in the ledger.

Belongs here: the first step of a load, and whether it takes a file or asks Shopify. Does not belong here: copying a
file (`neanelu_pipelines.mirror`), an export (`exports`).
"""

from collections.abc import Iterator, Mapping
from uuid import UUID

import dagster as dg

from neanelu_pipelines.defs.artifacts.moments import parse_moment
from neanelu_pipelines.defs.catalogue.specs import OWNERS, column_schema
from neanelu_pipelines.defs.exports.reports import (
    SCOPE_CHECK,
    SCOPE_CHECK_DESCRIPTION,
    brought_figures,
    say_why_nothing_came,
    scope_check,
)
from neanelu_pipelines.defs.exports.shares import Brought, Share
from neanelu_pipelines.defs.loads.faults import RETRIES, step_faults
from neanelu_pipelines.defs.loads.figures import artifact_figures
from neanelu_pipelines.defs.loads.keys import artifact_key, artifact_op_name, bare
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.reports import LoadRun


class ArtifactConfig(dg.Config):
    """Where a load comes from. With nothing set: from Shopify if the shop has a token, else from its inbox."""

    source: str | None = None
    """Path or URL of a bulk JSONL, plain or gzip, to load instead of asking Shopify.

    Dagster keeps a run's configuration: give a signed URL as `{env: NAME}`, in a variable of the code location.
    """
    as_of: str | None = None
    """When Shopify made the export in the file (ISO 8601 with an offset). Rows that the mirror knows newer stay.

    Default: now: a file does not say when it was exported. An export from Shopify does.
    """
    export: str | None = None
    """The ledger run of an export under way, to go on with; the sensor exports_due sets it."""


def artifact_asset(resource: Resource) -> dg.AssetsDefinition:
    """The artifact step of a resource."""
    key = artifact_key(resource)

    @dg.multi_asset(
        name=artifact_op_name(resource.name),
        specs=[
            dg.AssetSpec(
                key,
                description=f"{resource.description}\n\nThe bulk result as Shopify wrote it: one JSON node a line. "
                "From Shopify if the shop has a token, else from its inbox in the artifact store.",
                group_name="artifacts",
                owners=[OWNERS["artifacts"]],
                kinds={"shopify", "json"},
                tags={"neanelu/resource": resource.name, "neanelu/rows": "per-shop"},
                metadata={"dagster/column_schema": node_schema(resource), "dagster/storage_kind": "file"},
                # An export that is still under way brings nothing in this run: then what follows is skipped.
                skippable=True,
            )
        ],
        check_specs=[dg.AssetCheckSpec(SCOPE_CHECK, asset=key, description=SCOPE_CHECK_DESCRIPTION)],
        partitions_def=SHOPS,
        retry_policy=RETRIES,
        pool="shopify",
        op_tags={"neanelu/step": "artifact"},
    )
    def artifact(
        context: dg.AssetExecutionContext, config: ArtifactConfig, warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
        share: Share | None = None
        with step_faults(context, warehouse):
            if from_shopify(context, config, warehouse):
                share = brought(context, config, warehouse, resource)
            else:
                load = from_file(context, config, warehouse, resource)
        if share is None:
            yield materialized(load, {})
        elif isinstance(share, Brought):
            yield materialized(share.load, brought_figures(share))
        else:
            say_why_nothing_came(context, key, share)
        yield scope_check(key, share)

    return artifact


def from_shopify(context: dg.AssetExecutionContext, config: ArtifactConfig, warehouse: Warehouse) -> bool:
    """Whether this run asks Shopify."""
    from neanelu_pipelines.defs.exports.bring import comes_from_shopify

    if config.source is not None or config.as_of is not None:
        return False
    return config.export is not None or comes_from_shopify(warehouse.database, context.partition_key)


def brought(
    context: dg.AssetExecutionContext, config: ArtifactConfig, warehouse: Warehouse, resource: Resource
) -> Share:
    """The run's share of an export."""
    from neanelu_pipelines.defs.exports.bring import Asked, bring

    # An export that failed stays failed: tried again, the step begins a new one.
    given = config.export if context.retry_number == 0 else None
    asked = Asked(
        shop_domain=context.partition_key,
        resource=resource.name,
        dagster_run_id=context.run.run_id,
        first_run_id=context.run.root_run_id or context.run.run_id,
        export=UUID(given) if given else None,
    )
    return bring(warehouse.database, warehouse.settings, asked)


def from_file(
    context: dg.AssetExecutionContext, config: ArtifactConfig, warehouse: Warehouse, resource: Resource
) -> LoadRun:
    """The named file, or the newest of the inbox, in the artifact store."""
    from neanelu_pipelines.mirror import river

    return river.open_load(
        warehouse.database,
        warehouse.settings,
        shop_domain=context.partition_key,
        resource=resource.name,
        source=config.source,
        as_of=parse_moment(config.as_of),
        dagster_run_id=context.run.run_id,
    )


def materialized(load: LoadRun, more: Mapping[str, dg.MetadataValue]) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The artifact with its figures."""
    return dg.MaterializeResult(metadata={**artifact_figures(load), **more}, data_version=dg.DataVersion(load.sha256))


def node_schema(resource: Resource) -> dg.TableSchema:
    """The fields of each node type that a load takes, and the columns they become."""
    return column_schema(
        (
            f"{'/'.join(entity.node_types)}.{path}",
            column.kind.value,
            not column.required,
            f"Becomes {bare(entity.table)}.{column.name}.",
        )
        for entity in resource.entities
        for column in entity.columns
        for path in column.paths
    )
