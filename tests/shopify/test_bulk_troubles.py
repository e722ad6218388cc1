"""What goes wrong with bulk operations: what is kept, what is tried again, what is said; nothing is lost or doubled."""

import json
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from neanelu_pipelines.sandbox.admin.bulk import Pace as SandboxPace
from neanelu_pipelines.sandbox.admin.faults import Trouble
from neanelu_pipelines.shopify.bulk.exports import ArtifactStoreError, begin
from neanelu_pipelines.shopify.bulk.ledger import NoExportError
from neanelu_pipelines.shopify.bulk.pieces import Shelf
from neanelu_pipelines.shopify.documents import document, inlined
from neanelu_pipelines.shopify.faults import AccessDenied, Permanent, SearchIgnored, Transient, Unavailable
from neanelu_pipelines.shopify.linter import BulkQueryError
from tests.shopify.bulk import PRODUCTS, Desk
from tests.shopify.desks import Between, MakeDesk, operations, result_of


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


def test_of_a_failed_operation_from_before_somebody_was_forgotten_nothing_is_kept(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(customers=30, products=30)
    customers = inlined(document("customers"), {"search": None})
    kept = []
    for forgotten, query, resource in (
        ("'2020-01-01'", customers, "customers"),
        ("now()", customers, "customers"),
        ("now()", PRODUCTS, "products"),
    ):
        run_id = desk.begin(query, resource)
        sandbox.faults.add(Trouble.BULK_CANCELED)
        with desk.client() as client:
            forget = partial(_forget, desk, forgotten)
            outcome = desk.advance(run_id, client=Between(client, "bulkOperationRunQuery", forget))
        kept.append((desk.run(run_id)[1], "was kept" in (outcome.message or ""), outcome.reason))
        assert not list(desk.root.rglob("*.piece*"))
    _forget(desk, "NULL")
    assert kept == [(["partial"], True, "CANCELED"), ([], False, "CANCELED"), (["partial"], True, "CANCELED")]
    assert len([path for path in desk.root.rglob("*") if path.is_file()]) == 2


@pytest.mark.parametrize("at", ["put", "publish"])
def test_an_export_that_is_ended_from_outside_leaves_nothing_in_the_store(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    run_id = desk.begin()
    original = getattr(Shelf, at)

    def ended(*arguments: Any) -> Any:
        done = original(*arguments)
        desk.rows("UPDATE bulk_runs SET status = 'failed', error_message = 'no token' RETURNING id")
        assert [path for path in desk.root.rglob("*") if path.is_file()]
        return done

    monkeypatch.setattr(Shelf, at, ended)
    with pytest.raises(NoExportError):
        desk.advance(run_id)
    assert [path for path in desk.root.rglob("*") if path.is_file()] == []


def _forget(desk: Desk, when: str) -> None:
    """Somebody was forgotten then, and nobody ever else."""
    desk.rows("DELETE FROM pipeline.forgotten RETURNING digest")
    desk.rows(
        "INSERT INTO pipeline.forgotten (shop_id, digest, forgotten_at)"
        f" SELECT id, '', moment + interval '1 second' FROM shops, (SELECT {when}::timestamptz) AS said (moment)"
        " WHERE id = %s AND moment IS NOT NULL RETURNING digest",
        desk.shop_id,
    )


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
