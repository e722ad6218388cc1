"""The staging tables as a place: how they are emptied."""

import pytest

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.mirror import staging_area
from tests.mirror.lines import River, product


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
