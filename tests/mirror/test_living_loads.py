"""Which loads are taken for dead, and what becomes of one that was and goes on: all of its rows are merged, or none."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import ledger, merge, recording, staging_area, standing
from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror.removals import Reason, remove
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.resources import RESOURCES
from tests.mirror.lines import CHANGED, DOMAIN, OTHER_DOMAIN, River, catalogue, gid, moment, product

PRODUCTS = RESOURCES["products"]
DEAD = "The process that ran this load ended before it did."


@pytest.fixture(params=["one transaction", "side by side"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_BIG_LOAD_ROWS", 0 if request.param == "side by side" else 10**9)


def _staged(river: River, lines: list[bytes] | None = None) -> LoadRun:
    """A load of an export that was begun two days ago and came today, staged and not merged."""
    load = steps.open_load(
        river.database,
        river.settings,
        shop_domain=DOMAIN,
        resource="products",
        source=river.file(lines or catalogue(), "export.jsonl"),
        as_of=moment(5),
    )
    long_ago = "now() - interval '2 days'"
    river.do(f"UPDATE bulk_runs SET created_at = {long_ago}, started_at = {long_ago} WHERE id = %s", load.run_id)
    steps.stage(river.database, river.settings, load)
    return load


def _merge(river: River, load: LoadRun) -> dict[str, Any]:
    return steps.merge(river.database, river.settings, load)


def _rows(river: River, load: LoadRun) -> int:
    return sum(
        river.one(f"SELECT count(*) FROM {table} WHERE bulk_run_id = %s", load.run_id)
        for table in PRODUCTS.staging_tables
    )


def _standing(river: River, load: LoadRun) -> tuple[str, str | None]:
    return river.one("SELECT status, error_message FROM bulk_runs WHERE id = %s", load.run_id)  # type: ignore[no-any-return]


def _event(river: River) -> None:
    """Another load of the shop, as an event makes one."""
    river.load([product(1)], as_of=moment(4), snapshot=False)


def _neighbour(river: River) -> None:
    """As another shop's load begins and ends: by emptying staging of what loads that are over left."""
    other = LoadRun(UUID(int=1), river.shops[OTHER_DOMAIN], OTHER_DOMAIN, "products", "", 0, "")
    with ledger.opened(river.database) as book:
        staging_area.clear(book, PRODUCTS, other)


def _taken_for_dead(river: River, load: LoadRun) -> None:
    """As when a connection was lost in the middle of its merge, and another load came before it tried again."""
    begun = "INSERT INTO bulk_steps (bulk_run_id, shop_id, step_name, status, started_at)"
    river.do(f"{begun} VALUES (%s, %s, 'merge', 'running', now())", load.run_id, load.shop_id)
    _abandon(river, load)
    assert _standing(river, load) == ("failed", DEAD)


def _assert_all_there(river: River) -> None:
    tables = ("products", "variants", "media", "product_media", "variant_media")
    counts = ", ".join(f"(SELECT count(*) FROM shopify_{table})" for table in tables)
    assert river.one(f"SELECT {counts}") == (3, 6, 6, 6, 3)


def test_a_load_lives_however_long_its_export_was_waited_for(river: River) -> None:
    load = _staged(river)
    staged = _rows(river, load)
    _event(river)
    _neighbour(river)
    assert _standing(river, load) == ("running", None)
    assert _rows(river, load) == staged
    (*_, complete) = steps.check(river.database, river.settings, load)
    assert complete.passed
    _merge(river, load)
    _assert_all_there(river)


def test_a_load_of_which_nothing_was_heard_for_a_day_is_dead(river: River) -> None:
    load = _staged(river)
    river.do("UPDATE bulk_runs SET updated_at = started_at WHERE id = %s", load.run_id)
    _event(river)
    assert _standing(river, load)[0] == "running", "its steps are of today"
    river.unheard_of(hours=25)
    river.do("UPDATE bulk_steps SET status = 'completed' WHERE bulk_run_id = %s", load.run_id)
    _event(river)
    assert _standing(river, load) == ("failed", DEAD)


def test_one_that_was_taken_for_dead_begins_again_and_merges_all(river: River) -> None:
    load = _staged(river)
    _taken_for_dead(river, load)
    _neighbour(river)
    assert _rows(river, load) == 0
    _merge(river, load)
    assert _standing(river, load) == ("completed", None)
    _assert_all_there(river)
    assert river.staged_rows() == 0


def test_its_staging_begins_again_too(river: River) -> None:
    load = _staged(river)
    _taken_for_dead(river, load)
    steps.stage(river.database, river.settings, load)
    assert _standing(river, load) == ("running", None)
    _neighbour(river)
    assert _rows(river, load)
    _merge(river, load)
    _assert_all_there(river)


def test_rows_that_are_still_there_when_it_begins_again_are_not_counted_on(river: River) -> None:
    """Somebody may be deleting them at that very moment."""
    load = _staged(river)
    _taken_for_dead(river, load)
    assert _rows(river, load)
    _merge(river, load)
    assert river.one("SELECT count(*) FROM bulk_steps WHERE step_name = 'stage'") == 2


@pytest.mark.parametrize("step", [steps.stage, steps.merge])
def test_one_that_was_ended_by_somebody_is_refused_in_words(river: River, step: Any) -> None:
    load = _staged(river)
    _taken_for_dead(river, load)
    steps.fail(river.database, load, "It was canceled.")
    with pytest.raises(ledger.LoadEndedError, match=r"\.com\) has failed meanwhile.*It was canceled\."):
        step(river.database, river.settings, load)
    assert _standing(river, load) == ("failed", "It was canceled.")
    assert not river.query("SELECT FROM shopify_products")


@pytest.mark.usefixtures("_both_ways")
def test_one_that_is_taken_for_dead_while_it_merges_merges_no_part(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock was lost with its connection, its other connections were not."""
    load = _staged(river)
    original = recording.make_room

    def lose(*arguments: Any) -> None:
        original(*arguments)
        _abandon(river, load)
        assert _rows(river, load)
        _neighbour(river)

    with monkeypatch.context() as patch:
        patch.setattr(recording, "make_room", lose)
        with pytest.raises(ledger.TakenForDeadError, match="has failed meanwhile") as ended:
            _merge(river, load)
    assert ended.value.transient, "who tries again is begun again"
    assert not river.query("SELECT FROM shopify_products")
    assert _standing(river, load)[0] == "failed"
    _merge(river, load)
    _assert_all_there(river)


@pytest.mark.usefixtures("_both_ways")
def test_nobody_takes_it_for_dead_within_a_transaction_that_reads_its_rows(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = _staged(river)
    refused: list[Exception] = []
    original = merge.Merge._link_rows

    def between(self: merge.Merge, *arguments: Any, **named: Any) -> Any:
        if not refused:
            with pytest.raises(psycopg.errors.LockNotAvailable) as busy:
                _abandon(river, load)
            refused.append(busy.value)
        return original(self, *arguments, **named)

    monkeypatch.setattr(merge.Merge, "_link_rows", between)
    _merge(river, load)
    assert refused
    assert _standing(river, load) == ("completed", None)


def test_what_was_ended_while_it_merged_does_not_count_as_complete(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = _staged(river)
    original = merge.Merge.in_one_transaction

    def end(self: merge.Merge, *arguments: Any) -> Any:
        done = original(self, *arguments)
        steps.fail(river.database, load, "It was canceled.")
        return done

    monkeypatch.setattr(merge.Merge, "in_one_transaction", end)
    with pytest.raises(ledger.LoadEndedError, match="canceled") as ended:
        _merge(river, load)
    assert not ended.value.transient
    assert _standing(river, load) == ("failed", "It was canceled.")


def test_a_merge_that_is_repeated_says_what_it_did_and_does_nothing(river: River) -> None:
    """Its end was written, and the connection lost before anybody heard of it."""
    load = _staged(river)
    done = _merge(river, load)
    versions = "SELECT ctid::text, xmin::text FROM shopify_variants ORDER BY 1"
    before = river.query(versions)
    assert _merge(river, load) == done
    assert done["shopify_products"].inserted == 3
    assert river.query(versions) == before
    assert river.one("SELECT count(*) FROM bulk_steps WHERE step_name = 'merge'") == 1
    with pytest.raises(ledger.LoadEndedError, match="merged already"):
        steps.stage(river.database, river.settings, load)


def _abandon(river: River, load: LoadRun) -> None:
    """As a load does that holds the lock, which this one has lost."""
    other = LoadRun(UUID(int=1), load.shop_id, DOMAIN, "products", "", 0, "")
    with river.database.connect(Role.PIPELINE, autocommit=True) as book:
        book.execute(statement("ledger/lock_timeout"), {"timeout": "100ms"})
        assert standing.abandon_others(book, other) == [load.run_id]


def _dying_removal(river: River, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal whose process is killed in the middle: nobody closes anything."""
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "close_run", lambda *_, **__: None)
        patch.setattr(ledger, "_do_if_reachable", lambda *_, **__: None)
        patch.setattr("neanelu_pipelines.mirror.removals.told._remove_of", _fail)
        with pytest.raises(RuntimeError):
            _remove(river)


def _fail(*_: Any) -> None:
    raise RuntimeError


def _remove(river: River) -> None:
    gone = {gid("Product", 1): datetime.fromisoformat(CHANGED).astimezone(UTC)}
    remove(
        river.database,
        shop_domain=DOMAIN,
        resource="products",
        gone=gone,
        reason=Reason.WEBHOOK,
        told_by="webhook products/delete",
        lock_wait=0.1,
    )


def _stuck(river: River) -> list[Any]:
    with river.database.connect(Role.PIPELINE) as connection:
        return connection.execute(statement("cli/stuck_runs")).fetchall()


def test_the_next_load_closes_a_removal_that_died(river: River, monkeypatch: pytest.MonkeyPatch) -> None:
    river.load(catalogue(), as_of=moment(1))
    _dying_removal(river, monkeypatch)
    steps_of_it = (
        "SELECT r.operation_type, r.status, s.status FROM bulk_runs r JOIN bulk_steps s ON s.bulk_run_id = r.id"
        " WHERE s.step_name = 'removal'"
    )
    assert river.one(steps_of_it) == ("PRODUCTS_REMOVAL", "running", "running")
    river.unheard_of(hours=2)
    assert len(_stuck(river)) == 1
    _event(river)
    assert river.one(steps_of_it) == ("PRODUCTS_REMOVAL", "failed", "failed")
    assert _stuck(river) == []
    with river.database.connect(Role.PIPELINE) as connection:
        assert not connection.execute(statement("cli/loads_failed")).fetchall(), "a load has completed since"
    past = {"before": datetime.now(UTC), "limit": 10, "left": []}
    with river.database.connect(Role.PIPELINE) as connection:
        found = {row[0] for row in connection.execute(statement("ledger/past_runs"), past).fetchall()}
    assert river.one("SELECT id FROM bulk_runs WHERE operation_type = 'PRODUCTS_REMOVAL'") in found


def test_a_removal_that_has_no_step_any_more_is_dead_too(river: River) -> None:
    river.do(
        "INSERT INTO bulk_runs (shop_id, operation_type, query_type, status, cursor_state)"
        " VALUES (%s, 'PRODUCTS_REMOVAL', 'products', 'running', '{\"snapshot\": false}')",
        river.shops[DOMAIN],
    )
    _event(river)
    assert river.one("SELECT status FROM bulk_runs WHERE operation_type = 'PRODUCTS_REMOVAL'") == "failed"


def test_a_removal_that_waits_for_a_load_is_not_in_the_ledger_yet(river: River) -> None:
    """So whoever has the lock knows that one that stands there as running is dead."""
    load = _staged(river)
    with (
        ledger.opened(river.database) as book,
        ledger.resource_lock(book, load),
        pytest.raises(ledger.ResourceBusyError),
    ):
        _remove(river)
    assert not river.query("SELECT FROM bulk_runs WHERE operation_type = 'PRODUCTS_REMOVAL'")
