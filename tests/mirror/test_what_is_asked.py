"""What the documents ask for is what the declarations read: the rest would be fetched, kept and thrown away nightly."""

from collections.abc import Iterator

import pytest
from graphql import parse
from graphql.language import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode

from neanelu_pipelines.mirror.declarations import Column, Entity, Kind, Link, Shape
from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.sandbox.admin import schema
from neanelu_pipelines.shopify.documents import document, paged

IDENTITY = {"__typename", "id"}
"""Each line says what and whose it is, whether a column takes that or not."""


def leaves(asked: SelectionSetNode, kind: str, node: str, path: str = "") -> Iterator[tuple[str, str]]:
    """The node type and the dotted path in it of every value that is asked for; `node` stands for all its kinds."""
    for one in asked.selections:
        if isinstance(one, InlineFragmentNode):
            narrow = one.type_condition.name.value
            yield from leaves(one.selection_set, narrow, node if path else narrow, path)
        elif isinstance(one, FieldNode) and one.name.value != "__typename":
            field = schema.fields_of(kind)[one.name.value]
            here = f"{path}.{one.name.value}".lstrip(".")
            if one.selection_set is None:
                yield from ((concrete, here) for concrete in schema.ABSTRACT.get(node, {node}))
            elif field.shape is schema.Shape.CONNECTION:
                yield from leaves(nodes_of(one.selection_set), *[field.type_name.removesuffix("Connection")] * 2)
            else:
                yield from leaves(one.selection_set, field.type_name, node, here)


def nodes_of(connection: SelectionSetNode) -> SelectionSetNode:
    """What is asked of a connection's nodes, with edges or without."""
    found = {one.name.value: one for one in connection.selections if isinstance(one, FieldNode)}
    (asked,) = (found[name].selection_set for name in ("edges", "nodes", "node") if name in found)
    assert asked
    return nodes_of(asked) if "edges" in found else asked


def values(shape: Shape, path: str) -> Iterator[str]:
    """The dotted paths of the values in a JSON value of that shape."""
    if isinstance(shape, dict):
        for name, inner in shape.items():
            yield from values(inner, f"{path}.{name}")
    elif isinstance(shape, list):
        yield from values(shape[0], path)
    else:
        yield path


def read(column: Column) -> Iterator[str]:
    """The dotted paths of the values that a column is made of."""
    for path in column.paths:
        names: list[str] = []
        for segment in path.split("."):
            name, picks, _ = segment.partition("=")
            if picks:
                yield ".".join([*names, name])
            elif not segment.isdigit():
                names.append(name)
        whole = column.kind in (Kind.JSON, Kind.TEXT_ARRAY) and path in column.sources
        yield from values(column.shape if whole else "text", ".".join(names))


def unread(name: str) -> set[tuple[str, str]]:
    """What the document asks for and the declaration has no use for."""
    text = document(f"paged/{name}" if name in paged() else name)
    (operation,) = (one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode))
    asked = set(leaves(operation.selection_set, "QueryRoot", "QueryRoot"))
    taken: set[tuple[str, str]] = set()
    for part in (part for entity in RESOURCES[name].entities for part in entity.parts if not isinstance(part, Link)):
        columns = part.columns if isinstance(part, Entity) else part.members
        paths = {path for column in columns for path in read(column)} | IDENTITY
        if not isinstance(part, Entity):
            paths.update(part.key_paths)
        taken.update((kind, path) for kind in part.node_types for path in paths)
    assert asked & taken
    return {(kind, path) for kind, path in asked - taken if path not in IDENTITY}


@pytest.mark.parametrize("name", RESOURCES)
def test_a_document_asks_for_nothing_that_no_column_is_made_of(name: str) -> None:
    assert unread(name) == set()
