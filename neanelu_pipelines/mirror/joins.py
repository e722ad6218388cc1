"""What a staged row needs to become a row of the mirror: its moment, its parent, what it looks up, what it owns.

Belongs here: putting a declaration's names into the statements of these joins. Does not belong here: what is made of
the joined rows (`merge`).
"""

from psycopg import sql

from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.declarations import Children, Entity, Link, Lookup
from neanelu_pipelines.mirror.shares import WHOLE, Share


def join(kind: str, table: str, gid_column: str) -> sql.Composed:
    """The row of `table` that a staged row names by its GID; `kind` is the statement: parent or lookup."""
    return statement(f"mirror/join_{kind}").format(table=table_identifier(table), gid_column=sql.Identifier(gid_column))


def lookup_join(lookup: Lookup) -> sql.Composed:
    """The row that a lookup finds; NULLs where there is none."""
    if lookup.key_column == "shopify_gid":
        return join("lookup", lookup.table, lookup.gid_column)
    return statement("mirror/join_lookup_by").format(
        table=table_identifier(lookup.table),
        key_column=sql.Identifier(lookup.key_column),
        gid_column=sql.Identifier(lookup.gid_column),
    )


def moment(entity: Entity) -> sql.Composable:
    """The moment of the shop that a staged row shows: its own where its line says one, else the file's."""
    return statement("mirror/told_at") if entity.told_by_events else sql.SQL("%(as_of)s")


def shown(entity: Entity) -> sql.Composable:
    """The moment that a row `m` of the mirror shows, at least: whole exports found it as it is, and wrote nothing."""
    moments: list[sql.Composable] = [sql.SQL("m.synced_at, %(shown_through)s")]
    moments += [
        sql.SQL(", CASE WHEN m.{} IS NOT NULL THEN {}::timestamptz END").format(
            sql.Identifier(fingerprint), sql.Placeholder(shown_by(resource))
        )
        for resource, fingerprint in entity.also_told_by
    ]
    return sql.SQL("GREATEST({})").format(sql.Composed(moments))


def shown_by(resource: str) -> str:
    """The parameter with the moment of another resource's newest whole export."""
    return f"shown_by_{resource}"


def staged_place(entity: Entity) -> sql.Composable:
    """What Shopify names a staged row by instead of its GID, in one text."""
    return sql.SQL(" || ' ' || ").join(sql.Identifier("s", column) for column in entity.place)


def owned_join(entity: Entity, part: Children | Link, alias: sql.Identifier, share: Share) -> sql.Composed:
    """What a staged row of the share owns, folded into one row under `alias`."""
    of_share: sql.Composable = sql.SQL("")
    if share != WHOLE:
        of_share = statement("mirror/of_share").format(staging=table_identifier(entity.staging), share=share.holds)
    if isinstance(part, Link):
        name = "mirror/join_links_in_order" if part.elsewhere else "mirror/join_links"
        return statement(name).format(link_table=sql.Literal(part.table), of_share=of_share, alias=alias)
    lookup = part.lookup
    kind = "list" if part.as_list else "children"
    return statement(f"mirror/join_{kind}_looked_up" if lookup else f"mirror/join_{kind}").format(
        parent_table=sql.Literal(entity.table),
        field=sql.Literal(part.field),
        of_share=of_share,
        alias=alias,
        member=sql.Literal(lookup.member if lookup else ""),
        gid_member=sql.Literal(lookup.gid_member if lookup else ""),
        table=table_identifier(lookup.table if lookup else ""),
        id_column=sql.Identifier(lookup.id_column if lookup else ""),
    )


def link_unless_told(link: Link) -> sql.Composable:
    """The condition that no other resource has told the parent's links; none where no other tells any."""
    if link.told_by is None:
        return sql.SQL("")
    return statement("mirror/unless_told").format(
        told_by=table_identifier(link.told_by), parent_column=sql.Identifier(link.parent_column)
    )
