"""Removals that somebody told of: a webhook `*/delete`, an entry of Shopify's deletion events.

Belongs here: which of the rows named are gone, and which are newer than what is said of them. Does not belong here:
reading events, and what a whole export lacks (`snapshots`).

What was said before the mirror's row is old news, and the row stays. A row that is not in the mirror gets a record all
the same: its last update may still be on its way, by another road.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.faults import words_of
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror import ledger
from neanelu_pipelines.mirror.declarations import Entity, Resource
from neanelu_pipelines.mirror.removals.rows import Gone, Reason, Why, remove_rows
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.resources import resource_named
from neanelu_pipelines.shopify.nodes import gid_type
from neanelu_pipelines.shopify.operation_types import removal_of

STEP = "removal"


class RemovalError(NeaneluError):
    """Something was to be removed that this resource has no table for."""


@dataclass
class RemovalCounts:
    """What became of the rows that were said to be gone, by GID, and the rows deleted by table."""

    removed: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """The mirror has newer news of them."""
    tables: Counter[str] = field(default_factory=Counter)


def remove(
    database: Database,
    *,
    shop_domain: str,
    resource: str,
    gone: Mapping[str, datetime],
    reason: Reason,
    told_by: str,
    lock_wait: float = ledger.LOCK_WAIT,
) -> RemovalCounts:
    """Remove the rows of these GIDs, with all that belongs to them, from a shop's mirror.

    Args:
        database: the mirror's.
        shop_domain: whose rows.
        resource: the declared resource that they are rows of.
        gone: GID, or what Shopify names the row by instead (`Entity.place`) with a blank between; and the moment, in
            the shop's time, at which it was gone.
        reason: how that is known.
        told_by: what said so, in words for the record; nothing personal.
        lock_wait: seconds to wait for a load of the resource.

    Raises:
        RemovalError: the resource has no rows of such a GID.
        UnknownShopError, UnknownResourceError: as they say.
        ResourceBusyError: a load of the resource did not end in time (transient).
    """
    declared = resource_named(resource)
    by_entity = _by_entity(declared, gone)
    counts = RemovalCounts()
    if not gone:
        return counts
    with ledger.opened(database) as book:
        shop = ledger.find_shop(book, shop_domain)
        nobody = LoadRun(shop.shop_id, shop.shop_id, shop_domain, resource, "", 0, "")
        # Its row stands as running under the lock only: whoever has the lock next knows that it is dead.
        with ledger.resource_lock(book, nobody, lock_wait):
            run = replace(nobody, run_id=_open_run(book, shop.shop_id, resource, gone, told_by))
            with _closed(book, run, counts), ledger.step(book, run, STEP) as step:
                parameters = {"shop_id": run.shop_id, "shown_through": ledger.shown_through(book, run)}
                why = Why(reason, told_by, confirmed=True, run_id=run.run_id)
                with database.tenant(run.shop_id, trace_id=str(run.run_id)) as connection:
                    for entity, names in by_entity:
                        moments = {name: gone[name] for name in names}
                        _remove_of(connection, entity, moments, parameters, why, counts)
                step.records = len(counts.removed)
                step.metadata.update(tables=dict(counts.tables), absent=len(counts.absent), kept=len(counts.kept))
    return counts


@contextmanager
def _closed(book: Connection, run: LoadRun, counts: RemovalCounts) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        if not book.broken:
            ledger.close_run(book, run, "failed", error=words_of(error))
        raise
    ledger.close_run(book, run, "completed", records=len(counts.removed))


def _by_entity(resource: Resource, gone: Mapping[str, datetime]) -> list[tuple[Entity, list[str]]]:
    """The names by entity, those that are GIDs apart from the others."""
    found: list[tuple[Entity, bool, list[str]]] = [
        (entity, by_place, []) for entity in resource.entities for by_place in (False, True)
    ]
    for name in gone:
        said_place, kind = " " in name, gid_type(name)
        fits = [
            names
            for entity, by_place, names in found
            if by_place == said_place and (entity.place if by_place else kind in entity.node_types)
        ]
        if not fits:
            raise RemovalError(f"The resource {resource.name} has no rows of {name[:100]!r}: nothing was removed.")
        fits[0].append(name)
    return [(entity, names) for entity, _, names in found if names]


def _named(entity: Entity, told: Mapping[str, datetime]) -> sql.Composable:
    """The condition that a row `m` is what was told."""
    if " " not in next(iter(told)):
        return sql.SQL("m.shopify_gid = told.gid")
    parts = enumerate(entity.place, start=1)
    each = sql.SQL("m.{} = split_part(told.gid, ' ', {})")
    return sql.SQL(" AND ").join(each.format(sql.Identifier(column), sql.Literal(n)) for n, column in parts)


def _open_run(book: Connection, shop_id: UUID, resource: str, gone: Mapping[str, datetime], told_by: str) -> UUID:
    state = {"source": told_by, "as_of": max(gone.values()).isoformat(), "snapshot": False}
    values = {
        "shop_id": shop_id,
        "resource": resource,
        "operation_type": removal_of(resource),
        "state": Jsonb(state),
    }
    row = book.execute(statement("removals/open_run"), values).fetchone()
    assert row is not None  # noqa: S101 - the shop was found
    return UUID(str(row[0]))


def _remove_of(
    connection: Connection,
    entity: Entity,
    told: Mapping[str, datetime],
    parameters: dict[str, Any],
    why: Why,
    counts: RemovalCounts,
) -> None:
    query = statement("removals/find_told").format(
        table=table_identifier(entity.table),
        key=sql.Identifier(entity.primary_key),
        moments=moments_of(entity),
        named=_named(entity, told),
    )
    values = {**parameters, "gids": list(told), "moments": list(told.values())}
    # A row with a time of change shows itself how new it is: a whole export merged since need not have held it.
    if entity.version and not entity.gid_returns:
        values["shown_through"] = None
    rows = connection.execute(query, values).fetchall()
    here = [Gone(key, gid, moment) for gid, moment, key, newer in rows if key is not None and not newer]
    absent = {gid: moment for gid, moment, key, _ in rows if key is None}
    counts.kept += [gid for gid, _, key, newer in rows if key is not None and newer]
    counts.removed += [row.gid for row in here]
    counts.absent += absent
    counts.tables += remove_rows(connection, entity.table, entity.primary_key, here, why)
    record = {**parameters, **why.parameters, "table_name": entity.table}
    record |= {"gids": list(absent), "moments": list(absent.values())}
    connection.execute(statement("removals/record_absent"), record)


def moments_of(entity: Entity) -> sql.Composable:
    """The columns by which a row `m` shows how new it is."""
    names: Sequence[str] = [column.name for column in entity.columns if column.name == "created_at_shopify"]
    if entity.version and entity.version not in names:
        names = [*names, entity.version]
    return sql.SQL(", ").join(sql.Identifier("m", name) for name in ("synced_at", *names))
