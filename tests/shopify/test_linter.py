"""The rules of bulk queries, and how values get into documents."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    build_schema,
    get_named_type,
    is_list_type,
    parse,
    validate,
    visit,
)
from graphql.language import FieldNode, OperationDefinitionNode, StringValueNode, Visitor
from graphql.type import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_nullable_type
from hypothesis import given
from hypothesis import strategies as st

from neanelu_pipelines.shopify import shapes
from neanelu_pipelines.shopify.documents import (
    DocumentError,
    between,
    by_kind,
    document,
    inlined,
    literal,
    names,
    one_of_each,
    paged,
    probe,
)
from neanelu_pipelines.shopify.linter import MOST_BYTES, BulkQueryError, lint, require_bulk_query
from neanelu_pipelines.shopify.queries import MOST_ONE_QUERY_MAY_COST, likely_cost, parsed

NODE = "edges { node { __typename id %s } }"
GOOD = "{ products { edges { node { __typename id variants { edges { node { __typename id sku } } } } } } }"
A_MONTH = between("updated_at", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
VALUES: dict[str, str] = {"search": A_MONTH or "", "type": "material"}


def nested(*fields: str) -> str:
    """A query of connections, each inside the one before it."""
    text = ""
    for field in reversed(fields):
        text = f"{field} {{ {NODE % text} }}"
    return "{ " + text + " }"


def filled(name: str) -> str:
    text = document(name)
    return inlined(text, {variable: value for variable, value in VALUES.items() if f"${variable}" in text})


BREACHES = [
    ("size", "{ products { edges { node { id } } } } #" + "x" * MOST_BYTES, 1),
    ("syntax", "{ products { edges { node { id } } }", 1),
    ("syntax", "", 1),
    ("operation", "mutation { products { edges { node { __typename id } } } }", 1),
    ("operation", f"query A {GOOD} query B {GOOD}", 1),
    ("no_connection", "{ shop { id } }", 1),
    ("root", '{ node(id: "gid://shopify/Product/1") { ... on Product { id } } }', 1),
    ("one_root", "{ shop { id }\n products { edges { node { __typename id } } } }", 2),
    ("edges", "{ products { nodes { __typename id } } }", 1),
    ("edges", "{ products { edges { node { __typename id } } pageInfo { hasNextPage } } }", 1),
    ("edges", "{ products { edges { cursor node { __typename id } } } }", 1),
    ("connections", GOOD.replace("sku", " ".join(f"c{i} {{ {NODE % ''} }}" for i in range(4))), 1),
    ("depth", nested("products", "variants", "media", "metafields"), 1),
    (
        "parent_id",
        "{ products {\n edges { node { __typename x: id\n media { edges { node { __typename id } } } } } } }",
        3,
    ),
    (
        "list",
        nested("orders").replace("id  }", "id refunds { refundLineItems { edges { node { __typename id } } } } }"),
        1,
    ),
    (
        "list",
        nested("orders").replace(
            "id  }", "id fulfillments { order { lineItems { edges { node { __typename id } } } } } }"
        ),
        1,
    ),
    ("identity", "{ products { edges { node { id } } } }", 1),
    ("identity", "{ products { edges { node { __typename id: handle } } } }", 1),
    (
        "twice",
        "{ products { edges { node { __typename id a: media { "
        + NODE % ""
        + " } b: media { "
        + NODE % ""
        + " } } } } }",
        1,
    ),
    ("sort_key", '{ orders(query: "updated_at:>=2026-01-01") { edges { node { __typename id } } } }', 1),
    (
        "sort_key",
        '{ orders(sortKey: CREATED_AT, query: "tag:a updated_at:<2026") { edges { node { __typename id } } } }',
        1,
    ),
    ("variable", "query A($q: String) { orders(query: $q) { edges { node { __typename id } } } }", 1),
    ("fragments", "{ products { edges { node { ...A } } } } fragment A on Product { ...A }", 1),
    ("fragments", "{ products { edges { node { __typename id ...A } } } }", 1),
]


@pytest.mark.parametrize(
    ("rule", "text", "line"), BREACHES, ids=[f"{rule}-{i}" for i, (rule, _, _) in enumerate(BREACHES)]
)
def test_each_rule_is_told_with_its_place(rule: str, text: str, line: int) -> None:
    told = [breach for breach in lint(text) if breach.rule == rule]
    assert told, lint(text)
    assert rule in {breach.rule for breach in told if line in {1, breach.line}}


def test_a_good_query_breaks_no_rule() -> None:
    assert lint(GOOD) == []
    assert lint(nested("products", "variants", "metafields")) == []


def test_a_fragment_counts_where_it_is_used() -> None:
    fragment = "fragment A on Product { __typename id media { nodes { __typename id } } }"
    text = "{ products { edges { node { ...A } } } } " + fragment
    assert {breach.rule for breach in lint(text)} == {"edges"}


def test_an_object_on_the_way_is_no_list() -> None:
    text = nested("productVariants").replace(
        "id  }", "id inventoryItem { inventoryLevels { edges { node { __typename id } } } } }"
    )
    assert lint(text) == []


def test_a_text_nested_without_end_is_refused_in_words() -> None:
    deep = "{ a" * 6000 + "}" * 6000
    assert [breach.rule for breach in lint(deep)] == ["syntax"]


def test_the_refusal_says_every_rule_and_place() -> None:
    with pytest.raises(BulkQueryError) as refused:
        require_bulk_query("{ products { nodes {\n id media { nodes { id } } } } }", name="products")
    assert "line 1, column 14" in str(refused.value)
    assert "line 2, column 13" in str(refused.value)


# Values --------------------------------------------------------------------------------------------------------------


@given(st.text())
def test_any_text_becomes_a_literal_that_reads_back_as_itself(text: str) -> None:
    parsed = parse(f"{{ a(b: {literal(text)}) }}").definitions[0]
    assert isinstance(parsed, OperationDefinitionNode)
    (field,) = parsed.selection_set.selections
    assert isinstance(field, FieldNode)
    value = field.arguments[0].value
    assert isinstance(value, StringValueNode)
    assert value.value == text


@given(st.text(alphabet=st.sampled_from('"\\\n\r\t{}$#\u2028é🌱\x00 ab')))
def test_no_value_changes_the_shape_of_the_query(text: str) -> None:
    query = inlined(document("metaobjects"), {"type": text})
    assert lint(query) == []
    root = parse(query).definitions[0].selection_set.selections[0]  # type: ignore[attr-defined]
    assert root.arguments[0].value.value == text


def test_half_a_character_is_refused() -> None:
    with pytest.raises(DocumentError, match="half a character"):
        literal("\ud800")


def test_an_argument_without_a_value_is_left_out() -> None:
    assert "query:" not in inlined(document("orders"), {"search": None})
    assert "sortKey: UPDATED_AT" in inlined(document("orders"), {"search": None})


def test_missing_and_unknown_values_are_refused() -> None:
    with pytest.raises(DocumentError, match=r"needs a value for \$type"):
        inlined(document("metaobjects"))
    with pytest.raises(DocumentError, match=r"more than null for \$type"):
        inlined(document("metaobjects"), {"type": None})
    with pytest.raises(DocumentError, match=r"no variable \$search"):
        inlined(document("publications"), {"search": "x"})
    with pytest.raises(DocumentError, match="There are: collections"):
        document("nothing")


def test_a_window_is_half_open_and_in_utc() -> None:
    bucharest = timezone(timedelta(hours=2))
    assert between("updated_at", datetime(2026, 1, 1, tzinfo=bucharest), None) == "updated_at:>='2025-12-31T22:00:00Z'"
    assert A_MONTH == "updated_at:>='2026-01-01T00:00:00Z' AND updated_at:<'2026-02-01T00:00:00Z'"
    assert between("updated_at", None, None) is None
    with pytest.raises(DocumentError, match="no time zone"):
        between("updated_at", datetime(2026, 1, 1), None)  # noqa: DTZ001


def test_a_probe_asks_the_same_search_for_one_row() -> None:
    asked = probe(filled("orders"))
    assert asked is not None
    assert "first: 1" in asked
    assert "sortKey: UPDATED_AT" in asked
    assert "updated_at:>='2026-01-01T00:00:00Z'" in asked
    assert "lineItems" not in asked
    assert probe(filled("publications")) is None


# Our documents, and what was recorded --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_each_document_keeps_the_rules(name: str) -> None:
    assert lint(filled(name)) == []


@pytest.fixture(scope="module")
def schema(shared: Path) -> GraphQLSchema:
    text = (shared / "data/shopify/admin_2025-10.graphql").read_text(encoding="utf-8")
    return build_schema(text, assume_valid=True)


def test_each_document_is_valid_in_the_schema(schema: GraphQLSchema) -> None:
    for name in names():
        assert validate(schema, parse(document(name))) == [], name
        assert validate(schema, parse(filled(name))) == [], name
        if asked := probe(filled(name)):
            assert validate(schema, parse(asked)) == [], name
        assert validate(schema, parse(one_of_each(filled(name)))) == [], name
        assert likely_cost(parsed(one_of_each(filled(name))), {}) < MOST_ONE_QUERY_MAY_COST / 4, name
    for name in (*(f"paged/{name}" for name in paged()), *(f"kinds/{name}" for name in by_kind())):
        assert validate(schema, parse(document(name))) == [], name
    for name in ("start", "poll", "recognize", "newest"):
        assert validate(schema, parse(document(f"operations/{name}"))) == [], name


class _NodeTypes(Visitor):
    """The node types of the connections under each connection of a query, as the schema knows them."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self._open: list[list[str]] = [[]]
        self.beside: list[list[str]] = self._open[:]

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        kind = get_named_type(self._info.get_type())
        if kind is not None and kind.name.endswith("Connection"):
            self._open[-1].append(kind.name)
            self._open.append([])
            self.beside.append(self._open[-1])

    def leave_field(self, node: FieldNode, *_: Any) -> None:
        kind = get_named_type(self._info.get_type())
        if kind is not None and kind.name.endswith("Connection"):
            self._open.pop()


def test_no_document_asks_for_the_same_nodes_twice_under_one_parent(schema: GraphQLSchema) -> None:
    """By name alone the linter sees a connection that is asked for twice; the schema knows their nodes."""
    for name in names():
        info = TypeInfo(schema)
        found = _NodeTypes(info)
        visit(parse(document(name)), TypeInfoVisitor(info, found))
        assert found.beside[0], name
        for kinds in found.beside:
            assert len(kinds) == len(set(kinds)), (name, kinds)


def fields(schema: GraphQLSchema) -> Iterator[tuple[str, Any, Any]]:
    """Every field that gives objects: its name, its type, and the named type."""
    for kind in schema.type_map.values():
        if not isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)) or kind.name.startswith("__"):
            continue
        if kind.name.endswith(("Connection", "Edge", "Payload")):
            continue
        for name, field in kind.fields.items():
            named = get_named_type(field.type)
            if isinstance(named, (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)):
                yield name, field.type, named


def test_the_names_of_lists_and_of_nodes_without_id_are_those_of_the_schema(schema: GraphQLSchema) -> None:
    lists = {name for name, kind, _ in fields(schema) if is_list_type(get_nullable_type(kind))}
    assert {name for name in lists if not name.endswith("Errors") and name != "nodes"} == shapes.LISTS
    identified: dict[str, set[bool]] = {}
    for name, _, named in fields(schema):
        if named.name.endswith("Connection"):
            edge: Any = get_named_type(named.fields["edges"].type)
            node: Any = get_named_type(edge.fields["node"].type)
            identified.setdefault(name, set()).add("id" in getattr(node, "fields", {}))
    assert {name for name, answers in identified.items() if answers == {False}} == shapes.WITHOUT_ID


def recorded(folder: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every bulk query in the recordings with what Shopify had against it; its being busy is not the query's fault."""

    def walk(value: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        if isinstance(value, list):
            for item in value:
                yield from walk(item)
        elif isinstance(value, dict):
            query, variables, response = (value.get(key) for key in ("query", "variables", "response"))
            if isinstance(query, str) and isinstance(variables, dict) and isinstance(response, dict):
                answer = (response.get("data") or {}).get("bulkOperationRunQuery")
                if answer and isinstance(variables.get("query"), str):
                    yield variables["query"], answer["userErrors"]
            for item in value.values():
                yield from walk(item)

    for path in sorted(folder.glob("*.json")):
        yield from walk(json.loads(path.read_text(encoding="utf-8")))


def test_what_shopify_took_passes_and_what_it_refused_does_not(shared: Path) -> None:
    taken = refused = 0
    for query, errors in recorded(shared / "data/shopify/bulk/captures"):
        if any(error.get("code") == "OPERATION_IN_PROGRESS" for error in errors):
            continue
        taken += not errors
        refused += bool(errors)
        assert bool(lint(query, ours=False)) == bool(errors), (query, errors, lint(query, ours=False))
    assert (taken, refused) >= (7, 3)
