"""A file that ends within a line was cut off: what it holds is merged, and it is whole in nobody's eyes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror.expiry import KEPT, delete_expired, delete_old
from tests.mirror.lines import DOMAIN, River, catalogue, moment, product

CUT = product(9)[:-30]


def _asked(river: River, name: str, **values: object) -> list[Any]:
    with river.database.connect(Role.PIPELINE) as connection:
        return connection.execute(statement(name), values).fetchall()


def test_rows_that_it_does_not_hold_are_no_newer_for_it(river: River) -> None:
    """The whole file stays the newest that shows what stands behind the cut."""
    river.load(catalogue(2), as_of=moment(1))
    cut = river.load([*catalogue(1), CUT], as_of=moment(5))
    river.load([line.replace(b'"poza 2', b'"imagine 2') for line in catalogue(2)], as_of=moment(3))
    assert {"imagine 20", "imagine 21"} <= {row[0] for row in river.query("SELECT alt FROM shopify_media")}
    state, words = river.one("SELECT cursor_state, error_message FROM bulk_runs WHERE id = %s", cut.run_id)
    assert (state["snapshot"], state["cut_off"]) == (False, True)
    assert "ends within line 10: it was cut off" in words
    assert "is loaded" not in words, "the same is said of a load that was refused"


def test_the_whole_file_before_it_is_kept(river: River) -> None:
    whole = river.load(catalogue(), as_of=moment(1)).run_id
    cut = river.load([*catalogue(1), CUT], as_of=moment(5)).run_id
    files = dict(river.query("SELECT bulk_run_id, file_path FROM bulk_artifacts"))
    now = datetime.now(UTC) + timedelta(days=1)
    assert delete_expired(river.database, now=now + KEPT) == 0, "it was not made of events"
    assert delete_old(river.database, now=now, kept=timedelta()) == 1
    assert Path(files[whole]).exists()
    assert not Path(files[cut]).exists()


def test_it_completes_nothing_and_heals_no_failure(river: River) -> None:
    river.load(catalogue(), as_of=moment(1))
    (complete,) = _asked(river, "cli/last_complete")
    failed = steps.open_load(
        river.database, river.settings, shop_domain=DOMAIN, resource="products", source=river.file(catalogue())
    )
    steps.fail(river.database, failed, "The disk was full.")
    river.load([*catalogue(1), CUT], as_of=moment(5))
    assert _asked(river, "cli/last_complete") == [complete]
    assert _asked(river, "cli/loads_failed") == [(DOMAIN, "products", "The disk was full.")]
    assert _asked(river, "defs/newest_loads_failed", resource="products") == [(DOMAIN, "The disk was full.")]
    river.load(catalogue(), as_of=moment(6))
    assert _asked(river, "cli/loads_failed") == _asked(river, "defs/newest_loads_failed", resource="products") == []
