"""The relations that nothing here materializes, as external assets: the catalogue is the whole schema.

Belongs here: their specs. Does not belong here: relations that a declared resource fills (`staging`, `mirror`).
"""

from collections.abc import Set as AbstractSet

import dagster as dg

from neanelu_pipelines.database.relations import Relation, relations
from neanelu_pipelines.defs.catalogue.specs import key_of, relation_spec
from neanelu_pipelines.defs.catalogue.writers import UPSTREAM, WRITERS


def external_specs(written: AbstractSet[str]) -> list[dg.AssetSpec]:
    """A spec for every relation that is not among the `written` ones."""
    names = {table.rpartition(".")[2] for table in written}
    return [_external_spec(relation) for relation in relations() if relation.name not in names]


def _external_spec(relation: Relation) -> dg.AssetSpec:
    writer = WRITERS[relation.name]
    return relation_spec(
        relation.name,
        deps=[key_of(table) for table in UPSTREAM.get(relation.name, ())],
        how=writer.value,
        tags={"neanelu/writer": writer.name.lower().replace("_", "-")},
    )
