"""Orders by shop and month: a backfill of years is one run and one operation, each month its own partition."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.automation_tick_evaluation_context import build_run_requests_with_backfill_policies
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.exports.reports import EXPORT_TAG
from neanelu_pipelines.defs.months.partitions import months_definition, months_of, partition, windows_of
from neanelu_pipelines.defs.shops.sensor import RANGE_END, RANGE_START, shops_of
from neanelu_pipelines.mirror.asking import Reach
from neanelu_pipelines.mirror.resources import resource_named
from neanelu_pipelines.sandbox.admin import GeneratedShop, Pace, Sandbox, Trouble
from neanelu_pipelines.shopify.windows import Window, WindowError, month
from tests.defs.office import Office, failure_of, materializations, retries

MONTHS = dg.AssetKey(["artifacts", "orders_jsonl_by_month"])
ORDERS = dg.AssetKey(["mirror", "shopify_orders"])
TWO_YEARS = [f"{year}-{number:02}" for year in (2024, 2025) for number in range(1, 13)]
FIRST = "2023-12"
"""Where the months begin here: some orders are older."""


class Archive(Office):
    """An office that loads orders by month."""

    @cached_property
    def defs(self) -> dg.Definitions:
        return build_defs(warehouse=self.warehouse, resources={"orders": resource_named("orders")})

    def backfill(self, shops: list[str], months: list[str]) -> list[dg.RunRequest]:
        """The runs that Dagster makes of these partitions."""
        chosen = [AssetKeyPartitionKey(MONTHS, partition(shop, one)) for shop in shops for one in months]
        with partition_loading_context(dynamic_partitions_store=self.instance):
            graph = self.defs.resolve_asset_graph()
            return list(build_run_requests_with_backfill_policies(chosen, graph, self.instance))

    def wait(self, seconds: float) -> None:
        """Months have a wait of their own; that of other loads is none here."""
        self.settings = self.settings.model_copy(update={"months_wait": seconds, "export_wait": 0.0})
        self.__dict__.pop("defs", None)

    def run_months(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        return self.defs.resolve_job_def("load_orders_by_month").execute_in_process(
            instance=self.instance, tags=dict(request.tags), run_config=request.run_config, raise_on_error=False
        )

    def run_range(self, first: str, last: str, **config: Any) -> dg.ExecuteInProcessResult:
        tags = {RANGE_START: partition(self.domain, first), RANGE_END: partition(self.domain, last)}
        asked = {"ops": {"orders_by_month_load": {"config": config}}}
        return self.run_months(dg.RunRequest(tags=tags, run_config=asked))

    def operations(self, domain: str | None = None) -> int:
        return len(self.sandbox.bulk(domain or self.domain).every())

    def sold_by_month(self) -> dict[str, set[str]]:
        """The orders of the shop, by the month of their last change."""
        rows = self.sandbox.shop(self.domain).rows("orders", {})
        found: dict[str, set[str]] = {}
        for node in (rows.node(int(index)) for index in rows.indexes()):
            found.setdefault(node["updatedAt"][:7], set()).add(node["id"])
        return found

    def mirrored_orders(self) -> set[str]:
        return {row[0] for row in self.rows("SELECT shopify_gid FROM shopify_orders")}


MakeArchive = Callable[..., Archive]


@pytest.fixture(scope="module")
def _orders() -> Iterator[tuple[Sandbox, Iterator[str]]]:
    shops = [
        GeneratedShop(f"arhiva-{number}.myshopify.com", seed=number, products=4, orders=60, customers=4)
        for number in range(8)
    ]
    with Sandbox(shops, bucket=(20_000, 10_000)) as sandbox:
        yield sandbox, iter(sandbox.domains)


@pytest.fixture
def make_archive(
    _orders: tuple[Sandbox, Iterator[str]],
    database: Database,
    tmp_path: Path,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MakeArchive]:
    monkeypatch.setattr(dg.RetryPolicy, "calculate_delay", lambda *_: 0.01)
    sandbox, unused = _orders

    def make(pace: Pace | None = None) -> Archive:
        domain = next(unused)
        if pace:
            sandbox.bulk(domain).pace = pace
        archive = Archive(sandbox, domain, database, tmp_path, instance)
        archive.settings = archive.settings.model_copy(update={"months_from": FIRST})
        return archive

    yield make
    sandbox.faults.clear()


def figures(result: dg.ExecuteInProcessResult, key: dg.AssetKey = MONTHS) -> dict[str, Mapping[str, Any]]:
    return {
        str(one.partition): {name: value.value for name, value in one.metadata.items()}
        for one in materializations(result, key)
    }


def test_two_years_of_a_shop_are_one_run_and_one_operation(make_archive: MakeArchive) -> None:
    archive = make_archive()
    sold = archive.sold_by_month()
    [request] = archive.backfill([archive.domain], TWO_YEARS)
    done = archive.run_months(request)

    assert done.success
    assert archive.operations() == 1
    wanted = {one: sold.get(one, set()) for one in TWO_YEARS}
    assert archive.mirrored_orders() == set().union(*wanted.values()) != set()
    told = figures(done)
    assert {key: one["dagster/partition_row_count"] for key, one in told.items()} == {
        partition(archive.domain, key): len(orders) for key, orders in wanted.items()
    }
    [[ledger_run]] = archive.rows("SELECT id::text FROM bulk_runs")
    assert {one["ledger_run_id"] for one in told.values()} == {ledger_run}
    [mirror] = materializations(done, ORDERS)
    assert (mirror.partition, mirror.metadata["rows_inserted"].value) == (
        archive.domain,
        len(archive.mirrored_orders()),
    )
    assert archive.instance.get_materialized_partitions(MONTHS) == set(told)
    assert {check.check_name for check in done.get_asset_check_evaluations() if check.passed} == {
        "scope_granted",
        "counts_add_up",
        "rejected_share",
        "staging_complete",
        "artifact_whole",
        "newest_loads",
    }
    assert {event.asset_key for event in done.get_asset_materialization_events()} == {MONTHS, ORDERS}

    now = f"{datetime.now(UTC):%Y-%m}"
    again = archive.run_range(FIRST, now)
    assert again.success
    assert archive.operations() == 2
    assert archive.mirrored_orders() == set().union(*sold.values()), "with what is older than the first month"
    months = figures(again)
    older = [orders for key, orders in sold.items() if key <= FIRST]
    assert len(older) > 1
    assert months[partition(archive.domain, FIRST)]["dagster/partition_row_count"] == len(set().union(*older))
    assert sum(one["dagster/partition_row_count"] for one in months.values()) == len(archive.mirrored_orders())
    assert {partition(archive.domain, one) for one in (FIRST, *TWO_YEARS, now)} <= set(months)
    [[through]] = archive.rows("SELECT last_sync_at FROM sync_checkpoints")
    assert f"{through:%Y-%m}" == now, "all months are all of it"


def test_a_backfill_is_cut_by_shop_or_by_month_and_nothing_else() -> None:
    """Dagster holds the dimension with fewer keys; each run is a rectangle, whatever was chosen."""
    with dg.DagsterInstance.ephemeral() as instance:
        shops = ["a.myshopify.com", "b.myshopify.com", "c.myshopify.com"]
        instance.add_dynamic_partitions("shops", shops)
        defs = build_defs(resources={"orders": resource_named("orders")})

        def runs(chosen: list[tuple[str, str]]) -> set[tuple[str, str]]:
            keys = [AssetKeyPartitionKey(MONTHS, partition(*one)) for one in chosen]
            with partition_loading_context(dynamic_partitions_store=instance):
                requests = build_run_requests_with_backfill_policies(keys, defs.resolve_asset_graph(), instance)
            return {(request.tags[RANGE_START], request.tags[RANGE_END]) for request in requests}

        assert runs([(shop, one) for shop in shops for one in TWO_YEARS]) == {
            (partition(shop, "2024-01"), partition(shop, "2025-12")) for shop in shops
        }
        gap = [one for one in TWO_YEARS if one != "2024-05"]
        assert runs([(shops[0], one) for one in gap]) == {
            (partition(shops[0], "2024-01"), partition(shops[0], "2024-04")),
            (partition(shops[0], "2024-06"), partition(shops[0], "2025-12")),
        }
        assert runs([(shop, "2024-05") for shop in shops]) == {
            (partition(shops[0], "2024-05"), partition(shops[2], "2024-05"))
        }


def test_several_shops_in_a_run_are_each_for_itself(make_archive: MakeArchive) -> None:
    archive, other = make_archive(), make_archive()
    other.give_token("shpat_wrong5ecret0123456789abcdef")
    [request] = archive.backfill([archive.domain, other.domain], ["2025-03"])
    done = archive.run_months(request)
    assert not done.success
    assert "1 of 2 shops" in failure_of(done)
    assert set(figures(done)) == {partition(archive.domain, "2025-03")}
    said = [event for event in done.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    assert [event.partition for event in said] == [partition(other.domain, "2025-03")]
    months = archive.defs.resolve_asset_graph().get(MONTHS).partitions_def
    assert months is not None
    with partition_loading_context(dynamic_partitions_store=archive.instance):
        status = get_and_update_asset_status_cache_value(archive.instance, MONTHS, months)
        assert status
        failed = status.deserialize_failed_partition_subsets(months).get_partition_keys()
    assert set(failed) == {partition(other.domain, "2025-03")}


def test_a_run_that_outlasts_its_wait_ends_as_its_months(make_archive: MakeArchive) -> None:
    archive = make_archive(pace=Pace(running=0.8))
    archive.wait(0)
    waiting = archive.run_range("2024-01", "2025-12")
    assert waiting.success
    assert not waiting.get_asset_materialization_events()
    archive.make_due()
    [request] = archive.tick()
    assert request.job_name == "load_orders_by_month"
    assert request.tags[RANGE_START] == partition(archive.domain, "2024-01")
    assert request.tags[RANGE_END] == partition(archive.domain, "2025-12")
    archive.wait(20)
    archive.sandbox.faults.add(Trouble.STATUS, shop=archive.domain, status=502)
    done = archive.run_months(request)
    assert done.success
    assert retries(archive, done.run_id) == 1
    assert set(figures(done)) == {partition(archive.domain, one) for one in TWO_YEARS}
    assert (archive.operations(), archive.states()) == (1, ["completed"])

    other = archive.run_range("2024-01", "2024-02", export=request.tags[EXPORT_TAG])
    assert not other.success
    assert "not for these partitions" in failure_of(other)


def test_what_cannot_be_is_refused_in_words(make_archive: MakeArchive) -> None:
    archive = make_archive()
    ahead = archive.run_range("2025-12", f"{datetime.now(UTC).year + 1}-12")
    assert not ahead.success
    assert "has not begun" in failure_of(ahead)
    archive.rows("UPDATE shops SET access_token_ciphertext = '' RETURNING 1")
    alone = archive.run_range("2025-12", "2025-12")
    assert "has no access token" in failure_of(alone)
    assert archive.operations() == 0


def test_months_are_windows_and_windows_are_months() -> None:
    assert windows_of(["2024-03", "2024-04"], first=FIRST) == (Window(month("2024-03").since, month("2024-04").until),)
    assert windows_of([FIRST, "2024-01"], first=FIRST) == (Window(None, month("2024-01").until),)
    with pytest.raises(WindowError, match=r"2999-01 has not begun"):
        windows_of(["2024-03", "2999-01"], first=FIRST)
    for months in (["2024-03"], ["2024-12"], [FIRST, "2024-01"], TWO_YEARS):
        assert months_of(Reach(windows_of(months, first=FIRST)), first=FIRST) == (months[0], months[-1])
    begun = datetime(2024, 3, 1, tzinfo=UTC)
    others = [(), (Window(begun),), (Window(begun, datetime(2024, 4, 2, tzinfo=UTC)),), (month("1999-01"),)]
    assert [months_of(Reach(one), first=FIRST) for one in others] == [None] * len(others)
    assert months_of(Reach((month("2024-01"), month("2024-03"))), first=FIRST) is None


def test_the_shop_comes_first_and_the_present_month_is_there() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("shops", ["a.myshopify.com", "b.myshopify.com"])
        keys = months_definition("2025-11").get_partition_keys(dynamic_partitions_store=instance)
    assert keys[0] == "a.myshopify.com|2025-11"
    assert keys[-1] == f"b.myshopify.com|{datetime.now(UTC):%Y-%m}"
    tags = {RANGE_START: "a.myshopify.com|2025-11", RANGE_END: "b.myshopify.com|2025-12"}
    assert list(shops_of(tags, ["a.myshopify.com", "b.myshopify.com"])) == ["a.myshopify.com", "b.myshopify.com"]
    assert list(shops_of({"dagster/partition": "a.myshopify.com|2025-11"}, [])) == ["a.myshopify.com"]
