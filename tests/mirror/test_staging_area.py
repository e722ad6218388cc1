"""The staging tables as a place: how they are emptied, and what is done to the statistics of the mirror beside it."""

import psycopg
import pytest

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.mirror import staging_area
from neanelu_pipelines.mirror.reports import TableCounts
from neanelu_pipelines.mirror.resources.products import PRODUCTS
from tests.mirror.lines import River, product, variant


def _file_and_rows(river: River) -> tuple[int, int]:
    with river.database.connect(Role.PIPELINE) as connection:
        row = connection.execute(
            "SELECT pg_relation_filenode('staging_products'), (SELECT count(*) FROM staging_products)"
        ).fetchone()
    assert row
    return int(row[0]), int(row[1])


def test_few_rows_are_deleted_and_what_has_grown_is_truncated(river: River, monkeypatch: pytest.MonkeyPatch) -> None:
    before, _ = _file_and_rows(river)
    river.load([product(1)])
    assert _file_and_rows(river) == (before, 0)
    monkeypatch.setattr(staging_area, "_SMALL_BYTES", 0)
    river.load([product(2)])
    after, rows = _file_and_rows(river)
    assert after != before
    assert rows == 0


def test_statistics_that_autovacuum_is_making_are_not_waited_for(river: River) -> None:
    """It holds the same lock, for seconds where descriptions are many; and who waits for one second cancels it."""
    river.load([product(1), *(variant(number, 1) for number in range(1, 8))])
    counts = dict.fromkeys(PRODUCTS.mirror_tables, TableCounts(inserted=100_000))
    with river.database.connect(Role.ADMIN) as autovacuum:
        before = _rows_by_statistics(autovacuum, "shopify_products")
        autovacuum.execute("LOCK TABLE shopify_products IN SHARE UPDATE EXCLUSIVE MODE")
        autovacuum.execute("SET idle_in_transaction_session_timeout = '20s'")
        staging_area.analyze_mirror(river.database, PRODUCTS, counts)
        assert _rows_by_statistics(autovacuum, "shopify_products") == before
        assert _rows_by_statistics(autovacuum, "shopify_variants") == 7


def _rows_by_statistics(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table]).fetchone()
    assert row
    return int(row[0])
