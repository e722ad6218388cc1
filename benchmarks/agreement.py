"""Whether the mirror is what the sandbox's shop is: every row of it, every column.

Belongs here: reading the mirror's tables whole and comparing them. Does not belong here: what is expected
(`expected`).

A column that `expected` does not speak about is a difference too, so that none can be forgotten; only the mirror's own
bookkeeping is left out.
"""

from dataclasses import dataclass, field
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import dict_row

from benchmarks.expected import EXPECTED, Rows
from benchmarks.values import Row
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.sandbox.shop.world import Shop

_BOOKKEEPING = frozenset({"id", "shop_id", "synced_at", "created_at", "updated_at", "fingerprint", "file_fingerprint"})
_KEYS = {
    "shopify_product_media": ("product_id", "media_id"),
    "shopify_variant_media": ("variant_id", "media_id"),
    "shopify_collection_products": ("collection_id", "product_id"),
}
_REFERRED_TO = ("shopify_products", "shopify_variants", "shopify_media", "shopify_customers", "shopify_collections")
_REFERENCES = frozenset({"product_id", "variant_id", "media_id", "customer_id", "collection_id"})


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
        expected = {key: _known(row, gids) for key, row in rows.items() if _is_there(key, table, gids)}
        actual = _read(connection, table, shop_id, gids)
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
    query = statement("benchmarks/read_table").format(table=sql.Identifier(table))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, {"shop_id": shop_id}).fetchall()


def _read(connection: Connection, table: str, shop_id: UUID, gids: dict[str, str]) -> Rows:
    made: Rows = {}
    own = _BOOKKEEPING | ({"media_id"} if table == "shopify_media" else frozenset())
    for stored in _rows(connection, table, shop_id):
        row = {name: value for name, value in stored.items() if name not in own}
        for name in _REFERENCES & row.keys():
            row[name] = _gid_of(row[name], gids)
        for line in row.get("line_items") or ():
            line["variant_id"] = _gid_of(line["variant_id"], gids)
        made[tuple(row[name] for name in _KEYS.get(table, ("shopify_gid",)))] = row
    return made


def _gid_of(key: object, gids: dict[str, str]) -> str | None:
    return None if key is None else gids.get(str(key), f"no row has the id {key}")


def _is_there(key: tuple[str, ...], table: str, gids: dict[str, str]) -> bool:
    """A link joins two rows: it is expected where the mirror has both."""
    return table not in _KEYS or set(key) <= set(gids.values())


def _known(row: Row, gids: dict[str, str]) -> Row:
    """The row with null in place of references to what the mirror does not have."""
    known = set(gids.values())
    made = row | {name: row[name] if row[name] in known else None for name in _REFERENCES & row.keys()}
    if "line_items" in row:
        made["line_items"] = [
            line if line["variant_id"] in known else line | {"variant_id": None} for line in row["line_items"]
        ]
    return made


def _compare(found: Agreement, table: str, expected: Rows, actual: Rows) -> None:
    found.differences += [f"{table}: {key} is not in the mirror" for key in expected.keys() - actual.keys()]
    found.differences += [f"{table}: {key} is in the mirror only" for key in actual.keys() - expected.keys()]
    for key in expected.keys() & actual.keys():
        wanted, there = expected[key], actual[key]
        found.rows += 1
        for name in wanted.keys() | there.keys():
            found.cells += 1
            if name not in wanted or name not in there or wanted[name] != there[name]:
                words = f"{there.get(name, 'no such column')!r} instead of {wanted.get(name, 'nothing known')!r}"
                found.differences.append(f"{table}: {name} of {key} is {words}")
