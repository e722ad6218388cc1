"""Whether the mirror is what the sandbox's shop is: every row of it, every column.

Belongs here: reading the mirror's tables whole and comparing them. Does not belong here: what is expected
(`expected`).

A column that `expected` does not speak about is a difference too, so that none can be forgotten; only the mirror's own
bookkeeping is left out. Of the inventory ledger, which remembers more than the shop tells, its sums are compared.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from benchmarks.expected import EXPECTED
from benchmarks.values import ELSEWHERE, Row, Rows
from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.sandbox.shop.world import Shop

_BOOKKEEPING = frozenset({"id", "shop_id", "synced_at", "created_at", "updated_at", "fingerprint", "file_fingerprint"})
_KEYS = {
    "shopify_product_media": ("product_id", "media_id"),
    "shopify_variant_media": ("variant_id", "media_id"),
    "shopify_collection_products": ("collection_id", "product_id"),
    "shopify_resource_publications": ("resource_id", "publication_id"),
    "inventory_ledger": ("variant_id", "location_id"),
}
_REFERRED_TO = (
    "shopify_products", "shopify_variants", "shopify_media", "shopify_customers", "shopify_collections",
    "shopify_publications", "shopify_menus", "shopify_menu_items",
)  # fmt: skip
_REFERENCES = frozenset(
    {
        "product_id",
        "variant_id",
        "media_id",
        "customer_id",
        "collection_id",
        "publication_id",
        "menu_id",
        "parent_item_id",
    }
)
_ALSO_REFERENCES = {"shopify_resource_publications": frozenset({"resource_id"})}
"""Names that mean something else in other tables: a menu's item has the GID of its resource."""
_MEMBERS = {"line_items": "variant_id", "publications": "publication_id"}
"""Columns of JSON objects that hold a reference, and where."""
_SUMMED = frozenset({"inventory_ledger"})
_MAY_BE_MORE: dict[tuple[str, str], Callable[[Row], bool]] = {
    # What the list of files has told of stays until that list says that it is gone.
    ("products", "shopify_media"): lambda row: row["file_fingerprint"] is not None,
    # A level that is gone leaves its entries behind, and the last of them takes all of it away.
    ("inventory", "inventory_ledger"): lambda row: row["quantity"] == 0 and row["unbroken"],
}
"""By resource and table: which rows the mirror may hold beside those that are expected."""


@dataclass
class Agreement:
    """What was compared, and what is different; each difference in words."""

    rows: int = 0
    cells: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, other: "Agreement") -> None:
        """Count another comparison in."""
        self.rows += other.rows
        self.cells += other.cells
        self.differences += other.differences


def compare(connection: Connection, shop_id: UUID, shop: Shop, resource: str) -> Agreement:
    """Compare the tables of a resource with the shop.

    A reference to a row that the mirror does not have yet (an order's customer) is expected to be null.
    """
    found = Agreement()
    gids = _gids(connection, shop_id)
    for table, rows in EXPECTED[resource](shop).items():
        expected = {key: _known(row, table, gids) for key, row in rows.items() if _is_there(key, table, gids)}
        may_be_more = _MAY_BE_MORE.get((resource, table), _never)
        actual: Rows = {}
        for stored in _rows(connection, table, shop_id):
            key, row = _read(stored, table, gids)
            if key in expected or not may_be_more(stored | row):
                actual[key] = row
        _compare(found, table, expected, actual)
    return found


def _gids(connection: Connection, shop_id: UUID) -> dict[str, str]:
    """The GID of each row that others refer to, by its id."""
    found: dict[str, str] = {}
    for table in _REFERRED_TO:
        for row in _rows(connection, table, shop_id):
            found[str(row.get("id") or row["media_id"])] = row["shopify_gid"]
    return found


def _rows(connection: Connection, table: str, shop_id: UUID) -> list[Row]:
    name = "benchmarks/sum_ledger" if table in _SUMMED else "benchmarks/read_table"
    query = statement(name).format(table=table_identifier(table))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, {"shop_id": shop_id}).fetchall()


def _read(stored: Row, table: str, gids: dict[str, str]) -> tuple[tuple[str, ...], Row]:
    """A row as it is compared, with its key."""
    own = _BOOKKEEPING | ({"media_id"} if table == "shopify_media" else frozenset())
    row = {name: value for name, value in stored.items() if name not in own}
    for name in _references(table) & row.keys():
        row[name] = _gid_of(row[name], gids)
    for member, name in _members(row):
        member[name] = _gid_of(member[name], gids)
    return tuple(row[name] for name in _KEYS.get(table, ("shopify_gid",))), row


def _members(row: Row) -> Iterator[tuple[dict[str, Any], str]]:
    """Objects within the row that hold a reference, and under which name."""
    for column, name in _MEMBERS.items():
        held = row.get(column) or ()
        for member in held.values() if isinstance(held, dict) else held:
            yield member, name


def _references(table: str) -> frozenset[str]:
    return _REFERENCES | _ALSO_REFERENCES.get(table, frozenset())


def _never(_: Row) -> bool:
    return False


def _gid_of(key: object, gids: dict[str, str]) -> str | None:
    return None if key is None else gids.get(str(key), f"no row has the id {key}")


def _is_there(key: tuple[str, ...], table: str, gids: dict[str, str]) -> bool:
    """A link joins two rows: it is expected where the mirror has both."""
    joined = {gid for gid, name in zip(key, _KEYS.get(table, ()), strict=False) if name in _references(table)}
    return joined <= set(gids.values())


def _known(row: Row, table: str, gids: dict[str, str]) -> Row:
    """The row with null in place of references to what the mirror does not have."""
    known = set(gids.values())
    made = row | {name: row[name] if row[name] in known else None for name in _references(table) & row.keys()}
    for member, name in _members(made):
        member[name] = member[name] if member[name] in known else None
    return made


def _compare(found: Agreement, table: str, expected: Rows, actual: Rows) -> None:
    found.differences += [f"{table}: {key} is not in the mirror" for key in expected.keys() - actual.keys()]
    found.differences += [f"{table}: {key} is in the mirror only" for key in actual.keys() - expected.keys()]
    for key in expected.keys() & actual.keys():
        wanted, there = expected[key], actual[key]
        found.rows += 1
        for name in wanted.keys() | there.keys():
            if wanted.get(name) is ELSEWHERE:
                continue
            found.cells += 1
            if name not in wanted or name not in there or wanted[name] != there[name]:
                words = f"{there.get(name, 'no such column')!r} instead of {wanted.get(name, 'nothing known')!r}"
                found.differences.append(f"{table}: {name} of {key} is {words}")
