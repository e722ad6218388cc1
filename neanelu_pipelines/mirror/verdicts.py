"""Verdicts on staged rows that can only be given beside other rows: repeated, older than the mirror, orphaned.

Belongs here: the order of those verdicts, and how they change the counts of lines. The verdicts themselves are SQL.
Does not belong here: what is wrong with one line by itself (`staging`, `columns`).
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from psycopg import Connection, sql

from neanelu_pipelines.database.copy import column_list, table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.declarations import CHILDREN_STAGING, LINKS_STAGING, Children, Entity, Link, Resource
from neanelu_pipelines.mirror.joins import moment, staged_place
from neanelu_pipelines.mirror.reports import LineCounts

_IDENTITIES = {
    CHILDREN_STAGING: ("parent_table", "parent_gid", "field", "key"),
    LINKS_STAGING: ("link_table", "parent_gid", "child_gid"),
}


def judge(
    connection: Connection,
    resource: Resource,
    parameters: dict[str, Any],
    nodes: dict[str, LineCounts],
    *,
    mirror_is_empty: bool,
    partial: AbstractSet[str] = frozenset(),
    marked: int = 0,
) -> list[str]:
    """Mark the rows of a load that must not be merged, record the invalid ones, and correct the counts of lines.

    `parameters` are run_id, shop_id, as_of and shown_through; `marked` rows are out already, what they own goes with
    them. Then incomplete rows (of the `partial` tables), repeated ones, what the mirror has newer, and orphans, each
    entity after the one it stands under: an orphan's children are orphans too. Returns notes: which rows of other
    resources the mirror does not have yet.
    """
    if marked:
        for entity in resource.entities:
            _mark_older_owned(connection, resource, entity, parameters)
    marked += sum(
        _mark_incomplete(connection, entity, parameters) for entity in resource.entities if entity.table in partial
    )
    marked += sum(_mark_repeated(connection, resource, table, parameters) for table in resource.staging_tables)
    marked += _mark_removed(connection, resource, parameters)
    marked += sum(_mark_not_to_unfold(connection, entity, parameters) for entity in resource.entities)
    if not mirror_is_empty:
        marked += sum(_mark_older(connection, resource, entity, parameters) for entity in reversed(resource.entities))
    marked += sum(_mark_orphans(connection, resource, entity, parameters) for entity in resource.entities)
    if marked:
        connection.execute(statement("mirror/record_invalid").format(parts=_settled(resource)), parameters)
        _settle(connection, resource, parameters, nodes)
    return [note for entity in resource.entities for note in _missing_elsewhere(connection, entity, parameters)]


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


def _mark_incomplete(connection: Connection, entity: Entity, parameters: dict[str, Any]) -> int:
    """A row whose line lacks what a row needs is one that the mirror has, and keeps that; or it is invalid."""
    names = {"staging": table_identifier(entity.staging), "table": table_identifier(entity.table)}
    required = [column.name for column in entity.columns if column.required]
    connection.execute(statement("mirror/mark_kept").format(**names), parameters)
    query = statement("mirror/mark_incomplete").format(**names)
    return connection.execute(query, {**parameters, "required": required}).rowcount


def _mark_repeated(connection: Connection, resource: Resource, table: str, parameters: dict[str, Any]) -> int:
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
    return connection.execute(query, parameters).rowcount


def _mark_not_to_unfold(connection: Connection, entity: Entity, parameters: dict[str, Any]) -> int:
    """Rows that cannot become what they are to be unfolded into."""
    checks = [part.check for part in entity.unfolded if part.check]
    return sum(connection.execute(statement(check), parameters).rowcount for check in checks)


def _mark_older(connection: Connection, resource: Resource, entity: Entity, parameters: dict[str, Any]) -> int:
    name = "mirror/mark_older" if entity.version else "mirror/mark_older_unversioned"
    query = statement(name).format(
        staging=table_identifier(entity.staging),
        table=table_identifier(entity.table),
        version=sql.Identifier(entity.version or ""),
        told_at=moment(entity),
    )
    older = connection.execute(query, parameters).rowcount
    if older:
        _mark_older_owned(connection, resource, entity, parameters)
    return older


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


def _mark_orphans(connection: Connection, resource: Resource, entity: Entity, parameters: dict[str, Any]) -> int:
    marked = 0
    if entity.parent:
        parent = resource.entity(entity.parent.table)
        query = statement("mirror/mark_orphans").format(
            staging=table_identifier(entity.staging),
            gid_column=sql.Identifier(entity.parent.gid_column),
            parent_staging=table_identifier(parent.staging),
            parent_table=table_identifier(parent.table),
        )
        marked += connection.execute(query, parameters).rowcount
    for part in entity.owned:
        marked += connection.execute(_owned(statement("mirror/mark_unowned"), entity, part), parameters).rowcount
        if isinstance(part, Link):
            marked += _mark_links(connection, resource, part, parameters)
    return marked


def _mark_links(connection: Connection, resource: Resource, link: Link, parameters: dict[str, Any]) -> int:
    """Links to what is not there, and what stands only under rows that are not there."""
    if link.elsewhere:
        query = statement("mirror/mark_missing_links").format(
            link_table=sql.Literal(link.table), table=table_identifier(link.child_table)
        )
        return connection.execute(query, parameters).rowcount
    child = resource.entity(link.child_table)
    marked = 0
    for name in ("mirror/mark_dangling_links", "mirror/mark_unlinked"):
        query = statement(name).format(
            link_table=sql.Literal(link.table),
            staging=table_identifier(child.staging),
            table=table_identifier(child.table),
        )
        marked += connection.execute(query, parameters).rowcount
    return marked


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
