"""Rows out of the mirror, with what refers to them, as the catalog says it.

Belongs here: the order in which rows go, and their records. A column that must refer belongs to the row that it refers
to: its rows go first. One that may be null only mentions it: it becomes null. Does not belong here: which rows go.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import namedtuple_row

from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.declarations import Children, Link, Resource
from neanelu_pipelines.mirror.resources import RESOURCES

_BATCH = 5000
_PUBLISHED = (("shopify_resource_publications", "resource_id"),)
_WITHOUT_KEY = {"shopify_products": _PUBLISHED, "shopify_collections": _PUBLISHED}
"""Columns that refer to rows of a table though no foreign key says so: to several tables' rows, by turns."""
_NAMES_ITS_OWN = {"shopify_variants": (("inventory_item_id", "pipeline.inventory_items"),)}
"""Columns with the GID of a row that is there for the row's sake: without its variant an inventory item is nothing."""


class Reason(enum.StrEnum):
    """How it is known that something is gone."""

    SNAPSHOT = "snapshot"
    WEBHOOK = "webhook"
    DELETION_EVENT = "deletion_event"


@dataclass(frozen=True)
class Gone:
    """A row to remove: its key, the GID of the row that it goes with (its own, unless it stands under another)."""

    key: UUID
    gid: str
    moment: datetime


@dataclass(frozen=True)
class Why:
    """What is written down of each removed row."""

    reason: Reason
    told_by: str
    confirmed: bool
    run_id: UUID

    @property
    def parameters(self) -> dict[str, Any]:
        """For the statements."""
        return {
            "reason": self.reason.value,
            "told_by": self.told_by,
            "confirmed": self.confirmed,
            "run_id": self.run_id,
        }


def remove_rows(connection: Connection, table: str, key: str, gone: Sequence[Gone], why: Why | None) -> Counter[str]:
    """Delete these rows of a mirror table and all that belongs to them; how many rows of each table went.

    Without `why` no record is kept: whoever was forgotten is not written down.
    """
    counts: Counter[str] = Counter()
    for start in range(0, len(gone), _BATCH):
        _remove(connection, table, key, gone[start : start + _BATCH], why, counts)
    return counts


def _remove(
    connection: Connection, table: str, key: str, gone: Sequence[Gone], why: Why | None, counts: Counter[str]
) -> None:
    keys = {"keys": [row.key for row in gone]}
    left: list[tuple[UUID, str]] = []
    for reference in _references(connection, table):
        names = {"table": table_identifier(reference.table_name), "column": sql.Identifier(reference.column_name)}
        if not reference.must_refer:
            connection.execute(statement("removals/unset_references").format(**names), keys)
        elif reference.key_column and reference.has_gid:
            query = statement("removals/referring_rows").format(key=sql.Identifier(reference.key_column), **names)
            if below := _below(connection.execute(query, keys).fetchall(), gone):
                _remove(connection, reference.table_name, reference.key_column, below, why, counts)
        else:
            left += _left_alone(connection, reference.table_name, keys["keys"]) if why else []
            deleted = connection.execute(statement("removals/delete_rows").format(**names), keys)
            counts[reference.table_name] += deleted.rowcount
    for column, other in _NAMES_ITS_OWN.get(table, ()):
        query = statement("removals/named_rows").format(
            table=table_identifier(table), column=sql.Identifier(column), other=table_identifier(other)
        )
        if named := _below(connection.execute(query, keys).fetchall(), gone):
            _remove(connection, other, "id", named, why, counts)
    _let_go(connection, table, keys["keys"], counts)
    counts[table] += _delete(connection, table, key, gone, why, left)


def _left_alone(connection: Connection, link_table: str, keys: Sequence[UUID]) -> list[tuple[UUID, str]]:
    """What stays though nothing is linked with it when the rows of these keys go: a row's key, and a GID."""
    links = [(resource, link) for resource, link in _links() if link.table == link_table]
    if not links:
        return []
    resource, link = links[0]
    others = [other for _, other in _links() if other.child_table == link.child_table and other.table != link_table]
    query = statement("removals/left_alone").format(
        link_table=table_identifier(link.table),
        parent_column=sql.Identifier(link.parent_column),
        child_column=sql.Identifier(link.child_column),
        child_table=table_identifier(link.child_table),
        child_key=sql.Identifier(resource.entity(link.child_table).primary_key),
        and_not_linked=sql.SQL("\n   ").join(
            statement("removals/and_not_linked").format(
                other_table=table_identifier(other.table),
                other_column=sql.Identifier(other.child_column),
                child_column=sql.Identifier(link.child_column),
            )
            for other in others
        ),
    )
    rows = connection.execute(query, {"keys": list(keys)}).fetchall()
    return [(keys[place - 1], gid) for place, gid in rows]


def _links() -> Iterator[tuple[Resource, Link]]:
    """The links between rows of one resource: what they lead to is known by nothing else."""
    for resource in RESOURCES.values():
        for entity in resource.entities:
            for link in entity.links:
                if not link.elsewhere:
                    yield resource, link


def _below(rows: Iterable[tuple[UUID, int]], gone: Sequence[Gone]) -> list[Gone]:
    """Rows that go with others: their keys, and each one's place in the list of those."""
    return [Gone(key, gone[place - 1].gid, gone[place - 1].moment) for key, place in rows]


def _references(connection: Connection, table: str) -> list[Any]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement("removals/references"), {"table": table}).fetchall()


def _let_go(connection: Connection, table: str, keys: list[UUID], counts: Counter[str]) -> None:
    """References that are no foreign keys."""
    for other, column in _WITHOUT_KEY.get(table, ()):
        query = statement("removals/delete_rows").format(table=table_identifier(other), column=sql.Identifier(column))
        counts[other] += connection.execute(query, {"keys": keys}).rowcount
    for owner, part in _members_of(table):
        query = statement("removals/unset_members").format(
            table=table_identifier(owner),
            field=sql.Identifier(part.field),
            member=sql.Literal(part.lookup.member if part.lookup else ""),
        )
        connection.execute(query, {"texts": [str(key) for key in keys]})


def _members_of(table: str) -> Iterator[tuple[str, Children]]:
    """Folded lines whose objects hold ids of that table's rows (an order's line items)."""
    for resource in RESOURCES.values():
        for entity in resource.entities:
            for part in entity.children:
                if part.as_list and part.lookup and part.lookup.table == table:
                    yield entity.table, part


def _delete(
    connection: Connection,
    table: str,
    key: str,
    gone: Sequence[Gone],
    why: Why | None,
    left: Sequence[tuple[UUID, str]],
) -> int:
    names = {"table": table_identifier(table), "key": sql.Identifier(key)}
    keys = [row.key for row in gone]
    if why is None:
        query = statement("removals/delete_rows").format(table=names["table"], column=names["key"])
        return connection.execute(query, {"keys": keys}).rowcount
    recorded = {
        **why.parameters,
        "table_name": table,
        "keys": keys,
        "gids": [row.gid for row in gone],
        "moments": [row.moment for row in gone],
        "left_by": [key for key, _ in left],
        "left_gids": [gid for _, gid in left],
    }
    row = connection.execute(statement("removals/delete_recorded").format(**names), recorded).fetchone()
    return int(row[0]) if row else 0
