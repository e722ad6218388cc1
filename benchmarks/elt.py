"""ELT in SQL: lines COPYed as jsonb, then INSERT … SELECT ->> … ON CONFLICT, set by set, in one transaction.

As a competent engineer would write it, into the very tables that our load fills: same columns, indexes and foreign
keys. It does less: no ledger, no validation (one bad value fails the file), no tenant isolation (it runs as a
superuser), no audit (the tables' triggers are off), no deletion of links that are gone, no guard against older data.

Belongs here: that contender. Does not belong here: its SQL (`sql/benchmarks`), measuring it (`measure`).
"""

import time
from pathlib import Path

from psycopg import Cursor, sql

from benchmarks.contender import Contender, Result, Shop
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement

_CHUNK = 1024 * 1024
_TABLES = ("shopify_products", "shopify_variants", "shopify_media", "shopify_product_media", "shopify_variant_media")
_STEPS = (
    "elt_analyze_lines",
    "elt_merge_media",
    "elt_merge_products",
    "elt_analyze_products",
    "elt_merge_variants",
    "elt_merge_product_media",
    "elt_merge_variant_media",
)


def run(database: Database, shop: Shop, path: Path) -> Result:
    """Load the file into the mirror of `shop`."""
    started = time.perf_counter()
    with database.connect(Role.ADMIN) as connection, connection.cursor() as cursor:
        rows = _copy(cursor, path)
        for step in _STEPS:
            cursor.execute(statement(f"benchmarks/{step}").format(), {"shop_id": shop.id})
        cursor.execute(statement("benchmarks/elt_drop_lines"))
        connection.commit()
    return Result(time.perf_counter() - started, path.stat().st_size, rows)


def _copy(cursor: Cursor, path: Path) -> int:
    cursor.execute(statement("benchmarks/elt_drop_lines"))
    cursor.execute(statement("benchmarks/elt_create_lines"))
    with path.open("rb") as stream, cursor.copy(statement("benchmarks/elt_copy_lines")) as copy:
        while chunk := stream.read(_CHUNK):
            copy.write(chunk)
    return cursor.rowcount


def prepare(database: Database) -> None:
    """Make the schema for the lines, and take the triggers off the mirror tables."""
    with database.connect(Role.ADMIN) as connection:
        connection.execute(statement("benchmarks/create_schema"))
        for table in _TABLES:
            connection.execute(statement("benchmarks/disable_triggers").format(table=sql.Identifier(table)))


ELT = Contender("elt", "ELT in SQL: COPY as jsonb, then INSERT … ON CONFLICT into the mirror", run, prepare)
