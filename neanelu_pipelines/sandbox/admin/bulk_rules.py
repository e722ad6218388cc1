"""What a bulk query may contain, with Shopify's words for what it may not.

Belongs here: the validators. Does not belong here: running a query (`bulk`). The first two messages and the syntax
error's are recorded; the others follow the documentation.
"""

from collections.abc import Iterator

from neanelu_pipelines.sandbox.admin.document import Operation, RequestError, Selected, Selection, read
from neanelu_pipelines.sandbox.admin.schema import SCOPES, Shape

_MAX_CONNECTIONS = 5
_MAX_DEPTH = 2
_MAX_BYTES = 65_535


class BulkQueryError(Exception):
    """The message of the `userErrors` entry."""


def checked(query: str, api_version: str) -> Operation:
    """The bulk query, read.

    Raises:
        BulkQueryError: it breaks a rule.
    """
    if len(query.encode()) > _MAX_BYTES:
        raise BulkQueryError(f"Query is too long (maximum is {_MAX_BYTES} bytes).")
    if not query.strip():
        raise BulkQueryError("Invalid bulk query: syntax error, unexpected end of file")
    try:
        operation = read(query, {}, api_version)
    except RequestError as error:
        raise BulkQueryError(f"Invalid bulk query: {error}") from error
    if operation.kind != "query":
        raise BulkQueryError("Invalid operation type. Only `query` operations are supported.")
    if operation.takes_variables:
        raise BulkQueryError("Invalid bulk query: bulk queries take no variables.")
    connections = list(_connections(operation.selection, 0, in_list=False))
    if not connections:
        raise BulkQueryError("Bulk queries must contain at least one connection.")
    if len(connections) > _MAX_CONNECTIONS:
        raise BulkQueryError(f"Bulk queries cannot contain more than {_MAX_CONNECTIONS} connections.")
    for part, depth, in_list in connections:
        _check(part, depth, in_list=in_list)
    return operation


def _connections(selection: Selection, depth: int, *, in_list: bool) -> Iterator[tuple[Selected, int, bool]]:
    for part in selection.all():
        if part.field.shape is Shape.CONNECTION:
            yield part, depth, in_list
            for node in nodes_of(part):
                yield from _connections(node, depth + 1, in_list=False)
        elif part.field.shape is not Shape.SCALAR:
            yield from _connections(part.selection, depth, in_list=in_list or part.field.shape is Shape.LIST)


def nodes_of(part: Selected) -> list[Selection]:
    """What a connection asks of its nodes."""
    edges = [one.selection for one in part.selection.all() if one.field.name == "edges"]
    return [one.selection for edge in edges for one in edge.all() if one.field.name == "node"]


def _check(part: Selected, depth: int, *, in_list: bool) -> None:
    name = part.field.name
    if in_list:
        raise BulkQueryError("Queries that contain a connection field within a list field are not currently supported.")
    if depth > _MAX_DEPTH:
        raise BulkQueryError(f"Bulk queries cannot contain connections nested deeper than {_MAX_DEPTH} levels.")
    if any(one.field.name == "nodes" for one in part.selection.all()) or not nodes_of(part):
        raise BulkQueryError(f"Bulk queries must select the 'edges' and 'node' fields of connections: {name}.")
    for node in nodes_of(part):
        nested = [one for one in _direct(node) if one.field.shape is Shape.CONNECTION]
        has_id = any(one.field.name == "id" and not one.aliased for one in node.all())
        if nested and not has_id:
            raise BulkQueryError(
                "The parent 'node' field for a nested connection must select the 'id' field without an alias and must "
                f"be of 'ID' return type. Connection fields without 'id': {nested[0].field.name}."
            )


def _direct(selection: Selection) -> Iterator[Selected]:
    for part in selection.all():
        yield part
        if part.field.shape is Shape.OBJECT:
            yield from _direct(part.selection)


def needed_scopes(selection: Selection) -> set[str]:
    """Every scope that the query's fields need."""
    found = set()
    for part in selection.all():
        scope = SCOPES.get((selection.type_name, part.field.name))
        if scope:
            found.add(scope)
        found |= needed_scopes(part.selection)
    return found
