"""The documents that we send: export queries as files beside this module, and how values get into them.

Belongs here: reading a document by name, writing values into it as GraphQL literals, search strings, the small probe
of a query. A document holds variables (`$search`), which a bulk query may not: `inlined` replaces them in the parsed
text, so that a value can only ever become a literal. Does not belong here: the rules (`linter`), sending.
"""

import re
from collections.abc import Mapping
from copy import copy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from graphql import parse, print_ast
from graphql.language import (
    REMOVE,
    ArgumentNode,
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    NameNode,
    NonNullTypeNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    Visitor,
    visit,
)

from neanelu_pipelines.errors import NeaneluError

_FOLDER = Path(__file__).parent
_NAME = re.compile(r"[a-z_]+(/[a-z_]+)?")
_NEEDS_QUOTES = re.compile(r"[^A-Za-z0-9_.\-]")

_ROWS = frozenset({"edges", "nodes"})
_FIRST = ArgumentNode(name=NameNode(value="first"), value=IntValueNode(value="1"))

Value = str | int | bool | None

IN_ORDER = frozenset({"collections"})
"""Exports whose order of lines means something (a collection's products): only a grouped result promises one."""


class DocumentError(NeaneluError):
    """A document cannot be made: it does not exist, or a value does not fit."""


@cache
def document(name: str) -> str:
    """The text of the document `name`, with its variables.

    Raises:
        DocumentError: there is none; it lists those there are.
    """
    path = _FOLDER / f"{name}.graphql"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise DocumentError(f"There is no document {name!r}. There are: {', '.join(names())}.")
    return path.read_text(encoding="utf-8")


@cache
def names() -> tuple[str, ...]:
    """Every bulk query there is; what else is sent lies in folders of its own (`operations/poll`)."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.graphql")))


@cache
def paged() -> tuple[str, ...]:
    """Every export that is asked for page by page: its document is `paged/<name>`, and its variables stay in it."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("paged/*.graphql")))


@cache
def by_kind() -> tuple[str, ...]:
    """Every export that takes a bulk operation for each kind; `kinds/<name>` asks page by page which there are."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("kinds/*.graphql")))


@cache
def declares(query: str, variable: str) -> bool:
    """Whether a query takes this variable."""
    return any(
        definition.variable.name.value == variable
        for operation in parse(query).definitions
        if isinstance(operation, OperationDefinitionNode)
        for definition in operation.variable_definitions
    )


def literal(value: Value) -> str:
    """A value as GraphQL writes it; a text is escaped, whatever it holds.

    Raises:
        DocumentError: the text holds half a character (a lone surrogate), which UTF-8 cannot carry.
    """
    return print_ast(_node(value))


def inlined(text: str, values: Mapping[str, Value] | None = None) -> str:
    """The query with every variable replaced by its value; an argument whose value is None is left out.

    Raises:
        DocumentError: a variable has no value, or a value has no variable.
    """
    parsed = parse(text)
    given = dict(values or {})
    writer = _Writer(given)
    written: DocumentNode = visit(parsed, writer)
    if unused := given.keys() - writer.used:
        raise DocumentError(f"The query has no variable {_listed(unused)}.")
    return print_ast(written)


def probe(query: str) -> str | None:
    """A query for one row of the same search, to see what Shopify thinks of the search before a bulk operation.

    A filter that Shopify does not know fails open: everything is exported. It says so in a warning, which the start of
    a bulk operation does not show. None if the query searches for nothing.
    """
    _, root = _root_of(query)
    return one_row(query) if any(argument.name.value == "query" for argument in root.arguments) else None


def one_row(query: str) -> str:
    """A query for one row of the same list, of which it only asks what it is: whether it may be read at all."""
    operation, root = _root_of(query)
    one = FieldNode(
        name=root.name,
        arguments=(*root.arguments, _FIRST),
        directives=(),
        selection_set=_selected("edges", "node", "__typename"),
    )
    return print_ast(
        OperationDefinitionNode(
            operation=operation.operation,
            variable_definitions=(),
            directives=(),
            selection_set=SelectionSetNode(selections=(one,)),
        )
    )


def one_of_each(query: str) -> str:
    """The whole query for one row of every list in it: whether each of its fields may be read."""
    written: DocumentNode = visit(parse(query), _First())
    return print_ast(written)


def _root_of(query: str) -> tuple[OperationDefinitionNode, FieldNode]:
    operation = next(node for node in parse(query).definitions if isinstance(node, OperationDefinitionNode))
    return operation, next(field for field in operation.selection_set.selections if isinstance(field, FieldNode))


def between(field: str, start: datetime | None, end: datetime | None) -> str | None:
    """A search for rows whose `field` lies in the half-open window [start, end); None where both ends are open.

    Raises:
        DocumentError: a moment has no time zone.
    """
    terms = [
        f"{field}:{operator}{_quoted(_moment(moment))}" for operator, moment in ((">=", start), ("<", end)) if moment
    ]
    return " AND ".join(terms) or None


def _moment(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise DocumentError(f"The moment {moment.isoformat()} has no time zone; give one, such as +00:00.")
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _quoted(term: str) -> str:
    """A value in Shopify's search syntax, quoted where it holds more than letters, digits, `_`, `.` and `-`."""
    if not _NEEDS_QUOTES.search(term):
        return term
    escaped = term.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _selected(*path: str) -> SelectionSetNode:
    name, *rest = path
    below = _selected(*rest) if rest else None
    field = FieldNode(name=NameNode(value=name), arguments=(), directives=(), selection_set=below)
    return SelectionSetNode(selections=(field,))


def _node(value: Value) -> ValueNode:
    if value is None:
        return NullValueNode()
    if isinstance(value, bool):
        return BooleanValueNode(value=value)
    if isinstance(value, int):
        return IntValueNode(value=str(value))
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DocumentError(f"The value {value!r} holds half a character and cannot be sent.") from error
    return StringValueNode(value=value)


def _listed(names: Any) -> str:
    return ", ".join(f"${name}" for name in sorted(names))


class _First(Visitor):
    """Asks every connection for one row."""

    def enter_field(self, node: FieldNode, *_: object) -> FieldNode | None:
        """A connection is what has edges or nodes."""
        below = node.selection_set.selections if node.selection_set else ()
        if not any(isinstance(one, FieldNode) and one.name.value in _ROWS for one in below):
            return None
        asked = copy(node)
        asked.arguments = (*(one for one in node.arguments if one.name.value != _FIRST.name.value), _FIRST)
        return asked


class _Writer(Visitor):
    """Replaces variables by literals and takes their declarations away."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        super().__init__()
        self._values = values
        self.used: set[str] = set()

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> OperationDefinitionNode:
        """Forget what the operation declares, after seeing that each has a value."""
        declared = {definition.variable.name.value for definition in node.variable_definitions}
        if missing := declared - self._values.keys():
            raise DocumentError(f"The query needs a value for {_listed(missing)}.")
        required = {
            definition.variable.name.value
            for definition in node.variable_definitions
            if isinstance(definition.type, NonNullTypeNode)
        }
        if empty := {name for name in required if self._values[name] is None}:
            raise DocumentError(f"The query needs more than null for {_listed(empty)}.")
        bare = copy(node)
        bare.variable_definitions = ()
        return bare

    def enter_argument(self, node: ArgumentNode, *_: object) -> Any:
        """An argument without a value is not sent at all: null is not the same as absent everywhere."""
        if not isinstance(node.value, VariableNode):
            return None
        name = node.value.name.value
        self.used.add(name)
        return REMOVE if self._values.get(name) is None else None

    def enter_variable(self, node: VariableNode, *_: object) -> ValueNode:
        """The literal in its place."""
        name = node.name.value
        if name not in self._values:
            raise DocumentError(f"The query needs a value for {_listed([name])}.")
        self.used.add(name)
        return _node(self._values[name])
