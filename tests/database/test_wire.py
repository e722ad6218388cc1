"""Rows of a binary COPY: PostgreSQL has what the frame held, of every type, nulls too.

Belongs here: values as they lie on the wire. Does not belong here: carrying them (`test_copy`), and how a column of a
resource becomes a value (`tests/mirror/test_columns`).
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.wire import HEADER, JSONB, TRAILER, binary_rows, numerics

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
_DECIMAL = st.from_regex(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?", fullmatch=True).filter(str.isascii)
_PRICE = st.from_regex(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?", fullmatch=True).filter(str.isascii)
_TIME = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - Hypothesis adds the zone
_ROW = st.tuples(
    st.none() | _TEXT,
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.booleans(),
    st.none() | _PRICE | _DECIMAL,
    st.none() | _TIME.map(lambda time: time.replace(tzinfo=UTC)),
    st.none() | st.lists(_TEXT, max_size=4),
    st.none() | st.dictionaries(_TEXT, st.integers() | _TEXT | st.none(), max_size=3),
    st.none() | st.uuids(),
)
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "a_text": pl.String,
    "an_integer": pl.Int32,
    "a_bigint": pl.Int64,
    "a_boolean": pl.Boolean,
    "a_numeric": pl.String,
    "a_time": pl.Datetime("us", "UTC"),
    "an_array": pl.List(pl.String),
    "a_jsonb": pl.String,
    "a_uuid": pl.Binary,
}
_CREATE = """
CREATE TEMP TABLE arrived (number serial, a_text text, an_integer integer, a_bigint bigint, a_boolean boolean,
                           a_numeric numeric, a_time timestamptz, an_array text[], a_jsonb jsonb, a_uuid uuid)
"""
_NOTHING = (None,) * len(_SCHEMA)


def _frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    plain = [
        (*first, None if document is None else JSONB + json.dumps(document), None if uuid is None else uuid.bytes)
        for *first, document, uuid in rows
    ]
    frame = pl.DataFrame(plain, schema=_SCHEMA, orient="row")
    return frame.with_columns(numerics(frame["a_numeric"]))


def _expected(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*row[:4], None if row[4] is None else Decimal(row[4]), *row[5:])


def test_every_value_arrives_as_it_is(empty_database: Database) -> None:
    with empty_database.connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute(_CREATE)

        @settings(max_examples=60, deadline=None)
        @given(st.lists(_ROW, min_size=1, max_size=8))
        @example([_NOTHING])
        @example([("", 0, 0, False, "-0.00", datetime(1999, 12, 31, tzinfo=UTC), [], {}, UUID(int=0)), _NOTHING])
        @example([("", 1, 1, True, "7.038375337", datetime(2000, 1, 1, tzinfo=UTC), [], {}, None)])
        @example([("", 1, 1, True, str(-(2**63)), datetime(2000, 1, 1, tzinfo=UTC), [], {}, None)])
        @example([("ș", 1, 1, True, "1E-5", datetime(2000, 1, 1, tzinfo=UTC), ["", '"', "{,}\\"], {"": 1}, None)])
        def arrives(rows: list[tuple[Any, ...]]) -> None:
            frame = _frame(rows)
            columns = ", ".join(frame.columns)
            with connection.cursor().copy(f"COPY arrived ({columns}) FROM STDIN (FORMAT binary)") as copy:
                copy.write(HEADER + binary_rows(frame) + TRAILER)
            found = connection.execute(f"SELECT {columns} FROM arrived ORDER BY number").fetchall()
            connection.execute("DELETE FROM arrived")
            assert found == [_expected(row) for row in rows]

        arrives()


def test_no_rows_are_no_bytes() -> None:
    assert binary_rows(_frame([])) == b""
