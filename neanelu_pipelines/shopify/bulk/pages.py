"""An export that is no bulk operation: a short list, asked for page by page, as the lines of an artifact.

Belongs here: asking for the pages and writing each node as a line. What a bulk operation cannot return (a menu's items
are lists within lists) or is not worth one stands behind such an export. It is kept in the ledger as a bulk operation
is, so that whoever waits for one, goes on with it or loads it need not know the difference. Nothing is resumed: a
process that comes after one that died asks for all pages again. Does not belong here: the queries (`documents/paged`).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from psycopg import Connection

from neanelu_pipelines.shopify.bulk import ledger
from neanelu_pipelines.shopify.bulk.ledger import Export, StoredResult
from neanelu_pipelines.shopify.bulk.pieces import Shelf
from neanelu_pipelines.shopify.bulk.states import Phase
from neanelu_pipelines.shopify.documents import declares
from neanelu_pipelines.shopify.faults import AccessDenied, Permanent, Refused
from neanelu_pipelines.shopify.replies import Reply

PAGE = 50
"""Nodes a page: a menu may be 200 kB."""
_CURSOR = "after"


class Asks(Protocol):
    """What is needed of an `AdminClient`."""

    def execute(self, document: str, variables: Mapping[str, Any] | None = None, *, cost: float | None = None) -> Reply:
        """Send one document and return its reply."""


def is_paged(query: str) -> bool:
    """Whether a query is asked page by page: it takes a cursor. A bulk query takes no variables at all."""
    return declares(query, _CURSOR)


def fetch(book: Connection, client: Asks, export: Export, target: str) -> Export:
    """Ask for every page and put the lines into the artifact store as `target`; the export as it is then.

    The moment whose state of the shop it shows is that before the first page.

    Raises:
        Transient: Shopify cannot be reached; the export is as it was.
        Permanent: Shopify refuses; the export is closed as failed.
        NoExportError: it was ended from outside meanwhile.
        OSError: the store does not take it.
    """
    begun = datetime.now(UTC)
    shelf = Shelf(target)
    shelf.clear()
    try:
        with ledger.step(book, export) as told:
            end = 0
            for page in asked(client, export.query):
                if lines := b"".join(map(_line, page)):
                    shelf.put(end, lines)
                    end += len(lines)
            whole = shelf.join()
            shelf.publish(target)
            told.update(bytes=whole.bytes, lines=whole.lines, sha256=whole.sha256, source="pages of a query")
    except Permanent as fault:
        reason = "ACCESS_DENIED" if isinstance(fault, AccessDenied) else type(fault).__name__
        failed = replace(export.state, phase=Phase.FAILED, due=None, reason=reason, message=str(fault))
        ledger.keep_state(book, replace(export, state=failed))
        raise
    finally:
        shelf.clear()
    state = replace(
        export.state,
        phase=Phase.READY,
        due=None,
        created_at=begun,
        objects=whole.lines,
        roots=whole.roots,
        bytes=whole.bytes,
    )
    ready = replace(export, state=state)
    ledger.keep_state(book, ready, StoredResult(target, whole.bytes, whole.lines, whole.sha256))
    return ready


def asked(client: Asks, query: str) -> Iterator[list[Any]]:
    """The nodes of each page of a list.

    Raises:
        Refused: what Shopify gives is no list.
        Transient, Permanent: Shopify cannot be reached, or refuses.
    """
    cursor: str | None = None
    while True:
        data = client.execute(query, {"first": PAGE, _CURSOR: cursor}).data
        connection = next(iter(data.values()), None)
        if not isinstance(connection, Mapping):
            raise Refused("Shopify's reply holds no list, though it names no error.")
        yield connection["nodes"]
        page = connection["pageInfo"]
        if not page["hasNextPage"]:
            return
        if not page["endCursor"] or page["endCursor"] == cursor:
            raise Refused("Shopify says that there is another page, and gives no cursor to it.")
        cursor = page["endCursor"]


def _line(node: Any) -> bytes:
    """In ASCII: a text may hold half a character, which UTF-8 cannot carry; staging says what becomes of it."""
    return json.dumps(node, separators=(",", ":")).encode() + b"\n"
