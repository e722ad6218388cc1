"""Searching every column that can hold a text, a number or an id, in every table, and emptying what holds a person.

Belongs here: the catalog's columns, what is done with a row that holds what is sought, the search that proves it. Does
not belong here: files, and which patterns there are.

What becomes of a row: staged rows and records of removals go; a payload, a rejected line, an audited value is emptied
as a whole, because beside the pattern stand names and addresses; in any other text the pattern itself is written over.
Other shops' rows are theirs, whatever they say.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import class_row

from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.redaction.subjects import whole

_RECORDS = "redactions"
_OF_THE_ACT = frozenset({"subject", "of_shop"})
"""Columns of the record that its own act needs until its end, and empties with it."""
_EMPTIED = frozenset({"payload", "old_values", "new_values", "error_message", "processing_error"})
_ADDRESSES = frozenset({"shipping_address", "billing_address"})
"""Emptied as a whole in an order that no customer's account made: it is whose telephone stands in it."""
_MASK = "[redacted]"
_EMPTY = '{"redacted": true}'
OF_STAFF = frozenset({"staff_users", "app_sessions"})
"""Accounts: of people who work in the shop, not of its customers."""
_OF_GOODS = re.compile(r"(prod_|shopify_(products|variants|media|collections)$|inventory_)")
_LAST = "audit_logs"
"""What is changed elsewhere may be written down there."""


@dataclass(frozen=True)
class Column:
    """A column that can hold what is sought."""

    table_name: str
    schema_name: str
    bare_name: str
    is_view: bool
    column_name: str
    kind: str
    type_name: str
    has_shop: bool
    may_update: bool
    may_delete: bool


@dataclass(frozen=True)
class Table:
    """A table or materialized view with its columns."""

    name: str
    columns: tuple[Column, ...]

    @cached_property
    def identifier(self) -> sql.Identifier:
        """For statements."""
        return table_identifier(f"{self.columns[0].schema_name}.{self.columns[0].bare_name}")

    @property
    def is_staging(self) -> bool:
        """Whether its rows are on their way only."""
        return self.columns[0].bare_name.startswith("staging_")

    @property
    def goes_whole(self) -> bool:
        """Whether a row that holds what is sought is deleted."""
        return (self.is_staging or self.columns[0].bare_name == "removals") and self.columns[0].may_delete

    @property
    def is_records(self) -> bool:
        """Whether it is what the acts themselves write: searched, and emptied as each of them ends."""
        return self.columns[0].bare_name == _RECORDS

    @property
    def scope(self) -> sql.SQL:
        """The rows to look at: those of the shop and those of no shop."""
        if self.is_records:
            return sql.SQL("(t.of_shop = %(shop_id)s OR t.of_shop IS NULL)")
        return sql.SQL("(t.shop_id = %(shop_id)s OR t.shop_id IS NULL)" if self.columns[0].has_shop else "true")


def tables(connection: Connection) -> list[Table]:
    """All tables, what is audited first: the audit last."""
    with connection.cursor(row_factory=class_row(Column)) as cursor:
        columns = cursor.execute(statement("redaction/columns")).fetchall()
    found = [Table(name, tuple(group)) for name, group in groupby(columns, key=lambda column: column.table_name)]
    return sorted(found, key=lambda table: table.columns[0].bare_name == _LAST)


def matching(column: Column) -> sql.Composable:
    """The condition that a column holds what is sought, but for the act's own record of whom it is about."""
    if column.bare_name == _RECORDS and column.column_name in _OF_THE_ACT:
        return sql.SQL("t.id <> %(request)s AND {}").format(_holds(column))
    return _holds(column)


def _holds(column: Column) -> sql.Composable:
    name = sql.Identifier("t", column.column_name)
    if column.kind == "uuid":
        return sql.SQL("{} = ANY (%(uuids)s::uuid[])").format(name)
    if column.kind == "uuid[]":
        return sql.SQL("{} && %(uuids)s::uuid[]").format(name)
    if column.kind == "number":
        return sql.SQL("{} = ANY (%(numbers)s::numeric[])").format(name)
    return sql.SQL("{}::text ~* %(pattern)s").format(name)


def sought_in(table: Table, numbers_of: Iterable[str]) -> list[Column]:
    """The columns to look into. A Shopify number without its kind says little: only in the tables of that kind."""
    kinds = set(numbers_of)
    return [column for column in table.columns if column.kind != "number" or column.bare_name in kinds]


@dataclass(frozen=True)
class Sought:
    """What is sought: patterns, and ids that stand in columns of their own types."""

    shop_id: UUID
    request: UUID
    """The record of the act."""
    patterns: Mapping[str, str]
    uuids: Sequence[UUID] = ()
    numbers: Sequence[int] = ()
    number_tables: frozenset[str] = frozenset()

    @property
    def parameters(self) -> dict[str, Any]:
        """For the statements."""
        return {
            "shop_id": self.shop_id,
            "request": self.request,
            "pattern": whole(self.patterns),
            "uuids": list(self.uuids),
            "numbers": list(self.numbers),
            "mask": _MASK,
            "empty": _EMPTY,
        }


def search(connection: Connection, sought: Sought) -> tuple[dict[str, int], dict[str, int]]:
    """How often each column (`table.column`) holds what is sought; and how much was searched."""
    found: dict[str, int] = {}
    sums = Counter(tables=0, columns=0, rows=0)
    for table in tables(connection):
        columns = sought_in(table, sought.number_tables)
        if not columns:
            continue
        counts = sql.SQL(", ").join(
            sql.SQL("count(*) FILTER (WHERE {})").format(matching(column)) for column in columns
        )
        query = statement("redaction/search_table").format(counts=counts, table=table.identifier, scope=table.scope)
        row = connection.execute(query, sought.parameters).fetchone()
        assert row is not None  # noqa: S101 - count() returns a row
        sums.update(tables=1, columns=len(columns), rows=row[0])
        found |= {
            f"{table.name}.{column.column_name}": times for column, times in zip(columns, row[1:], strict=True) if times
        }
    return found, dict(sums)


def of_goods(name: str) -> bool:
    """Whether that table (also `table.column`, or with its schema) tells of goods: their numbers look like phones."""
    return bool(_OF_GOODS.match(name.removeprefix("pipeline.").partition(".")[0]))


def empty(connection: Connection, sought: Sought, *, spare_goods: bool) -> dict[str, int]:
    """Delete or write over every row that holds what is sought; how many, by table."""
    done: dict[str, int] = {}
    for table in tables(connection):
        if (
            table.is_records
            or table.columns[0].bare_name in OF_STAFF
            or (spare_goods and of_goods(table.columns[0].bare_name))
        ):
            continue
        columns = [column for column in sought_in(table, ()) if column.kind != "uuid"]
        writable = [column for column in columns if column.may_update]
        names = {"table": table.identifier, "scope": table.scope}
        if table.goes_whole:
            query = statement("redaction/delete_matching").format(**names, matches=_any(columns))
        elif writable:
            query = statement("redaction/empty_matching").format(
                **names,
                matches=_any(writable),
                assignments=sql.SQL(", ").join(map(_emptied, writable)),
            )
        else:
            continue
        if changed := connection.execute(query, sought.parameters).rowcount:
            done[table.name] = changed
    return done


def export(
    connection: Connection, shop_id: UUID, customers: Sequence[tuple[UUID, str]], orders: Sequence[tuple[UUID, int]]
) -> dict[str, list[Any]]:
    """A customer's rows by table: their own, their orders, events about either. Nothing else, whatever it says."""
    found: dict[str, list[Any]] = {}
    for table, keys in (
        ("shopify_customers", [key for key, _ in customers]),
        ("shopify_orders", [k for k, _ in orders]),
    ):
        query = statement("redaction/export_rows").format(table=table_identifier(table))
        found[table] = [row[0] for row in connection.execute(query, {"shop_id": shop_id, "keys": keys})]
    about = {
        "shop_id": shop_id,
        "customers": [gid.rsplit("/", 1)[-1] for _, gid in customers],
        "orders": [str(number) for _, number in orders],
    }
    found["webhook_events"] = [row[0] for row in connection.execute(statement("redaction/export_events"), about)]
    return {table: rows for table, rows in found.items() if rows}


def _any(columns: Sequence[Column]) -> sql.Composed:
    return sql.SQL(" OR ").join(map(matching, columns))


def _emptied(column: Column) -> sql.Composed:
    """The column as it is, unless it holds what is sought."""
    name = sql.Identifier(column.column_name)
    masked: sql.Composable
    if column.kind == "uuid[]":
        masked = sql.SQL("array_remove(t.{}, %(shop_id)s)").format(name)
    elif column.kind == "json" and column.column_name in _EMPTIED:
        masked = sql.SQL("%(empty)s::{}").format(sql.SQL(column.type_name))
    elif column.kind == "text" and column.column_name in _EMPTIED:
        masked = sql.SQL("%(mask)s")
    elif column.kind == "json":
        masked = sql.SQL("pipeline.masked(t.{}::jsonb, %(pattern)s, %(mask)s)::{}").format(
            name, sql.SQL(column.type_name)
        )
    else:
        masked = sql.SQL("regexp_replace(t.{}::text, %(pattern)s, %(mask)s, 'gi')::{}").format(
            name, sql.SQL(column.type_name)
        )
    if column.column_name in _ADDRESSES:
        masked = sql.SQL("CASE WHEN t.customer_id IS NULL THEN %(empty)s::jsonb ELSE {} END").format(masked)
    return sql.SQL("{} = CASE WHEN {} THEN {} ELSE t.{} END").format(name, matching(column), masked, name)
