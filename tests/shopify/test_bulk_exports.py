"""The life of bulk operations, against a made-up shop over HTTP and a real ledger."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.mirror import river
from neanelu_pipelines.sandbox.admin.bulk import Pace as SandboxPace
from neanelu_pipelines.sandbox.admin.faults import Trouble
from neanelu_pipelines.sandbox.admin.server import Sandbox
from neanelu_pipelines.sandbox.shop.generated import GeneratedShop
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.bulk import ledger
from neanelu_pipelines.shopify.bulk.exports import ArtifactStoreError, Outcome, begin
from neanelu_pipelines.shopify.bulk.ledger import ExportBusyError, NoExportError
from neanelu_pipelines.shopify.documents import document, inlined
from neanelu_pipelines.shopify.faults import AccessDenied, Permanent, SearchIgnored, Transient, Unavailable
from neanelu_pipelines.shopify.linter import BulkQueryError
from neanelu_pipelines.shopify.replies import Reply
from tests.shopify.bulk import PRODUCTS, Desk, Mortals
from tests.shopify.conftest import make_shop

OTHER = '{ products(query: "id:0") { edges { node { __typename id } } } }'

MakeDesk = Callable[..., tuple[Desk, Sandbox]]


@pytest.fixture(scope="module")
def _ledger_database(server: EmbeddedServer, _template: str) -> str:
    """One database for all these tests: to clone one costs more than most of them."""
    name = f"{_template}_bulk"
    with server.database("postgres").connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_template))
        )
    return name


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[tuple[Sandbox, Iterator[str]]]:
    """One server with a shop for each test: to start and end one costs more than most of them."""
    shops = [GeneratedShop(f"gradina-{number}.myshopify.com", seed=number, products=20) for number in range(60)]
    with Sandbox(shops, bucket=(1e6, 1e6)) as sandbox:
        yield sandbox, iter(sandbox.domains)


@pytest.fixture
def desk_of(
    server: EmbeddedServer, _ledger_database: str, _sandbox: tuple[Sandbox, Iterator[str]], tmp_path: Path
) -> Iterator[MakeDesk]:
    """Makes a desk, with a sandbox in which its shop is, and a ledger in which nothing stands yet."""
    server.start()  # A test may have left it dead.
    database = server.database(_ledger_database)
    with ExitStack() as stack:

        def make(*, pace: SandboxPace | None = None, **spec: Any) -> tuple[Desk, Sandbox]:
            sandbox, unused = _sandbox
            domain = next(unused)
            if spec:
                shop = GeneratedShop(domain, seed=7, **spec)
                sandbox = stack.enter_context(Sandbox([shop], bucket=(1e6, 1e6)))
            sandbox._shops[domain].bulk.pace = pace or SandboxPace()
            shop_id = make_shop(database, domain)
            root = tmp_path / "artifacts"
            return Desk(database.urls, sandbox.url_template, sandbox.token(domain), shop_id, root, domain), sandbox

        yield make
    _sandbox[0].faults.clear()
    with database.connect(Role.ADMIN) as connection:
        for table in ("bulk_artifacts", "bulk_steps", "bulk_errors", "bulk_runs", "sync_checkpoints", "shops"):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


@pytest.fixture
def desk(desk_of: MakeDesk) -> Desk:
    return desk_of()[0]


def result_of(desk: Desk, run_id: object) -> tuple[Path, int, int, str]:
    ((path, size, rows, checksum),) = desk.rows(
        "SELECT file_path, bytes_size, rows_count, checksum FROM bulk_artifacts WHERE bulk_run_id = %s", run_id
    )
    return Path(path), size, rows, checksum


def operations(desk: Desk, sandbox: Sandbox) -> list[Any]:
    return sandbox._shops[desk.domain].bulk.every()


SLOW = SandboxPace(running=3600)


def finish(desk: Desk, sandbox: Sandbox) -> None:
    """Operations of a SLOW shop end now."""
    sandbox._shops[desk.domain].bulk.pace = SandboxPace()


class Between:
    """A client that does something before a document of that name is sent."""

    def __init__(self, client: Any, name: str, does: Callable[[], object]) -> None:
        self._client, self._name, self._does = client, name, does

    def execute(self, text: str, variables: Mapping[str, Any] | None = None, *, cost: float | None = None) -> Reply:
        if self._name in text:
            self._does()
        return self._client.execute(text, variables, cost=cost)


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
    assert desk.begin() != first


def test_repeating_a_dagster_step_brings_nothing_in_again(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    first = desk.begin(dagster_run_id="run-1")
    desk.advance(first)
    again = desk.begin(dagster_run_id="run-1")
    assert again == first
    assert desk.advance(again).status == "ready"
    assert len(operations(desk, sandbox)) == 1
    assert desk.begin(dagster_run_id="run-2") != first


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


# What goes wrong ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "found"),
    [
        (Trouble.TRUNCATED, "bytes: "),
        (Trouble.WRONG_COUNT, "; lines: "),
        (Trouble.WRONG_SIZE, "bytes: "),
    ],
)
def test_a_result_that_is_not_what_the_operation_says_is_kept_and_not_loaded(
    desk_of: MakeDesk, trouble: Trouble, found: str
) -> None:
    desk, sandbox = desk_of()
    sandbox.faults.add(trouble)
    outcome = desk.export()
    assert (outcome.status, outcome.reason, outcome.transient) == ("failed", "INCOMPLETE", True)
    assert found.lstrip("; ") in (outcome.message or "")
    assert "fetched 3 times" in (outcome.message or "")
    status, kinds, held, _ = desk.run(outcome.run_id)
    assert (status, kinds, held) == ("failed", ["partial"], False)
    path, *_ = result_of(desk, outcome.run_id)
    assert path.name == f"{outcome.run_id}.partial.jsonl"
    assert path.read_bytes() == operations(desk, sandbox)[0].path.read_bytes()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert {status for (status,) in desk.rows("SELECT status FROM bulk_steps")} == {"failed"}


def test_a_canceled_operation_with_a_url_is_no_result(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    sandbox.faults.add(Trouble.BULK_CANCELED)
    outcome = desk.export()
    assert (outcome.status, outcome.reason, outcome.transient) == ("failed", "CANCELED", False)
    assert desk.run(outcome.run_id)[1] == ["partial"]


def test_a_failed_operation_keeps_partial_data_that_comes_late(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    sandbox.faults.add(Trouble.BULK_FAILED, seconds=0.3)
    outcome = desk.export()
    assert (outcome.status, outcome.reason, outcome.transient) == ("failed", "INTERNAL_SERVER_ERROR", True)
    path, size, *_ = result_of(desk, outcome.run_id)
    assert 0 < size == path.stat().st_size
    json.loads(path.read_bytes().splitlines()[-1])


def test_a_failed_operation_without_partial_data_fails(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    desk = replace(desk, pace=replace(desk.pace, late_url=0.2))
    sandbox.faults.add(Trouble.BULK_FAILED, partial=False)
    outcome = desk.export()
    assert (outcome.status, outcome.reason) == ("failed", "INTERNAL_SERVER_ERROR")
    assert desk.run(outcome.run_id)[:2] == ("failed", [])


def test_an_expired_operation_fails_and_may_be_started_again(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    sandbox.faults.add(Trouble.BULK_EXPIRED)
    outcome = desk.export()
    assert (outcome.status, outcome.reason, outcome.transient) == ("failed", "EXPIRED", True)
    assert desk.export().status == "ready"


def test_a_lost_connection_is_taken_up_where_it_was_lost(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(products=200)
    sandbox.faults.add(Trouble.DROP_DOWNLOAD, times=3)
    sandbox.faults.add(Trouble.DOWNLOAD_STATUS, status=503)
    outcome = desk.export()
    assert outcome.status == "ready"
    assert result_of(desk, outcome.run_id)[0].read_bytes() == operations(desk, sandbox)[0].path.read_bytes()


def test_an_expired_url_is_asked_for_again(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    sandbox.faults.add(Trouble.URL_EXPIRED, times=2)
    outcome = desk.export()
    assert outcome.status == "ready"
    assert desk.rows("SELECT status FROM bulk_steps ORDER BY started_at") == [("failed",), ("failed",), ("completed",)]


def test_a_url_that_is_refused_for_ever_fails(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    sandbox.faults.add(Trouble.DROP_DOWNLOAD)
    sandbox.faults.add(Trouble.URL_EXPIRED, times=9)
    outcome = desk.export()
    assert (outcome.status, outcome.reason, outcome.transient) == ("failed", "URL_REFUSED", True)
    assert [path for path in desk.root.rglob("*") if path.is_file()] == []


def test_a_shop_that_is_out_of_reach_leaves_the_run_as_it_was(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SandboxPace(running=0.2))
    run_id = desk.begin()
    desk.advance(run_id, wait=0)
    sandbox.faults.add(Trouble.STATUS, times=9, status=502)
    with pytest.raises(Unavailable):
        desk.advance(run_id)
    assert desk.run(run_id)[0] == "pending"
    sandbox.faults.clear()
    assert desk.advance(run_id).status == "ready"
    assert len(operations(desk, sandbox)) == 1


def test_a_store_that_takes_nothing_leaves_the_run_as_it_was(desk: Desk) -> None:
    desk.root.mkdir()
    (desk.root / desk.domain).write_text("in the way")
    run_id = desk.begin()
    with pytest.raises(ArtifactStoreError, match="cannot be kept in the artifact store"):
        desk.advance(run_id)
    assert desk.run(run_id)[0] == "pending"
    (desk.root / desk.domain).unlink()
    assert desk.advance(run_id).status == "ready"


def test_a_refused_token_ends_the_run(desk: Desk) -> None:
    run_id = desk.begin()
    with pytest.raises(Permanent):
        replace(desk, token="shpat_wrong0000000000").advance(run_id)
    status, _, held, text = desk.run(run_id)
    assert (status, held) == ("failed", False)
    assert "TokenRefused" in text


def test_a_missing_scope_ends_the_run_as_such(desk_of: MakeDesk) -> None:
    desk, _ = desk_of(scopes=("read_orders",))
    run_id = desk.begin()
    with suppress(AccessDenied):
        assert desk.advance(run_id).reason == "ACCESS_DENIED"
    assert "ACCESS_DENIED" in desk.run(run_id)[3]


def test_a_filter_that_shopify_ignores_starts_nothing(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    run_id = desk.begin(inlined(document("products"), {"search": "colour_of_the_box:green"}))
    with pytest.raises(SearchIgnored):
        desk.advance(run_id)
    assert desk.run(run_id)[0] == "failed"
    assert operations(desk, sandbox) == []


def test_what_shopify_refuses_is_said_in_its_words(desk: Desk) -> None:
    run_id = desk.begin("{ products { edges { node { __typename id noSuchField } } } }")
    outcome = desk.advance(run_id)
    assert (outcome.status, outcome.reason) == ("failed", "USER_ERROR")
    assert "noSuchField" in (outcome.message or "")


def test_a_query_that_breaks_a_rule_is_not_even_written_down(desk: Desk) -> None:
    with pytest.raises(BulkQueryError):
        desk.begin("{ products { nodes { id } } }")
    assert desk.rows("SELECT count(*) FROM bulk_runs") == [(0,)]


def test_an_unknown_shop_or_run_is_refused(desk: Desk) -> None:
    with pytest.raises(NoExportError, match="There is no shop"):
        begin(desk.database, shop_id=uuid4(), resource="products", query=PRODUCTS)
    with pytest.raises(NoExportError, match="no bulk operation"):
        desk.advance(uuid4())


def test_a_run_that_is_ended_meanwhile_is_not_revived(desk: Desk) -> None:
    run_id = desk.begin()

    def end() -> None:
        desk.rows("UPDATE bulk_runs SET status = 'failed' RETURNING 1")

    with desk.client() as client, pytest.raises(NoExportError, match="ended by something else"):
        desk.advance(run_id, client=Between(client, "StartBulkOperation", end))
    assert desk.run(run_id)[:2] == ("failed", [])


def test_no_url_of_a_result_stays_anywhere(desk_of: MakeDesk, caplog: pytest.LogCaptureFixture) -> None:
    desk, sandbox = desk_of()
    sandbox.faults.add(Trouble.URL_EXPIRED)
    with caplog.at_level("INFO"):  # httpx tells every url it asks for, at this level
        outcome = desk.export()
    assert outcome.status == "ready"
    dump = str(
        desk.rows("SELECT to_jsonb(r), to_jsonb(s), to_jsonb(a) FROM bulk_runs r, bulk_steps s, bulk_artifacts a")
    )
    logged = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn"))
    assert "results/" in logged
    for text in (dump, logged, repr(outcome)):
        assert "signature=" not in text.lower()


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

    killed_anywhere(desk, sandbox, whole)


def test_killed_anywhere_what_there_is_of_a_canceled_operation_is_kept(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    sandbox.faults.add(Trouble.BULK_CANCELED, times=99, shop=desk.domain)

    def partial(outcome: Outcome, expected: bytes) -> None:
        assert (outcome.status, outcome.reason) == ("failed", "CANCELED")
        assert desk.run(outcome.run_id)[:2] == ("failed", ["partial"])
        assert result_of(desk, outcome.run_id)[0].read_bytes() == expected

    killed_anywhere(desk, sandbox, partial, every=3)


def test_troubled_at_random_whatever_becomes_ready_is_whole(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(products=10, token="shpat_0123456789")
    sandbox.faults.random(1, 0.2)
    ready = 0
    for _ in range(8):
        run_id, outcome = desk.begin(), None
        for _ in range(20):
            with suppress(Transient):
                outcome = desk.advance(run_id)
                break
        assert outcome is not None
        if outcome.status == "ready":
            ready += 1
            assert result_of(desk, run_id)[0].read_bytes() == operations(desk, sandbox)[-1].path.read_bytes()
    assert ready > 2
