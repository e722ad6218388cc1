"""How far each resource of a shop has come (`sync_checkpoints`), and what to ask for next.

Belongs here: moving a checkpoint with the load that brings it on, reading it, the windows since it. Does not belong
here: what a window is (`shopify.windows`), asking (`asking`), and whether an export is under way or failed: a trigger
on `bulk_runs` says that (0035).

A checkpoint promises: of every row that now stands in the shop and last changed before it, the mirror has that change.
Only exports from Shopify move it, by what they asked for and when Shopify began to read, in the transaction that says
that their merge is complete. A window beyond a gap is remembered and counts when the gap is filled.

A row that was rejected is not in the mirror, though its moment has passed: its moment is *owed*, and asked for again
with what changed since, until the row is taken or has moved to another moment. Where nobody can tell when the rejected
rows changed (a line that is no JSON), what the load asked for does not count.

Without some scopes Shopify shows a part of the rows and does not say so (`read_all_orders`: the orders made in the last
60 days). What is asked for then moves the checkpoint, and is *unseen*: it is asked for again once the shop's token has
the scope, and not before, because it would show the same.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import dict_row

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import ledger
from neanelu_pipelines.mirror.declarations import Entity, Resource
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.resources import resource_named
from neanelu_pipelines.shopify.windows import Window, joined

_MOST_OWED = 20
"""More stretches than these become one: a search has to stay readable, and allowed."""


@dataclass(frozen=True)
class Checkpoint:
    """How far one resource of a shop has come."""

    through: datetime | None
    """All that last changed before is in the mirror, but for what is owed; None: there was no complete sync yet."""
    status: str
    """`idle`, `running` or `error`."""
    error: str | None
    owed: tuple[Window, ...]
    """The moments of rows that were rejected."""
    unseen: tuple[Window, ...]
    """What was asked for while the token lacked the scope that shows all of it."""
    is_seen_now: bool
    """Whether the token has that scope now, so that it is worth asking for."""
    ahead: tuple[Window, ...]
    """What is in the mirror already beyond a gap."""
    run_id: UUID | None
    """The load that moved it last."""


def read(database: Database, shop_domain: str, resource: str) -> Checkpoint | None:
    """The checkpoint of that resource; None if nothing was ever asked for.

    Raises:
        UnknownShopError: there is no such shop.
    """
    with ledger.opened(database) as book:
        return _read(book, ledger.find_shop(book, shop_domain).shop_id, resource)


def since_last(
    book: Connection, shop_id: UUID, resource: str, *, overlap: timedelta, now: datetime
) -> tuple[Window, ...]:
    """What to ask for at `now` to have every change since the checkpoint; () is everything, where there is none yet."""
    checkpoint = _read(book, shop_id, resource)
    if checkpoint is None or checkpoint.through is None:
        return ()
    latest = Window(checkpoint.through.replace(microsecond=0)).widened(overlap)
    # If our clock is behind Shopify's by more than the overlap, the end stays open.
    missed = (*checkpoint.owed, *(checkpoint.unseen if checkpoint.is_seen_now else ()))
    return joined((*missed, latest.cut(now) or latest))


def advance(book: Connection, resource: Resource, load: LoadRun) -> None:
    """Count a load as complete; in the transaction that closes it. A load that is no export changes nothing."""
    values: dict[str, Any] = {"run_id": load.run_id, "rejected": "{}", "most_owed": _MOST_OWED}
    # What is only ever asked for as a whole is asked for again, rejected rows and all.
    if resource.window is not None:
        untold, values["rejected"] = _rejected_moments(book, resource, load)
        if untold:
            error = (
                f"{untold:,} lines of the load {load.run_id} were rejected of which nobody can tell when their rows "
                "changed: what it asked for does not count, and is asked for again. bulk_errors has the lines."
            )
            book.execute(statement("checkpoints/distrust"), {**values, "error": error})
            return
    book.execute(statement("checkpoints/advance"), values)


def _read(book: Connection, shop_id: UUID, resource: str) -> Checkpoint | None:
    with book.cursor(row_factory=dict_row) as cursor:
        values = {"shop_id": shop_id, "resource": resource, "whole_with": resource_named(resource).whole_with}
        row = cursor.execute(statement("checkpoints/read"), values).fetchone()
    if row is None:
        return None
    return Checkpoint(
        through=row["through"],
        status=row["status"],
        error=row["error_message"],
        owed=tuple(Window(*ends) for ends in row["owed"]),
        unseen=tuple(_around(*ends) for ends in row["unseen"]),
        is_seen_now=row["is_seen_now"],
        ahead=tuple(Window(*ends) for ends in row["ahead"]),
        run_id=row["run_id"],
    )


def _around(since: datetime | None, until: datetime | None) -> Window:
    """The window of whole seconds around a stretch of time."""
    return Window(since and since.replace(microsecond=0), until and until.replace(microsecond=0) + timedelta(seconds=1))


def _rejected_moments(book: Connection, resource: Resource, load: LoadRun) -> tuple[int, str]:
    """Of how many rejected lines nobody can tell when their rows changed; and when the others did, as a multirange."""
    root = resource.root
    between = [entity for entity in resource.entities if entity.parent and entity.parent.table == root.table]
    version = sql.Identifier(str(root.version))
    keys = ["__parentId", "parent_gid", *(entity.parent.gid_column for entity in resource.entities if entity.parent)]
    aliases = ["root", *(f"of_{i}" for i in range(len(between)))]
    query = statement("checkpoints/rejected_moments").format(
        root=table_identifier(root.table),
        version_name=sql.Literal(str(root.version)),
        parents=sql.SQL(", ").join(sql.SQL("payload ->> {}").format(sql.Literal(key)) for key in dict.fromkeys(keys)),
        versions=sql.SQL(", ").join(sql.SQL("{}.{}").format(sql.Identifier(alias), version) for alias in aliases),
        joins=sql.SQL("\n    ").join(_owner(root, entity, i) for i, entity in enumerate(between)),
    )
    gids = [f"gid://shopify/{node}/%" for node in root.node_types]
    values: dict[str, Any] = {"run_id": load.run_id, "shop_id": load.shop_id, "root_gids": gids}
    row = book.execute(query, values).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return int(row[0]), str(row[1])


def _owner(root: Entity, entity: Entity, number: int) -> sql.Composed:
    """The root over a line's parent, where that parent is an `entity`."""
    return statement("checkpoints/join_owner").format(
        table=table_identifier(entity.table),
        alias=sql.Identifier(f"between_{number}"),
        root=table_identifier(root.table),
        root_alias=sql.Identifier(f"of_{number}"),
        column=sql.Identifier(entity.parent.column if entity.parent else ""),
    )
