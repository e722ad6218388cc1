"""A run that only waits for Shopify gives its place in the pool to somebody who could work at once."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

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
from neanelu_pipelines.defs.exports.reports import EXPORT_TAG, OUTCOME_TAG
from neanelu_pipelines.defs.loads import places, shop_load
from neanelu_pipelines.defs.loads.keys import load_job_name, load_op_name
from neanelu_pipelines.defs.loads.places import POOL
from neanelu_pipelines.defs.shops.coordinator import SHOP_TAG
from neanelu_pipelines.defs.shops.sensor import ONE_PARTITION, RANGE_END, RANGE_START
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


def run_here(office: Office, run: dg.DagsterRun) -> str:
    """What came of the run: `loaded`, or the tag on a run that brought nothing."""
    job = InMemoryJob(office.defs.resolve_job_def(run.job_name))
    events = list(execute_run_iterator(job, run, office.instance))
    ended = office.instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.is_success
    loaded = any(event.is_step_materialization for event in events)
    return "loaded" if loaded else ended.tags[OUTCOME_TAG]


def waiting(office: Office, shop: str | None = None, tags: Mapping[str, str] | None = None) -> dg.DagsterRun:
    """A run of the location's own job, that has not begun yet."""
    job = office.defs.resolve_job_def(load_job_name("products"))
    return made(office.instance, dg.DagsterRunStatus.NOT_STARTED, shop, job=job, tags=tags)


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


def test_a_file_that_waits_in_the_queue_is_let_in(office: Office) -> None:
    file = made(office.instance, QUEUED, config=FILE)
    run = waiting(office, office.domain)
    meanwhile: list[set[str]] = []
    at_its_beginning(office.instance, run, lambda: meanwhile.append(dequeued(office.instance)))

    assert run_here(office, run) == "waiting"

    assert meanwhile == [set()], "Dagster keeps it in the queue"
    assert dequeued(office.instance) == {file.run_id}
    said = office.events(run.run_id)
    assert OTHERS_WAIT in said
    assert "exports_due goes on" in said
    office.make_due()
    [request] = office.tick()
    made(office.instance, QUEUED, office.domain, tags=dict(request.tags))
    assert office.tick() == [], "once"


def test_a_command_that_waits_for_the_place_is_let_in(office: Office) -> None:
    storage = office.instance.event_log_storage
    command = made(office.instance, STARTED, config=FILE, is_told_of=False)
    run = waiting(office, office.domain)
    at_its_beginning(office.instance, run, lambda: claim(office.instance, command))

    assert run_here(office, run) == "waiting"
    assert storage.get_concurrency_info(POOL).assigned_run_ids == {command.run_id}
    assert OTHERS_WAIT in office.events(run.run_id)


@pytest.mark.parametrize("why", ["the minute is not over", "the storage is away"])
def test_who_need_not_stop_waits_on(office: Office, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    office.wait(0.5)
    made(office.instance, QUEUED, config=FILE)
    if why == "the minute is not over":
        monkeypatch.setattr(shop_load, "AT_LEAST", 60.0)
    else:
        monkeypatch.setattr(places.Place, "_those_who_wait", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    run = waiting(office, office.domain)
    assert run_here(office, run) == "waiting"
    assert OTHERS_WAIT not in office.events(run.run_id)


def test_a_run_with_another_shop_at_hand_loads_that_first(office: Office, make_office: MakeOffice) -> None:
    quick = make_office()
    made(office.instance, QUEUED, config=FILE)
    first, last = sorted([office.domain, quick.domain])
    tags = {RANGE_START: first, RANGE_END: last}
    run = waiting(office, tags=tags)

    assert run_here(office, run) == "loaded"
    assert OTHERS_WAIT in office.events(run.run_id)
    assert sorted(office.states()) == ["completed", "pending"]
    assert len(mirrored(office)[0]) == 12


def claim(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """As Dagster does for a run's step: it holds a place then, or waits for one."""
    instance.event_log_storage.claim_concurrency_slot(POOL, run.run_id, load_op_name("products"))


A_STEP = "a step"
"""A run under way whose step waits for a place; all others here are in the queue."""


@pytest.mark.parametrize(
    ("others", "is_wanted"),
    [
        ([], False),
        ([{"config": FILE}], True),
        ([{"config": FILE, "shop": None}], True),
        ([{"config": FILE, "shop": MINE}], True),
        ([{}], True),
        ([{"shop": MINE}], False),
        ([{"tags": {EXPORT_TAG: "e"}}], False),
        ([{"tags": {EXPORT_TAG: "e"}}, {}], True),
        ([{"config": FILE, "status": A_STEP}], True),
        ([{"tags": {EXPORT_TAG: "e"}, "status": A_STEP}], False),
        ([{"config": FILE, "status": dg.DagsterRunStatus.FAILURE}], False),
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
        that = made(instance, STARTED if status == A_STEP else status, shop, **rest)
        if status == A_STEP:
            claim(instance, that)
    assert places.Place(instance, run).is_wanted() is is_wanted


@pytest.mark.parametrize("why", ["backfill", "command", "no place", "a free place", "fewer places"])
def test_who_gives_nothing_away(instance: dg.DagsterInstance, why: str) -> None:
    storage = instance.event_log_storage
    made(instance, QUEUED, config=FILE)
    if why == "a free place":
        storage.set_concurrency_slots(POOL, 2)
    tags = {"dagster/backfill": "b"} if why == "backfill" else {}
    run = made(instance, STARTED, MINE, tags=tags, is_told_of=why != "command")
    if why != "no place":
        claim(instance, run)
    if why == "fewer places":
        storage.set_concurrency_slots(POOL, 2)
        claim(instance, made(instance, STARTED))
        storage.set_concurrency_slots(POOL, 1)
    assert not places.Place(instance, run).is_wanted()


def test_dagster_without_pools_has_no_places() -> None:
    @dg.job
    def nothing() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        assert not places.Place(instance, instance.create_run_for_job(nothing)).is_wanted()
