"""A bulk result as a file in the artifact store, opened in the ledger.

Belongs here: the first step of a load, and whether it takes a file or asks Shopify. Does not belong here: copying a
file (`neanelu_pipelines.mirror`), an export (`exports`).
"""

from uuid import UUID

import dagster as dg

from neanelu_pipelines.defs.artifacts.moments import parse_moment
from neanelu_pipelines.defs.catalogue.specs import OWNERS, column_schema
from neanelu_pipelines.defs.exports.shares import Brought, Share, Waits
from neanelu_pipelines.defs.loads.keys import artifact_key, bare
from neanelu_pipelines.defs.loads.turns import Turn
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
    since_last: bool = False
    """Ask Shopify only for what changed since the resource's checkpoint (`sync_checkpoints`), and what is owed.

    Everything where there is no checkpoint yet, or where changes cannot be asked for by time.
    """


def artifact_spec(resource: Resource) -> dg.AssetSpec:
    """The spec of a resource's artifact."""
    return dg.AssetSpec(
        artifact_key(resource),
        description=f"{resource.description}\n\nThe bulk result as Shopify wrote it: one JSON node a line. "
        "From Shopify if the shop has a token, else from its inbox in the artifact store.",
        group_name="artifacts",
        owners=[OWNERS["artifacts"]],
        kinds={"shopify", "json"},
        tags={"neanelu/resource": resource.name, "neanelu/rows": "per-shop"},
        metadata={"dagster/column_schema": node_schema(resource), "dagster/storage_kind": "file"},
    )


def comes_from_a_file(config: ArtifactConfig, warehouse: Warehouse, turn: Turn) -> bool:
    """Whether a shop's load takes a file instead of asking Shopify."""
    from neanelu_pipelines.defs.exports.bring import comes_from_shopify

    if config.source is not None or config.as_of is not None:
        return True
    if config.export is not None or turn.windows:
        return False  # Of a file nobody knows which windows it holds.
    return not comes_from_shopify(warehouse.database, turn.shop)


def ask_shopify(
    config: ArtifactConfig, warehouse: Warehouse, turn: Turn, resource: Resource, run: dg.DagsterRun
) -> Share:
    """Take the shop's export as far as it goes now."""
    from neanelu_pipelines.defs.exports.bring import Asked, bring
    from neanelu_pipelines.mirror.asking import Reach

    turn.export = UUID(config.export) if config.export else None
    asked = Asked(
        shop_domain=turn.shop,
        resource=resource.name,
        dagster_run_id=run.run_id,
        first_run_id=run.root_run_id or run.run_id,
        export=turn.export,
        reach=Reach(turn.windows, since_last=config.since_last),
        again=turn.retries > 0,
    )
    share = bring(warehouse.database, warehouse.settings, asked, turn.began)
    if isinstance(share, Brought | Waits):
        turn.requests += share.requests
        turn.points += share.points
    return share


def open_file(config: ArtifactConfig, warehouse: Warehouse, shop: str, resource: Resource, run_id: str) -> LoadRun:
    """The named file, or the newest of the shop's inbox, in the artifact store."""
    from neanelu_pipelines.mirror import river

    return river.open_load(
        warehouse.database,
        warehouse.settings,
        shop_domain=shop,
        resource=resource.name,
        source=config.source,
        as_of=parse_moment(config.as_of),
        dagster_run_id=run_id,
    )


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
