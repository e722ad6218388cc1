"""Whoever was forgotten stays so: what was read of them before is not let in again.

Belongs here: remembering without names who was forgotten and when, and what becomes of an export or an event from
before that. Does not belong here: the forgetting (`redaction`).

A load shows the shop as it was when Shopify began to read. What it says of a customer who was forgotten since is
ignored, and counted as such; its artifact is deleted when it is over. A file that does not say when it was taken cannot
show that it was taken afterwards: it counts as older, except for rows that were themselves changed later. What Shopify
still says of somebody after the moment is the shop's to have. Recognized are the customer's own line, and the orders
that the redaction deletes; a mention elsewhere (a note in somebody else's order) is not.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from fsspec.core import url_to_fs
from psycopg import Connection

from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.reports import LoadRun, StageReport

_MARKS = {
    "shopify_customers": "redaction/mark_forgotten_customers",
    "shopify_orders": "redaction/mark_forgotten_orders",
}
_EMPTY = '{"redacted": true}'
_NOTE = "{:,} lines tell of customers who were forgotten since {}: ignored, and the artifact is not kept."


class ForgottenShopError(NeaneluError):
    """What a load would bring in is from before its shop was forgotten."""


def remember(connection: Connection, shop_id: UUID, *, gids: Iterable[str], email: str | None) -> None:
    """Remember, for good, that these customers and orders were forgotten at this moment, by digests."""
    values = {gid.lower() for gid in gids} | ({f"email:{email.lower()}"} if email else set())
    connection.execute(statement("redaction/remember"), {"shop_id": shop_id, "values": sorted(values)})


def mark(connection: Connection, resource: Resource, parameters: dict[str, Any]) -> int:
    """Mark the staged rows of whoever was forgotten since the load's moment as older; how many.

    `parameters` are run_id, shop_id and said_as_of: the moment that the load is known to show, None if it is not known.
    """
    names = [_MARKS[entity.table] for entity in resource.entities if entity.table in _MARKS]
    if not names or not _anybody(connection, parameters):
        return 0
    return sum(connection.execute(statement(name), parameters).rowcount for name in names)


def settle(book: Connection, resource: Resource, parameters: dict[str, Any], report: StageReport, marked: int) -> None:
    """After the verdicts on a staging: say what was ignored, and keep nothing of it beside the mirror."""
    if not any(entity.table in _MARKS for entity in resource.entities) or not _anybody(book, parameters):
        return
    emptied = {**parameters, "empty": _EMPTY}
    rejected = book.execute(statement("redaction/empty_rejected"), emptied).rowcount
    if not marked + rejected:
        return
    book.execute(statement("redaction/empty_late_events"), emptied)
    book.execute(statement("redaction/let_artifact_go"), parameters)
    report.forgotten = marked + rejected
    if marked:
        since = parameters["said_as_of"]
        when = f"{since:%Y-%m-%d %H:%M} UTC" if since else "it was taken (it does not say when: --as-of)"
        report.notes.append(_NOTE.format(marked, when))


def let_go(book: Connection, load: LoadRun) -> None:
    """Delete the artifact of a load that told of somebody who was forgotten; if that fails, `expiry` does it."""
    with suppress(OSError):
        filesystem, path = url_to_fs(load.artifact_path)
        if filesystem.exists(path):
            filesystem.rm(path)
        book.execute(statement("redaction/files_deleted"), {"paths": [load.artifact_path]})


def refuse_older(book: Connection, shop_domain: str, said_as_of: datetime | None) -> None:
    """Refuse what was read of a shop before it was forgotten; since then it is another installation.

    Raises:
        ForgottenShopError: it was, or does not say.
    """
    moment = _shop_forgotten(book, shop_domain)
    if moment is None or (said_as_of is not None and said_as_of > moment):
        return
    why = "was taken before that" if said_as_of else "does not say when it was taken"
    raise ForgottenShopError(
        f"{shop_domain} was forgotten at {moment:%Y-%m-%d %H:%M:%S%z}, and what is to be loaded {why}: it is not let "
        "in. If it was taken afterwards, say when (--as-of)."
    )


def is_gone(book: Connection, shop_domain: str) -> bool:
    """Whether a shop of this domain was forgotten, and none has it now: nothing here may be of it."""
    here = book.execute(statement("ledger/find_shop"), {"shop_domain": shop_domain}).fetchone()
    return here is None and _shop_forgotten(book, shop_domain) is not None


def _shop_forgotten(book: Connection, shop_domain: str) -> datetime | None:
    row = book.execute(statement("redaction/shop_forgotten"), {"shop_domain": shop_domain}).fetchone()
    return row[0] if row else None


def _anybody(connection: Connection, parameters: dict[str, Any]) -> bool:
    return connection.execute(statement("redaction/any_forgotten_since"), parameters).fetchone() == (True,)
