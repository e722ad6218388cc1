"""From a relation of the schema to an asset spec with everything that a person wants to know about it.

Belongs here: key, group, owner, kinds, tags and column schema. Does not belong here: what an asset is made from.
"""

from collections.abc import Iterable, Mapping
from functools import cache

import dagster as dg

from neanelu_pipelines.database.relations import Relation, relations

GROUPS: Mapping[str, str] = {
    "A": "system",
    "B": "mirror",
    "C": "ledger",
    "D": "catalog",
    "E": "attributes",
    "F": "ai",
    "G": "queue",
    "H": "audit",
    "I": "inventory",
    "J": "mirror",
    "K": "mirror",
    "L": "harvest",
    "M": "analytics",
}
"""The schema document's modules and the asset group of each. Media and menus are parts of a shop's mirror."""

OWNERS: Mapping[str, str] = {
    "system": "team:application",
    "mirror": "team:shopify-mirror",
    "ledger": "team:shopify-mirror",
    "staging": "team:shopify-mirror",
    "artifacts": "team:shopify-mirror",
    "inventory": "team:shopify-mirror",
    "catalog": "team:golden-record",
    "attributes": "team:golden-record",
    "harvest": "team:golden-record",
    "ai": "team:golden-record",
    "queue": "team:platform",
    "audit": "team:platform",
    "analytics": "team:platform",
}
"""Who is asked when an asset of the group is wrong."""


@cache
def relation_named(name: str) -> Relation | None:
    """The relation of the schema with that name, or None: what belongs to the loader alone is not in the document."""
    return next((relation for relation in relations() if relation.name == name), None)


def group_of(relation: Relation) -> str:
    """The relation's asset group."""
    return "staging" if relation.name.startswith("staging_") else GROUPS[relation.module]


def key_of(table: str) -> dg.AssetKey:
    """The key of a relation's asset: its group, then its name."""
    relation = relation_named(table)
    return dg.AssetKey([group_of(relation) if relation else "staging", table])


def column_schema(columns: Iterable[tuple[str, str, bool, str]]) -> dg.TableSchema:
    """A table schema of (name, type, nullable, description)."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=kind,
                description=description,
                constraints=dg.TableColumnConstraints(nullable=nullable),
            )
            for name, kind, nullable, description in columns
        ]
    )


def relation_spec(
    name: str,
    *,
    deps: Iterable[dg.AssetKey] = (),
    how: str = "",
    kinds: Iterable[str] = (),
    tags: Mapping[str, str] | None = None,
    freshness_policy: dg.FreshnessPolicy | None = None,
) -> dg.AssetSpec:
    """The spec of a relation's asset. `how` follows the document's words; `kinds` and `tags` stand beside its own.

    Raises:
        ValueError: the schema has no such relation.
    """
    relation = relation_named(name)
    if relation is None:
        raise ValueError(f"the schema has no {name}")
    group = group_of(relation)
    return dg.AssetSpec(
        key_of(name),
        deps=list(deps),
        description=f"{relation.comment}\n\n{how}" if how else relation.comment,
        group_name=group,
        owners=[OWNERS[group]],
        kinds=relation_kinds(relation) | set(kinds),
        tags={**relation_tags(relation), **(tags or {})},
        metadata=relation_metadata(relation),
        freshness_policy=freshness_policy,
    )


def relation_metadata(relation: Relation) -> dict[str, object]:
    """The metadata of a relation that no run changes."""
    return {
        "dagster/table_name": f"public.{relation.name}",
        "dagster/column_schema": column_schema(
            (column.name, column.type, column.nullable, column.comment) for column in relation.columns
        ),
        "dagster/storage_kind": "postgres",
    }


def relation_tags(relation: Relation) -> dict[str, str]:
    """Tags to filter the catalogue by."""
    return {"neanelu/module": relation.module, "neanelu/rows": "per-shop" if relation.tenant else "global"}


def relation_kinds(relation: Relation) -> set[str]:
    """The kinds that the graph shows on the asset."""
    return {"postgres", "table" if relation.kind == "table" else "view"}
