"""A checked value is what PostgreSQL itself reads from the node's text; what it would refuse fails a check.

Belongs here: one value of one kind of column. Does not belong here: lines and what becomes of them (`test_bad_lines`).
"""

from typing import Any

import polars as pl
import psycopg
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.wire import HEADER, TRAILER, binary_rows
from neanelu_pipelines.mirror.columns import DECODED, fields_of
from neanelu_pipelines.mirror.declarations import Column, Kind

_NUMBER = st.from_regex(r"-?[0-9]{1,12}(?:\.[0-9]{1,8})?(?:[eE][+-]?[0-9]{1,2})?", fullmatch=True)
_WHOLE = st.integers(-(2**65), 2**65).map(str)
_TIME = st.from_regex(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][01][0-9]:[0-5][0-9])",
    fullmatch=True,
)
_KINDS = (
    (Column("value", Kind.NUMERIC, ("value",), precision=(12, 2)), "numeric(12,2)", _NUMBER),
    (Column("value", Kind.NUMERIC, ("value",), precision=(10, 4)), "numeric(10,4)", _NUMBER),
    (Column("value", Kind.INTEGER, ("value",)), "integer", _WHOLE | st.integers(-(2**32), 2**32).map(str)),
    (Column("value", Kind.BIGINT, ("value",)), "bigint", _WHOLE),
    (Column("value", Kind.BOOLEAN, ("value",)), "boolean", st.sampled_from(["true", "false", "yes", "TRUE", ""])),
    (Column("value", Kind.TIMESTAMP, ("value",)), "timestamptz", _TIME),
)


def _copied(connection: psycopg.Connection, column: Column, text: str) -> tuple[bool, Any]:
    """Whether the value passes its checks, and what PostgreSQL has of it."""
    (field,) = fields_of([column], shop_currency=None)
    frame = pl.DataFrame({DECODED: [{"value": text}]}).select(field.raw)
    if any(frame.select(check.wrong.fill_null(value=False)).item() for check in field.checks):
        return False, None
    with connection.cursor().copy("COPY arrived FROM STDIN (FORMAT binary)") as copy:
        copy.write(HEADER + binary_rows(frame.select(field.value)) + TRAILER)
    row = connection.execute("DELETE FROM arrived RETURNING value").fetchone()
    return True, row and row[0]


@pytest.mark.parametrize(("column", "kind", "texts"), _KINDS, ids=[kind for _, kind, _ in _KINDS])
def test_a_checked_value_is_what_postgresql_reads(
    empty_database: Database, column: Column, kind: str, texts: st.SearchStrategy[str]
) -> None:
    with empty_database.connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute(f"CREATE TEMP TABLE arrived (value {kind})")

        @settings(max_examples=60, deadline=None)
        @given(texts)
        def is_read(text: str) -> None:
            passes, found = _copied(connection, column, text)
            assume(passes)
            assert (found,) == connection.execute(f"SELECT %s::{kind}", (text,)).fetchone(), text

        is_read()
