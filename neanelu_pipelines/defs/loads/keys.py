"""The names of a load: its asset keys, from the resource's declaration, its job and its configurable step.

Belongs here: names. Does not belong here: assets.
"""

from collections.abc import Set as AbstractSet

import dagster as dg

from neanelu_pipelines.defs.catalogue.specs import key_of, relation_named
from neanelu_pipelines.mirror.declarations import Resource


def artifact_key(resource: Resource) -> dg.AssetKey:
    """The bulk result as a file."""
    return dg.AssetKey(["artifacts", f"{resource.name}_jsonl"])


def months_key(resource: Resource) -> dg.AssetKey:
    """The bulk results of single months, where a resource is asked for by month."""
    return dg.AssetKey(["artifacts", f"{resource.name}_jsonl_by_month"])


def staging_key(resource: Resource, table: str) -> dg.AssetKey:
    """A staging table as this resource fills it; resources share some, so the resource is part of the key."""
    return dg.AssetKey(["staging", resource.name, bare(table)])


def mirror_key(resource: Resource, table: str) -> dg.AssetKey:
    """A mirror table; what the document has no table for stands with the mirror.

    An asset is made in one place: of a table that is another resource's first, it is this resource's share of it.
    """
    if table in resource.shared_tables:
        return dg.AssetKey(["mirror", resource.name, bare(table)])
    return key_of(bare(table)) if relation_named(bare(table)) else dg.AssetKey(["mirror", bare(table)])


def steps_of(resource: Resource, keys: AbstractSet[dg.AssetKey]) -> frozenset[str]:
    """Which steps of a load make these assets: artifacts, staging, mirror. Mirror tables stand in several groups."""
    keys_by_step = {
        "artifacts": {artifact_key(resource)},
        "staging": {staging_key(resource, table) for table in resource.staging_tables},
        "mirror": {mirror_key(resource, table) for table in resource.mirror_tables},
    }
    return frozenset(step for step, made in keys_by_step.items() if made & keys)


def bare(table: str) -> str:
    """The table's name without its schema."""
    return table.rpartition(".")[2]


def load_op_name(resource: str) -> str:
    """The name of a resource's step, under which a run's config addresses it."""
    return f"{resource}_load"


def load_job_name(resource: str) -> str:
    """The name of the job that loads a resource."""
    return f"load_{resource}"


def months_op_name(resource: str) -> str:
    """The name of the step that loads months of a resource."""
    return load_op_name(f"{resource}_by_month")


def months_job_name(resource: str) -> str:
    """The name of the job that loads months of a resource."""
    return load_job_name(f"{resource}_by_month")
