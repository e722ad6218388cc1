"""A shop's first load writes rows without looking for each one first: nothing is lost if one comes meanwhile."""

from collections.abc import Mapping
from typing import Any

import pytest
from psycopg import Connection

from neanelu_pipelines.mirror import merge
from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror.declarations import Entity
from neanelu_pipelines.mirror.shares import Share, shared_out
from tests.mirror.lines import DOMAIN, River, catalogue, moment, written

MEANWHILE = """
INSERT INTO shopify_media (shop_id, shopify_gid, media_type, status, alt, synced_at)
SELECT id, %s, 'IMAGE', 'READY', 'din fișiere', %s FROM shops WHERE shopify_domain = %s
"""


@pytest.fixture(autouse=True)
def _side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_BIG_LOAD_ROWS", 0)


def _pictures(river: River) -> list[str]:
    return [gid for (gid,) in river.query("SELECT shopify_gid FROM shopify_media ORDER BY legacy_resource_id")]


@pytest.mark.parametrize("day", [1, 9], ids=["older", "newer"])
def test_a_picture_that_comes_while_the_first_load_is_merged(
    river: River, monkeypatch: pytest.MonkeyPatch, day: int
) -> None:
    """Another resource's load may write it: both go on, and the newer one's word counts."""
    river.load(catalogue(), as_of=moment(5))
    expected, pictures = river.mirror(), _pictures(river)
    river.clear()

    def late(connection: Connection, entity: Entity, parameters: Mapping[str, Any], workers: int) -> Any:
        shares, new = shared_out(connection, entity, parameters, workers)
        assert new, entity.table
        if entity.table == "shopify_media":
            river.do(MEANWHILE, pictures[0], moment(day), DOMAIN)
        return shares, new

    monkeypatch.setattr(merge, "shared_out", late)
    report = river.load(catalogue(), as_of=moment(5))

    outcome = (0, 1) if day < 5 else (1, 0)
    media = report.tables["shopify_media"]
    assert (media.inserted, media.unchanged, media.updated) == (len(pictures) - 1, *outcome)
    alt = river.one("SELECT alt FROM shopify_media WHERE shopify_gid = %s", pictures[0])
    assert (alt == "din fișiere") == (day > 5)
    if day < 5:
        assert river.mirror() == expected
    else:
        assert {name: len(rows) for name, rows in river.mirror().items()} == {n: len(r) for n, r in expected.items()}


def test_only_a_shop_without_rows_is_new(river: River, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, bool] = {}

    def noted(connection: Connection, entity: Entity, *rest: Any) -> tuple[list[Share], bool]:
        shares, told[entity.table] = shared_out(connection, entity, *rest)
        return shares, told[entity.table]

    monkeypatch.setattr(merge, "shared_out", noted)
    for day, new in ((5, True), (6, False)):
        report = river.load([*catalogue(3 + day)], as_of=moment(day))
        assert written(report)["shopify_products"][0] > 0
        assert set(told.values()) == {new}
