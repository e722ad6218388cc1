"""A bulk query's result, written to a file line by line.

Belongs here: which lines there are, their order, and counting them. Does not belong here: an operation's life (`bulk`).
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neanelu_pipelines.sandbox.admin.answer import argued, as_rows
from neanelu_pipelines.sandbox.admin.bulk_rules import nodes_of
from neanelu_pipelines.sandbox.admin.document import Operation, Selected, Selection
from neanelu_pipelines.sandbox.admin.pages import index_of, ordered
from neanelu_pipelines.sandbox.admin.schema import Shape
from neanelu_pipelines.sandbox.pools import Dice
from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.table import Rows
from neanelu_pipelines.sandbox.wire import encode_line

_WINDOW = 2000
"""Lines that are shuffled together where no order is promised: memory stays small."""


@dataclass
class Counted:
    """What is in the file so far."""

    objects: int = 0
    roots: int = 0
    bytes: int = 0


Lines = Iterator[tuple[bytes, bool]]
"""Each line, and whether its node stands at the root."""


def write(
    target: Path,
    operation: Operation,
    rows_of: Callable[[Selected], Rows],
    counted: Counted,
    stop: threading.Event,
    *,
    grouped: bool,
) -> None:
    """Write the result, until `stop` is set; `counted` counts along."""
    lines = _all_lines(operation, rows_of)
    with target.open("wb", buffering=1 << 20) as stream:
        for line, is_root in lines if grouped else _shuffled(lines):
            stream.write(line)
            counted.objects += 1
            counted.roots += is_root
            counted.bytes += len(line)
            if stop.is_set():
                return


def _all_lines(operation: Operation, rows_of: Callable[[Selected], Rows]) -> Lines:
    for part in operation.selection.all():
        if part.field.shape is Shape.CONNECTION:
            rows = rows_of(part)
            keys, _ = ordered(rows, part.arguments)
            (selection,) = nodes_of(part)
            for key in keys:
                yield from _lines(rows.node(index_of(int(key))), selection, None)


def _lines(node: Node, selection: Selection, parent: str | None) -> Lines:
    below: list[tuple[Selected, Any]] = []
    yield encode_line(_flat(node, selection, below), parent), parent is None
    for part, value in below:
        rows = as_rows(part, value)
        keys, _ = ordered(rows, part.arguments)
        (inner,) = nodes_of(part)
        for key in keys:
            yield from _lines(rows.node(index_of(int(key))), inner, node["id"])


def _flat(node: Node, selection: Selection, below: list[tuple[Selected, Any]]) -> Node:
    """The node without its connections, which go to `below`."""
    result: Node = {}
    concrete = node.get("__typename") or selection.type_name
    for part in selection.of(concrete):
        kind = part.field
        if kind.name == "__typename":
            result[part.key] = concrete
            continue
        value = argued(node, part)
        if kind.shape is Shape.CONNECTION:
            below.append((part, value or []))
        elif value is None or kind.shape is Shape.SCALAR:
            result[part.key] = value
        elif kind.shape is Shape.OBJECT:
            result[part.key] = _flat(value, part.selection, below)
        else:
            result[part.key] = [_flat(one, part.selection, below) for one in value]
    return result


def _shuffled(lines: Lines) -> Lines:
    dice = Dice("ungrouped")
    window: list[tuple[bytes, bool]] = []
    for line in lines:
        if len(window) < _WINDOW:
            window.append(line)
            continue
        place = dice.below(_WINDOW)
        yield window[place]
        window[place] = line
    while window:
        yield window.pop(dice.below(len(window)))
