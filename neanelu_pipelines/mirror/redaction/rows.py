"""Searching every column that can hold a text, a number or an id, in every table, and emptying what holds a person.

Belongs here: the catalog's columns, what is done with a row that holds what is sought, the search that proves it. Does
not belong here: files, and which patterns there are.

What becomes of a row: staged rows and records of removals go; a payload, a rejected line, an audited value is emptied
as a whole, because beside the pattern stand names and addresses; in any other text the pattern itself is written over.
Other shops' rows are theirs, whatever they say. What a customer asks of one shop touches that shop's rows alone, and no
key in them: rows of no shop, and requests that are still to be answered, are searched and told of apart.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.redaction.subjects import ORDER_EITHER, Customer, whole

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
_SHOPS = "shops"
_SETTINGS = "settings"
"""The one column of the shop itself in which a customer may stand."""
_KEYS_OF_EVENTS = "idempotency_key"
"""A key wherever it stands; an event's partitions keep the catalog from knowing it."""
OWN, NOBODYS, REQUESTS = "own", "of_no_shop", "other_requests"
"""Whose rows: the shop's; no shop's; requests that are still to be answered."""
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
    is_key: bool
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

    @property
    def scope_of_customer(self) -> sql.SQL:
        """As `scope`; of the shops themselves the one whose customer it is."""
        return sql.SQL("t.id = %(shop_id)s") if self.columns[0].bare_name == _SHOPS else self.scope

    @property
    def whose(self) -> sql.Composable:
        """Whose a row is, as an expression."""
        of_shop = "t.of_shop" if self.is_records else "t.shop_id" if self.columns[0].has_shop else None
        if self.columns[0].bare_name == _SHOPS:
            of_shop = "t.id"
        if of_shop is None:
            return sql.Literal(NOBODYS)
        waits = "pipeline.is_open_request(t.topic, t.idempotency_key, %(request)s)"
        condition = waits if self.columns[0].bare_name == "webhook_events" else "false"
        return sql.SQL(f"CASE WHEN {condition} THEN {{}} WHEN {of_shop} = %(shop_id)s THEN {{}} ELSE {{}} END").format(
            sql.Literal(REQUESTS), sql.Literal(OWN), sql.Literal(NOBODYS)
        )


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
    return sql.SQL(
        "({name}::text ~* %(pattern)s OR (%(orders)s::jsonb <> '{{}}' AND EXISTS (SELECT"
        " FROM regexp_matches({name}::text, %(order)s, 'gi') AS named (part) WHERE %(orders)s::jsonb ? part[1])))"
    ).format(name=name)


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
    orders: frozenset[int] = frozenset()
    """Numbers of orders, sought behind the word, long ones alone too: too many for one pattern."""
    of_customer: bool = False
    """Whether it is a customer that is sought, not the whole shop."""
    left_out: int = 0
    """How many addresses and telephones of the rows that go are not sought."""

    @property
    def parameters(self) -> dict[str, Any]:
        """For the statements."""
        return {
            "shop_id": self.shop_id,
            "request": self.request,
            "pattern": whole(self.patterns),
            "uuids": list(self.uuids),
            "numbers": list(self.numbers),
            "order": ORDER_EITHER,
            "orders": Jsonb({str(number): 1 for number in self.orders}),
            "mask": _MASK,
            "empty": _EMPTY,
        }


def search(
    connection: Connection, sought: Sought, *, elsewhere: bool = False
) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """How often each column (`table.column`) holds what is sought, by whose it is; and how much was searched.

    `elsewhere`: it is another database, which knows of no shops: all of it counts as the shop's own.
    """
    found: dict[str, dict[str, int]] = defaultdict(dict)
    apart = sought.of_customer and not elsewhere
    sums = Counter(tables=0, columns=0, rows=0)
    for table in tables(connection):
        columns = sought_in(table, sought.number_tables)
        if not columns:
            continue
        counts = sql.SQL(", ").join(
            sql.SQL("count(*) FILTER (WHERE {})").format(matching(column)) for column in columns
        )
        query = statement("redaction/search_table").format(
            counts=counts,
            table=table.identifier,
            whose=table.whose if apart else sql.Literal(OWN),
            scope=table.scope_of_customer if apart else table.scope,
        )
        sums.update(tables=1, columns=len(columns))
        for whose, rows, *times in connection.execute(query, sought.parameters).fetchall():
            sums.update(rows=rows)
            for column, count in zip(columns, times, strict=True):
                if count:
                    of_shop = apart and column.bare_name == _SHOPS and column.column_name != _SETTINGS
                    found[NOBODYS if of_shop else whose][f"{table.name}.{column.column_name}"] = count
    return found, dict(sums)


def of_goods(name: str) -> bool:
    """Whether that table (also `table.column`, or with its schema) tells of goods: their numbers look like phones."""
    return bool(_OF_GOODS.match(name.removeprefix("pipeline.").partition(".")[0]))


def _may_hold_customer(column: Column) -> bool:
    """Whether a customer can stand in this column of the shop's, and be written over."""
    if column.bare_name == _SHOPS:
        return column.column_name == _SETTINGS
    named = column.kind in {"text", "json", "array"} and column.type_name != "inet"
    return column.has_shop and named and not column.is_key and column.column_name != _KEYS_OF_EVENTS


def empty(connection: Connection, sought: Sought) -> dict[str, int]:
    """Delete or write over every row that holds what is sought; how many, by table."""
    done: dict[str, int] = {}
    for table in tables(connection):
        if (
            table.is_records
            or table.columns[0].bare_name in OF_STAFF
            or (sought.of_customer and of_goods(table.columns[0].bare_name))
        ):
            continue
        columns = [column for column in sought_in(table, ()) if column.kind != "uuid"]
        writable = [column for column in columns if column.may_update]
        scope: sql.Composable = table.scope
        if sought.of_customer:
            writable = [column for column in writable if _may_hold_customer(column)]
            scope = sql.SQL("{} AND {} = {}").format(table.scope_of_customer, table.whose, sql.Literal(OWN))
        names = {"table": table.identifier, "scope": scope}
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
    connection: Connection,
    shop_id: UUID,
    customers: Sequence[tuple[UUID, str]],
    orders: Sequence[tuple[UUID, int]],
    named: Customer,
) -> dict[str, list[Any]]:
    """A customer's rows by table: their own, their orders, events about either. Nothing else, whatever it says.

    `named`: as the request names them; there may be events about orders that the mirror does not have.
    """
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
        "orders": [str(number) for number in {number for _, number in orders} | set(named.orders)],
    }
    events = connection.execute(statement("redaction/export_events"), about)
    found["webhook_events"] = [_decoded(text) for (text,) in events]
    return {table: rows for table, rows in found.items() if rows}


def _decoded(text: str) -> Any:
    """An event as JSON; as its text if it holds what Python cannot read, or write again (numbers, depths)."""
    try:
        event = json.loads(text)
        json.dumps(event, indent=1)
    except (ValueError, RecursionError):
        return text
    return event


def _any(columns: Sequence[Column]) -> sql.Composed:
    return sql.SQL(" OR ").join(map(matching, columns))


def _emptied(column: Column) -> sql.Composed:
    """The column as it is, unless it holds what is sought."""
    name, of_type = sql.Identifier(column.column_name), sql.SQL(column.type_name)
    pattern = sql.SQL("pipeline.pattern_in(t.{}::text, %(pattern)s, %(orders)s)").format(name)
    masked: sql.Composable
    if column.kind == "uuid[]":
        masked = sql.SQL("array_remove(t.{}, %(shop_id)s)").format(name)
    elif column.kind == "json" and column.column_name in _EMPTIED:
        masked = sql.SQL("%(empty)s::{}").format(of_type)
    elif column.kind == "text" and column.column_name in _EMPTIED:
        masked = sql.SQL("%(mask)s")
    elif column.kind == "json":
        masked = sql.SQL("pipeline.masked(t.{}::jsonb, {}, %(mask)s)::{}").format(name, pattern, of_type)
    else:
        masked = sql.SQL("regexp_replace(t.{}::text, {}, %(mask)s, 'gi')::{}").format(name, pattern, of_type)
    if column.column_name in _ADDRESSES:
        masked = sql.SQL("CASE WHEN t.customer_id IS NULL THEN %(empty)s::jsonb ELSE {} END").format(masked)
    return sql.SQL("{} = CASE WHEN {} THEN {} ELSE t.{} END").format(name, matching(column), masked, name)
