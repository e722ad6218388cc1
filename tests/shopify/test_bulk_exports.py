"""The life of bulk operations, against a made-up shop over HTTP and a real ledger; also of those that are killed."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.mirror import river
from neanelu_pipelines.sandbox.admin.bulk import Pace as SandboxPace
from neanelu_pipelines.sandbox.admin.faults import Trouble
from neanelu_pipelines.sandbox.admin.server import Sandbox
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.bulk import exports, ledger
from neanelu_pipelines.shopify.bulk.ledger import ExportBusyError
from neanelu_pipelines.shopify.bulk.outcome import Outcome
from neanelu_pipelines.shopify.documents import document
from tests.shopify.bulk import PRODUCTS, Desk, Mortals
from tests.shopify.conftest import make_shop
from tests.shopify.desks import SLOW, Between, MakeDesk, finish, operations, result_of

OTHER = '{ products(query: "id:0") { edges { node { __typename id } } } }'


# What goes well -------------------------------------------------------------------------------------------------------


def test_an_export_becomes_an_artifact_that_a_load_can_take_up(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SandboxPace(created=0.05, running=0.05))
    outcome = desk.export()
    assert outcome.status == "ready"
    path, size, rows, checksum = result_of(desk, outcome.run_id)
    data = path.read_bytes()
    assert data == operations(desk, sandbox)[0].path.read_bytes()
    assert (size, rows) == (len(data), data.count(b"\n"))
    assert checksum == hashlib.sha256(data).hexdigest()
    assert path == desk.root / desk.domain / "products" / f"{outcome.run_id}.jsonl"
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    status, kinds, held, _ = desk.run(outcome.run_id)
    assert (status, kinds, held) == ("running", ["jsonl"], False)
    ((operation, state, kind),) = desk.rows(
        "SELECT shopify_operation_id, cursor_state, operation_type FROM bulk_runs WHERE id = %s", outcome.run_id
    )
    assert (operation, kind) == (outcome.operation_id, "PRODUCTS_EXPORT")
    assert datetime.fromisoformat(state["as_of"]) <= datetime.now(UTC)
    assert desk.rows("SELECT step_name, status, records_processed FROM bulk_steps") == [("artifact", "completed", rows)]


def test_the_row_goes_on_as_a_load(database: Database, desk_of: MakeDesk, tmp_path: Path) -> None:
    """Nothing is copied, and no second row is made: the mirror takes up the very row and file."""
    _, sandbox = desk_of()
    domain = sandbox.domains[0]
    desk = Desk(
        database.urls, sandbox.url_template, sandbox.token(domain), make_shop(database, domain), tmp_path / "a", domain
    )
    outcome = desk.export()
    settings = Settings(home=tmp_path, artifact_url=str(desk.root), _env_file=None)
    load = river.current_load(database, shop_domain=domain, resource="products")
    assert load.run_id == outcome.run_id
    staged = river.stage(database, settings, load)
    assert all(verdict.passed for verdict in river.check(database, settings, load))
    river.merge(database, settings, load)
    assert staged.lines == result_of(desk, outcome.run_id)[2]
    assert desk.rows("SELECT count(*) FROM shopify_products") == [(20,)]
    assert desk.rows("SELECT status FROM bulk_runs") == [("completed",)]


def test_no_rows_is_a_success_with_an_empty_artifact(desk_of: MakeDesk) -> None:
    desk, _ = desk_of(products=0)
    outcome = desk.export()
    assert outcome.status == "ready"
    path, size, rows, _ = result_of(desk, outcome.run_id)
    assert (path.read_bytes(), size, rows) == (b"", 0, 0)


def test_a_run_that_outlasts_its_wait_is_gone_on_with(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SLOW)
    run_id = desk.begin()
    outcome = desk.advance(run_id, wait=0.05)
    assert outcome.status == "waiting"
    assert outcome.due
    assert desk.run(run_id)[:2] == ("pending", [])
    with ledger.opened(desk.database) as book:
        assert ledger.due_exports(book, outcome.due - timedelta(seconds=1)) == []
        (due,) = ledger.due_exports(book, outcome.due + timedelta(seconds=1))
    assert (due.run_id, due.domain, due.resource) == (run_id, desk.domain, "products")
    finish(desk, sandbox)
    assert desk.advance(run_id).status == "ready"
    assert len(operations(desk, sandbox)) == 1
    with ledger.opened(desk.database) as book:
        assert ledger.due_exports(book, datetime.now(UTC) + timedelta(days=1)) == []


def test_exports_of_shops_that_left_keep_no_other_from_its_turn(desk_of: MakeDesk) -> None:
    (gone, _), (here, _) = desk_of(pace=SLOW), desk_of(pace=SLOW)
    runs = [desk.begin() for desk in (gone, here)]
    for desk, run_id in zip((gone, here), runs, strict=True):
        assert desk.advance(run_id, wait=0).due
    later = datetime.now(UTC) + timedelta(days=1)

    def due() -> list[object]:
        with ledger.opened(here.database) as book:
            return [one.run_id for one in ledger.due_exports(book, later, most=1)]

    assert due() == runs[:1]
    assert shops.remove(gone.database, gone.domain)
    assert due() == runs[1:]


def test_a_webhook_makes_a_run_due(desk_of: MakeDesk) -> None:
    desk, _ = desk_of(pace=SandboxPace(running=0.2))
    desk = replace(desk, pace=replace(desk.pace, first_poll=3600, longest_poll=3600))
    run_id = desk.begin()
    outcome = desk.advance(run_id, wait=0)
    assert outcome.operation_id
    with ledger.opened(desk.database) as book:
        assert ledger.due_exports(book, datetime.now(UTC)) == []
        assert ledger.hurry_export(book, uuid4(), outcome.operation_id) is None
        assert ledger.hurry_export(book, desk.shop_id, outcome.operation_id) == run_id
        assert [due.run_id for due in ledger.due_exports(book, datetime.now(UTC))] == [run_id]


# One run, one operation -----------------------------------------------------------------------------------------------


def test_the_same_query_twice_is_one_run_while_it_is_under_way(desk: Desk) -> None:
    first = desk.begin()
    assert desk.begin() == first
    assert desk.begin(OTHER) != first
    desk.advance(first)
    assert desk.begin() == first, "it is whole, and nobody loads it: its process may have died"
    desk.take(first, "run-1")
    assert desk.begin() != first


def test_repeating_a_dagster_step_brings_nothing_in_again(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    first = desk.begin(dagster_run_id="run-1")
    desk.advance(first)
    again = desk.begin(dagster_run_id="run-1")
    assert again == first
    assert desk.advance(again).status == "ready"
    assert len(operations(desk, sandbox)) == 1
    desk.take(first, "run-1")
    assert desk.begin(dagster_run_id="run-1") == first
    assert desk.begin(dagster_run_id="run-2") != first


def test_a_dagster_run_goes_on_with_what_the_one_that_it_repeats_had_taken(desk: Desk) -> None:
    first = desk.begin(dagster_run_id="run-1")
    desk.advance(first)
    desk.take(first, "run-1")
    repeated = partial(exports.begin, desk.database, shop_id=desk.shop_id, resource="products", query=PRODUCTS)
    assert repeated(dagster_run_id="run-2", first_run_id="run-1") == first
    assert repeated(dagster_run_id="run-3", first_run_id="run-3") != first


def test_a_run_that_was_ended_from_outside_does_not_hold_its_query(desk: Desk) -> None:
    first = desk.begin()
    desk.rows("UPDATE bulk_runs SET status = 'failed' RETURNING id")
    assert desk.advance(first).status == "failed"
    assert desk.begin() != first


def test_two_processes_do_not_take_one_run_further_at_once(desk: Desk) -> None:
    run_id = desk.begin()
    with ledger.locked(desk.database, run_id), pytest.raises(ExportBusyError):
        desk.advance(run_id)
    assert desk.advance(run_id).status == "ready"


def test_two_runs_of_one_shop_wait_for_each_other(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SLOW)
    first, second = desk.begin(), desk.begin(OTHER)
    assert desk.advance(first, wait=0).status == "waiting"
    blocked = desk.advance(second, wait=0)
    assert blocked.status == "waiting"
    assert "Waits for another bulk operation of the shop to end: gid://shopify/BulkOperation/" in (
        blocked.message or ""
    )
    finish(desk, sandbox)
    assert desk.advance(second).status == "ready"
    assert desk.advance(first).status == "ready"
    assert [one.canceled_at for one in operations(desk, sandbox)] == [None, None]


def test_two_processes_that_export_at_once_both_end_well(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SandboxPace(running=0.1))
    with ThreadPoolExecutor(2) as both:
        outcomes = list(both.map(desk.export, [PRODUCTS, OTHER]))
    assert [outcome.status for outcome in outcomes] == ["ready", "ready"]
    assert len({outcome.operation_id for outcome in outcomes}) == len(operations(desk, sandbox)) == 2


def test_several_run_at_once_where_the_version_allows(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SandboxPace(running=0.2))
    desk = replace(desk, version="2026-01")
    runs = [desk.begin(), desk.begin(OTHER)]
    assert [desk.advance(run, wait=0).message for run in runs] == [None, None]
    assert len(operations(desk, sandbox)) == 2
    assert [desk.advance(run).status for run in runs] == ["ready", "ready"]


def test_somebody_elses_operation_is_waited_for_and_not_canceled(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SLOW)
    with desk.client() as somebody:
        somebody.execute(document("operations/start"), {"query": PRODUCTS, "groupObjects": False})
    run_id = desk.begin()
    assert "Waits for another bulk operation" in (desk.advance(run_id, wait=0).message or "")
    finish(desk, sandbox)
    outcome = desk.advance(run_id)
    assert outcome.status == "ready"
    theirs, ours = operations(desk, sandbox)
    assert theirs.status == "COMPLETED"
    assert outcome.operation_id == ours.gid


@pytest.mark.parametrize("running", [0.0, 0.2])
def test_an_answer_that_was_lost_is_looked_for_not_asked_again(desk_of: MakeDesk, running: float) -> None:
    desk, sandbox = desk_of(pace=SandboxPace(running=running))
    sandbox.faults.add(Trouble.DROP, matching="StartBulkOperation")
    assert desk.export().status == "ready"
    assert len(operations(desk, sandbox)) == 1


def test_an_answer_that_was_lost_is_looked_for_among_several(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SandboxPace(running=0.2))
    desk = replace(desk, version="2026-01")
    desk.rows("UPDATE shops SET api_version = '2026-01' RETURNING 1")
    sandbox.faults.add(Trouble.DROP, matching="StartBulkOperation")
    run_id = desk.begin()
    with desk.client() as client:
        start = partial(client.execute, document("operations/start"), {"query": OTHER, "groupObjects": False})
        outcome = desk.advance(run_id, client=Between(client, "SeveralBulkQueries", start))
    assert outcome.status == "ready"
    ours, _theirs = operations(desk, sandbox)
    assert outcome.operation_id == ours.gid


def test_an_operation_named_as_being_in_the_way_may_be_our_own(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SLOW)
    run_id = desk.begin()
    desk.advance(run_id, wait=0)
    desk.rows(
        "UPDATE bulk_runs SET shopify_operation_id = NULL,"
        " cursor_state = jsonb_set(cursor_state, '{bulk,phase}', '\"new\"') RETURNING id"
    )
    with desk.client() as client:
        named = Between(client, "BulkOperationWithQuery", lambda: finish(desk, sandbox))
        assert desk.advance(run_id, client=named).status == "ready"
    assert len(operations(desk, sandbox)) == 1


# Death ----------------------------------------------------------------------------------------------------------------


def killed_anywhere(desk: Desk, sandbox: Sandbox, check: Callable[[Outcome, bytes], None], *, every: int = 1) -> None:
    """SIGKILL before and after each thing that is said to Shopify, to the ledger, or to the store; then go on."""
    with Mortals(desk) as mortals:
        for at in range(1, 100, every):
            before = len(operations(desk, sandbox))
            ended, places = mortals.export(at)
            assert ended in {0, -9}
            assert len(operations(desk, sandbox)) <= before + 1
            ((run_id,),) = desk.rows("SELECT id FROM bulk_runs ORDER BY created_at DESC LIMIT 1")
            outcome = desk.advance(run_id)
            assert len(operations(desk, sandbox)) == before + 1, at
            check(outcome, operations(desk, sandbox)[-1].path.read_bytes())
            if ended == 0:
                break
    whom = ("execute", "keep_state", "put", "join", "publish")
    assert {f"{moment} {name}" for moment in ("before", "after") for name in whom} == set(places)


def test_killed_anywhere_it_ends_with_one_operation_and_the_same_bytes(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()

    def whole(outcome: Outcome, expected: bytes) -> None:
        assert outcome.status == "ready"
        path, _, _, checksum = result_of(desk, outcome.run_id)
        assert path.read_bytes() == expected
        assert checksum == hashlib.sha256(expected).hexdigest()
        assert [file.name for file in path.parent.glob(f"{outcome.run_id}*")] == [path.name]
        desk.take(outcome.run_id)

    killed_anywhere(desk, sandbox, whole)


def test_killed_anywhere_what_there_is_of_a_canceled_operation_is_kept(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    sandbox.faults.add(Trouble.BULK_CANCELED, times=99, shop=desk.domain)

    def partial(outcome: Outcome, expected: bytes) -> None:
        assert (outcome.status, outcome.reason) == ("failed", "CANCELED")
        assert desk.run(outcome.run_id)[:2] == ("failed", ["partial"])
        assert result_of(desk, outcome.run_id)[0].read_bytes() == expected

    killed_anywhere(desk, sandbox, partial, every=3)
