"""What a result selected: which columns its nodes carry at all.

A field that the query asked for is in every node, null where it is empty, and null clears the mirror's column. A field
that it did not ask for is in none, and the mirror keeps what it has. Belongs here: telling the two apart from the
file itself, or from the query where it is known. Does not belong here: reading values.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from graphql import parse
from graphql.language import DocumentNode, FieldNode, Node, SelectionSetNode
from numpy.typing import NDArray

from neanelu_pipelines.mirror.columns import DECODED
from neanelu_pipelines.mirror.declarations import Column, Derivation, Entity, Resource

_FIRST_LINES = 100
_LATER_LINES = 1
"""Of each block after those, beside its last one: two results in one file may be of two queries."""


_Answers: TypeAlias = dict[tuple[str, str], dict[str, set[bool | None]]]
"""By mirror table and column, and by node type: what its lines say of whether the column was asked for."""


@dataclass
class Selection:
    """Built up while staging; plain data for the ledger."""

    columns: dict[str, set[str]] = field(default_factory=dict)
    """Selected columns by mirror table."""
    valued: dict[str, set[str]] = field(default_factory=dict)
    """Those of them that hold a value in some row."""
    routes: set[str] = field(default_factory=set)
    """The owned parts (`table.field` or link table) of which the file holds lines."""
    partial: set[str] = field(default_factory=set)
    """Mirror tables of which some staged rows lack what a row needs: the merge keeps what the mirror has of it."""
    unknown_fields: set[str] = field(default_factory=set)
    """`Node.field`s that no declaration names."""
    mixed: dict[str, set[str]] = field(default_factory=dict)
    """By mirror table, `Node.column`s that some lines carry and others do not: the mirror keeps what it has there."""
    _sampled: dict[str, int] = field(default_factory=dict)
    _asked: _Answers = field(default_factory=dict)
    _asked_of_partial: _Answers = field(default_factory=dict)
    """The same of incomplete lines: each row of theirs keeps what it lacks, so they count where there are no others."""

    def sample(self, resource: Resource, entity: Entity, node: str, lines: list[str]) -> None:
        """Learn from lines of a node type."""
        for line in lines:
            # What Polars decodes and Python refuses (nested too deeply, too many digits) teaches nothing.
            with contextlib.suppress(ValueError, RecursionError):
                self._learn(resource, entity, node, json.loads(line))
        self._sampled[node] = self._sampled.get(node, 0) + len(lines)

    def wants(self, node: str) -> int:
        """How many lines of this node type a block should give to learn from."""
        return max(_FIRST_LINES - self._sampled.get(node, 0), _LATER_LINES)

    def saw_values(self, entity: Entity, columns: list[str]) -> None:
        """Columns that hold a value somewhere are selected, sampled or not."""
        self.columns.setdefault(entity.table, set()).update(columns)
        self.valued.setdefault(entity.table, set()).update(columns)

    def settle(self) -> None:
        """Decide from all samples: a column is selected where one shows its field, or where none shows its absence.

        Lines of one node type that disagree are of two queries, and nobody knows which lines are of which.
        """
        for (table, column), by_node in (self._asked_of_partial | self._asked).items():
            selected = self.columns.setdefault(table, set())
            disagree = {node for node, answers in by_node.items() if {True, False} <= answers}
            said = set().union(*by_node.values())
            by_partial = set().union(*self._asked_of_partial.get((table, column), {}).values())
            unheard_of = said == {False} and True not in by_partial
            if disagree or (unheard_of and column in selected):
                self.mixed.setdefault(table, set()).update(f"{node}.{column}" for node in disagree or by_node)
                selected.discard(column)
            elif any(True in answers or False not in answers for answers in by_node.values()):
                # By node type: what no video ever carries may stand in every picture.
                selected.add(column)

    def _learn(self, resource: Resource, entity: Entity, node: str, value: dict[str, Any]) -> None:
        answers = [(column, _is_selected(column, value)) for column in entity.columns]
        lacks = any(column.required and answer is False for column, answer in answers)
        asked = self._asked_of_partial if lacks else self._asked
        for column, answer in answers:
            asked.setdefault((entity.table, column.name), {}).setdefault(node, set()).add(answer)
        known = {path.split(".")[0] for column in entity.columns for path in column.paths} | resource.ignored_fields
        self.unknown_fields.update(f"{node}.{name}" for name in value if name not in known)


def asked_parts(resource: Resource, query: str | None) -> set[str]:
    """The owned parts (`table.field`) that a load's own query asks for, as far as their declarations say how it would.

    `query` is None of a load of a file: nobody knows what it was made with.
    """
    parts = {
        part.asked_as: f"{entity.table}.{part.field}"
        for entity in resource.entities
        for part in entity.children
        if part.asked_as
    }
    if not parts or query is None:
        return set()
    return {parts[path] for path in _paths(parse(query), "") if path in parts}


def _paths(node: Node, path: str) -> Iterator[str]:
    """The dotted paths of all fields below, without the wrapping of connections."""
    if isinstance(node, FieldNode):
        name = node.name.value
        path = path if name in ("edges", "node") else f"{path}.{name}".lstrip(".")
        yield path
    below = node.definitions if isinstance(node, DocumentNode) else getattr(node, "selection_set", None)
    for inner in below.selections if isinstance(below, SelectionSetNode) else below or ():
        yield from _paths(inner, path)


def first_without(entity: Entity, frame: pl.DataFrame) -> dict[str, list[int]]:
    """By node type, where (`at`) the first line stands that lacks a field of the entity, for each field that some lack.

    The frame's lines are decoded, beside their text (`line`). Decoded, a field that is missing looks like null, so only
    the text of those that do is looked at: a block has room for two results, and thousands of lines are not parsed to
    find the second. A name that stands deeper in the line, too, hides that it is missing.
    """
    fields = {path.split(".")[0] for column in entity.columns for path in column.paths}
    nulls = frame.select(pl.col(DECODED).struct.field(sorted(fields)).is_null()).get_columns()
    of_type = {node: (frame["node"] == node).to_numpy() for node in entity.node_types}
    found: dict[str, list[int]] = {node: [] for node in entity.node_types}
    for null in (null for null in nulls if null.any()):
        for node, among in of_type.items():
            first = _first_lacking(null.name, frame["line"], np.flatnonzero(null.to_numpy() & among))
            if first is not None:
                found[node].append(frame["at"][first])
    return found


def _first_lacking(name: str, lines: pl.Series, among: NDArray[np.int64]) -> int | None:
    """The first of these lines that lacks the field; of one that was never asked for that is the very first."""
    key = f'"{name}"'
    if not len(among) or key not in lines[int(among[0])]:
        return int(among[0]) if len(among) else None
    lacks = ~lines.gather(among).str.contains(key, literal=True)
    return int(among[lacks.arg_max() or 0]) if lacks.any() else None


def absent_columns(entity: Entity, line: str) -> list[str]:
    """The columns of the entity that this line says nothing about, not even that they are empty."""
    try:
        node = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return [column.name for column in entity.columns if _is_selected(column, node) is False]


def _is_selected(column: Column, node: dict[str, Any]) -> bool | None:
    """Whether the node shows that the column was asked for, or that it was not; None where it shows neither."""
    if column.derivation in (Derivation.GID_NUMBER, Derivation.SHOP_CURRENCY):
        return True
    answers = {_holds(node, path) for path in column.paths}
    return True if True in answers else None if None in answers else False


def _holds(value: Any, path: str) -> bool | None:
    """Whether every key of the path is there; None if a null or an empty list on the way hides the rest."""
    for segment in path.split("."):
        if value is None or value == []:
            return None
        name, picks, said = segment.partition("=")
        if picks and isinstance(value, list):
            value = next((one for one in value if isinstance(one, dict) and one.get(name) == said), False)
        elif segment.isdigit():
            value = value[0] if isinstance(value, list) else None
        elif not isinstance(value, dict) or segment not in value:
            return False
        else:
            value = value[segment]
    return True
