"""Frames as the rows of a binary COPY: each value as PostgreSQL's own types lie on the wire.

PostgreSQL takes them in half the time that it needs for CSV, in which it looks at every byte for quotes and line ends
and reads numbers, times and uuids from text. A column's dtype says what its values become:

* String: text, varchar, citext; and jsonb, where the text begins with `JSONB`;
* Int32, Int64, Boolean: integer, bigint, boolean;
* Datetime in microseconds: timestamptz;
* List(String): text[], without nulls in it;
* Binary: bytes that are the value's form already: a uuid's sixteen, what `numerics` makes.

Belongs here: that form. Does not belong here: carrying it to a table (`copy`).
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from psycopg.types.numeric import DecimalBinaryDumper

# https://www.postgresql.org/docs/18/sql-copy.html, "Binary Format": a signature, no flags, no extension.
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
JSONB = "\x01"
"""The version of jsonb's form (jsonb_recv in PostgreSQL's jsonb.c); the document follows as text."""

_NULL = -1
_PLAIN = pl.CompatLevel.oldest()
"""Texts as Arrow has always laid them out."""
_TEXT_OID = 25
_EPOCH = int((datetime(2000, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
"""PostgreSQL counts microseconds from the year 2000."""
_NUMERIC = np.dtype([("count", ">i2"), ("weight", ">i2"), ("sign", ">i2"), ("scale", ">i2"), ("groups", ">i2", 4)])
"""numeric_recv in PostgreSQL's numeric.c: digits in groups of four; `weight` of them and one stand before the point."""
_PLACES = 4
_GROUP, _NEGATIVE = 10**_PLACES, 0x4000
_ARRAY = np.dtype([("dimensions", ">i4"), ("nulls", ">i4"), ("type", ">i4"), ("size", ">i4"), ("first", ">i4")])
_EMPTY_ARRAY = np.array([(0, 0, _TEXT_OID, 0, 0)], _ARRAY).tobytes()[:12]


def _parts() -> dict[str, pl.Expr]:
    """What most numbers are made of: two groups before the point and two after it, zero or not.

    Said in one go: each call of a Series' own costs as much as all of this for hundreds of numbers.
    """
    halves = pl.col("text").str.split_exact(".", 1).struct
    fraction = halves.field("field_1").fill_null("")
    whole = halves.field("field_0").cast(pl.Int64, strict=False).abs()
    after = fraction.str.pad_end(2 * _PLACES, "0").cast(pl.Int64, strict=False)
    scale = fraction.str.len_bytes()
    usual = whole.is_between(0, _GROUP**2 - 1) & (scale <= 2 * _PLACES) & (after >= 0)
    usual = usual.fill_null(value=False)
    return {
        "usual": usual,
        "whole": pl.when(usual).then(whole).otherwise(0),
        "after": pl.when(usual).then(after).otherwise(0),
        "scale": pl.when(usual).then(scale).otherwise(0),
        "negative": pl.col("text").str.starts_with("-").fill_null(value=False),
    }


_PARTS = _parts()


def binary_rows(frame: pl.DataFrame) -> bytes:
    """The rows, between `HEADER` and `TRAILER`."""
    if not len(frame):
        return b""
    pieces = [_fixed(np.full(len(frame), len(frame.columns), dtype=">i2"))]
    for column in frame.to_arrow(compat_level=_PLAIN).combine_chunks().columns:
        values = _values(column.chunk(0))
        pieces += [_lengths(values), values.fill_null(b"") if values.null_count else values]
    data: bytes = pc.binary_join_element_wise(*pieces, b"").buffers()[2].to_pybytes()
    return data


def numerics(texts: pl.Series) -> pl.Series:
    """Decimal numbers as text (an exponent is allowed) in the form of numeric."""
    parts = texts.alias("text").to_frame().select(**_PARTS)
    forms = np.zeros(len(texts), _NUMERIC)
    forms["count"], forms["weight"], forms["scale"] = 4, 1, parts["scale"]
    forms["sign"] = np.where(parts["negative"], _NEGATIVE, 0)
    for side, number in enumerate((parts["whole"].to_numpy(), parts["after"].to_numpy())):
        forms["groups"][:, 2 * side], forms["groups"][:, 2 * side + 1] = number // _GROUP, number % _GROUP
    usual = parts["usual"]
    made = pl.Series(texts.name, pc.if_else(usual.to_arrow(), _fixed(forms), None), dtype=pl.Binary)
    unusual = texts.filter(~usual).drop_nulls().unique()
    return made.zip_with(usual, _exactly(texts, unusual)) if len(unusual) else made


def _exactly(texts: pl.Series, some: pl.Series) -> pl.Series:
    """The forms of some of the numbers, wherever they stand: large, very exact or written with an exponent."""
    dump = DecimalBinaryDumper(Decimal).dump
    forms = pl.Series([bytes(dump(Decimal(text)) or b"") for text in some.to_list()], dtype=pl.Binary)
    return texts.replace_strict(some, forms, default=None, return_dtype=pl.Binary)


def _values(column: pa.Array) -> pa.BinaryArray:
    """Each value in its form, without its length."""
    kind = column.type
    if pa.types.is_int64(kind):
        return _numbers(column, ">i8")
    if pa.types.is_int32(kind):
        return _numbers(column, ">i4")
    if pa.types.is_boolean(kind):
        return _numbers(column.cast(pa.int8()), ">i1")
    if pa.types.is_timestamp(kind):
        return _numbers(pc.subtract(column.cast(pa.int64()), _EPOCH), ">i8")
    if pa.types.is_large_list(kind):
        return _text_arrays(column)
    return column.cast(pa.binary())


def _numbers(column: pa.Array, form: str) -> pa.BinaryArray:
    values = _fixed(_plain(column, 0).astype(form))
    return pc.if_else(column.is_valid(), values, None) if column.null_count else values


def _text_arrays(column: pa.LargeListArray) -> pa.BinaryArray:
    """array_recv in PostgreSQL's arrayfuncs.c: an array of one dimension from 1, or of none if it is empty."""
    sizes = _plain(pc.list_value_length(column), 0).astype(np.int32)
    elements = column.flatten().cast(pa.binary())
    elements = pc.binary_join_element_wise(_lengths(elements), elements, b"")
    ends = np.concatenate((np.zeros(1, np.int32), np.cumsum(sizes, dtype=np.int32)))
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), elements), b"")
    heads = np.zeros(len(column), _ARRAY)
    heads["dimensions"], heads["type"], heads["size"], heads["first"] = 1, _TEXT_OID, sizes, 1
    arrays = pc.binary_join_element_wise(_fixed(heads), joined, b"")
    arrays = pc.if_else(pa.array(sizes > 0), arrays, _EMPTY_ARRAY)
    return pc.if_else(column.is_valid(), arrays, None) if column.null_count else arrays


def _lengths(values: pa.BinaryArray) -> pa.BinaryArray:
    return _fixed(_plain(pc.binary_length(values), _NULL).astype(">i4"))


def _plain(numbers: pa.Array, null: int) -> NDArray[Any]:
    filled = numbers.fill_null(null) if numbers.null_count else numbers
    plain: NDArray[Any] = filled.to_numpy(zero_copy_only=False)
    return plain


def _fixed(values: NDArray[Any]) -> pa.BinaryArray:
    """The bytes of each value, as they stand."""
    ends = np.arange(len(values) + 1, dtype=np.int32) * values.dtype.itemsize
    buffers = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(values.tobytes())]
    return pa.BinaryArray.from_buffers(pa.binary(), len(values), buffers)
