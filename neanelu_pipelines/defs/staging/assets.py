"""The staging tables of a load, as assets.

Belongs here: their specs. Does not belong here: their checks (`checks`), filling them (`neanelu_pipelines.mirror`).
"""

import dagster as dg

from neanelu_pipelines.defs.catalogue.specs import (
    OWNERS,
    column_schema,
    relation_kinds,
    relation_metadata,
    relation_named,
)
from neanelu_pipelines.defs.loads.keys import artifact_key, bare, staging_key
from neanelu_pipelines.mirror.declarations import Resource

LOADER_COLUMNS = {
    "bulk_run_id": ("uuid", "The load, in the ledger."),
    "shop_id": ("uuid", "The shop."),
    "line_number": ("bigint", "The line of the artifact it was read from."),
    "fingerprint": ("bigint", "A hash of the lines it was made from."),
}
"""What every staging table of the loader has besides the columns of its declaration."""


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
