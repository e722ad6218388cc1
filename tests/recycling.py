"""Databases that tests share one after the other: to empty one costs a fifth of making another.

Belongs here: whether a database is again what the template is. Does not belong here: making and dropping them.

A test may do anything to its database. Afterwards its rows are deleted, and it is given to another test only if its
catalog says what the template's says: whoever changed the schema, made a partition, filled a view, changed rows that
the migrations made or left a connection open leaves a database that is dropped.
"""

import time
from dataclasses import dataclass

import psycopg
from psycopg import sql

_CLOSING_SECONDS = 0.2

_SESSIONS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""

_FILLED = """
SELECT oid::regclass::text, relkind FROM pg_class
 WHERE relkind IN ('r', 'm') AND oid >= 16384 AND relnamespace <> 'pg_toast'::regnamespace AND pg_relation_size(oid) > 0
"""

_CATALOG = """
WITH ours AS (
  SELECT * FROM pg_class
   WHERE oid >= 16384 AND relkind <> 't' AND relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
), said AS (
  SELECT concat_ws(' ', relnamespace, relname, relkind, relpersistence, relowner, relacl, reloptions, relrowsecurity,
                   relforcerowsecurity, relispopulated, relispartition) AS line FROM ours
  UNION ALL
  SELECT concat_ws(' ', o.relname, attname, atttypid, atttypmod, attnotnull, attacl, attisdropped)
    FROM pg_attribute JOIN ours o ON o.oid = attrelid WHERE attnum > 0
  UNION ALL SELECT concat_ws(' ', o.relname, d.adnum, md5(d.adbin::text))
    FROM pg_attrdef d JOIN ours o ON o.oid = d.adrelid
  UNION ALL SELECT concat_ws(' ', conname, conrelid::regclass, contype, conenforced, convalidated, md5(conbin::text))
    FROM pg_constraint WHERE oid >= 16384
  UNION ALL
  SELECT concat_ws(' ', polname, polrelid::regclass, polcmd, polroles, md5(polqual::text), md5(polwithcheck::text))
    FROM pg_policy
  UNION ALL SELECT concat_ws(' ', tgname, tgrelid::regclass, tgenabled, tgtype) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT concat_ws(' ', proname, proargtypes, proowner, proacl, prosecdef, proconfig, md5(prosrc))
    FROM pg_proc WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', nspname, nspowner, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_'
  UNION ALL SELECT concat_ws(' ', extname, extversion) FROM pg_extension
  UNION ALL SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting s
    JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
)
SELECT md5(string_agg(line, '|' ORDER BY line)) FROM said
"""


@dataclass(frozen=True)
class AsMade:
    """What a database looks like in which nothing has happened."""

    catalog: str
    rows: dict[str, str]
    """The tables that the migrations fill, with a hash of their rows."""

    @classmethod
    def of(cls, connection: psycopg.Connection) -> "AsMade":
        """Look at a database that nobody has used."""
        filled = [table for table, _ in connection.execute(_FILLED).fetchall()]
        return cls(_catalog(connection), {table: _hash(connection, table) for table in filled})


def emptied(connection: psycopg.Connection, made: AsMade) -> bool:
    """Delete what a test left; whether the database is then as it was made. The connection is an admin's autocommit."""
    if not _left_alone(connection) or _catalog(connection) != made.catalog:
        return False
    filled = connection.execute(_FILLED).fetchall()
    if any(kind == "m" for table, kind in filled if table not in made.rows):
        return False
    if any(_hash(connection, table) != rows for table, rows in made.rows.items()):
        return False
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role TO replica")
        for table, _ in filled:
            if table not in made.rows:
                connection.execute(sql.SQL("DELETE FROM ONLY {}").format(sql.SQL(table)))
    return True


def _left_alone(connection: psycopg.Connection) -> bool:
    """Whether nobody else is connected; those that have just closed take a moment to go."""
    until = time.monotonic() + _CLOSING_SECONDS
    while connection.execute(_SESSIONS).fetchone() != (0,):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def _catalog(connection: psycopg.Connection) -> str:
    (found,) = connection.execute(_CATALOG).fetchone() or ("",)
    return str(found)


def _hash(connection: psycopg.Connection, table: str) -> str:
    query = sql.SQL("SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t").format(sql.SQL(table))
    (found,) = connection.execute(query).fetchone() or ("",)
    return str(found)
