"""The merge: valid staged rows into the mirror, as the tenant role under row-level security.

Belongs here: running the merge's statements in the order in which rows depend on each other, and spreading a big load
over several connections. Does not belong here: what is valid (`staging`, `verdicts`), what the statements are made of
(`merge_queries`), and any rule about one resource.

A small load is one transaction. A big one is merged table after table, the rows of a table split between connections,
because most of its time is spent on one processor making full-text entries. If it is killed half-way, what is merged
is right, row by row, and the next load merges the rest: rows whose fingerprints already agree are left alone. A
fingerprint speaks for the row's links too, so they are written in the transaction of their row.

Where the mirror has none of the shop's rows, they are written without looking for each one first. If another resource's
load brings one meanwhile (a picture is a product's and a file), the share is begun again, and looks.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg import Connection, Cursor, sql

from neanelu_pipelines.database.connect import Transaction
from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import recording
from neanelu_pipelines.mirror.declarations import Entity, Link, Resource, Unfolded
from neanelu_pipelines.mirror.extents import Extent
from neanelu_pipelines.mirror.merge_queries import entity_query, link_names, links_query
from neanelu_pipelines.mirror.reports import TableCounts
from neanelu_pipelines.mirror.shares import WHOLE, Share, shared_out


@dataclass(frozen=True)
class Merge:
    """One load's merge, in transactions of its tenant.

    `parameters` are run_id, shop_id, as_of and shown_through; `staged`, rows by staging table.
    """

    resource: Resource
    extent: Extent
    parameters: dict[str, Any]
    staged: Mapping[str, int]

    def in_one_transaction(self, begin: Transaction) -> dict[str, TableCounts]:
        """Everything or nothing."""
        counts = self.nothing()
        with begin() as connection:
            for entity in self._staged_entities():
                counts = _added([counts, self._rows_with_links(connection, entity)])
        return counts

    def side_by_side(self, begin: Transaction, workers: int) -> dict[str, TableCounts]:
        """Table after table, each table's rows and their links on several connections."""

        def work(entity: Entity, new: bool, share: Share) -> dict[str, TableCounts]:  # noqa: FBT001 - bound by partial
            with begin() as connection:
                return self._rows_with_links(connection, entity, share, new=new)

        counts = self.nothing()
        with ThreadPoolExecutor(workers, thread_name_prefix="merge") as pool:
            for entity in self._staged_entities():
                started = time.perf_counter()
                with begin() as connection:
                    parts, new = shared_out(connection, entity, self.parameters, workers)
                counts = _added([counts, *pool.map(partial(work, entity, new), parts)])
                counts[entity.table].seconds = round(time.perf_counter() - started, 3)
        return counts

    def nothing(self) -> dict[str, TableCounts]:
        """The counts of a load that stages no row."""
        return {table: TableCounts() for table in self.resource.mirror_tables}

    def _staged_entities(self) -> list[Entity]:
        """Only these: a change of a price stages no pictures, and each statement has to be planned."""
        return [entity for entity in self.resource.entities if self.staged.get(entity.staging)]

    def _rows_with_links(
        self, connection: Connection, entity: Entity, share: Share = WHOLE, *, new: bool = False
    ) -> dict[str, TableCounts]:
        rows = self._new_rows(connection, entity, share) if new else self._rows(connection, entity, share)
        counts = {entity.table: rows}
        counts |= {other.table: self._refreshed(connection, other, share) for other in self._that_look_up(entity)}
        if entity.ledger:
            counts[entity.ledger] = recording.appended(connection)
        for link in entity.links:
            counts[link.table] = self._link_rows(connection, entity, link, share, all_new=rows.all_new)
        return counts | {part.table: self._unfolded(connection, entity, part, share) for part in entity.unfolded}

    def _new_rows(self, connection: Connection, entity: Entity, share: Share) -> TableCounts:
        try:
            with connection.transaction():
                return self._rows(connection, entity, share, new=True)
        except psycopg.errors.UniqueViolation:
            return self._rows(connection, entity, share)

    def _rows(self, connection: Connection, entity: Entity, share: Share, *, new: bool = False) -> TableCounts:
        started = time.perf_counter()
        connection.execute(statement("mirror/begin_merge"))
        query = entity_query(entity, self.extent, share, new=new)
        return _counted(connection.execute(query, self.parameters), started)

    def _that_look_up(self, entity: Entity) -> list[Entity]:
        return [other for other in self.resource.entities if other.lookup and other.lookup.table == entity.table]

    def _refreshed(self, connection: Connection, entity: Entity, share: Share) -> TableCounts:
        """Rows of `entity` that show a value of the rows just merged."""
        lookup = entity.lookup
        link = next(link for link in entity.links if lookup and link.child_table == lookup.table)
        names = link_names(self.resource, entity, link, self.extent)
        query = statement("mirror/refresh_lookup").format(
            table=table_identifier(entity.table),
            column=sql.Identifier(lookup.column if lookup else ""),
            value_column=sql.Identifier(lookup.value_column if lookup else ""),
            staging=table_identifier(self.resource.entity(link.child_table).staging),
            lookup_table=names["child_table"],
            link_table=names["table"],
            child_column=names["child_column"],
            child_key=names["child_key"],
            parent_column=names["parent_column"],
            share=share.holds,
        )
        return TableCounts(updated=connection.execute(query, self.parameters).rowcount)

    def _link_rows(
        self, connection: Connection, entity: Entity, link: Link, share: Share, *, all_new: bool
    ) -> TableCounts:
        if link.table not in self.extent.owned:
            return TableCounts()
        started = time.perf_counter()
        names = link_names(self.resource, entity, link, self.extent) | {"share": share.holds}
        parameters = self.parameters | {"is_first": share.first == 0}
        query = links_query(link, self.extent, names, all_new=all_new)
        counts = _counted(connection.execute(query, parameters), started)
        if all_new:
            pass  # Rows that were not there a moment ago had no links, and have none to lose.
        elif self.extent.complete:
            deleted = connection.execute(statement("mirror/delete_links").format(**names), parameters)
            counts.deleted = deleted.rowcount
        else:
            connection.execute(statement("mirror/forget_kept_links").format(**names), parameters)
        counts.seconds = round(time.perf_counter() - started, 3)
        return counts

    def _unfolded(self, connection: Connection, entity: Entity, part: Unfolded, share: Share) -> TableCounts:
        columns = self.extent.columns.get(entity.table, ())
        if part.made_of not in columns and f"{entity.table}.{part.made_of}" not in self.extent.owned:
            return TableCounts()
        started = time.perf_counter()
        query = statement(part.merge).format(share=share.holds)
        *row, deleted = connection.execute(query, self.parameters).fetchone() or (0, 0, 0, 0)
        counts = _counts(tuple(row), started)
        counts.deleted = deleted
        return counts


def _counted(merged: Cursor, started: float) -> TableCounts:
    """What a merge statement did: as it says itself, or rows inserted and nothing else."""
    row = merged.fetchone() if merged.description else (merged.rowcount, 0, merged.rowcount)
    return _counts(row or (0, 0, 0), started)


def _counts(row: tuple[int, ...], started: float) -> TableCounts:
    """Of rows inserted, updated, and offered."""
    inserted, updated, offered = row
    seconds = round(time.perf_counter() - started, 3)
    return TableCounts(inserted, updated, offered - inserted - updated, seconds=seconds)


def _added(parts: Sequence[dict[str, TableCounts]]) -> dict[str, TableCounts]:
    """The counts of several workers and tables; workers run at once, so the slowest one's time is the table's."""
    total: dict[str, TableCounts] = {}
    for part in parts:
        for table, counts in part.items():
            sums = total.setdefault(table, TableCounts())
            sums.inserted += counts.inserted
            sums.updated += counts.updated
            sums.unchanged += counts.unchanged
            sums.deleted += counts.deleted
            sums.seconds = max(sums.seconds, counts.seconds)
    return total
