"""A load as Dagster runs it: what materializations say, what checks stop, what is tried again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import psycopg
import pytest

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.faults import passes
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.loads import shop_load
from neanelu_pipelines.defs.loads.faults import RETRIES, is_transient, step_faults
from neanelu_pipelines.defs.loads.keys import load_job_name, steps_of
from neanelu_pipelines.defs.mirror.assets import count_rows
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror import river
from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.sandbox.catalogue import write_products
from neanelu_pipelines.sandbox.faults import Fault
from tests.defs.shops import SHOP, add_shop

RunLoad = Callable[..., dg.ExecuteInProcessResult]

ALWAYS = {"ledger_run_id", "shop", "bytes", "seconds"}
LINES = {"lines_read", "lines_staged", "lines_unchanged", "lines_ignored", "lines_rejected"}
RULE = {
    "artifacts": ALWAYS | {"bytes_per_second", "path", "sha256"},
    "staging": ALWAYS | LINES | {"lines_by_node_type", "lines_per_second", "dagster/partition_row_count"},
    "mirror": ALWAYS
    | LINES
    | {"rows_inserted", "rows_updated", "rows_unchanged", "rows_deleted", "rows_per_second"}
    | {"dagster/partition_row_count"},
}
"""What each materialization says, by the first part of its key."""


def figures_of(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    return {
        made.asset_key.to_user_string(): {name: value.value for name, value in made.metadata.items()}
        for event in result.get_asset_materialization_events()
        for made in [event.step_materialization_data.materialization]
    }


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "products.jsonl"
    write_products(path, 60, seed=5, faults=[Fault.MALFORMED, Fault.UNKNOWN_STATUS])
    return path


def test_a_load_materializes_all_its_assets_with_their_figures(
    warehouse: Warehouse, run_load: RunLoad, catalogue: Path
) -> None:
    add_shop(warehouse.database, SHOP)
    result = run_load(catalogue)
    assert result.success
    found = figures_of(result)
    declared = RESOURCES["products"]
    assert {key.rpartition("/")[2] for key in found} == {
        "products_jsonl",
        *(table.rpartition(".")[2] for table in (*declared.staging_tables, *declared.mirror_tables)),
    }
    for key, figures in found.items():
        assert RULE[key.partition("/")[0]] <= set(figures), key
    products = found["mirror/shopify_products"]
    assert products["rows_inserted"] == products["dagster/partition_row_count"] == 60
    assert products["lines_rejected"] == 2
    for figures in (products, found["staging/products/staging_products"]):
        fates = [figures[f"lines_{fate}"] for fate in ("staged", "unchanged", "ignored", "rejected")]
        assert figures["lines_read"] == sum(fates) > 60
    with warehouse.database.connect(Role.PIPELINE) as connection:
        row = connection.execute("SELECT status, cursor_state ->> 'dagster_run_id' FROM bulk_runs").fetchone()
    assert row == ("completed", result.run_id)


def test_rejections_show_reason_and_line(warehouse: Warehouse, run_load: RunLoad, catalogue: Path) -> None:
    add_shop(warehouse.database, SHOP)
    result = run_load(catalogue)
    staged = next(
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key and event.asset_key.path[-1] == "staging_products"
    )
    rejections = staged.metadata["rejections"]
    assert isinstance(rejections, dg.TableMetadataValue)
    records: list[dict[str, Any]] = [dict(record.data) for record in rejections.records]
    assert {record["reason"]: record["lines"] for record in records} == {"malformed_json": 1, "not_in_enum": 1}
    lines = catalogue.read_bytes().split(b"\n")
    for record in records:
        assert b"PAUSED" in lines[record["example_line"] - 1] or not lines[record["example_line"] - 1].endswith(b"}")


def test_the_same_file_again_changes_nothing(warehouse: Warehouse, run_load: RunLoad, catalogue: Path) -> None:
    add_shop(warehouse.database, SHOP)
    assert run_load(catalogue).success
    figures = figures_of(run_load(catalogue))
    for table in RESOURCES["products"].mirror_tables:
        counts = figures[f"mirror/{table}"]
        assert counts["rows_inserted"] == counts["rows_updated"] == counts["rows_deleted"] == 0


def test_a_failed_check_stops_the_run_before_the_mirror(
    warehouse: Warehouse, run_load: RunLoad, tmp_path: Path
) -> None:
    shop = add_shop(warehouse.database, SHOP)
    path = tmp_path / "bad.jsonl"
    write_products(path, 3, seed=5, faults=[Fault.MALFORMED] * 10)
    result = run_load(path)
    assert not result.success
    verdicts = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert verdicts.pop("scope_granted"), "a file needs none"
    assert verdicts == {
        "rejected_share": False,
        "counts_add_up": True,
        "staging_complete": True,
        "artifact_whole": True,
        "newest_loads": False,
    }
    assert not [key for key in figures_of(result) if key.startswith("mirror/")]
    with warehouse.database.tenant(shop) as connection:
        assert connection.execute("SELECT count(*) FROM shopify_products").fetchone() == (0,)
    with warehouse.database.connect(Role.PIPELINE) as connection:
        row = connection.execute("SELECT status, error_message FROM bulk_runs").fetchone()
        merges = connection.execute("SELECT count(*) FROM bulk_steps WHERE step_name = 'merge'").fetchone()
    assert merges == (0,), "the merge is not even begun"
    assert row
    assert row[0] == "failed"
    assert "rejected_share" in row[1]


def test_steps_run_one_by_one_in_runs_of_their_own(warehouse: Warehouse, run_load: RunLoad, catalogue: Path) -> None:
    """Nothing passes through memory: each step finds what it needs in the database and the artifact store."""
    add_shop(warehouse.database, SHOP)
    groups = build_defs(resources={"products": RESOURCES["products"]}).resolve_asset_graph().materializable_asset_keys
    for first in ("artifacts", "staging", "mirror"):
        keys = [key for key in groups if key.path[0] == first]
        result = run_load(catalogue if first == "artifacts" else None, steps=keys)
        assert result.success, first
    assert figures_of(result)["mirror/shopify_products"]["rows_inserted"] == 60


def test_the_newest_file_of_the_inbox_is_taken_when_none_is_named(
    warehouse: Warehouse, run_load: RunLoad, catalogue: Path
) -> None:
    add_shop(warehouse.database, SHOP)
    inbox = Path(warehouse.settings.artifact_root) / "inbox" / SHOP
    inbox.mkdir(parents=True)
    catalogue.rename(inbox / "products-1.jsonl")
    assert run_load(None).success


def test_a_permanent_fault_ends_the_step_at_once_with_its_words(warehouse: Warehouse, run_load: RunLoad) -> None:
    add_shop(warehouse.database, SHOP)
    result = run_load(None)
    failures = [event.step_failure_data for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert len(failures) == 1
    assert failures[0].user_failure_data
    assert "inbox" in str(failures[0].user_failure_data.description)


def test_a_moment_that_cannot_be_meant_ends_the_step_with_the_commands_words(
    warehouse: Warehouse, run_load: RunLoad, catalogue: Path
) -> None:
    add_shop(warehouse.database, SHOP)
    result = run_load(catalogue, as_of="2026-01-31T12:00:00")
    failures = [event.step_failure_data for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert len(failures) == 1
    assert failures[0].user_failure_data
    assert "time zone" in str(failures[0].user_failure_data.description)


def test_lost_connections_are_tried_again_and_other_faults_are_not() -> None:
    class BusyError(NeaneluError):
        transient = True

    assert is_transient(psycopg.OperationalError("gone"))
    assert is_transient(BusyError())
    assert not is_transient(NeaneluError())
    assert not is_transient(psycopg.DataError())
    assert not is_transient(KeyError())


@pytest.mark.parametrize(
    "fault",
    [
        psycopg.errors.QueryCanceled(),
        psycopg.errors.ProgramLimitExceeded(),
        psycopg.errors.ObjectNotInPrerequisiteState(),
    ],
)
def test_what_psycopg_calls_operational_and_no_other_time_mends_is_not_tried_again(fault: psycopg.Error) -> None:
    assert isinstance(fault, psycopg.OperationalError)
    assert is_transient(fault) is passes(fault) is False


def test_what_is_only_counted_after_the_merge_is_tried_again_by_itself(
    warehouse: Warehouse, run_load: RunLoad, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load is completed by then: merged again it would say that it did nothing."""
    add_shop(warehouse.database, SHOP)
    monkeypatch.setattr(type(RETRIES), "calculate_delay", lambda *_: 0.0)
    lost = iter([True])

    def count(*arguments: Any) -> int:
        if next(lost, False):
            raise psycopg.OperationalError("the server closed the connection")
        return count_rows(*arguments)

    monkeypatch.setattr(shop_load, "count_rows", count)
    merges: list[Any] = []
    merge = river.merge

    def merged(*arguments: Any) -> Any:
        merges.append(arguments)
        return merge(*arguments)

    monkeypatch.setattr(river, "merge", merged)
    result = run_load(catalogue)
    assert result.success
    products = figures_of(result)["mirror/shopify_products"]
    assert products["rows_inserted"] == products["dagster/partition_row_count"] == 60
    assert len(merges) == 1


def test_a_transient_fault_is_left_to_the_retry_policy(warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
    attempts = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=2))
    def shaky(context: dg.AssetExecutionContext) -> None:
        with step_faults(context, warehouse):
            attempts.append(context.retry_number)
            if len(attempts) < 3:
                raise psycopg.OperationalError("the server closed the connection")

    assert dg.materialize([shaky], instance=instance).success
    assert attempts == [0, 1, 2]
    assert RETRIES.max_retries == 3


def test_a_bug_is_not_tried_again(warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
    attempts = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=2))
    def wrong(context: dg.AssetExecutionContext) -> None:
        with step_faults(context, warehouse):
            attempts.append(uuid4())
            raise KeyError("column")

    assert not dg.materialize([wrong], instance=instance, raise_on_error=False).success
    assert len(attempts) == 1


def test_a_run_loads_its_own_shop_only(
    warehouse: Warehouse, run_load: RunLoad, instance: dg.DagsterInstance, catalogue: Path
) -> None:
    add_shop(warehouse.database, SHOP)
    other = add_shop(warehouse.database, "alta-casa.myshopify.com")
    assert run_load(catalogue).success
    with warehouse.database.tenant(other) as connection:
        assert connection.execute("SELECT count(*) FROM shopify_products").fetchone() == (0,)
    mirror = dg.AssetKey(["mirror", "shopify_products"])
    assert instance.get_materialized_partitions(mirror) == {SHOP}
    assert instance.get_dynamic_partitions(str(SHOPS.name)) == [SHOP]


def test_the_job_of_every_resource_takes_all_steps() -> None:
    """Of locations, all that is mirrored stands in the group inventory."""
    definitions = build_defs()
    for resource in RESOURCES.values():
        keys = set(definitions.resolve_job_def(load_job_name(resource.name)).asset_layer.executable_asset_keys)
        assert steps_of(resource, keys) == {"artifacts", "staging", "mirror"}, resource.name
        assert steps_of(resource, {key for key in keys if key.path[0] == "staging"}) == {"staging"}
