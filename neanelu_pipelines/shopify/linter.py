"""What a bulk query may contain: Shopify's rules and ours, told before anything is sent.

Belongs here: reading a query's text and saying, sentence by sentence, which rule it breaks and where. A field is a
connection if its selection has the shape of one (`edges`, `nodes`, `pageInfo`). Does not belong here: whether fields
exist (the schema is not part of the product; a conformance test validates our documents against it), sending.

Shopify's rules (spec/shopify.md, "What a bulk query may contain") are those a query is refused for. Ours keep a result
readable: `__typename` and `id` on every node, no two connections of the same nodes under one parent, and a sort key
that fits the range filter, without which Shopify may time out or skip rows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import GraphQLError, parse
from graphql.language import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    Visitor,
    get_location,
    visit,
)

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.shapes import LISTS, WITHOUT_ID

MOST_BYTES = 65_535
MOST_CONNECTIONS = 5
DEEPEST = 2
_MOST_TOKENS = 20_000
_CONNECTION_SHAPE = frozenset({"edges", "nodes", "pageInfo"})
_RANGE = re.compile(r"(?<![\w.])([a-z_]+)\s*:\s*(?:[<>]=?)")


@dataclass(frozen=True)
class Breach:
    """One rule that a query breaks, as a sentence; line and column count from 1."""

    rule: str
    sentence: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.sentence}"


class BulkQueryError(NeaneluError):
    """A query that may not be sent as a bulk query; says each reason with its place."""

    def __init__(self, name: str, breaches: list[Breach]) -> None:
        self.breaches = breaches
        reasons = "\n".join(f"  {breach}" for breach in breaches)
        super().__init__(f"The bulk query {name} was not sent, because it breaks these rules:\n{reasons}")


def require_bulk_query(text: str, *, name: str = "given", spare: int = 0) -> None:
    """Refuse a query that breaks a rule, Shopify's or ours; it must leave room for `spare` more bytes.

    Raises:
        BulkQueryError: it does; it says every rule.
    """
    if found := lint(text, spare=spare):
        raise BulkQueryError(name, found)


def lint(text: str, *, ours: bool = True, spare: int = 0) -> list[Breach]:
    """Every rule that the query breaks, in the order of the text; `ours=False` asks for Shopify's rules alone."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES - spare:
        return [Breach("size", f"The query has {size:,} bytes; it may have {MOST_BYTES - spare:,}.")]
    try:
        breaches = _Reader(parse(text, max_tokens=_MOST_TOKENS), ours=ours).breaches()
    except GraphQLError as error:
        line, column = next(((place.line, place.column) for place in error.locations or ()), (1, 1))
        return [Breach("syntax", f"The query is not GraphQL: {error.message.rstrip('.')}.", line, column)]
    except RecursionError:
        return [Breach("syntax", "The query is nested too deeply to be read.")]
    return sorted(dict.fromkeys(breaches), key=lambda breach: (breach.line, breach.column, breach.rule))


@dataclass(frozen=True)
class _Connection:
    """A connection on the way to what is being read; `in_list` once a list was passed below it."""

    field: FieldNode
    depth: int
    selections: tuple[FieldNode, ...]


class _Reader:
    def __init__(self, document: DocumentNode, *, ours: bool) -> None:
        self._document = document
        self._ours = ours
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._found: list[Breach] = []
        self._connections = 0

    def breaches(self) -> list[Breach]:
        operations = [node for node in self._document.definitions if isinstance(node, OperationDefinitionNode)]
        self._operations(operations)
        if self._has_cycle():
            return self._found
        for operation in operations[:1]:
            self._roots(operation)
        visit(self._document, _VariableFinder(self))
        return self._found

    def say(self, rule: str, node: Node, sentence: str) -> None:
        """Note a breach at the place of `node`."""
        if node.loc is None:  # Text that was parsed has places.
            self._found.append(Breach(rule, sentence))
            return
        place = get_location(node.loc.source, node.loc.start)
        self._found.append(Breach(rule, sentence, place.line, place.column))

    def _operations(self, operations: list[OperationDefinitionNode]) -> None:
        if len(operations) != 1:
            self.say("operation", self._document, f"A bulk query is one query; this text has {len(operations)}.")
        for operation in operations:
            if operation.operation is not OperationType.QUERY:
                kind = operation.operation.value
                self.say("operation", operation, f"A bulk query is a query, not a {kind}.")

    def _has_cycle(self) -> bool:
        for name, fragment in self._fragments.items():
            if name in self._reached(fragment.selection_set, set()):
                self.say("fragments", fragment, f"The fragment {name} contains itself.")
                return True
        return False

    def _reached(self, selection: SelectionSetNode, seen: set[str]) -> set[str]:
        for spread in _spreads(selection):
            if spread not in seen and spread in self._fragments:
                seen.add(spread)
                self._reached(self._fragments[spread].selection_set, seen)
        return seen

    def _roots(self, operation: OperationDefinitionNode) -> None:
        roots = list(self._fields(operation.selection_set))
        if self._ours and len(roots) > 1:
            self.say(
                "one_root", roots[1], "A bulk query of ours asks for one root field, so that its rows can be counted."
            )
        for root in roots:
            if root.name.value in {"node", "nodes"}:
                self.say("root", root, f"A bulk query may not begin with `{root.name.value}`.")
            elif root.selection_set:
                self._field(root, None, ())
        if not self._connections:
            self.say("no_connection", operation, "A bulk query must contain at least one connection.")

    def _field(self, field: FieldNode, parent: _Connection | None, lists: tuple[str, ...]) -> None:
        """Read a field that has a selection; `lists` are those passed since the nearest connection."""
        below = tuple(self._fields(field.selection_set))
        if any(child.name.value in _CONNECTION_SHAPE for child in below):
            self._connection(field, below, parent, lists)
            return
        inside = (*lists, field.name.value) if field.name.value in LISTS else lists
        for child in below:
            if child.selection_set:
                self._field(child, parent, inside)

    def _connection(
        self, field: FieldNode, below: tuple[FieldNode, ...], parent: _Connection | None, lists: tuple[str, ...]
    ) -> None:
        name = field.name.value
        self._connections += 1
        if self._connections == MOST_CONNECTIONS + 1:
            self.say(
                "connections", field, f"`{name}` is connection number 6; a bulk query has at most {MOST_CONNECTIONS}."
            )
        if lists:
            self.say("list", field, f"The connection `{name}` stands inside the list `{lists[-1]}`.")
        depth = parent.depth + 1 if parent else 0
        if depth > DEEPEST:
            words = f"`{name}` is nested {depth} levels below the root connection; {DEEPEST} are allowed."
            self.say("depth", field, words)
        if parent:
            self._parent_has_id(field, parent)
        if self._ours:
            self._sort_key(field)
        self._edges(field, below, depth)

    def _edges(self, field: FieldNode, below: tuple[FieldNode, ...], depth: int) -> None:
        name = field.name.value
        for child in below:
            if child.name.value != "edges":
                words = f"The connection `{name}` may select `edges {{ node {{ … }} }}` only, not `{child.name.value}`."
                self.say("edges", child, words)
        # What stands under `nodes` is refused, but read all the same: one reading tells everything that is wrong.
        nodes = [child for child in below if child.name.value == "nodes"]
        for edges in (child for child in below if child.name.value == "edges"):
            for child in self._fields(edges.selection_set):
                if child.name.value == "node":
                    nodes.append(child)
                else:
                    words = f"The edges of `{name}` may select `node` only, not `{child.name.value}`."
                    self.say("edges", child, words)
        if not any(child.name.value == "edges" for child in below):
            self.say("edges", field, f"The connection `{name}` selects no `edges {{ node {{ … }} }}`.")
        for node in nodes:
            if node.selection_set:
                self._node(field, node, depth)

    def _node(self, connection: FieldNode, node: FieldNode, depth: int) -> None:
        selections = tuple(self._fields(node.selection_set))
        here = _Connection(connection, depth, selections)
        if self._ours:
            self._is_identified(connection, node, selections)
            self._are_told_apart(connection, selections)
        for child in selections:
            if child.selection_set:
                self._field(child, here, ())

    def _parent_has_id(self, field: FieldNode, parent: _Connection) -> None:
        if not any(_is_plain(child, "id") for child in parent.selections):
            words = (
                f"The nodes of `{parent.field.name.value}` hold the connection `{field.name.value}` but select no `id`"
            )
            self.say("parent_id", field, f"{words} under its own name.")

    def _is_identified(self, connection: FieldNode, node: FieldNode, selections: tuple[FieldNode, ...]) -> None:
        wanted = ["__typename"] if connection.name.value in WITHOUT_ID else ["__typename", "id"]
        for name in wanted:
            if not any(_is_plain(child, name) for child in selections):
                words = (
                    f"The nodes of `{connection.name.value}` select no `{name}`, by which their lines are told apart."
                )
                self.say("identity", node, words)

    def _are_told_apart(self, connection: FieldNode, selections: tuple[FieldNode, ...]) -> None:
        seen: set[str] = set()
        for child in self._connections_in(selections):
            name = child.name.value
            if name in seen:
                words = (
                    f"`{connection.name.value}` holds the connection `{name}` twice: their lines cannot be told apart."
                )
                self.say("twice", child, words)
            seen.add(name)

    def _connections_in(self, selections: tuple[FieldNode, ...]) -> Iterator[FieldNode]:
        for child in selections:
            below = tuple(self._fields(child.selection_set))
            if any(field.name.value in _CONNECTION_SHAPE for field in below):
                yield child
            else:
                yield from self._connections_in(below)

    def _sort_key(self, field: FieldNode) -> None:
        """A range filter (`updated_at:>=…`) needs its own sort key."""
        arguments = {argument.name.value: argument.value for argument in field.arguments}
        search, key = arguments.get("query"), arguments.get("sortKey")
        if not isinstance(search, StringValueNode):
            return
        sorted_by = key.value if isinstance(key, EnumValueNode) else None
        for name in dict.fromkeys(_RANGE.findall(search.value)):
            if sorted_by != name.upper():
                words = f"`{field.name.value}` filters by a range of `{name}` and must be sorted by it"
                self.say("sort_key", field, f"{words}: sortKey: {name.upper()}, not {sorted_by or 'none'}.")

    def _fields(self, selection: SelectionSetNode | None) -> Iterator[FieldNode]:
        """The fields of a selection, those in fragments included; the fragments are known to be free of cycles."""
        for part in selection.selections if selection else ():
            if isinstance(part, FieldNode):
                yield part
            elif isinstance(part, InlineFragmentNode):
                yield from self._fields(part.selection_set)
            elif isinstance(part, FragmentSpreadNode):
                fragment = self._fragments.get(part.name.value)
                if fragment is None:
                    self.say("fragments", part, f"There is no fragment {part.name.value}.")
                else:
                    yield from self._fields(fragment.selection_set)


class _VariableFinder(Visitor):
    """Variables have no values inside a bulk query."""

    def __init__(self, reader: _Reader) -> None:
        super().__init__()
        self._reader = reader

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        """Note it."""
        name = node.name.value
        self._reader.say("variable", node, f"A bulk query takes no variables; ${name} must be written out.")


def _is_plain(field: FieldNode, name: str) -> bool:
    return field.name.value == name and field.alias is None


def _spreads(selection: SelectionSetNode) -> Iterator[str]:
    for part in selection.selections:
        if isinstance(part, FragmentSpreadNode):
            yield part.name.value
        elif isinstance(part, (FieldNode, InlineFragmentNode)) and part.selection_set:
            yield from _spreads(part.selection_set)
