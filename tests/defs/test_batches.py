"""Several shops in one run: each for itself, each partition with its own figures, failures where they belong."""

import base64
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from neanelu_pipelines.cli.orchestra import _read_events
from neanelu_pipelines.cli.outcome import LoadOutcome, print_briefly, print_outcome
from neanelu_pipelines.cli.output import Output
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.exports.reports import OUTCOME_TAG
from neanelu_pipelines.defs.exports.sensor import due_exports
from neanelu_pipelines.defs.shops.partitions import SHOPS, SHOPS_A_RUN, neighbours
from neanelu_pipelines.defs.shops.sensor import shops_of
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror import river
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.resources.products import PRODUCTS
from neanelu_pipelines.sandbox.admin import GeneratedShop, Pace, Sandbox
from neanelu_pipelines.sandbox.catalogue import write_products
from neanelu_pipelines.sandbox.faults import Fault
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret
from neanelu_pipelines.shopify.vault import Keyring
from tests.defs.shops import add_shop

KEYS = "1:" + base64.b64encode(os.urandom(32)).decode()
MIRROR = dg.AssetKey(["mirror", "shopify_products"])
ARTIFACT = dg.AssetKey(["artifacts", "products_jsonl"])
NAMES = [f"magazin-{number}.myshopify.com" for number in range(4)]


class Street:
    """Several shops in one database, loaded by one run."""

    def __init__(self, database: Database, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.database, self.settings, self.instance = database, settings, instance
        self.warehouse = Warehouse(database, settings)
        self.defs = build_defs(warehouse=self.warehouse, resources={"products": PRODUCTS})
        instance.add_dynamic_partitions(str(SHOPS.name), NAMES)

    def run(self, first: str = NAMES[0], last: str = NAMES[-1], **config: object) -> dg.ExecuteInProcessResult:
        return self.defs.resolve_job_def("load_products").execute_in_process(
            instance=self.instance,
            tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last},
            run_config={"ops": {"products_load": {"config": config}}},
            raise_on_error=False,
        )

    def put(self, shop: str, products: int, *, faults: int = 0) -> None:
        inbox = Path(self.settings.artifact_root) / "inbox" / shop
        inbox.mkdir(parents=True)
        seed = NAMES.index(shop)
        write_products(inbox / "products.jsonl", products, seed=seed, faults=[Fault.MALFORMED] * faults)

    def products(self) -> dict[str, int]:
        with self.database.connect(Role.ADMIN) as connection:
            return dict(
                connection.execute(
                    "SELECT s.shopify_domain::text, count(p.id) FROM shops s"
                    " LEFT JOIN shopify_products p ON p.shop_id = s.id GROUP BY 1"
                ).fetchall()
            )


@pytest.fixture
def street(database: Database, settings: Settings, instance: dg.DagsterInstance) -> Street:
    for name in NAMES:
        add_shop(database, name)
    return Street(database, settings, instance)


def merged(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, object]]:
    """The figures of the mirror's products, by partition."""
    found = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    return {
        str(one.partition): {name: value.value for name, value in one.metadata.items()}
        for one in found
        if one.asset_key == MIRROR
    }


def observed(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """What is said of shops that were not loaded, by partition."""
    found = [
        event.asset_observation_data.asset_observation
        for event in result.all_events
        if event.event_type_value == "ASSET_OBSERVATION"
    ]
    return {str(one.partition): str(one.description) for one in found}


def failure(result: dg.ExecuteInProcessResult) -> str:
    [one] = [event.step_failure_data for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert one.user_failure_data
    return str(one.user_failure_data.description)


def shown_as_failed(instance: dg.DagsterInstance, key: dg.AssetKey) -> set[str]:
    """The partitions that the UI shows as failed."""
    with partition_loading_context(dynamic_partitions_store=instance):
        status = get_and_update_asset_status_cache_value(instance, key, SHOPS)
        assert status
        return set(status.deserialize_failed_partition_subsets(SHOPS).get_partition_keys())


def test_a_fault_of_the_program_is_told_as_one_and_where_it_is(
    street: Street, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stage(*_: object) -> None:
        token, columns = "shpat_secret", dict[str, str]()
        try:
            columns[token] += "?"
        except KeyError as lost:
            raise ValueError("no such column") from lost

    monkeypatch.setattr(river, "stage", stage)
    street.put(NAMES[0], 1)
    result = street.run(NAMES[0], NAMES[0])
    assert not result.success
    assert "ValueError: no such column (This is a fault of the program" in failure(result)
    told = LoadOutcome(NAMES[0], "products", "inbox", result.run_id, "failed", 1.0)
    _read_events(told, result)
    assert told.traceback
    assert told.run_id
    assert __file__ in told.traceback, "the fault's own place"
    assert "which led to:" in told.traceback
    assert "shpat_secret" not in told.traceback
    capsys.readouterr()
    for show in (print_outcome, partial(print_briefly, width=8)):
        show(Output(as_json=False), told)
        assert "ValueError" in capsys.readouterr().out


def test_each_shop_is_loaded_for_itself_and_what_failed_stands_at_its_partition(street: Street) -> None:
    street.put(NAMES[0], 5)
    street.put(NAMES[1], 3, faults=10)
    street.put(NAMES[3], 7)  # and nothing in the inbox of the third
    result = street.run()
    assert not result.success, "a backfill must see that something is left"
    assert street.products() == {NAMES[0]: 5, NAMES[1]: 0, NAMES[2]: 0, NAMES[3]: 7}
    figures = merged(result)
    assert {shop: one["rows_inserted"] for shop, one in figures.items()} == {NAMES[0]: 5, NAMES[3]: 7}
    assert {one["shop"] for one in figures.values()} == {NAMES[0], NAMES[3]}
    assert len({one["ledger_run_id"] for one in figures.values()}) == 2
    assert shown_as_failed(street.instance, MIRROR) == {NAMES[1], NAMES[2]}
    assert shown_as_failed(street.instance, ARTIFACT) == {NAMES[2]}, "the file of the second is there, though refused"
    assert street.instance.get_materialized_partitions(MIRROR) == {NAMES[0], NAMES[3]}

    said = observed(result)
    assert set(said) == {NAMES[1], NAMES[2]}
    assert "rejected_share" in said[NAMES[1]]
    assert "inbox" in said[NAMES[2]]
    words = failure(result)
    assert "2 of 4 shops were not loaded" in words
    assert NAMES[1] in words
    assert NAMES[2] in words
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert not checks["rejected_share"].passed
    assert f"1 of 3 shops did not pass. {NAMES[1]}: " in str(checks["rejected_share"].description)
    assert checks["counts_add_up"].passed
    newest = checks["newest_loads"]
    assert (newest.passed, newest.blocking) == (False, False)
    assert NAMES[1] in str(newest.description)
    with street.database.connect(Role.ADMIN) as connection:
        states = connection.execute("SELECT status, count(*) FROM bulk_runs GROUP BY 1").fetchall()
    assert dict(states) == {"completed": 2, "failed": 1}

    good = street.run(NAMES[0], NAMES[0])
    assert good.success
    passed = {check.check_name: check.passed for check in good.get_asset_check_evaluations()}
    assert passed["rejected_share"]
    assert not passed["newest_loads"], "a good load of one shop does not turn another's failure green"


def test_one_source_for_several_shops_is_refused(street: Street, tmp_path: Path) -> None:
    result = street.run(source=str(tmp_path / "products.jsonl"))
    assert not result.success
    assert "One source was given for 4 shops" in failure(result)


def test_a_range_that_ends_before_it_begins_is_refused(street: Street) -> None:
    result = street.run(NAMES[1], NAMES[0])
    assert not result.success, "Dagster takes it for an empty one"
    assert "the two the other way round" in failure(result)


def test_a_lost_connection_of_one_shop_is_tried_again(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        street.put(name, 2)
    monkeypatch.setattr(dg.RetryPolicy, "calculate_delay", lambda *_: 0.01)
    original: Callable[..., object] = river.merge
    lost: list[str] = []

    def merge(database: Database, settings: Settings, load: LoadRun) -> object:
        if load.shop_domain == NAMES[1] and not lost:
            lost.append(load.shop_domain)
            raise psycopg.OperationalError("the server closed the connection")
        return original(database, settings, load)

    monkeypatch.setattr(river, "merge", merge)
    result = street.run()
    assert result.success
    assert lost
    assert set(street.products().values()) == {2}
    with street.database.connect(Role.ADMIN) as connection:
        assert connection.execute("SELECT DISTINCT status FROM bulk_runs").fetchall() == [("completed",)]


def test_what_a_killed_run_had_merged_is_materialized(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        street.put(name, 2)

    class KilledError(BaseException):
        pass

    original: Callable[..., object] = river.merge

    def merge(database: Database, settings: Settings, load: LoadRun) -> object:
        if load.shop_domain == NAMES[2]:
            raise KilledError
        return original(database, settings, load)

    monkeypatch.setattr(river, "merge", merge)
    assert not street.run().success
    assert street.instance.get_materialized_partitions(MIRROR) == set(NAMES[:2])
    monkeypatch.undo()
    assert street.run(NAMES[2], NAMES[2]).success
    assert street.products() == {NAMES[0]: 2, NAMES[1]: 2, NAMES[2]: 2, NAMES[3]: 0}, "its range, and no other shop"


def test_a_backfill_is_cut_into_runs_of_several_shops() -> None:
    assets = build_defs(resources={"products": PRODUCTS}).assets or []
    [load] = [asset for asset in assets if isinstance(asset, dg.AssetsDefinition) and MIRROR in asset.keys]
    assert load.backfill_policy == dg.BackfillPolicy.multi_run(SHOPS_A_RUN)
    assert SHOPS_A_RUN > 1


def test_the_shops_of_a_run_are_known_from_its_tags() -> None:
    first, last = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
    assert list(shops_of({"dagster/partition": "b"}, ["a", "b", "c"])) == ["b"]
    assert list(shops_of({first: "a", last: "b"}, ["a", "b", "c"])) == ["a", "b"]
    assert list(shops_of({first: "a", last: "gone"}, ["a", "b"])) == ["a", "b"], "then it may be any"
    assert list(shops_of({}, ["a", "b"])) == []


def test_neighbours_go_into_one_run_and_never_too_many() -> None:
    known = [f"{number:03}" for number in range(2 * SHOPS_A_RUN + 3)]
    groups = neighbours(set(known) - {known[2]} | {"unknown"}, known)
    assert [len(group) for group in groups] == [2, SHOPS_A_RUN, SHOPS_A_RUN]
    assert [shop for group in groups for shop in group] == [shop for shop in known if shop != known[2]]
    assert neighbours(set(), known) == []


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = [GeneratedShop(name, seed=number, products=6) for number, name in enumerate(NAMES[:3])]
    denied = GeneratedShop(NAMES[3], scopes=("read_orders",))
    with Sandbox([*made, denied], bucket=(20_000, 10_000)) as served:
        for shop in made:
            served.bulk(shop.domain).pace = Pace(running=1.0)
        yield served


@pytest.fixture
def online(sandbox: Sandbox, database: Database, tmp_path: Path, instance: dg.DagsterInstance) -> Street:
    settings = Settings(
        _env_file=None,
        home=tmp_path,
        encryption_keys=Secret(KEYS),
        shopify_url=sandbox.url_template,
        shopify_tries=1,
        export_wait=20,
        export_first_poll=0.05,
        export_longest_poll=0.2,
    )
    for name in NAMES:
        token = "shpat_wrong5ecret0123456789abcdef" if name == NAMES[2] else sandbox.token(name)
        shops.install(database, Keyring.parse(Secret(KEYS)), name, Secret(token))
    return Street(database, settings, instance)


def test_exports_of_a_run_are_under_way_beside_each_other(online: Street, sandbox: Sandbox) -> None:
    result = online.run()
    assert not result.success
    assert online.products() == {NAMES[0]: 6, NAMES[1]: 6, NAMES[2]: 0, NAMES[3]: 0}
    assert set(merged(result)) == {NAMES[0], NAMES[1]}
    assert "1 of 4 shops were not loaded" in failure(result), "a scope that lacks is a warning"
    said = observed(result)
    assert "token" in said[NAMES[2]]
    assert "read_products" in said[NAMES[3]]
    [scopes] = [check for check in result.get_asset_check_evaluations() if check.check_name == "scope_granted"]
    assert not scopes.passed
    assert NAMES[3] in str(scopes.description)
    run = online.instance.get_run_by_id(result.run_id)
    assert run
    assert run.tags[OUTCOME_TAG] == "denied"
    with online.database.connect(Role.ADMIN) as connection:
        [(together,)] = connection.execute(
            "SELECT max(started_at) < min(completed_at) FROM bulk_runs WHERE status = 'completed'"
        ).fetchall()
    assert together, "the second began before the first was there"


def test_an_export_is_left_to_the_run_that_began_it(online: Street) -> None:
    settings = online.settings.model_copy(update={"export_wait": 0.0})
    waiting = Street(online.database, settings, online.instance).run(NAMES[0], NAMES[1])
    assert waiting.success
    assert set(observed(waiting)) == set(NAMES[:2])
    with online.database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE bulk_runs SET cursor_state = jsonb_set(cursor_state, '{bulk,due}', 'null')")
        ids = {UUID(str(row[0])) for row in connection.execute("SELECT id FROM bulk_runs").fetchall()}
    assert {export.run_id for export in due_exports(online.warehouse)} == ids
    assert due_exports(online.warehouse, [waiting.run_id]) == []
