"""A bulk result as a file in the artifact store, opened in the ledger.

Belongs here: the first step of a load. Does not belong here: fetching from Shopify (a step before it).
"""

import dagster as dg

from neanelu_pipelines.defs.artifacts.moments import parse_moment
from neanelu_pipelines.defs.catalogue.specs import OWNERS, column_schema
from neanelu_pipelines.defs.loads.faults import RETRIES, step_faults
from neanelu_pipelines.defs.loads.figures import artifact_figures
from neanelu_pipelines.defs.loads.keys import artifact_key, bare
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.declarations import Resource


class ArtifactConfig(dg.Config):
    """Which file a load takes."""

    source: str | None = None
    """Path or URL of a bulk JSONL, plain or gzip. Default: the newest of the shop's inbox in the artifact store.

    Dagster keeps a run's configuration: give a signed URL as `{env: NAME}`, in a variable of the code location.
    """
    as_of: str | None = None
    """When Shopify made the export (ISO 8601 with an offset). Rows that the mirror knows newer stay.

    Default: now: a file does not say when it was exported.
    """


def artifact_op_name(resource: Resource) -> str:
    """The step's name, under which a run's config addresses it."""
    return f"{resource.name}_artifact"


def artifact_asset(resource: Resource) -> dg.AssetsDefinition:
    """The artifact step of a resource."""

    @dg.multi_asset(
        name=artifact_op_name(resource),
        specs=[
            dg.AssetSpec(
                artifact_key(resource),
                description=f"{resource.description}\n\nThe bulk result as Shopify wrote it: one JSON node a line.",
                group_name="artifacts",
                owners=[OWNERS["artifacts"]],
                kinds={"shopify", "json"},
                tags={"neanelu/resource": resource.name, "neanelu/rows": "per-shop"},
                metadata={"dagster/column_schema": node_schema(resource), "dagster/storage_kind": "file"},
            )
        ],
        partitions_def=SHOPS,
        retry_policy=RETRIES,
        op_tags={"neanelu/step": "artifact"},
    )
    def artifact(
        context: dg.AssetExecutionContext, config: ArtifactConfig, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        from neanelu_pipelines.mirror import river

        with step_faults(context, warehouse):
            load = river.open_load(
                warehouse.database,
                warehouse.settings,
                shop_domain=context.partition_key,
                resource=resource.name,
                source=config.source,
                as_of=parse_moment(config.as_of),
                dagster_run_id=context.run.run_id,
            )
        return dg.MaterializeResult(metadata=artifact_figures(load), data_version=dg.DataVersion(load.sha256))

    return artifact


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
