"""Rows for tests of the schema: a shop, products, variants, and one row of any table, whatever it demands.

Belongs here: making rows as the admin, with keys unchecked where a test is not about them. Does not belong
here: loading.
"""

from uuid import UUID

import psycopg
from psycopg import sql

from neanelu_pipelines.database.connect import Database, Role

_VALUES = {
    "uuid": "uuidv7()",
    "character varying": "left(md5(random()::text), 3)",
    "text": "md5(random()::text)",
    "citext": "md5(random()::text)",
    "bigint": "1",
    "integer": "1",
    "numeric": "1",
    "jsonb": "'{}'",
    "bytea": "'\\xaa'",
    "boolean": "true",
    "timestamp with time zone": "now()",
    "date": "current_date",
    "ARRAY": "'{}'",
    "USER-DEFINED": "array_fill(0.5, ARRAY[1536])::real[]::vector",
}
_CHECKED = {"media_type": "'IMAGE'", "status": "'ACTIVE'", "batch_type": "'specs'", "reason": "'snapshot'"}


def new_shop(database: Database, domain: str = "unelte.myshopify.com") -> UUID:
    with database.connect(Role.ADMIN) as connection:
        return insert(connection, "shops", shopify_domain=domain)


def insert(connection: psycopg.Connection, table: str, **given: object) -> UUID:
    """One row: what is given, and something for every other column that demands it. Its first column comes back."""
    schema, _, name = table.rpartition(".")
    demanded = connection.execute(
        "SELECT column_name, data_type, udt_name FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL",
        [schema or "public", name],
    ).fetchall()
    values: dict[str, sql.Composable] = {
        column: sql.SQL(_made_up(column, "citext" if udt == "citext" else kind)) for column, kind, udt in demanded
    }
    values |= {column: sql.Literal(value) for column, value in given.items()}
    first = connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
            sql.Identifier(schema or "public", name),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(values.values()),
        )
    ).fetchone()
    assert first
    return first[0]  # type: ignore[no-any-return]


def _made_up(column: str, kind: str) -> str:
    return _CHECKED.get(column) or _VALUES[kind]


def without_foreign_keys(connection: psycopg.Connection) -> None:
    """For the rest of the transaction, and without triggers: for tests that need rows of every table."""
    connection.execute("SET LOCAL session_replication_role TO replica")


def tenant_tables(connection: psycopg.Connection) -> list[str]:
    """Every table with a shop_id, and shops: from the catalog, not from a list by hand."""
    rows = connection.execute(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('public', 'pipeline') AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND (c.oid = 'public.shops'::regclass"
        " OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'shop_id'))"
    ).fetchall()
    return [name for (name,) in rows]


def product(connection: psycopg.Connection, shop: UUID, number: int = 1, **given: object) -> UUID:
    gid = f"gid://shopify/Product/{number}"
    return insert(connection, "shopify_products", **{"shop_id": shop, "shopify_gid": gid, **given})


def variant(connection: psycopg.Connection, shop: UUID, product_id: UUID, number: int = 1, **given: object) -> UUID:
    gid = f"gid://shopify/ProductVariant/{number}"
    return insert(
        connection, "shopify_variants", **{"shop_id": shop, "product_id": product_id, "shopify_gid": gid, **given}
    )


def scalar(connection: psycopg.Connection, query: str, *parameters: object) -> object:
    """The first column of the first row."""
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row else None
