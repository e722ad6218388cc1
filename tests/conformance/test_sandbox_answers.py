"""The sandbox against the real API's schema, and against every export query: what is asked for is answered."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, get_named_type, parse
from graphql.language import ast
from graphql.type import GraphQLInterfaceType, GraphQLList, GraphQLNonNull, GraphQLObjectType, is_leaf_type

from neanelu_pipelines.sandbox.admin import GeneratedShop, Pace, Sandbox
from neanelu_pipelines.sandbox.admin import schema as ours
from neanelu_pipelines.sandbox.shop.rest import body_of
from tests.sandbox.admin_client import AdminClient

SHOPIFY = Path(__file__).parents[3] / "shared" / "data" / "shopify"
QUERIES = sorted((SHOPIFY / "queries").glob("*.graphql"))
DOCUMENTS = sorted((Path(__file__).parents[2] / "neanelu_pipelines" / "shopify" / "documents").glob("*.graphql"))
DOMAIN = "gradina.myshopify.com"

pytestmark = pytest.mark.skipif(not SHOPIFY.is_dir(), reason="needs ../shared/data/shopify")


@cache
def theirs() -> GraphQLSchema:
    return build_schema((SHOPIFY / "admin_2025-10.graphql").read_text(encoding="utf-8"), assume_valid=True)


@pytest.fixture(scope="module")
def admin() -> Iterator[AdminClient]:
    shop = GeneratedShop(DOMAIN, seed=2, products=120, orders=120, customers=60, collections=12, files=60)
    with Sandbox([shop]) as sandbox:
        yield AdminClient(sandbox, DOMAIN)


def is_list(kind: Any) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def differences(type_name: str) -> Iterator[str]:
    real = theirs().type_map.get(type_name)
    if not isinstance(real, (GraphQLObjectType, GraphQLInterfaceType)):
        yield f"{type_name} is not a type of the API"
        return
    for name, field in ours.fields_of(type_name).items():
        if name in ours.NEW_IN_2026:
            continue
        if name not in real.fields:
            yield f"{type_name}.{name} does not exist"
            continue
        kind = real.fields[name].type
        if (field.shape is ours.Shape.SCALAR) != is_leaf_type(get_named_type(kind)):
            yield f"{type_name}.{name} is {kind}"
        elif field.shape is not ours.Shape.SCALAR and (get_named_type(kind).name, is_list(kind)) != (
            field.type_name,
            field.shape is ours.Shape.LIST,
        ):
            yield f"{type_name}.{name} is {kind}, not {field.type_name}"
        unknown = field.arguments - set(real.fields[name].args)
        if unknown:
            yield f"{type_name}.{name} takes no {sorted(unknown)}"


def test_the_sandbox_has_no_type_field_or_argument_that_the_api_has_not() -> None:
    assert [line for name in ours.type_names() for line in differences(name)] == []


def test_what_stands_behind_an_abstract_type_does_so_in_the_api() -> None:
    for abstract, concrete in ours.ABSTRACT.items():
        possible = {kind.name for kind in theirs().get_possible_types(theirs().type_map[abstract])}  # type: ignore[arg-type]
        assert concrete <= possible


def selections(node: ast.SelectionSetNode | None) -> Iterator[tuple[ast.FieldNode, str | None]]:
    """The fields of a selection set; the type of those nodes that have them, where not all do."""
    for item in node.selections if node else ():
        if isinstance(item, ast.FieldNode):
            yield item, None
        elif isinstance(item, ast.InlineFragmentNode):
            assert item.type_condition is not None
            yield from ((field, item.type_condition.name.value) for field, _ in selections(item.selection_set))


def check(value: Any, node: ast.SelectionSetNode, path: str) -> None:
    for field, only in selections(node):
        name = (field.alias or field.name).value
        if field.selection_set and any(one.name.value == "edges" for one, _ in selections(field.selection_set)):
            continue
        if only and only != value.get("__typename", only):
            continue
        assert name in value, f"{path}.{name} is missing"
        for one in value[name] if isinstance(value[name], list) else [value[name]]:
            if field.selection_set and one is not None:
                check(one, field.selection_set, f"{path}.{name}")


def connections(node: ast.SelectionSetNode, depth: int = 0) -> Iterator[tuple[ast.SelectionSetNode, int]]:
    """What each connection of a query asks of its nodes, and how deep it stands."""
    for field, _ in selections(node):
        edges = [one for one, _ in selections(field.selection_set) if one.name.value == "edges"]
        for edge in edges:
            for inner, _ in selections(edge.selection_set):
                assert inner.selection_set
                yield inner.selection_set, depth
                yield from connections(inner.selection_set, depth + 1)
        if not edges and field.selection_set:
            yield from connections(field.selection_set, depth)


def bulk_query(path: Path) -> tuple[str, ast.SelectionSetNode]:
    """The query as it would be sent in bulk: without a head, its variables put in."""
    text = path.read_text(encoding="utf-8").replace('"TYPE"', '"producator"')
    text = text.replace("type: $type", 'type: "producator"').replace(", query: $search", "")
    (definition,) = (one for one in parse(text).definitions if isinstance(one, ast.OperationDefinitionNode))
    place = definition.selection_set.loc
    assert place
    return text[place.start : place.end], definition.selection_set


def fits(line: dict[str, Any], node: ast.SelectionSetNode) -> bool:
    keys = {(field.alias or field.name).value for field, _ in selections(node)}
    if not set(line) - {"__parentId"} <= keys:
        return False
    try:
        check(line, node, line["__typename"])
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("path", [*QUERIES, *DOCUMENTS], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_field_of_every_export_query_is_answered(admin: AdminClient, path: Path) -> None:
    body, selected = bulk_query(path)
    if "NONBULK" in path.name:
        product = admin.data("{ products(first: 1, reverse: true) { nodes { id } } }")["products"]["nodes"][0]["id"]
        admin.sandbox.shop(DOMAIN).delete(product)
        edges = admin.data(body)["deletionEvents"]["edges"]
        assert list(edges[0]["node"]) == ["occurredAt", "subjectId", "subjectType"]
        return
    lines = admin.nodes(body)
    met = set()
    for line in lines:
        fitting = [
            place
            for place, (node, depth) in enumerate(connections(selected))
            if (depth > 0) == ("__parentId" in line) and fits(line, node)
        ]
        assert fitting, f"answers no connection of the query: {line}"
        met.update(fitting)
    assert len(met) == len(list(connections(selected))), "a connection of the query has no lines at all"


def misfits(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    """Where a webhook's body is not what its JSON Schema describes: unknown names, other types.

    The schemas are drawn from samples: what was never null there may be null, whole numbers may not be.
    """
    if value is None:
        return
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    kind = names[type(value)]
    numbers = {"integer", "number"}
    if kinds and kind not in kinds and not (kind in numbers and numbers & set(kinds)):
        yield f"{path} is {kind}, not {kinds}"
    elif kind == "object":
        for name, inner in value.items():
            if "properties" in schema and name not in schema["properties"]:
                yield f"{path}.{name} is unknown"
            else:
                yield from misfits(inner, schema.get("properties", {}).get(name, {}), f"{path}.{name}")
    elif kind == "array" and isinstance(schema.get("items"), dict):
        for inner in value:
            yield from misfits(inner, schema["items"], f"{path}[]")


@pytest.mark.parametrize(
    ("topic", "field"),
    [
        ("products/update", "products"),
        ("orders/updated", "orders"),
        ("customers/update", "customers"),
        ("collections/update", "collections"),
        ("inventory_items/update", "inventoryItems"),
        ("locations/update", "locations"),
    ],
)
def test_the_bodies_of_webhooks_are_those_of_the_schemas(admin: AdminClient, topic: str, field: str) -> None:
    schema = json.loads((SHOPIFY / "webhooks" / "schemas" / "2025-10" / f"{topic}.json").read_text(encoding="utf-8"))
    shop = admin.sandbox.shop(DOMAIN)
    rows = shop.rows(field, {"includeInactive": True, "includeLegacy": True})
    wrong = {line for index in rows.indexes() for line in misfits(body_of(rows.node(int(index))), schema, topic)}
    assert wrong == set()


NOT_STOOD_IN_FOR = ("invalidStatusExpired", "invalidStatusUnknown", "invalidOperationType", "idRejected")
"""Wrong values of the arguments of `bulkOperations`, which nothing here reads."""


def recorded_refusals() -> Iterator[tuple[str, dict[str, Any]]]:
    """Recorded calls of bulkOperationRunQuery, and reads of operations, that were refused."""

    def walk(value: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(value, dict):
            text = value.get("query")
            asked = isinstance(text, str) and ("bulkOperationRunQuery(" in text or "bulkOperations(" in text)
            if asked and isinstance(value.get("response"), dict) and "bulkOperationRunMutation" not in str(text):
                yield where, value
            for name, inner in value.items():
                yield from walk(inner, f"{where}/{name}")

    for path in sorted((SHOPIFY / "bulk" / "captures").glob("*.json")):
        for where, call in walk(json.loads(path.read_text(encoding="utf-8")), path.stem):
            body = call["response"]
            refused = [one for root in (body.get("data") or {}).values() if root for one in root.get("userErrors", [])]
            told = body.get("errors") or refused or "search" in body.get("extensions", {})
            if told and not where.endswith(NOT_STOOD_IN_FOR):
                yield where, call


def said(body: dict[str, Any]) -> dict[str, Any]:
    """What a refusal says, without the ids of running operations and places in the document."""
    data = body.get("data") or {}
    refused = [one for root in data.values() if root for one in root.get("userErrors", [])]
    for one in refused:
        one["message"] = one["message"].partition("gid://")[0]
    errors = [{"message": one["message"], "extensions": one["extensions"]} for one in body.get("errors", [])]
    search = (
        [{"warnings": one["warnings"], "parsed": one["parsed"]} for one in body["extensions"].get("search", [])]
        if "extensions" in body
        else []
    )
    return {"refused": refused, "errors": errors, "search": search}


def test_recorded_refusals_are_worded_as_recorded() -> None:
    calls = list(recorded_refusals())
    assert len(calls) > 5
    wrong = {}
    for where, call in calls:
        version = "2025-10" if "progress" in where else "2026-04"
        with Sandbox([GeneratedShop(DOMAIN, products=2)], pace=Pace(running=30)) as sandbox:
            client = AdminClient(sandbox, DOMAIN, version)
            if "progress" in where:
                client.start("{ products { edges { node { id } } } }")
            answered = client.ask(call["query"], **call["variables"])
        if said(answered) != said(call["response"]):
            wrong[where] = (said(answered), said(call["response"]))
    assert wrong == {}
