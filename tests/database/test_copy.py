"""COPY's two forms: what goes in comes out again, and what cannot go in says so.

Belongs here: the bytes that PostgreSQL takes. Does not belong here: what a load copies.
"""

from uuid import UUID, uuid4

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.copy import BinaryCopy, CsvCopy, TableCopy, binary_bytes, csv_bytes

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_ROWS = st.lists(st.tuples(_TEXT, st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=20)
_COLUMNS = ("bulk_run_id", "shop_id", "line_number", "entity", "gid", "hash")


def _frame(rows: list[tuple[str, int]], run: str | bytes, shop: str | bytes) -> pl.DataFrame:
    texts = pl.DataFrame(rows, schema={"gid": pl.String, "hash": pl.Int64}, orient="row")
    return texts.with_row_index("line_number").select(
        pl.lit(run).alias("bulk_run_id"),
        pl.lit(shop).alias("shop_id"),
        pl.col("line_number").cast(pl.Int64),
        pl.lit("Ștergătoare").alias("entity"),
        "gid",
        "hash",
    )


def _copied(database: Database, copy: TableCopy, data: bytes, rows: int) -> list[tuple[str, int]]:
    with copy:
        copy.write(data, rows)
    with database.connect(Role.ADMIN) as connection:
        found = connection.execute(
            "DELETE FROM pipeline.staging_lines RETURNING line_number, entity, gid, hash"
        ).fetchall()
    assert {entity for _, entity, _, _ in found} <= {"Ștergătoare"}
    return [(gid, number) for _, _, gid, number in sorted(found)]


def test_both_forms_bring_every_row_as_it_is(database: Database) -> None:
    """Any text, any number, in one session of many tries."""
    with database.connect(Role.ADMIN) as connection:
        connection.execute("ALTER TABLE pipeline.staging_lines DISABLE TRIGGER ALL")

    @settings(max_examples=15, deadline=None)
    @given(_ROWS)
    def both(rows: list[tuple[str, int]]) -> None:
        run, shop = uuid4(), uuid4()
        as_csv = _frame(rows, str(run), str(shop))
        as_binary = _frame(rows, run.bytes, shop.bytes)
        lines = "pipeline.staging_lines"
        assert _copied(database, CsvCopy(database, lines, _COLUMNS), csv_bytes(as_csv), len(rows)) == rows
        assert _copied(database, BinaryCopy(database, lines, _COLUMNS), binary_bytes(as_binary), len(rows)) == rows

    both()


def test_a_null_among_narrow_rows_is_said_and_not_lost() -> None:
    """The binary form is made for columns without any."""
    rows = _frame([("a", 1), ("b", 2)], UUID(int=1).bytes, UUID(int=2).bytes)

    assert binary_bytes(rows.clear()) == b""
    with pytest.raises(ValueError, match="null"):
        binary_bytes(rows.with_columns(gid=pl.Series(["a", None])))
