"""A GraphQL document made into selections: parsed, checked against the schema, arguments and fragments put in.

Belongs here: what a request asks for. Does not belong here: what the answer is (`answer`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSyntaxError, parse
from graphql.language import ast
from graphql.utilities import value_from_ast_untyped

from neanelu_pipelines.sandbox.admin.schema import NEW_IN_2026, FieldType, Shape, fields_of, is_a, known

FIRST_2026 = "2026-01"


class RequestError(Exception):
    """A request that Shopify refuses as a whole, with the errors as it words them."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


@dataclass(frozen=True)
class Selected:
    """A field that was asked for: `key` is its name in the answer."""

    key: str
    field: FieldType
    arguments: dict[str, Any]
    selection: "Selection"
    line: int
    column: int
    aliased: bool = False

    @property
    def location(self) -> dict[str, int]:
        """Where it stands in the document."""
        return {"line": self.line, "column": self.column}


@dataclass
class Selection:
    """What was asked of a type; `parts` in the document's order, each with the type it is limited to."""

    type_name: str
    parts: list[tuple[str | None, Selected]] = field(default_factory=list)
    _by_type: dict[str, list[Selected]] = field(default_factory=dict)

    def of(self, concrete: str) -> list[Selected]:
        """The fields asked of a node of this concrete type, those of one key merged."""
        found = self._by_type.get(concrete)
        if found is None:
            merged: dict[str, Selected] = {}
            for condition, part in self.parts:
                if condition is None or is_a(concrete, condition):
                    merged[part.key] = _merge(merged[part.key], part) if part.key in merged else part
            found = self._by_type[concrete] = list(merged.values())
        return found

    def all(self) -> list[Selected]:
        """Every field asked for, whatever the concrete type."""
        return [part for _, part in self.parts]


def _merge(first: Selected, second: Selected) -> Selected:
    if not first.selection.parts:
        return first
    both = Selection(first.selection.type_name, [*first.selection.parts, *second.selection.parts])
    return Selected(first.key, first.field, first.arguments, both, first.line, first.column, first.aliased)


@dataclass(frozen=True)
class Operation:
    """A checked operation of a document."""

    kind: str
    name: str | None
    selection: Selection
    takes_variables: bool


def read(source: str, variables: Mapping[str, Any], api_version: str, operation_name: str | None = None) -> Operation:
    """The operation of `source` that is to be run.

    Raises:
        RequestError: a syntax error, an unknown field or argument, a missing variable.
    """
    try:
        document = parse(source)
    except GraphQLSyntaxError as error:
        place = error.locations[0] if error.locations else None
        at = [{"line": place.line, "column": place.column}] if place else []
        raise RequestError([{"message": f"syntax error, {error.message}", "locations": at}]) from error
    operations = [one for one in document.definitions if isinstance(one, ast.OperationDefinitionNode)]
    named = [one for one in operations if one.name and one.name.value == operation_name]
    chosen = named or (operations if operation_name is None else [])
    if len(chosen) != 1:
        what = f'No operation named "{operation_name}"' if operation_name else "An operation name is required"
        raise RequestError([{"message": what}])
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, ast.FragmentDefinitionNode)}
    return _Reader(fragments, chosen[0], variables, api_version).operation()


class _Reader:
    """Walks one operation of a document."""

    def __init__(
        self,
        fragments: dict[str, ast.FragmentDefinitionNode],
        operation: ast.OperationDefinitionNode,
        variables: Mapping[str, Any],
        api_version: str,
    ) -> None:
        self._fragments = fragments
        self._operation = operation
        self._api_version = api_version
        self._path: list[str] = []
        self._used: set[str] = set()
        self.errors: list[dict[str, Any]] = []
        self._variables = self._with_defaults(variables)

    def operation(self) -> Operation:
        kind = self._operation.operation.value
        root = {"query": "QueryRoot", "mutation": "Mutation"}.get(kind)
        if root is None:
            raise RequestError([{"message": f"Schema is not configured for {kind}s"}])
        name = self._operation.name.value if self._operation.name else None
        self._path = [f"{kind} {name}" if name else kind]
        selection = self._select(self._operation.selection_set, root)
        self._check_variables(name)
        if self.errors:
            raise RequestError(self.errors)
        return Operation(kind, name, selection, takes_variables=bool(self._operation.variable_definitions))

    def _check_variables(self, name: str | None) -> None:
        """Every variable is declared and used."""
        owner = name or f"anonymous {self._operation.operation.value}"
        declared = {one.variable.name.value: one for one in self._operation.variable_definitions or ()}
        for unused in sorted(declared.keys() - self._used):
            message = f"Variable ${unused} is declared by {owner} but not used"
            self._refuse(declared[unused], message, "variableNotUsed", {"variableName": unused})
        for unknown in sorted(self._used - declared.keys()):
            message = f"Variable ${unknown} is used by {owner} but not declared"
            self._refuse(self._operation, message, "variableNotDefined", {"variableName": unknown})

    def _with_defaults(self, given: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(given)
        for definition in self._operation.variable_definitions or ():
            name = definition.variable.name.value
            if name not in values and definition.default_value is not None:
                values[name] = value_from_ast_untyped(definition.default_value)
            if values.get(name) is None and isinstance(definition.type, ast.NonNullTypeNode):
                kind = _type_text(definition.type)
                problem = {"value": None, "problems": [{"path": [], "explanation": "Expected value to not be null"}]}
                message = f"Variable ${name} of type {kind} was provided invalid value"
                extensions = {**problem, "code": "INVALID_VARIABLE"}
                raise RequestError([{"message": message, "locations": _at(definition), "extensions": extensions}])
        return values

    def _select(self, selections: ast.SelectionSetNode | None, type_name: str) -> Selection:
        result = Selection(type_name)
        for item in selections.selections if selections else ():
            if self._skipped(item):
                continue
            if isinstance(item, ast.FieldNode):
                selected = self._field(item, type_name)
                if selected is not None:
                    result.parts.append((None, selected))
            else:
                result.parts.extend(self._spread(item, type_name))
        return result

    def _skipped(self, item: ast.SelectionNode) -> bool:
        for directive in item.directives or ():
            for one in directive.arguments:
                self._use(one.value)
            given = {one.name.value: value_from_ast_untyped(one.value, self._variables) for one in directive.arguments}
            if (directive.name.value, bool(given.get("if"))) in {("skip", True), ("include", False)}:
                return True
        return False

    def _spread(self, item: ast.SelectionNode, type_name: str) -> Sequence[tuple[str | None, Selected]]:
        if isinstance(item, ast.FragmentSpreadNode):
            fragment = self._fragments.get(item.name.value)
            if fragment is None:
                self._refuse(item, f"Fragment {item.name.value} was used, but not defined", "useAndDefineFragment")
                return []
            on, body = fragment.type_condition.name.value, fragment.selection_set
        else:
            assert isinstance(item, ast.InlineFragmentNode)  # noqa: S101 - there is no fourth kind
            condition_node: ast.NamedTypeNode | None = item.type_condition
            on = type_name if condition_node is None else condition_node.name.value
            body = item.selection_set
        if not known(on):
            self._refuse(item, f"No such type {on}, so it can't be a fragment condition", "undefinedType")
            return []
        inner = self._select(body, on)
        return [(condition or (None if on == type_name else on), part) for condition, part in inner.parts]

    def _field(self, item: ast.FieldNode, type_name: str) -> Selected | None:
        name = item.name.value
        key = item.alias.value if item.alias else name
        if name == "__typename":
            kind = FieldType(name, Shape.SCALAR, "", frozenset())
        else:
            found = fields_of(type_name).get(name)
            if found is None or (type_name == "QueryRoot" and name in NEW_IN_2026 and self._api_version < FIRST_2026):
                extensions = {"typeName": type_name, "fieldName": name}
                self._path.append(key)
                self._refuse(item, f"Field '{name}' doesn't exist on type '{type_name}'", "undefinedField", extensions)
                self._path.pop()
                return None
            kind = found
        self._path.append(key)
        arguments = self._arguments(item, kind)
        if (kind.shape is Shape.SCALAR) == (item.selection_set is not None):
            self._misshapen(item, kind)
        selection = self._select(item.selection_set, kind.type_name)
        self._path.pop()
        place = _at(item)[0]
        return Selected(key, kind, arguments, selection, place["line"], place["column"], item.alias is not None)

    def _arguments(self, item: ast.FieldNode, kind: FieldType) -> dict[str, Any]:
        given = {}
        for argument in item.arguments or ():
            name = argument.name.value
            if name not in kind.arguments:
                message = f"Field '{kind.name}' doesn't accept argument '{name}'"
                extensions = {"name": kind.name, "typeName": "Field", "argumentName": name}
                self._refuse(argument, message, "argumentNotAccepted", extensions)
                continue
            self._use(argument.value)
            if not isinstance(argument.value, ast.VariableNode):
                given[name] = value_from_ast_untyped(argument.value, self._variables)
            elif argument.value.name.value in self._variables:
                given[name] = self._variables[argument.value.name.value]
        return given

    def _use(self, value: ast.ValueNode) -> None:
        """Note the variables that stand in a value."""
        if isinstance(value, ast.VariableNode):
            self._used.add(value.name.value)
        elif isinstance(value, ast.ListValueNode):
            for one in value.values:
                self._use(one)
        elif isinstance(value, ast.ObjectValueNode):
            for field_node in value.fields:
                self._use(field_node.value)

    def _misshapen(self, item: ast.FieldNode, kind: FieldType) -> None:
        name = kind.name
        if kind.shape is Shape.SCALAR:
            message = f"Selections can't be made on scalars (field '{name}' returns a scalar but has selections)"
        else:
            message = (
                f"Field must have selections (field '{name}' returns {kind.type_name} but has no selections. "
                f"Did you mean '{name} {{ ... }}'?)"
            )
        self._refuse(item, message, "selectionMismatch", {"nodeName": f"field '{name}'"})

    def _refuse(self, node: ast.Node, message: str, code: str, more: dict[str, Any] | None = None) -> None:
        extensions = {"code": code, **(more or {})}
        error = {"message": message, "locations": _at(node), "path": list(self._path), "extensions": extensions}
        self.errors.append(error)


def _at(node: ast.Node) -> list[dict[str, int]]:
    token = node.loc.start_token if node.loc else None
    return [{"line": token.line, "column": token.column}] if token else [{"line": 1, "column": 1}]


def _type_text(node: ast.TypeNode) -> str:
    if isinstance(node, ast.NonNullTypeNode):
        return f"{_type_text(node.type)}!"
    if isinstance(node, ast.ListTypeNode):
        return f"[{_type_text(node.type)}]"
    return str(node.name.value) if isinstance(node, ast.NamedTypeNode) else ""
