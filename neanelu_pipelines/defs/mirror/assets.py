"""The mirror tables of a load, as assets.

Belongs here: their specs, and what is counted in them after a merge. Does not belong here: the merge itself
(`neanelu_pipelines.mirror`).
"""

from datetime import timedelta

import dagster as dg
from psycopg import sql

from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.catalogue.specs import OWNERS, column_schema, relation_named, relation_spec
from neanelu_pipelines.defs.loads.keys import bare, mirror_key, staging_key
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.declarations import CHILDREN_STAGING, LINKS_STAGING, Resource
from neanelu_pipelines.mirror.reports import LineCounts, LoadRun, StageReport

FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=48), warn_window=timedelta(hours=26))
"""A mirror is loaded daily: late after a day and two hours, failed after two days. Dagster looks at the table's last
materialization, whichever shop's; `neanelu status` says it per shop."""


def count_rows(warehouse: Warehouse, load: LoadRun, table: str) -> int:
    """How many rows the shop has in a mirror table, as the tenant sees it."""
    with warehouse.database.tenant(load.shop_id) as connection:
        query = statement("defs/count_rows").format(table=sql.Identifier(*table.split(".")))
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def staged_lines(warehouse: Warehouse, load: LoadRun) -> LineCounts:
    """The fate of the load's lines, as its staging left it in the ledger."""
    from neanelu_pipelines.mirror import ledger

    with ledger.opened(warehouse.database) as book:
        metadata = ledger.step_metadata(book, load, ledger.STAGE)
    return StageReport.of(metadata).total if metadata else LineCounts()


def staging_of(resource: Resource, table: str) -> list[str]:
    """The staging tables whose rows end in a mirror table: the lineage as it is, not what one merge happens to read."""
    sources: list[str] = []
    for entity in resource.entities:
        if table in (entity.table, *(part.table for part in entity.unfolded)):
            sources += [entity.staging, *([CHILDREN_STAGING] if entity.children else [])]
        if any(link.table == table for link in entity.links):
            sources.append(LINKS_STAGING)
    return list(dict.fromkeys(sources))


def mirror_spec(resource: Resource, table: str) -> dg.AssetSpec:
    """The spec of one mirror table, or of the ledger of one."""
    if relation_named(bare(table)) is None:
        return _own_spec(resource, table)
    recorded = [mirror_key(resource, entity.table) for entity in resource.entities if entity.ledger == table]
    spec = relation_spec(
        bare(table),
        deps=[*(staging_key(resource, staging) for staging in staging_of(resource, table)), *recorded],
        kinds={"shopify"},
        tags={"neanelu/resource": resource.name},
        freshness_policy=FRESHNESS,
    )
    return spec.replace_attributes(key=mirror_key(resource, table))


def _own_spec(resource: Resource, table: str) -> dg.AssetSpec:
    """A mirror table that the document does not have: what it is stands in its declaration."""
    entity = resource.entity(table)
    return dg.AssetSpec(
        mirror_key(resource, table),
        deps=[staging_key(resource, staging) for staging in staging_of(resource, table)],
        description=f"A mirror table beside the document's: {', '.join(entity.node_types)} of {resource.name}.",
        group_name="mirror",
        owners=[OWNERS["mirror"]],
        kinds={"postgres", "table", "shopify"},
        tags={"neanelu/resource": resource.name, "neanelu/rows": "per-shop"},
        metadata={
            "dagster/table_name": table,
            "dagster/column_schema": column_schema(
                (column.name, column.kind.value, not column.required, f"From {', '.join(column.paths)}.")
                for column in entity.columns
            ),
            "dagster/storage_kind": "postgres",
        },
        freshness_policy=FRESHNESS,
    )
