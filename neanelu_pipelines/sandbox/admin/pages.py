"""A connection's order and pages: sortKey, reverse, first/after, last/before.

Belongs here: which nodes stand on a page, and its cursors. Does not belong here: searching (`search`).
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from neanelu_pipelines.sandbox.admin.document import RequestError
from neanelu_pipelines.sandbox.admin.search import Found, search
from neanelu_pipelines.sandbox.shop.table import Indexes, Rows

MAX_PAGE = 250
_SHIFT = 32
_MASK = (1 << _SHIFT) - 1


@dataclass(frozen=True)
class Page:
    """The indexes of a page's nodes with their cursors' keys; `found` is what the search said."""

    rows: Rows
    keys: Indexes
    has_next: bool
    has_previous: bool
    found: Found

    def indexes(self) -> list[int]:
        """The nodes' indexes, in order."""
        return [int(key) & _MASK for key in self.keys]


def ordered(rows: Rows, arguments: dict[str, Any]) -> tuple[Indexes, Found]:
    """All matching nodes as keys (moment and index in one number) in the order asked for."""
    found = search(rows, arguments.get("query"))
    keys = found.indexes
    sort_key = arguments.get("sortKey")
    if sort_key == "UPDATED_AT":
        keys = np.sort((rows.updated(found.indexes) << _SHIFT) | found.indexes)
    elif sort_key in {"CREATED_AT", "PROCESSED_AT"}:
        keys = np.sort((rows.created(found.indexes) << _SHIFT) | found.indexes)
    return (keys[::-1] if arguments.get("reverse") else keys), found


def index_of(key: int) -> int:
    """The node's index in a key of `ordered`."""
    return key & _MASK


def page(rows: Rows, arguments: dict[str, Any]) -> Page:
    """The page asked for.

    Raises:
        RequestError: no page size, too large a one, or a cursor that is none.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise _bad("you must provide one of first or last")
    if first is not None and last is not None:
        raise _bad("providing both first and last is not supported")
    size = int(first if first is not None else last or 0)
    if size < 0:
        raise _bad("first must be a positive integer")
    if size > MAX_PAGE:
        name = "first" if first is not None else "last"
        raise _bad(f"{name} cannot exceed {MAX_PAGE}", "INVALID_ARGUMENT")
    keys, found = ordered(rows, arguments)
    reverse = bool(arguments.get("reverse"))
    start, end = 0, len(keys)
    if arguments.get("after"):
        start = _position(keys, _key(arguments["after"]), reverse=reverse, after=True)
    if arguments.get("before"):
        end = _position(keys, _key(arguments["before"]), reverse=reverse, after=False)
    low, high = (start, min(end, start + size)) if first is not None else (max(start, end - size), end)
    return Page(rows, keys[low:high], has_next=high < len(keys), has_previous=low > 0, found=found)


def cursor(key: int) -> str:
    """The cursor of a node."""
    return base64.b64encode(json.dumps({"last_id": key & _MASK, "last_value": key >> _SHIFT}).encode()).decode()


def _key(text: str) -> int:
    try:
        said = json.loads(base64.b64decode(text, validate=True))
        return (int(said["last_value"]) << _SHIFT) | int(said["last_id"])
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise _bad(f"Invalid cursor for current pagination sort. (`{text}`)") from error


def _position(keys: Indexes, key: int, *, reverse: bool, after: bool) -> int:
    if reverse:
        return len(keys) - int(np.searchsorted(keys[::-1], key, side="left" if after else "right"))
    return int(np.searchsorted(keys, key, side="right" if after else "left"))


def _bad(message: str, code: str = "BAD_REQUEST") -> RequestError:
    return RequestError([{"message": message, "extensions": {"code": code}}])
