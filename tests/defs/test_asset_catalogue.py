"""The catalogue: every relation of the schema is an asset with all that a person wants to know; changes show in a diff.

Write the snapshot anew with NEANELU_UPDATE_SNAPSHOTS=1, and look at the diff.
"""

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from neanelu_pipelines.database.relations import relations
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.catalogue.writers import UPSTREAM, WRITERS, Writer
from neanelu_pipelines.mirror.resources import RESOURCES

SNAPSHOT = Path(__file__).parent / "specs.json"


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build_defs()


@pytest.fixture(scope="module")
def specs(defs: dg.Definitions) -> list[dg.AssetSpec]:
    return list(defs.resolve_all_asset_specs())


def test_every_relation_is_an_asset_once(specs: list[dg.AssetSpec]) -> None:
    # Some write rows of a table that is products' first: their share of it is an asset of its own.
    shares = (["mirror", "files", "shopify_media"], ["mirror", "variant_media", "shopify_variant_media"])
    names = [spec.key.path[-1] for spec in specs if spec.key.path not in shares]
    wanted = [relation.name for relation in relations()]
    assert len(wanted) == 74
    assert {name: names.count(name) for name in wanted} == dict.fromkeys(wanted, 1)


def test_every_asset_says_what_it_is(specs: list[dg.AssetSpec]) -> None:
    for spec in specs:
        assert spec.description, spec.key
        assert spec.group_name, spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
        assert {tag for tag in spec.tags if tag.startswith("neanelu/")}, spec.key
        schema = spec.metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert schema.columns, spec.key
        assert all(column.description and column.type for column in schema.columns), spec.key
        if "postgres" in spec.kinds:
            assert spec.metadata["dagster/table_name"].rpartition(".")[2] == spec.key.path[-1]


def test_columns_are_the_schemas(specs: list[dg.AssetSpec]) -> None:
    by_name = {spec.key.path[-1]: spec for spec in specs}
    for relation in relations():
        shown = by_name[relation.name].metadata["dagster/column_schema"].columns
        assert [(column.name, column.type, column.description) for column in shown] == [
            (column.name, column.type, column.comment) for column in relation.columns
        ]


def test_who_writes_it_and_from_what_is_said_of_what_nothing_here_materializes(defs: dg.Definitions) -> None:
    names = {relation.name for relation in relations()}
    external = {key.path[-1] for key in defs.resolve_asset_graph().external_asset_keys}
    assert set(WRITERS) == external
    assert set(WRITERS.values()) == set(Writer), "a sentence that no relation shows"
    assert set(UPSTREAM) <= external
    assert {table for tables in UPSTREAM.values() for table in tables} <= names


def test_external_assets_say_who_writes_them(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.external_asset_keys:
        spec = graph.get(key).to_asset_spec()
        assert WRITERS[key.path[-1]].value in str(spec.description)


def test_mirror_tables_have_a_freshness_policy(specs: list[dg.AssetSpec]) -> None:
    others = {"staging", "artifacts"}
    loaded = [spec for spec in specs if spec.key.path[0] not in others and "neanelu/resource" in spec.tags]
    tables = {table.rpartition(".")[2] for resource in RESOURCES.values() for table in resource.mirror_tables}
    assert {spec.key.path[-1] for spec in loaded} == tables
    assert all(spec.freshness_policy for spec in loaded)


def test_the_specs_are_those_of_the_snapshot(defs: dg.Definitions) -> None:
    found = json.dumps(describe(defs), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("NEANELU_UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(found, encoding="utf-8")
    assert found == SNAPSHOT.read_text(encoding="utf-8"), "see this file's docstring"


def describe(defs: dg.Definitions) -> dict[str, Any]:
    """Keys, groups, dependencies, partitions, checks, automation, jobs, schedules and sensors; no prose."""
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    return {
        "assets": {
            node.key.to_user_string(): {
                "group": node.group_name,
                "kinds": sorted(node.kinds),
                "owners": list(node.owners),
                "tags": {name: value for name, value in sorted(node.tags.items()) if name.startswith("neanelu/")},
                "materializable": node.is_materializable,
                "deps": sorted(key.to_user_string() for key in node.parent_keys),
                "partitions": partitions_of(node.partitions_def),
                "checks": sorted(key.name for key in node.check_keys),
                "automation": repr(node.automation_condition) if node.automation_condition else None,
            }
            for node in sorted(graph.asset_nodes, key=lambda node: node.key.to_user_string())
        },
        "jobs": sorted(name for name in repository.job_names if not name.startswith("__")),
        "schedules": {item.name: item.cron_schedule for item in repository.schedule_defs},
        "sensors": {item.name: item.minimum_interval_seconds for item in repository.sensor_defs},
    }


def partitions_of(definition: dg.PartitionsDefinition | None) -> str | None:
    """By the name, or by the dimensions in their order."""
    if isinstance(definition, dg.MultiPartitionsDefinition):
        return " × ".join(definition.partition_dimension_names)
    return getattr(definition, "name", None)
