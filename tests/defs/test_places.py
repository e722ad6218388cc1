"""A run that only waits for Shopify gives its place in the pool to somebody who could work at once."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.defs.artifacts.assets import ArtifactConfig
from neanelu_pipelines.defs.exports.reports import EXPORT_TAG, OUTCOME_TAG
from neanelu_pipelines.defs.loads import places, shop_load
from neanelu_pipelines.defs.loads.keys import load_job_name, load_op_name
from neanelu_pipelines.defs.loads.places import POOL
from neanelu_pipelines.defs.loads.shop_load import ShopLoads
from neanelu_pipelines.defs.loads.turns import Turn
from neanelu_pipelines.defs.shops.coordinator import SHOP_TAG
from neanelu_pipelines.defs.shops.sensor import ONE_PARTITION, RANGE_END, RANGE_START
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.resources.products import PRODUCTS
from neanelu_pipelines.sandbox.admin import Pace
from tests.conftest import _new_database
from tests.defs.office import MakeOffice, Office, mirrored

ROOT = Path(__file__).resolve().parent.parent.parent
OTHER = "alta-gradina.myshopify.com"
MINE = "gradina-mea.myshopify.com"
QUEUED, STARTED = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED
FILE = {"source": "/srv/produse.jsonl"}
SLOW = Pace(running=60.0)
OTHERS_WAIT = "Others wait for this run's place"


@pytest.fixture(scope="module")
def _instance(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """Dagster as dagster.yaml has it, its storage in PostgreSQL."""
    named = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    with _new_database(server) as database:
        url = database.urls[Role.ADMIN].replace("postgresql://", "postgresql+psycopg2://")
        chosen = {key: named[key] for key in ("run_coordinator", "concurrency")}
        chosen["storage"] = {"postgres": {"postgres_url": url}}
        home = str(tmp_path_factory.mktemp("dagster"))
        with dg.instance_for_test(temp_dir=home, overrides=chosen) as instance:
            yield instance


@pytest.fixture
def instance(_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setattr(shop_load, "AT_LEAST", 0.2)
    _instance.event_log_storage.set_concurrency_slots(POOL, 1)
    yield _instance
    for run in _instance.get_runs():
        _instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        _instance.delete_run(run.run_id)


@pytest.fixture
def office(make_office: MakeOffice) -> Office:
    one = make_office(pace=SLOW)
    one.wait(4)
    return one


@dg.op(pool=POOL, config_schema=dg.Noneable(dict))
def products_load() -> None:
    """Looks to Dagster as a load does."""


@dg.job
def load_products() -> None:
    """Made in no time; a load's own job takes a second."""
    products_load()


def made(
    instance: dg.DagsterInstance,
    status: dg.DagsterRunStatus,
    shop: str | None = OTHER,
    *,
    job: dg.JobDefinition = load_products,
    config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    is_told_of: bool = True,
) -> dg.DagsterRun:
    """A run of a load, as a code location tells of it."""
    location = RemoteRepositoryOrigin(InProcessCodeLocationOrigin(LoadableTargetOrigin()), "neanelu")
    return instance.create_run_for_job(
        job,
        status=status,
        tags={**({ONE_PARTITION: shop} if shop else {}), **(tags or {})},
        run_config={"ops": {load_op_name("products"): {"config": config or {}}}},
        remote_job_origin=RemoteJobOrigin(location, job.name) if is_told_of else None,
    )


def run_here(office: Office, run: dg.DagsterRun) -> Mapping[str, str]:
    """The run's tags, once it has succeeded."""
    job = InMemoryJob(office.defs.resolve_job_def(run.job_name))
    list(execute_run_iterator(job, run, office.instance))
    ended = office.instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.is_success
    return ended.tags


def waiting(office: Office, tags: Mapping[str, str]) -> dg.DagsterRun:
    """A run of the location's own job, that has not begun yet."""
    job = office.defs.resolve_job_def(load_job_name("products"))
    return made(office.instance, dg.DagsterRunStatus.NOT_STARTED, None, job=job, tags=tags)


def dequeued(instance: dg.DagsterInstance) -> set[str]:
    """The runs that Dagster's own daemon would launch now."""
    runs = QueuedRunCoordinatorDaemon(interval_seconds=5)._get_runs_to_dequeue(
        instance, instance.get_concurrency_config(), fixed_iteration_time=None
    )
    return {run.run_id for run in runs}


def at_its_beginning(instance: dg.DagsterInstance, run: dg.DagsterRun, do: Callable[[], None]) -> None:
    """Do something as soon as the run holds its place."""

    def heard(entry: dg.EventLogEntry) -> None:
        if entry.dagster_event and entry.dagster_event.is_step_start:
            do()

    instance.add_event_listener(run.run_id, heard)


def test_a_file_that_waits_in_the_queue_is_let_in_once_a_run_only_waits(
    office: Office, make_office: MakeOffice
) -> None:
    quick = make_office()
    file = made(office.instance, QUEUED, config=FILE)
    run = waiting(office, tags={RANGE_START: office.domain, RANGE_END: quick.domain})
    meanwhile: list[set[str]] = []
    at_its_beginning(office.instance, run, lambda: meanwhile.append(dequeued(office.instance)))

    tags = run_here(office, run)

    assert meanwhile == [set()], "Dagster keeps it in the queue"
    assert dequeued(office.instance) == {file.run_id}
    assert tags[OUTCOME_TAG] == "waiting"
    said = office.events(run.run_id)
    assert OTHERS_WAIT in said
    assert "exports_due goes on" in said
    assert sorted(office.states()) == ["completed", "pending"], "what was at hand is loaded"
    assert len(mirrored(office)[0]) == 12
    office.make_due()
    [request] = office.tick()
    made(office.instance, QUEUED, office.domain, tags=dict(request.tags))
    assert office.tick() == [], "once"


def claim(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """As Dagster does for a run's step: it holds a place then, or waits for one."""
    instance.event_log_storage.claim_concurrency_slot(POOL, run.run_id, load_op_name("products"))


A_STEP, A_DEAD_STEP = "a step", "a dead step"
"""Runs whose step waits for a place, one of them killed; all others here are in the queue."""
STATUSES = {A_STEP: STARTED, A_DEAD_STEP: dg.DagsterRunStatus.FAILURE}


@pytest.mark.parametrize(
    ("others", "is_wanted"),
    [
        ([], False),
        ([{"config": FILE}], True),
        ([{"config": FILE, "shop": MINE}], True),
        ([{}], True),
        ([{"shop": MINE}], False),
        ([{"tags": {EXPORT_TAG: "e"}}], False),
        ([{"config": FILE, "status": A_STEP}], True),
        ([{"tags": {EXPORT_TAG: "e"}, "status": A_STEP}], False),
        ([{"config": FILE, "status": A_DEAD_STEP}], False),
        # Two runs of that shop are under way: a third would stay in the queue.
        ([{"tags": {SHOP_TAG: OTHER}}, *[{"tags": {SHOP_TAG: OTHER}, "status": STARTED}] * 2], False),
    ],
)
def test_who_is_let_in(instance: dg.DagsterInstance, others: list[dict[str, Any]], is_wanted: bool) -> None:
    run = made(instance, STARTED, MINE)
    claim(instance, run)
    for other in others:
        status, shop = other.get("status", QUEUED), other.get("shop", OTHER)
        rest = {name: value for name, value in other.items() if name not in {"status", "shop"}}
        that = made(instance, STATUSES.get(status, status), shop, **rest)
        if status in STATUSES:
            claim(instance, that)
    assert places.Place(instance, run).is_wanted() is is_wanted


def test_a_place_that_is_assigned_but_not_held_is_not_free(instance: dg.DagsterInstance) -> None:
    storage = cast("Any", instance.event_log_storage)
    run, dead = made(instance, STARTED, MINE), made(instance, STARTED)
    storage.set_concurrency_slots(POOL, 2)
    claim(instance, run)
    storage.add_pending_step(POOL, dead.run_id, load_op_name("products"), should_assign=True)
    made(instance, QUEUED, config=FILE)
    assert dequeued(instance) == set()
    assert places.Place(instance, run).is_wanted()
    storage.free_concurrency_slots_for_run(dead.run_id)
    assert not places.Place(instance, run).is_wanted(), "now one is free"


@pytest.mark.parametrize("why", ["backfill", "command", "no place", "a free place", "fewer places"])
def test_who_gives_nothing_away(instance: dg.DagsterInstance, why: str) -> None:
    storage = instance.event_log_storage
    made(instance, QUEUED, config=FILE)
    if why == "a free place":
        storage.set_concurrency_slots(POOL, 2)
    tags = {"dagster/backfill": "b"} if why == "backfill" else {}
    run = made(instance, STARTED, MINE, tags=tags, is_told_of=why != "command")
    claim(instance, made(instance, STARTED) if why == "no place" else run)
    if why == "fewer places":
        storage.set_concurrency_slots(POOL, 2)
        claim(instance, made(instance, STARTED))
        storage.set_concurrency_slots(POOL, 1)
    assert not places.Place(instance, run).is_wanted()


def loads_of(run: dg.DagsterRun, instance: dg.DagsterInstance, warehouse: Warehouse) -> ShopLoads:
    """What the run's step is made of."""
    context = cast("dg.AssetExecutionContext", SimpleNamespace(instance=instance, run=run, log=logging.getLogger()))
    return ShopLoads(context, ArtifactConfig(), warehouse, PRODUCTS, frozenset({"artifacts"}))


@pytest.mark.parametrize(("since", "is_waiting"), [(100.0, False), (0.0, True)])
def test_all_shops_of_a_run_must_be_waited_for_and_for_long(
    instance: dg.DagsterInstance, warehouse: Warehouse, *, since: float, is_waiting: bool
) -> None:
    made(instance, QUEUED, config=FILE)
    run = made(instance, STARTED, MINE)
    claim(instance, run)
    loads = loads_of(run, instance, warehouse)
    now, later = time.monotonic(), time.monotonic() + 30
    one = Turn(MINE, (MINE,), due=later, waits_since=now - 100, is_waiting=True)
    # Due for another try after a fault, or first waited for just now.
    two = Turn(OTHER, (OTHER,), due=later, waits_since=now - since, is_waiting=is_waiting)
    loads.give_way_if_wanted([one, two])
    assert one.due == two.due == later
    two.waits_since, two.is_waiting = now - 100, True
    loads.give_way_if_wanted([one, two])
    assert one.due == two.due == 0.0


def test_a_storage_that_is_away_ends_no_wait(
    instance: dg.DagsterInstance, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places.Place, "is_wanted", lambda _: (_ for _ in ()).throw(OSError("gone")))
    one = Turn(MINE, (MINE,), due=1.0, waits_since=0.0, is_waiting=True)
    loads_of(made(instance, STARTED, MINE), instance, warehouse).give_way_if_wanted([one])
    assert one.due == 1.0


def test_dagster_without_pools_has_no_places() -> None:
    @dg.job
    def nothing() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        assert not places.Place(instance, instance.create_run_for_job(nothing)).is_wanted()
