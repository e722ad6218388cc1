"""The migrated database is the schema document's, but for what sql/deviations.toml gives a reason for.

Both directions: nothing of the document is missing or different, nothing is there that it does not know, and no
deviation is declared that is none. The document is made literally in a schema of its own beside the product's, so that
PostgreSQL itself puts types, defaults, expressions and queries of both sides into one form.
"""

import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import sql_root
from tests.conformance import catalog
from tests.conformance.schema_document import Document

Facts = dict[str, str]
ABSENT = "(absent)"
DEVIATIONS = tomllib.loads((sql_root() / "deviations.toml").read_text(encoding="utf-8"))["deviation"]


@pytest.fixture
def document(shared: Path) -> Document:
    return Document(shared / "spec" / "database-schema-v2.6.md")


@pytest.fixture
def differences(database: Database, document: Document) -> dict[str, tuple[str, str]]:
    """Fact -> what the document says, what the database is."""
    with database.connect(Role.ADMIN, autocommit=True) as connection:
        product = catalog.keys(connection) | catalog.shape(connection, "public")
        said = _said(connection, document)
    # Comments are compared where the document has a description.
    product = {f: v for f, v in product.items() if not f.startswith("comment ") or f in said}
    facts = said.keys() | product.keys()
    pairs = {fact: (said.get(fact, ABSENT), product.get(fact, ABSENT)) for fact in facts}
    return {fact: pair for fact, pair in pairs.items() if pair[0] != pair[1]}


def _said(connection: psycopg.Connection, document: Document) -> Facts:
    document.build(connection)
    said = document.facts()
    for name, statement in document.index_statements():
        try:
            connection.execute(statement)
        except errors.UndefinedColumn:
            said[f"index {name}"] = statement
        except errors.DuplicateTable:
            said |= _again(connection, name, statement)
    for table, name, condition in document.policies():
        connection.execute(f"CREATE POLICY {name} ON document.{table} USING ({condition})")
        said[f"policy {table} {name}"] = "using " + _expression(connection, name)
    return said | catalog.shape(connection, "document")


def _again(connection: psycopg.Connection, name: str, statement: str) -> Facts:
    """An index that the document defines twice: a fact of its own if the second definition is another one."""
    first = _definition(connection, name)
    other = f"{name}_again"
    connection.execute(statement.replace(name, other))
    second = _definition(connection, other).replace(other, name)
    connection.execute(f"DROP INDEX document.{other}")
    return {} if first == second else {f"index {name} (second definition)": second.replace("document.", "")}


def _definition(connection: psycopg.Connection, index: str) -> str:
    row = connection.execute("SELECT pg_get_indexdef(to_regclass(%s))", [f"document.{index}"]).fetchone()
    assert row
    return str(row[0])


def _expression(connection: psycopg.Connection, policy: str) -> str:
    row = connection.execute(
        "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = %s AND polrelid IN"
        " (SELECT oid FROM pg_class WHERE relnamespace = 'document'::regnamespace)",
        [policy],
    ).fetchone()
    assert row
    return " ".join(row[0].split())


def test_the_document_is_read_whole(document: Document) -> None:
    assert len(document.tables) == 66
    columns = sum(len(table.columns) for table in document.tables)
    composite = sum(1 for table in document.tables if "| PRIMARY KEY" in _section(document.text, table.name))
    assert columns + composite == 939  # the document's own count takes the rows "PRIMARY KEY" for columns
    assert sum(len(table.indexes) for table in document.tables) == 201


def _section(text: str, table: str) -> str:
    return text.split(f"### Table: `{table}`")[1].split("\n### ", maxsplit=1)[0]


def test_every_difference_has_a_reason(differences: dict[str, tuple[str, str]]) -> None:
    unexplained = [
        f"{fact}\n    document: {said}\n    database: {found}"
        for fact, (said, found) in sorted(differences.items())
        if not any(_covers(deviation, fact, said, found) for deviation in DEVIATIONS)
    ]
    assert not unexplained, "\n".join(["not in sql/deviations.toml:", *unexplained])


def test_every_deviation_is_a_difference(differences: dict[str, tuple[str, str]]) -> None:
    idle = [
        fact
        for deviation in DEVIATIONS
        for fact in deviation["facts"]
        if not any(_covers(deviation | {"facts": [fact]}, name, *pair) for name, pair in differences.items())
    ]
    assert not idle, f"sql/deviations.toml explains what is no difference: {idle}"


def test_every_deviation_says_why() -> None:
    assert all(len(deviation["reason"]) > 20 for deviation in DEVIATIONS)


def test_a_deviation_for_many_facts_says_what_they_are() -> None:
    """A pattern without the values it stands for would excuse anything."""
    for deviation in DEVIATIONS:
        if any("*" in fact for fact in deviation["facts"]):
            assert "database" in deviation, deviation["facts"]


def _covers(deviation: dict[str, str | list[str]], fact: str, said: str, found: str) -> bool:
    expected = {"document": said, "database": found}
    return any(fnmatchcase(fact, pattern) for pattern in deviation["facts"]) and all(
        fnmatchcase(value, str(deviation[side])) for side, value in expected.items() if side in deviation
    )


ENUMS = {
    "shopify_products.status": "ProductStatus",
    "shopify_orders.financial_status": "OrderDisplayFinancialStatus",
    "shopify_orders.fulfillment_status": "OrderDisplayFulfillmentStatus",
    "shopify_customers.state": "CustomerState",
    "shopify_variants.inventory_policy": "ProductVariantInventoryPolicy",
    "shopify_variants.weight_unit": "WeightUnit",
    "shopify_media.media_type": "MediaContentType",
}
OURS = {"shopify_media.media_type": {"GENERIC_FILE"}}
"""Values that no enum has: files that are no media."""


@pytest.mark.parametrize(("column", "enum"), ENUMS.items())
def test_checks_hold_the_values_of_the_api_version(database: Database, shared: Path, column: str, enum: str) -> None:
    schema = (shared / "data" / "shopify" / "admin_2025-10.graphql").read_text(encoding="utf-8")
    body = re.search(rf"^enum {enum} \{{(.*?)^\}}", schema, re.DOTALL | re.MULTILINE)
    assert body
    values = set(re.findall(r"^  ([A-Z_0-9]+)$", re.sub(r'""".*?"""', "", body[1], flags=re.DOTALL), re.MULTILINE))
    with database.connect(Role.ADMIN) as connection:
        check = catalog.shape(connection, "public")[f"check {column}"]
    assert set(re.findall(r"'(\w+)'", check)) == values | OURS.get(column, set())
