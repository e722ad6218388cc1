"""Verdicts on staged rows that can only be given beside other rows: repeated, older than the mirror, orphaned.

Belongs here: the order of those verdicts, and how they change the counts of lines. The verdicts themselves are SQL.
Does not belong here: what is wrong with one line by itself (`staging`, `columns`).
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from neanelu_pipelines.database.connect import Transaction
from neanelu_pipelines.database.copy import column_list, table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.declarations import CHILDREN_STAGING, LINKS_STAGING, Children, Entity, Link, Resource
from neanelu_pipelines.mirror.joins import moment, shown, staged_place
from neanelu_pipelines.mirror.reports import LineCounts

_IDENTITIES = {
    CHILDREN_STAGING: ("parent_table", "parent_gid", "field", "key"),
    LINKS_STAGING: ("link_table", "parent_gid", "child_gid"),
}


@dataclass(frozen=True)
class Verdict:
    """Something that may be true of staged rows."""

    mark: Callable[[Connection], int]
    """Marks the rows of which it is true, and says how many they are."""
    of_identities: bool = False
    """Whether it is true of no row where `Identities.agree`."""


def judge(
    connection: Connection,
    resource: Resource,
    parameters: dict[str, Any],
    nodes: dict[str, LineCounts],
    *,
    mirror_is_empty: bool,
    identities_agree: bool = False,
    partial: AbstractSet[str] = frozenset(),
    marked: int = 0,
    begin: Transaction | None = None,
    workers: int = 1,
) -> list[str]:
    """Mark the rows of a load that must not be merged, record the invalid ones, and correct the counts of lines.

    `parameters` are run_id, shop_id, as_of, shown_through and those of `joins.shown`; `marked` rows are out already,
    what they own goes with them. Where `identities_agree`, no row that was staged is repeated or an orphan. `begin`
    opens transactions beside this one, for a load worth several `workers`.
    Returns notes: which rows of other resources the mirror does not have yet.
    """
    if marked:
        for entity in resource.entities:
            _mark_older_owned(connection, resource, entity, parameters)
    verdicts = _verdicts(resource, parameters, mirror_is_empty=mirror_is_empty, partial=partial)
    in_doubt = [verdict for verdict in verdicts if not (identities_agree and verdict.of_identities)]
    # Incomplete rows become valid where the mirror has them: what else is true of those is seen afterwards only.
    if marked or partial or not begin or not _true_of_none(in_doubt, begin, workers):
        marked += sum(verdict.mark(connection) for verdict in verdicts)
    if marked:
        connection.execute(statement("mirror/record_invalid").format(parts=_settled(resource)), parameters)
        _settle(connection, resource, parameters, nodes)
    return [note for entity in resource.entities for note in _missing_elsewhere(connection, entity, parameters)]


def _verdicts(
    resource: Resource, parameters: dict[str, Any], *, mirror_is_empty: bool, partial: AbstractSet[str]
) -> list[Verdict]:
    """Incomplete rows (of the `partial` tables), repeated ones, what the mirror has newer, and orphans, in this order.

    Each entity after the one it stands under: an orphan's children are orphans too.
    """
    entities = resource.entities
    return [
        *(_incomplete(entity, parameters) for entity in entities if entity.table in partial),
        *(_repeated(resource, table, parameters) for table in resource.staging_tables),
        Verdict(lambda connection: _mark_removed(connection, resource, parameters)),
        *(verdict for entity in entities for verdict in _not_to_unfold(entity, parameters)),
        *(_older(resource, entity, parameters) for entity in reversed(entities) if not mirror_is_empty),
        *(verdict for entity in entities for verdict in _orphans(resource, entity, parameters)),
    ]


def _true_of_none(verdicts: Sequence[Verdict], begin: Transaction, workers: int) -> bool:
    """Whether nothing is to be marked, asked of many rows by as many connections at once as there are `workers`.

    If no verdict is true of any row as they stand, none is true of any after the others, whatever their order. What one
    has marked is taken back: what is true then depends on the order.
    """

    def refute(verdict: Verdict) -> None:
        with begin() as connection:
            if verdict.mark(connection):
                raise _TrueOfSomeError

    with ThreadPoolExecutor(workers, thread_name_prefix="verdicts") as pool:
        asked = [pool.submit(refute, verdict) for verdict in verdicts]
        try:
            for answer in as_completed(asked):
                answer.result()
        except (_TrueOfSomeError, psycopg.errors.DeadlockDetected):
            # Two that are both true may have marked the same rows, each in an order of its own.
            pool.shutdown(cancel_futures=True)
            return False
    return True


class _TrueOfSomeError(Exception):
    """A verdict is true of some row."""


def _missing_elsewhere(connection: Connection, entity: Entity, parameters: dict[str, Any]) -> Iterator[str]:
    """How many rows of other resources the valid lines name that the mirror does not have, by what names them."""
    for place, table, query in _references_elsewhere(entity):
        row = connection.execute(query, parameters).fetchone()
        if row and row[0]:
            yield (
                f"{place} names rows of {table} that the mirror does not have, {row[0]:,} times: left out until a load "
                "finds them there."
            )


def _references_elsewhere(entity: Entity) -> Iterator[tuple[str, str, sql.Composed]]:
    if entity.lookup and entity.lookup.elsewhere:
        query = statement("mirror/count_missing_lookups").format(
            staging=table_identifier(entity.staging),
            gid_column=sql.Identifier(entity.lookup.gid_column),
            table=table_identifier(entity.lookup.table),
            key_column=sql.Identifier(entity.lookup.key_column),
        )
        yield f"{entity.table}.{entity.lookup.column}", entity.lookup.table, query
    for part in entity.children:
        if part.lookup:
            query = statement("mirror/count_missing_members").format(
                parent_table=sql.Literal(entity.table),
                field=sql.Literal(part.field),
                gid_member=sql.Literal(part.lookup.gid_member),
                table=table_identifier(part.lookup.table),
            )
            yield f"{entity.table}.{part.field}", part.lookup.table, query
    for link in entity.links:
        if link.elsewhere:
            query = statement("mirror/count_missing_links").format(link_table=sql.Literal(link.table))
            yield link.table, link.child_table, query


def _settle(
    connection: Connection, resource: Resource, parameters: dict[str, Any], nodes: dict[str, LineCounts]
) -> None:
    """Move the lines that the verdicts took out from staged to rejected or ignored, by node type."""
    query = statement("mirror/count_settled").format(parts=_settled(resource))
    for node, rejected, ignored in connection.execute(query, parameters):
        counts = nodes.setdefault(node, LineCounts())
        counts.staged -= rejected + ignored
        counts.rejected += rejected
        counts.ignored += ignored


def _marks(query: sql.SQL | sql.Composed, parameters: dict[str, Any], *, of_identities: bool = False) -> Verdict:
    return Verdict(lambda connection: connection.execute(query, parameters).rowcount, of_identities)


def _incomplete(entity: Entity, parameters: dict[str, Any]) -> Verdict:
    """A row whose line lacks what a row needs is one that the mirror has, and keeps that; or it is invalid."""
    names = {"staging": table_identifier(entity.staging), "table": table_identifier(entity.table)}
    required = [column.name for column in entity.columns if column.required]
    keep = _marks(statement("mirror/mark_kept").format(**names), parameters)
    refuse = _marks(statement("mirror/mark_incomplete").format(**names), {**parameters, "required": required})

    def mark(connection: Connection) -> int:
        keep.mark(connection)
        return refuse.mark(connection)

    return Verdict(mark)


def _repeated(resource: Resource, table: str, parameters: dict[str, Any]) -> Verdict:
    identity = _IDENTITIES.get(table, ("shopify_gid",))
    versions = [entity.version for entity in resource.entities if entity.staging == table and entity.version]
    query = statement("mirror/mark_repeated").format(
        staging=table_identifier(table),
        identity=column_list(identity),
        qualified_identity=sql.SQL(", ").join(sql.Identifier("s", name) for name in identity),
        same_identity=sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier("s", name), sql.Identifier("r", name)) for name in identity
        ),
        version=sql.Identifier("s", versions[0]) if versions else sql.SQL("0"),
    )
    return _marks(query, parameters, of_identities=True)


def _not_to_unfold(entity: Entity, parameters: dict[str, Any]) -> list[Verdict]:
    """Rows that cannot become what they are to be unfolded into."""
    return [_marks(statement(part.check), parameters) for part in entity.unfolded if part.check]


def _older(resource: Resource, entity: Entity, parameters: dict[str, Any]) -> Verdict:
    name = "mirror/mark_older" if entity.version else "mirror/mark_older_unversioned"
    query = statement(name).format(
        staging=table_identifier(entity.staging),
        table=table_identifier(entity.table),
        version=sql.Identifier(entity.version or ""),
        told_at=moment(entity),
        shown=shown(entity),
    )

    def mark(connection: Connection) -> int:
        older = connection.execute(query, parameters).rowcount
        if older:
            _mark_older_owned(connection, resource, entity, parameters)
        return older

    return Verdict(mark)


def _mark_removed(connection: Connection, resource: Resource, parameters: dict[str, Any]) -> int:
    """Older news of rows that were removed from the mirror since, and of what stands under them."""
    if connection.execute(statement("removals/any_of_shop"), parameters).fetchone() != (True,):
        return 0
    marked = 0
    for entity in resource.entities:
        names: dict[str, sql.Composable] = {
            "staging": table_identifier(entity.staging),
            "table": table_identifier(entity.table),
            "version": sql.Identifier("s", entity.version) if entity.version else sql.SQL("NULL"),
            "told_at": moment(entity),
        }
        found = 0
        for named in (sql.Identifier("s", "shopify_gid"), *([staged_place(entity)] if entity.place else [])):
            removed = statement("removals/mark_removed").format(named=named, **names)
            found += connection.execute(removed, parameters).rowcount
        if entity.parent:
            query = statement("removals/mark_under_removed").format(
                staging=names["staging"],
                gid_column=sql.Identifier(entity.parent.gid_column),
                parent_staging=table_identifier(resource.entity(entity.parent.table).staging),
                parent_table=table_identifier(entity.parent.table),
            )
            found += connection.execute(query, parameters).rowcount
        if found:
            _mark_older_owned(connection, resource, entity, parameters)
        marked += found
    return marked


def _mark_older_owned(connection: Connection, resource: Resource, entity: Entity, parameters: dict[str, Any]) -> None:
    """What older rows own is as old as they are."""
    for part in entity.owned:
        connection.execute(_owned(statement("mirror/mark_older_owned"), entity, part), parameters)
        for child in _linked_entities(resource, part):
            linked = statement("mirror/mark_older_linked").format(staging=table_identifier(child.staging))
            connection.execute(linked, parameters)


def _linked_entities(resource: Resource, part: Children | Link) -> list[Entity]:
    """The entities made of the same lines as this link, that have no version of their own."""
    if not isinstance(part, Link):
        return []
    return [entity for entity in resource.entities if entity.table == part.child_table and entity.version is None]


def _orphans(resource: Resource, entity: Entity, parameters: dict[str, Any]) -> Iterator[Verdict]:
    if entity.parent:
        parent = resource.entity(entity.parent.table)
        query = statement("mirror/mark_orphans").format(
            staging=table_identifier(entity.staging),
            gid_column=sql.Identifier(entity.parent.gid_column),
            parent_staging=table_identifier(parent.staging),
            parent_table=table_identifier(parent.table),
        )
        yield _marks(query, parameters, of_identities=True)
    for part in entity.owned:
        yield _marks(_owned(statement("mirror/mark_unowned"), entity, part), parameters, of_identities=True)
        if isinstance(part, Link):
            for query in _broken_links(resource, part):
                yield _marks(query, parameters, of_identities=not part.elsewhere)


def _broken_links(resource: Resource, link: Link) -> list[sql.Composed]:
    """Links to what is not there, and what stands only under rows that are not there."""
    if link.elsewhere:
        query = statement("mirror/mark_missing_links")
        return [query.format(link_table=sql.Literal(link.table), table=table_identifier(link.child_table))]
    child = resource.entity(link.child_table)
    return [
        statement(name).format(
            link_table=sql.Literal(link.table),
            staging=table_identifier(child.staging),
            table=table_identifier(child.table),
        )
        for name in ("mirror/mark_dangling_links", "mirror/mark_unlinked")
    ]


def _owned(query: sql.SQL, entity: Entity, part: Children | Link) -> sql.Composed:
    links = isinstance(part, Link)
    return query.format(
        staging=table_identifier(LINKS_STAGING if links else CHILDREN_STAGING),
        owned_by=sql.Identifier("link_table" if links else "parent_table"),
        owner=sql.Literal(part.table if isinstance(part, Link) else entity.table),
        parent_staging=table_identifier(entity.staging),
    )


def _settled(resource: Resource) -> sql.Composed:
    """The rows taken out of any staging table. A line that is an entity and a link is ignored only as a link."""
    parts = []
    linked = {link.child_table for entity in resource.entities for link in entity.links}
    for entity in resource.entities:
        invalid_only = sql.SQL("s.validation_status = 'invalid'") if entity.table in linked else sql.SQL("true")
        parts.append(_settled_part(entity.staging, "split_part(s.shopify_gid, '/', 4)", invalid_only))
        parts += [
            _settled_part(
                CHILDREN_STAGING,
                f"'{children.node_types[0]}'" if len(children.node_types) == 1 else "split_part(s.key, '/', 4)",
                sql.SQL("s.parent_table = {} AND s.field = {}").format(
                    sql.Literal(entity.table), sql.Literal(children.field)
                ),
            )
            for children in entity.children
        ]
    if linked:
        parts.append(_settled_part(LINKS_STAGING, "split_part(s.child_gid, '/', 4)", sql.SQL("true")))
    return sql.SQL(" UNION ALL ").join(parts)


def _settled_part(staging: str, node: str, condition: sql.Composable) -> sql.Composed:
    return statement("mirror/settled_lines").format(
        staging=table_identifier(staging),
        node=sql.SQL(node),
        filter=condition,
    )
