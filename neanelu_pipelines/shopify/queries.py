"""A GraphQL document as a request needs to know it: query or mutation, its name, its fingerprint, its likely cost.

Belongs here: what follows from the document and its variables alone. Does not belong here: the rules of bulk queries,
sending (`client`).
"""

import hashlib
import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import GraphQLError, parse
from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

from neanelu_pipelines.shopify.faults import Refused

MOST_ONE_QUERY_MAY_COST = 1000.0
_MUTATION_COST = 10.0
_CONNECTION_COST = 2.0
_COUNT_COST = 10.0
_PAGE_WEIGHTS = ((1, 1.0), (5, 3.0), (50, 7.0), (250, 11.0))
"""Recorded: page size and weight."""
_FREE = frozenset({"edges", "pageInfo", "userErrors"})
_NAME_LENGTH = 50


@dataclass(frozen=True)
class Query:
    """A document with one operation."""

    text: str
    name: str
    """The operation's name, or its first field's; at most 50 characters."""
    fingerprint: str
    """SHA-256 of the text."""
    is_mutation: bool
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]


@lru_cache(maxsize=256)
def parsed(document: str) -> Query:
    """The document's one operation.

    Raises:
        Refused: it is not GraphQL, or has not exactly one operation.
    """
    try:
        definitions = parse(document).definitions
    except (GraphQLError, RecursionError) as error:
        raise Refused(f"The document is not GraphQL: {getattr(error, 'message', 'nested too deep')}") from None
    operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) != 1:
        raise Refused(f"The document has {len(operations)} operations; a request takes one.")
    operation = operations[0]
    return Query(
        text=document,
        name=_name_of(operation)[:_NAME_LENGTH],
        fingerprint=hashlib.sha256(document.encode()).hexdigest(),
        is_mutation=operation.operation is OperationType.MUTATION,
        operation=operation,
        fragments={node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)},
    )


def likely_cost(query: Query, variables: Mapping[str, Any]) -> float:
    """An estimate of `requestedQueryCost`, in points, rather above it: for the first request, until Shopify says it.

    An object costs 1, a count and a mutation 10, a connection 2 and its node's cost times the weight of its page. Which
    objects are free only the schema says; here none is.
    """
    cost = _cost(query, query.operation.selection_set, variables, frozenset())
    if query.is_mutation:
        cost += (_MUTATION_COST - 1) * len(query.operation.selection_set.selections)
    return max(1.0, min(cost, MOST_ONE_QUERY_MAY_COST))


def page_weight(size: int) -> float:
    """How many times its node's cost a page of this size costs: it grows slowly, as recorded and in between."""
    if size <= 1:
        return float(max(size, 0))
    right = min(bisect_left(_PAGE_WEIGHTS, (size, 0.0)), len(_PAGE_WEIGHTS) - 1)
    (low, light), (high, heavy) = _PAGE_WEIGHTS[right - 1], _PAGE_WEIGHTS[right]
    return light + (heavy - light) * math.log(size / low) / math.log(high / low)


def _name_of(operation: OperationDefinitionNode) -> str:
    if operation.name is not None:
        return operation.name.value
    first = operation.selection_set.selections[0]
    return first.name.value if isinstance(first, FieldNode) else operation.operation.value


def _cost(query: Query, selected: SelectionSetNode, variables: Mapping[str, Any], within: frozenset[str]) -> float:
    total = 0.0
    for selection in selected.selections:
        if isinstance(selection, FieldNode):
            total += _field_cost(query, selection, variables, within)
        elif isinstance(selection, InlineFragmentNode):
            total += _cost(query, selection.selection_set, variables, within)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            fragment = query.fragments.get(name)
            if fragment is not None and name not in within:
                total += _cost(query, fragment.selection_set, variables, within | {name})
    return total


def _field_cost(query: Query, field: FieldNode, variables: Mapping[str, Any], within: frozenset[str]) -> float:
    if field.selection_set is None:
        return 0.0
    inner = _cost(query, field.selection_set, variables, within)
    page = _page_size(field, variables)
    if page is not None:
        return _CONNECTION_COST + page_weight(page) * inner
    if field.name.value.endswith("Count"):
        return _COUNT_COST
    return inner if field.name.value in _FREE else 1.0 + inner


def _page_size(field: FieldNode, variables: Mapping[str, Any]) -> int | None:
    """The page of a connection, or None for a field that is none."""
    for argument in field.arguments:
        if argument.name.value not in {"first", "last"}:
            continue
        if isinstance(argument.value, IntValueNode):
            return int(argument.value.value)
        if isinstance(argument.value, VariableNode):
            value = variables.get(argument.value.name.value)
            return value if isinstance(value, int) else None
    return None
