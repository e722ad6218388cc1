"""Statements by name: the text lives in sql/, one statement per file; Python composes identifiers into it.

Belongs here: finding and reading the files, in a checkout and in an installed wheel. Does not belong here: SQL.
"""

from functools import cache
from pathlib import Path

from psycopg import sql

_PACKAGE = Path(__file__).resolve().parent.parent


@cache
def sql_root() -> Path:
    """The sql/ folder: beside the package in a checkout, inside it in an installed wheel."""
    inside = _PACKAGE / "sql"
    return inside if inside.is_dir() else _PACKAGE.parent / "sql"


@cache
def statement(name: str) -> sql.SQL:
    """The statement in `sql/<name>.sql`, e.g. `statement("ledger/open_run")`.

    Identifiers stand in it as `{table}` and are filled in with `.format(table=sql.Identifier(…))`; a literal brace is
    doubled. Values are always psycopg parameters (`%(shop_id)s`), never formatted.
    """
    text = (sql_root() / f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(text)
