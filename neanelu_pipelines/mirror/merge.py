"""The merge: valid staged rows into the mirror, as the tenant role under row-level security.

Belongs here: putting a declaration's names into the merge's statements, in the order in which rows depend on each
other, and spreading a big load over several connections. Does not belong here: what is valid (`staging`, `verdicts`),
and any rule about one resource.

A small load is one transaction. A big one is merged table after table, the rows of a table split between connections,
because most of its time is spent on one processor making full-text entries. If it is killed half-way, what is merged
is right, row by row, and the next load merges the rest: rows whose fingerprints already agree are left alone. A
fingerprint speaks for the row's links too, so they are written in the transaction of their row.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from psycopg import Connection, sql

from neanelu_pipelines.database.copy import column_list, table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import recording
from neanelu_pipelines.mirror.declarations import TOLD_AT, Children, Column, Entity, Link, Resource, Unfolded
from neanelu_pipelines.mirror.joins import join, link_unless_told, lookup_join, moment, owned_join
from neanelu_pipelines.mirror.reports import TableCounts
from neanelu_pipelines.mirror.shares import WHOLE, Share, shared_out


@dataclass(frozen=True)
class Extent:
    """What the staged file is able to say: the rest of the mirror is left alone."""

    columns: dict[str, list[str]]
    """Selected columns, by mirror table."""
    owned: frozenset[str]
    """The owned parts it holds completely: `table.field`, or a link table."""
    complete: bool
    """No line was rejected: then what is absent is gone. Otherwise it may have stood in a rejected line."""
    partial: frozenset[str] = frozenset()
    """Mirror tables of which some rows' lines are incomplete: such a row keeps what its line says nothing about."""


Transaction: TypeAlias = Callable[[], AbstractContextManager[Connection]]
"""Opens a tenant transaction of the load's shop, and commits it at the end."""


@dataclass(frozen=True)
class Merge:
    """One load's merge. `parameters` are run_id, shop_id, as_of and shown_through; `staged`, rows by staging table."""

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

        def work(entity: Entity, share: Share) -> dict[str, TableCounts]:
            with begin() as connection:
                return self._rows_with_links(connection, entity, share)

        counts = self.nothing()
        with ThreadPoolExecutor(workers, thread_name_prefix="merge") as pool:
            for entity in self._staged_entities():
                started = time.perf_counter()
                with begin() as connection:
                    parts = shared_out(connection, entity, workers)
                counts = _added([counts, *pool.map(partial(work, entity), parts)])
                counts[entity.table].seconds = round(time.perf_counter() - started, 3)
        return counts

    def nothing(self) -> dict[str, TableCounts]:
        """The counts of a load that stages no row."""
        return {table: TableCounts() for table in self.resource.mirror_tables}

    def _staged_entities(self) -> list[Entity]:
        """Only these: a change of a price stages no pictures, and each statement has to be planned."""
        return [entity for entity in self.resource.entities if self.staged.get(entity.staging)]

    def _rows_with_links(self, connection: Connection, entity: Entity, share: Share = WHOLE) -> dict[str, TableCounts]:
        rows = self._rows(connection, entity, share)
        counts = {entity.table: rows}
        counts |= {other.table: self._refreshed(connection, other, share) for other in self._that_look_up(entity)}
        if entity.ledger:
            counts[entity.ledger] = recording.appended(connection)
        for link in entity.links:
            counts[link.table] = self._link_rows(connection, entity, link, share, all_new=rows.all_new)
        return counts | {part.table: self._unfolded(connection, entity, part, share) for part in entity.unfolded}

    def _rows(self, connection: Connection, entity: Entity, share: Share) -> TableCounts:
        started = time.perf_counter()
        connection.execute(statement("mirror/begin_merge"))
        row = connection.execute(_entity_query(entity, self.extent, share), self.parameters).fetchone() or (0, 0, 0)
        return _counted(row, started)

    def _that_look_up(self, entity: Entity) -> list[Entity]:
        return [other for other in self.resource.entities if other.lookup and other.lookup.table == entity.table]

    def _refreshed(self, connection: Connection, entity: Entity, share: Share) -> TableCounts:
        """Rows of `entity` that show a value of the rows just merged."""
        lookup = entity.lookup
        link = next(link for link in entity.links if lookup and link.child_table == lookup.table)
        names = _link_names(self.resource, entity, link, self.extent)
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
        names = _link_names(self.resource, entity, link, self.extent) | {"share": share.holds}
        parameters = self.parameters | {"is_first": share.first == 0}
        query = statement("mirror/merge_links_in_order" if link.elsewhere else "mirror/merge_links")
        row = connection.execute(query.format(**names), parameters).fetchone() or (0, 0, 0)
        counts = _counted(row, started)
        if all_new:
            pass  # Rows that were not there a moment ago have no links to lose.
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
        counts = _counted(tuple(row), started)
        counts.deleted = deleted
        return counts


def _counted(row: tuple[int, ...], started: float) -> TableCounts:
    """What a merge statement says of itself: rows inserted, updated, and offered to it."""
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


def _entity_query(entity: Entity, extent: Extent, share: Share) -> sql.Composed:
    values, joins, fingerprints = _values(entity, extent)
    children = {part.field: part for part in entity.children if part.field in values}
    new = {name: _assigned(name, entity, children, extent) for name in values if name != "shopify_gid"}
    values |= _only_for_new_rows(entity, values)
    return statement("mirror/merge_entity").format(
        table=table_identifier(entity.table),
        staging=table_identifier(entity.staging),
        columns=column_list(list(values)),
        values=sql.SQL(", ").join(values.values()),
        joins=sql.SQL("\n    ").join(joins),
        fingerprint=_fingerprint(entity, extent, fingerprints),
        assignments=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in new.items()
        ),
        fingerprint_column=sql.Identifier(entity.fingerprint),
        kept_fingerprint=_kept_fingerprint(entity, children, extent),
        differs=sql.SQL("({}) IS DISTINCT FROM ({})").format(
            sql.SQL(", ").join(sql.Identifier("m", name) for name in new),
            sql.SQL(", ").join(new.values()),
        ),
        told_at=moment(entity),
        or_told_later=_or_told_later(entity, extent),
        not_older=_not_older(entity),
        share=share.holds,
    )


def _values(
    entity: Entity, extent: Extent
) -> tuple[dict[str, sql.Composable], list[sql.Composable], list[sql.Composable]]:
    """What goes into each column, the joins that this needs, and the terms of the fingerprint."""
    selected = set(extent.columns.get(entity.table, ()))
    kept = _Kept(entity.table in extent.partial)
    values: dict[str, sql.Composable] = {
        column.name: kept.unless_said(column.name, column.name, _staged_value(column))
        for column in entity.columns
        if not column.staged_only and (column.name in selected or column.required)
    }
    joins: list[sql.Composable] = []
    fingerprints: list[sql.Composable] = [sql.SQL("s.fingerprint")]
    if entity.parent:
        values[entity.parent.column] = sql.SQL("parent.id")
        joins.append(join("parent", entity.parent.table, entity.parent.gid_column))
    if entity.lookup and entity.lookup.gid_column in selected:
        looked_up = sql.Identifier("looked_up", entity.lookup.value_column)
        values[entity.lookup.column] = kept.unless_said(entity.lookup.gid_column, entity.lookup.column, looked_up)
        joins.append(lookup_join(entity.lookup))
    for i, part in enumerate(entity.owned):
        alias = sql.Identifier(f"owned_{i}")
        if isinstance(part, Children) and f"{entity.table}.{part.field}" in extent.owned:
            folded = sql.SQL("COALESCE({}.value, {})").format(alias, sql.Literal(part.nothing))
            values[part.field] = kept.unless_lines(alias, part.field, folded)
        joins.append(owned_join(entity, part, alias))
        fingerprints.append(sql.SQL("COALESCE({}.fingerprint, 0)").format(alias))
    if kept.some:
        joins.append(statement("mirror/join_kept").format(table=table_identifier(entity.table)))
    return values, joins, fingerprints


@dataclass(frozen=True)
class _Kept:
    """What an incomplete row keeps of the mirror's; nothing is asked where no row is incomplete."""

    some: bool

    def unless_said(self, told_by: str, column: str, value: sql.Composable) -> sql.Composable:
        """The value; the mirror's where the row's line does not carry what tells it."""
        query = sql.SQL("CASE WHEN s.validation_errors ? {} THEN kept.{} ELSE {} END")
        return query.format(sql.Literal(told_by), sql.Identifier(column), value) if self.some else value

    def unless_lines(self, alias: sql.Identifier, column: str, value: sql.Composable) -> sql.Composable:
        """The value; the mirror's where an incomplete row has no lines that make it."""
        query = sql.SQL("CASE WHEN s.validation_errors IS NOT NULL AND {}.parent_gid IS NULL THEN kept.{} ELSE {} END")
        return query.format(alias, sql.Identifier(column), value) if self.some else value


def _staged_value(column: Column) -> sql.Composable:
    if column.keyed_by is None:
        return sql.Identifier("s", column.name)
    return sql.SQL("pipeline.keyed({}, {})").format(sql.Identifier("s", column.name), sql.Literal(column.keyed_by))


def _only_for_new_rows(entity: Entity, values: dict[str, sql.Composable]) -> dict[str, sql.Composable]:
    """What a new row cannot do without, though the file says nothing about it; rows that are there keep theirs."""
    made: dict[str, sql.Composable] = {
        column.name: sql.Identifier("s", column.name) for column in entity.columns if column.test
    }
    made |= {part.field: sql.Literal(part.nothing) for part in entity.children}
    return {name: value for name, value in made.items() if name not in values}


def _all_found(entity: Entity, extent: Extent) -> list[sql.Composable]:
    """What must hold of a row for all that it refers to elsewhere to be in the mirror."""
    conditions: list[sql.Composable] = []
    lookup = entity.lookup
    if lookup and lookup.elsewhere and lookup.gid_column in extent.columns.get(entity.table, ()):
        gid_column = sql.Identifier("s", lookup.gid_column)
        conditions.append(sql.SQL("({} IS NULL OR looked_up.id IS NOT NULL)").format(gid_column))
    for i, part in enumerate(entity.owned):
        if part.elsewhere if isinstance(part, Link) else part.lookup:
            conditions.append(sql.SQL("COALESCE({}.missing, 0) = 0").format(sql.Identifier(f"owned_{i}")))
    return conditions


def _assigned(name: str, entity: Entity, children: dict[str, Children], extent: Extent) -> sql.Composable:
    """The new value; children that a damaged file does not hold stay beside those that it does."""
    if name in children and not extent.complete:
        return _with_kept(children[name])
    if any(column.name == name and column.told_elsewhere for column in entity.columns):
        return sql.SQL("COALESCE(excluded.{0}, m.{0})").format(sql.Identifier(name))
    return sql.Identifier("excluded", name)


def _with_kept(part: Children) -> sql.Composed:
    """A damaged file's children, and those of the row that it does not hold."""
    query = sql.SQL("pipeline.list_with_kept(m.{0}, excluded.{0})" if part.as_list else "m.{0} || excluded.{0}")
    return query.format(sql.Identifier(part.field))


def _fingerprint(entity: Entity, extent: Extent, hashes: list[sql.Composable]) -> sql.Composable:
    """The sum of the lines' hashes; none where the row keeps, or still lacks, what the lines do not say."""
    asked = {f"{entity.table}.{part.field}" for part in entity.children if part.in_query}
    asked |= {link.table for link in entity.links if link.in_query}
    if asked - extent.owned:
        return sql.SQL("NULL::bigint")
    whole = sql.SQL("pipeline.fingerprint({})").format(sql.SQL(" + ").join(hashes))
    conditions = _all_found(entity, extent)
    if not conditions:
        return whole
    return sql.SQL("CASE WHEN {} THEN {} END").format(sql.SQL(" AND ").join(conditions), whole)


def _kept_fingerprint(entity: Entity, children: dict[str, Children], extent: Extent) -> sql.Composable:
    """The file's fingerprint, or none where the row keeps children that the file does not hold."""
    told = sql.Identifier("excluded", entity.fingerprint)
    if extent.complete or not children:
        return told
    same = sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(_with_kept(part), sql.Identifier("excluded", name)) for name, part in children.items()
    )
    return sql.SQL("CASE WHEN {} THEN {} END").format(same, told)


def _not_older(entity: Entity) -> sql.Composable:
    """The rule that no older data overwrites newer, once more where it cannot be forgotten."""
    if entity.version is None:
        return sql.SQL("GREATEST(m.synced_at, %(shown_through)s) <= excluded.synced_at")
    return statement("mirror/not_older").format(version=sql.Identifier(entity.version))


def _or_told_later(entity: Entity, extent: Extent) -> sql.Composable:
    """A row of which an event says what it is already is as new as the event: what came between must not change it.

    Whole exports say it of all their rows at once, by their own moment.
    """
    told = TOLD_AT in extent.columns.get(entity.table, ())
    return sql.SQL("OR m.synced_at < excluded.synced_at" if told else "")


def _featured(entity: Entity, link: Link, child_key: str, extent: Extent) -> sql.Composable:
    """Whether a link is the featured one; as it was, where the file or the row's line does not say."""
    if link.featured_gid_column is None:
        return sql.SQL("false")
    column = sql.Identifier("s", link.featured_gid_column)
    said = sql.SQL("COALESCE({} = l.child_gid, false)").format(column)
    still = statement("mirror/still_featured").format(
        table=table_identifier(link.table),
        parent_column=sql.Identifier(link.parent_column),
        child_column=sql.Identifier(link.child_column),
        child_key=sql.Identifier("child", child_key),
    )
    if link.featured_gid_column not in extent.columns.get(entity.table, ()):
        return still
    if entity.table not in extent.partial:
        return said
    query = sql.SQL("CASE WHEN s.validation_errors ? {} THEN {} ELSE {} END")
    return query.format(sql.Literal(link.featured_gid_column), still, said)


def _link_names(resource: Resource, entity: Entity, link: Link, extent: Extent) -> dict[str, sql.Composable]:
    child_key = "id" if link.elsewhere else resource.entity(link.child_table).primary_key
    featured = _featured(entity, link, child_key, extent)
    shown = bool(link.featured_gid_column)
    return {
        "table": table_identifier(link.table),
        "link_table": sql.Literal(link.table),
        "parent_column": sql.Identifier(link.parent_column),
        "child_column": sql.Identifier(link.child_column),
        "child_key": sql.Identifier(child_key),
        "child_table": table_identifier(link.child_table),
        "child_number": sql.SQL("child.legacy_resource_id"),
        "parent_table": table_identifier(entity.table),
        "parent_staging": table_identifier(entity.staging),
        "unless_kept": statement("mirror/unless_links_kept").format(link_table=sql.Literal(link.table))
        if entity.table in extent.partial
        else sql.SQL(""),
        "unless_told": link_unless_told(link),
        "featured": featured,
        "featured_column": sql.SQL(", is_featured") if shown else sql.SQL(""),
        "featured_value": sql.SQL(", {}").format(featured) if shown else sql.SQL(""),
        "featured_assignment": sql.SQL(", is_featured = excluded.is_featured") if shown else sql.SQL(""),
        "featured_old": sql.SQL(", m.is_featured") if shown else sql.SQL(""),
        "featured_new": sql.SQL(", excluded.is_featured") if shown else sql.SQL(""),
    }
