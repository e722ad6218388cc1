"""A bulk operation as Shopify tells of it, and which of our runs it belongs to.

Belongs here: reading an operation out of a reply, the mark that a query carries. Does not belong here: what follows
from it (`states`), asking (`exports`).

The mark: Shopify keeps a query's text as it was sent, comments included. Ours begins with a comment that names the run,
so an operation is recognized as ours, and as that run's, even if the process died before it heard the operation's id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

_MARK = "# neanelu run {}\n"
MARK_BYTES = len(_MARK) + 34
"""How much longer a query becomes by its mark."""
_MARKED = re.compile(r"\A# neanelu run ([0-9a-f-]{36})\n")
_OPERATION_ID = re.compile(r"gid://shopify/BulkOperation/\d+")


@dataclass(frozen=True)
class Operation:
    """What Shopify says of an operation. The urls open the shop's data to whoever reads them: the repr hides them."""

    id: str
    status: str
    error_code: str | None = None
    created_at: datetime | None = None
    objects: int = 0
    roots: int = 0
    """Objects without a parent."""
    bytes: int | None = None
    url: str | None = field(default=None, repr=False)
    partial_url: str | None = field(default=None, repr=False)
    run_id: UUID | None = None
    """Our run that started it; None if its query was not asked for, or is not ours."""


def _moment(said: Any) -> datetime | None:
    """A time that Shopify said; None where it is none."""
    try:
        moment = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_operation(found: Any) -> Operation | None:
    """The operation in a reply; None where there is none."""
    if not isinstance(found, Mapping) or not isinstance(found.get("id"), str):
        return None
    return Operation(
        id=found["id"],
        status=str(found.get("status") or ""),
        error_code=found.get("errorCode"),
        created_at=_moment(found.get("createdAt")),
        objects=_count(found.get("objectCount")) or 0,
        roots=_count(found.get("rootObjectCount")) or 0,
        bytes=_count(found.get("fileSize")),
        url=found.get("url") or None,
        partial_url=found.get("partialDataUrl") or None,
        run_id=run_of(found.get("query")),
    )


def marked(query: str, run_id: UUID) -> str:
    """The query as it is sent for that run."""
    return _MARK.format(run_id) + query


def run_of(query: object) -> UUID | None:
    """The run that the query was sent for; None if it does not carry our mark."""
    found = _MARKED.match(query) if isinstance(query, str) else None
    try:
        return UUID(found.group(1)) if found else None
    except ValueError:
        return None


def operations_in(message: str) -> list[str]:
    """The operations that a message names (`already in progress: gid://…, gid://…`)."""
    return list(dict.fromkeys(_OPERATION_ID.findall(message)))


def _count(found: object) -> int | None:
    """Counters are strings."""
    return int(found) if isinstance(found, (str, int)) and str(found).isdecimal() else None
