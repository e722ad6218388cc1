"""From the Admin API to the mirror as Dagster runs it: a real sandbox over HTTP, real runs, the real database."""

import hashlib
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from neanelu_pipelines.cli.orchestra import _read_events
from neanelu_pipelines.cli.outcome import LoadOutcome
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.exports.reports import EXPORT_TAG, OUTCOME_TAG
from neanelu_pipelines.defs.exports.sensor import due_exports, request_for
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.mirror import checkpoints, river
from neanelu_pipelines.mirror.asking import export_query
from neanelu_pipelines.mirror.resources import resource_named
from neanelu_pipelines.sandbox.admin import Trouble
from neanelu_pipelines.sandbox.catalogue import write_products
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.bulk import exports, ledger
from tests.defs.office import (
    ARTIFACT,
    KEYS,
    MIRROR,
    SLOW,
    MakeOffice,
    check_of,
    failure_of,
    materializations,
    mirrored,
    retries,
    sold,
)


def test_what_changed_since_the_last_comes_alone(make_office: MakeOffice) -> None:
    office = make_office()
    assert office.run(since_last=True).success  # without a checkpoint: everything
    gid = office.rows("SELECT shopify_gid FROM shopify_products ORDER BY 1 LIMIT 1")[0][0]
    office.rows("UPDATE sync_checkpoints SET last_sync_at = last_sync_at - interval '1 hour' RETURNING 1")
    office.sandbox.shop(office.domain).update(gid, title="Greblă nouă")
    time.sleep(1.1)  # The present second is not over; a window ends before it.

    result = office.run(since_last=True)

    assert result.success
    assert mirrored(office) == sold(office)
    [[state]] = office.rows("SELECT cursor_state FROM bulk_runs ORDER BY id DESC LIMIT 1")
    assert (state["snapshot"], len(state["windows"])) == (False, 1)
    [artifact] = materializations(result, ARTIFACT)
    product_lines = Path(str(artifact.metadata["path"].value)).read_text(encoding="utf-8").count('"Product"')
    assert product_lines == 1


def test_a_shop_comes_whole_from_the_api_into_the_mirror(make_office: MakeOffice) -> None:
    office = make_office()
    result = office.run()
    assert result.success
    products, variants = sold(office)
    assert len(products) == 12
    assert variants
    assert mirrored(office) == (products, variants)
    assert office.states() == ["completed"]
    assert check_of(result).passed
    [event] = materializations(result, ARTIFACT)
    figures: dict[str, Any] = {name: value.value for name, value in event.metadata.items()}
    stored = Path(figures["path"])
    assert figures["sha256"] == hashlib.sha256(stored.read_bytes()).hexdigest()
    assert figures["lines"] == figures["object_count"] == stored.read_bytes().count(b"\n")
    assert figures["bytes"] == stored.stat().st_size
    assert figures["operation_id"].startswith("gid://shopify/BulkOperation/")
    assert figures["requests"] >= 2
    assert figures["points_used"] > 0
    assert figures["seconds"] > 0

    again = office.run()
    assert again.success
    [merged] = materializations(again, MIRROR)
    assert [merged.metadata[f"rows_{kind}"].value for kind in ("inserted", "updated", "deleted")] == [0, 0, 0]
    assert office.states() == ["completed", "completed"], "a second run asks anew"


def test_a_run_that_outlasts_its_wait_is_gone_on_with_by_the_sensor(make_office: MakeOffice) -> None:
    office = make_office(pace=SLOW)
    office.wait(0.1)
    result = office.run()
    assert result.success, "nothing failed"
    assert not result.get_asset_materialization_events(), "and nothing is said to be there that is not"
    [observed] = [event for event in result.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    metadata = observed.asset_observation_data.asset_observation.metadata
    assert metadata["outcome"].value == "waiting"
    assert str(metadata["operation_id"].value).startswith("gid://shopify/BulkOperation/")
    assert metadata["due"].value
    run = office.instance.get_run_by_id(result.run_id)
    assert run
    assert run.tags[OUTCOME_TAG] == "waiting"
    assert "exports_due" in office.events(result.run_id), "the log says who goes on"
    assert office.states() == ["pending"]

    office.make_due()
    [request] = office.tick()
    assert (request.job_name, request.partition_key) == ("load_products", office.domain)
    assert run.tags[EXPORT_TAG] == request.tags[EXPORT_TAG]
    assert [again.run_key for again in office.tick()] == [request.run_key], "two ticks launch it once"

    office.wait(20)
    gone_on = office.run(request)
    assert gone_on.success
    assert office.states() == ["completed"], "the same export, not another"
    assert len(mirrored(office)[0]) == 12
    assert office.tick() == []
    late = office.run(request)
    assert late.success, "a run that comes too late has nothing to do"
    assert not late.get_asset_materialization_events()
    assert "brought in by another run" in office.events(late.run_id)


def test_an_export_that_somebody_is_at_gets_no_run(make_office: MakeOffice) -> None:
    office = make_office(pace=SLOW)
    office.wait(0)
    office.run()
    office.make_due()
    [export] = [row[0] for row in office.rows("SELECT id FROM bulk_runs")]
    with ledger.locked(office.database, export):
        assert office.tick() == []
    [request] = office.tick()
    under_way = office.instance.create_run_for_job(
        office.defs.resolve_job_def("load_products"), tags=dict(request.tags), status=dg.DagsterRunStatus.STARTED
    )
    assert office.tick() == []
    office.instance.report_run_failed(under_way)
    assert office.tick() == [], "not again at once"
    [record] = office.instance.get_run_records(dg.RunsFilter(run_ids=[under_way.run_id]))
    [due] = due_exports(office.warehouse)
    soon = datetime.fromtimestamp(record.end_time or 0, UTC) + timedelta(seconds=61)
    later = request_for(office.instance, due, soon, {})
    assert later
    assert later.run_key != request.run_key
    office.instance.delete_dynamic_partition(str(SHOPS.name), office.domain)
    assert office.tick() == [], "a shop that has left"


def test_what_failed_at_shopify_is_not_merged_and_its_part_is_kept(make_office: MakeOffice) -> None:
    office = make_office()
    office.sandbox.faults.add(Trouble.BULK_CANCELED, shop=office.domain)
    result = office.run()
    assert not result.success
    assert "canceled" in failure_of(result)
    assert not retries(office, result.run_id), "whoever canceled it meant it"
    assert office.states() == ["failed"]
    [[kind, run_id, part]] = office.rows("SELECT artifact_type, bulk_run_id::text, file_path FROM bulk_artifacts")
    assert kind == "partial"
    assert Path(part).is_file()
    assert part in failure_of(result)
    told = LoadOutcome(office.domain, "products", "Shopify", result.run_id, "failed", 1.0)
    _read_events(told, result)
    assert (told.run_id, told.partial_result) == (run_id, part)
    assert mirrored(office) == ({}, {})


def test_the_export_of_a_fault_is_named_though_nothing_was_kept(make_office: MakeOffice) -> None:
    office = make_office()
    office.sandbox.faults.add(Trouble.STATUS, shop=office.domain, status=404)
    result = office.run()
    told = LoadOutcome(office.domain, "products", "Shopify", result.run_id, "failed", 1.0)
    _read_events(told, result)
    [[run_id]] = office.rows("SELECT id::text FROM bulk_runs")
    assert (told.status, told.run_id, told.partial_result) == ("failed", run_id, None)


def test_what_failed_and_may_work_is_asked_for_anew(make_office: MakeOffice) -> None:
    office = make_office()
    office.sandbox.faults.add(Trouble.BULK_FAILED, shop=office.domain)
    result = office.run()
    assert result.success
    assert retries(office, result.run_id) == 1
    assert office.states() == ["failed", "completed"]
    assert sorted(office.rows("SELECT artifact_type FROM bulk_artifacts")) == [("jsonl",), ("partial",)]
    assert mirrored(office) == sold(office)


def test_a_missing_scope_is_a_warning_that_names_it(make_office: MakeOffice) -> None:
    office = make_office("fara-drept.myshopify.com")
    result = office.run()
    assert result.success
    assert not result.get_asset_materialization_events()
    check = check_of(result)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["scope"].value == "read_products"
    assert "read_products" in str(check.description)
    run = office.instance.get_run_by_id(result.run_id)
    assert run
    assert run.tags[OUTCOME_TAG] == "denied"
    assert office.states() == ["failed"]
    assert mirrored(office) == ({}, {})


@pytest.mark.parametrize(
    ("resource", "scope"), [("orders", "read_customers"), ("product_publications", "read_publications")]
)
def test_a_scope_that_only_a_field_within_a_row_needs_is_named_too(
    make_office: MakeOffice, resource: str, scope: str
) -> None:
    office = make_office(f"fara-{scope.replace('_', '-')}.myshopify.com")
    office.resource = resource_named(resource)
    result = office.run()
    assert result.success
    check = check_of(result)
    assert (check.passed, check.metadata["scope"].value) == (False, scope)


@pytest.mark.parametrize("known", ["{}", "{read_orders,read_all_orders}"])
def test_a_scope_without_which_a_part_is_shown_is_a_warning_and_the_part_is_loaded(
    make_office: MakeOffice, known: str
) -> None:
    """Whatever was known of the token when the shop was added: a merchant may have changed that since."""
    office = make_office("fara-read-all-orders.myshopify.com")
    office.resource = resource_named("orders")
    office.rows(f"UPDATE shops SET scopes = '{known}' RETURNING 1")
    result = office.run()
    assert result.success
    check = check_of(result)
    assert (check.passed, check.metadata["scope"].value) == (False, "read_all_orders")
    assert "60 days" in str(check.description)
    assert office.rows("SELECT cursor_state ->> 'lacks' FROM bulk_runs") == [("read_all_orders",)]
    checkpoint = checkpoints.read(office.database, office.domain, "orders")
    assert checkpoint
    assert len(checkpoint.unseen) == 1


def test_a_scope_that_was_given_since_is_seen(make_office: MakeOffice) -> None:
    office = make_office("fara-read-publications.myshopify.com")
    office.resource = resource_named("orders")
    office.rows("UPDATE shops SET scopes = '{read_orders}' RETURNING 1")
    assert check_of(office.run()).passed
    assert office.rows("SELECT count(*) FROM shopify_orders") == [(3,)]


def test_a_refused_token_ends_it_with_words_and_shows_nothing(make_office: MakeOffice) -> None:
    office = make_office()
    token = "shpat_wrong5ecret0123456789abcdef"
    office.give_token(token)
    result = office.run()
    assert not result.success
    assert not retries(office, result.run_id)
    assert "token" in failure_of(result)
    assert office.states() == ["failed"]
    ledger_rows = str(office.rows("SELECT to_jsonb(r)::text FROM bulk_runs r"))
    for secret in (token, KEYS.partition(":")[2]):
        assert secret not in office.events(result.run_id) + ledger_rows


def test_a_removed_shop_is_not_asked_and_its_export_ends(make_office: MakeOffice) -> None:
    office = make_office(pace=SLOW)
    office.wait(0)
    office.run()
    office.make_due()
    [request] = office.tick()
    assert shops.remove(office.database, office.domain)
    for result in (office.run(), office.run(request)):
        assert not result.success
        assert "was removed" in failure_of(result)
    assert office.states() == ["failed"], "it does not wait for ever"


def test_a_process_that_died_half_way_is_gone_on_with(make_office: MakeOffice) -> None:
    """The row is pending and the operation runs: what a kill leaves (its kills are in tests/shopify)."""
    office = make_office(pace=SLOW)
    [shop_id] = [row[0] for row in office.rows("SELECT id FROM shops")]
    begun = exports.begin(
        office.database, shop_id=shop_id, resource="products", query=export_query("products"), dagster_run_id="dead"
    )
    assert [request.tags[EXPORT_TAG] for request in office.tick()] == [str(begun)]
    result = office.run()
    assert result.success
    assert office.rows("SELECT id, status FROM bulk_runs") == [(begun, "completed")]


def test_what_a_run_took_only_that_run_and_its_repetition_load(make_office: MakeOffice) -> None:
    office = make_office()
    artifact = office.run(steps=[ARTIFACT])
    [export] = [row[0] for row in office.rows("SELECT id FROM bulk_runs")]
    take = partial(river.take_load, office.database, export)
    assert take(dagster_run_id="other", first_run_id="other") is None
    load = take(dagster_run_id="repeated", first_run_id=artifact.run_id)
    assert load
    assert (
        river.current_load(office.database, shop_domain=office.domain, resource="products", dagster_run_id="repeated")
        == load
    )


def test_what_a_killed_run_had_brought_is_loaded_by_the_next(make_office: MakeOffice) -> None:
    office = make_office()
    office.run(steps=[ARTIFACT])
    killed = office.instance.get_runs()[0]
    began = office.rows("UPDATE bulk_steps SET status = 'running' RETURNING bulk_run_id")
    # Shopify was asked days ago, and answered now.
    office.rows("UPDATE bulk_runs SET created_at = now() - interval '3 days' RETURNING 1")
    run_ids = {"dagster_run_ids": [killed.run_id], "error": "killed"}
    with office.database.connect(Role.PIPELINE) as connection:
        connection.execute(statement("cli/release_loads_of_runs"), run_ids)
    assert office.rows("SELECT status FROM bulk_steps") == [("failed",)]
    assert office.run().success
    assert office.rows("SELECT id, status FROM bulk_runs") == [(began[0][0], "completed")]
    assert office.rows("SELECT status FROM sync_checkpoints") == [("idle",)]
    assert len(office.sandbox.bulk(office.domain).every()) == 1
    assert mirrored(office) == sold(office)


def test_a_file_is_still_a_file(make_office: MakeOffice, tmp_path: Path) -> None:
    office = make_office()
    path = tmp_path / "products.jsonl"
    write_products(path, 3, seed=1)
    result = office.run(steps=[ARTIFACT], source=str(path))
    assert result.success
    assert check_of(result).passed
    assert office.rows("SELECT count(*) FROM bulk_runs WHERE shopify_operation_id IS NOT NULL") == [(0,)]
