"""What the merge's statements are made of: a declaration's names, and the rules for what a file does not say.

Belongs here: putting them together for one entity or link table, and what of them depends on the file's extent. Does
not belong here: running them (`merge`), and the joins that they share with other passes (`joins`).
"""

from dataclasses import dataclass

from psycopg import sql

from neanelu_pipelines.database.copy import column_list, table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.declarations import TOLD_AT, Children, Column, Entity, Link, Resource
from neanelu_pipelines.mirror.extents import Extent
from neanelu_pipelines.mirror.joins import join, link_unless_told, lookup_join, moment, owned_join, shown
from neanelu_pipelines.mirror.shares import Share


def entity_query(entity: Entity, extent: Extent, share: Share, *, new: bool) -> sql.Composed:
    """The rows of a share into the entity's table; `new` where the mirror has none of them, or else it fails.

    Raises, when it is run:
        psycopg.errors.UniqueViolation: some are there after all.
    """
    values, joins, fingerprints = _values(entity, extent, share)
    updated = [name for name in values if name != "shopify_gid"]
    values |= _only_for_new_rows(entity, values)
    names: dict[str, sql.Composable] = {
        "table": table_identifier(entity.table),
        "staging": table_identifier(entity.staging),
        "columns": column_list(list(values)),
        "values": sql.SQL(", ").join(values.values()),
        "joins": sql.SQL("\n  ").join(joins),
        "fingerprint": _fingerprint(entity, extent, fingerprints),
        "fingerprint_column": sql.Identifier(entity.fingerprint),
        "told_at": moment(entity),
        "share": share.holds,
    }
    insert = statement("mirror/insert_entity").format(**names)
    if new:
        return insert
    return statement("mirror/merge_entity").format(insert=insert, update=_update(entity, extent, updated), **names)


def _update(entity: Entity, extent: Extent, names: list[str]) -> sql.Composed:
    """What happens to a row that is there."""
    children = {part.field: part for part in entity.children if part.field in names}
    new = {name: _assigned(name, entity, children, extent) for name in names}
    return statement("mirror/update_entity").format(
        assignments=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in new.items()
        ),
        fingerprint_column=sql.Identifier(entity.fingerprint),
        kept_fingerprint=_kept_fingerprint(entity, children, extent),
        differs=sql.SQL("({}) IS DISTINCT FROM ({})").format(
            sql.SQL(", ").join(sql.Identifier("m", name) for name in new),
            sql.SQL(", ").join(new.values()),
        ),
        or_told_later=_or_told_later(entity, extent),
        not_older=_not_older(entity),
    )


def _values(
    entity: Entity, extent: Extent, share: Share
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
        joins.append(owned_join(entity, part, alias, share))
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
    if asked - extent.owned or entity.table in extent.mixed:
        return sql.SQL("NULL::bigint")
    whole = sql.SQL("pipeline.fingerprint({})").format(sql.SQL(" + ").join(hashes))
    conditions = _all_found(entity, extent)
    if not conditions:
        return whole
    return sql.SQL("CASE WHEN {} THEN {} END").format(sql.SQL(" AND ").join(conditions), whole)


def _kept_fingerprint(entity: Entity, children: dict[str, Children], extent: Extent) -> sql.Composable:
    """The file's fingerprint, or none where the row keeps children that the file lacks or is not asked for."""
    told = sql.Identifier("excluded", entity.fingerprint)
    same = [
        sql.SQL("COALESCE(m.{}, {nothing}) = {nothing}").format(
            sql.Identifier(part.field), nothing=sql.Literal(part.nothing)
        )
        for part in entity.children
        if part.field not in children
    ]
    if not extent.complete:
        same += [
            sql.SQL("{} = {}").format(_with_kept(part), sql.Identifier("excluded", name))
            for name, part in children.items()
        ]
    return sql.SQL("CASE WHEN {} THEN {} END").format(sql.SQL(" AND ").join(same), told) if same else told


def _not_older(entity: Entity) -> sql.Composable:
    """The rule that no older data overwrites newer, once more where it cannot be forgotten."""
    if entity.version is None:
        return sql.SQL("{} <= excluded.synced_at").format(shown(entity))
    return statement("mirror/not_older").format(version=sql.Identifier(entity.version), shown=shown(entity))


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


def links_query(link: Link, extent: Extent, names: dict[str, sql.Composable], *, all_new: bool) -> sql.Composed:
    """The links of a share's rows, of the `names` of their table; `all_new` where the rows were not there before."""
    names = {"ends": statement("mirror/join_link_ends").format(**names), **names}
    if all_new and not link.elsewhere:
        return statement("mirror/insert_links").format(**names)
    update = sql.SQL("") if all_new else statement("mirror/update_links").format(**names)
    if link.elsewhere:
        return statement("mirror/merge_links_in_order").format(update=update, **names)
    if not extent.complete:
        return statement("mirror/merge_links_with_kept").format(update=update, **names)
    insert = statement("mirror/insert_links").format(**names)
    return statement("mirror/merge_links").format(insert=insert, update=update, **names)


def link_names(resource: Resource, entity: Entity, link: Link, extent: Extent) -> dict[str, sql.Composable]:
    """What the statements about a link table are made of."""
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
