"""sql/relations.json is what a migrated database says, and complete."""

import sys

import pytest

from neanelu_pipelines.database import relations as module
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.relations import as_json, main, read_relations, relations
from neanelu_pipelines.database.statements import sql_root


def test_the_file_equals_the_migrated_database(database: Database) -> None:
    with database.connect(Role.ADMIN) as connection:
        found = read_relations(connection)
    assert relations() == found, "run: python -m neanelu_pipelines.database.relations --write"
    assert (sql_root() / "relations.json").read_text(encoding="utf-8") == as_json(found)


def test_it_is_not_written_from_half_a_schema(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (sql_root() / "relations.json").read_bytes()
    monkeypatch.setattr(sys, "argv", ["relations", "--write"])
    monkeypatch.setattr(module, "open_database", lambda _: empty_database)
    with pytest.raises(SystemExit, match="run `neanelu migrate` first"):
        main()
    assert (sql_root() / "relations.json").read_bytes() == before


def test_it_holds_every_relation_of_the_schema() -> None:
    kinds = [relation.kind for relation in relations()]
    assert (kinds.count("table"), kinds.count("materialized view"), kinds.count("view")) == (66, 7, 1)


def test_everything_is_described() -> None:
    bare = [relation.name for relation in relations() if not relation.comment]
    bare += [f"{r.name}.{column.name}" for r in relations() for column in r.columns if not column.comment]
    assert not bare


def test_tenant_tables_are_told_from_global_ones() -> None:
    tenant = {relation.name for relation in relations() if relation.tenant}
    assert {"shops", "shopify_products", "inventory_current"} <= tenant
    assert not tenant & {"prod_master", "system_config", "oauth_states"}
