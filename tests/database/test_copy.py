"""COPY from a thread of its own: what goes in comes out again.

Belongs here: carrying rows to a table and committing them. Does not belong here: how a value lies on the wire
(`test_wire`), and what a load copies.
"""

from uuid import uuid4

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.copy import TableCopy
from neanelu_pipelines.database.wire import binary_rows

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_ROWS = st.lists(st.tuples(_TEXT, st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=20)
_COLUMNS = ("bulk_run_id", "shop_id", "line_number", "entity", "gid", "hash")


def _frame(rows: list[tuple[str, int]]) -> pl.DataFrame:
    texts = pl.DataFrame(rows, schema={"gid": pl.String, "hash": pl.Int64}, orient="row")
    return texts.with_row_index("line_number").select(
        pl.lit(uuid4().bytes).alias("bulk_run_id"),
        pl.lit(uuid4().bytes).alias("shop_id"),
        pl.col("line_number").cast(pl.Int64),
        pl.lit("Ștergătoare").alias("entity"),
        "gid",
        "hash",
    )


def test_every_row_arrives_as_it_is(database: Database) -> None:
    """In two helpings, of any text and any number, in one session of many tries."""
    with database.connect(Role.ADMIN) as connection:
        connection.execute("ALTER TABLE pipeline.staging_lines DISABLE TRIGGER ALL")

    @settings(max_examples=15, deadline=None)
    @given(_ROWS)
    def arrive(rows: list[tuple[str, int]]) -> None:
        frame = _frame(rows)
        with TableCopy(database, "pipeline.staging_lines", _COLUMNS) as copy:
            for part in (frame[:1], frame[1:]):
                copy.write(binary_rows(part), len(part))
        with database.connect(Role.ADMIN) as connection:
            found = connection.execute(
                "DELETE FROM pipeline.staging_lines RETURNING line_number, entity, gid, hash"
            ).fetchall()
        assert {entity for _, entity, _, _ in found} == {"Ștergătoare"}
        assert [(gid, number) for _, _, gid, number in sorted(found)] == rows

    arrive()
