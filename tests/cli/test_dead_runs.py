"""Who ends, and who tells of, runs whose command was killed: `neanelu dev` and `neanelu doctor`."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from neanelu_pipelines.cli import dev, doctor, orchestra, services
from neanelu_pipelines.cli.launcher import LAUNCHER_TAG
from neanelu_pipelines.cli.output import Output
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.settings import Settings

BEGUN, FAILED = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as one:

        @contextmanager
        def opened(_: World) -> Iterator[dg.DagsterInstance]:
            yield one

        monkeypatch.setattr(orchestra, "dagster_instance", opened)
        yield one


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    class Here(World):
        @property
        def database(self) -> Database:
            return database

    return Here(Settings(home=tmp_path, _env_file=None))


@pytest.fixture
def dead(instance: dg.DagsterInstance) -> str:
    @dg.job
    def load_products() -> None: ...

    from dagster._core.utils import make_new_run_id

    run_id = make_new_run_id()
    tags = {LAUNCHER_TAG: f"999999999:0:{run_id}"}
    return instance.create_run_for_job(load_products, run_id=run_id, status=BEGUN, tags=tags).run_id


def status_of(run_id: str, instance: dg.DagsterInstance) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_dev_ends_them_when_it_starts(instance: dg.DagsterInstance, world: World, dead: str) -> None:
    services._end_what_was_left(world)
    assert status_of(dead, instance) is FAILED


def test_dev_ends_them_while_it_runs_and_says_so(
    instance: dg.DagsterInstance,
    world: World,
    dead: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(World, "embedded", None)
    monkeypatch.setattr(dev, "_SWEEP_SECONDS", 0.0)
    looks = iter([False, False, True])

    def wait(seconds: float) -> None:
        if not next(looks):
            raise subprocess.TimeoutExpired("guard", seconds)

    dev._watch(Output(), world, cast("Any", SimpleNamespace(guard=SimpleNamespace(wait=wait))))
    assert status_of(dead, instance) is FAILED
    assert capsys.readouterr().out.count(f"Run {dead}: the command that ran it was killed") == 1, "at the first look"


def test_a_storage_that_is_away_does_not_end_dev(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: World) -> None:
        raise orchestra.StorageGoneError("away")

    monkeypatch.setattr(orchestra, "dagster_instance", away)
    dev._sweep(Output(), world)


def test_a_signal_is_never_taken_for_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster's code, which `dev` may be in then, ends many a fault of its own in silence."""
    monkeypatch.setattr(dev, "_SIGNALS", ())
    with pytest.raises(dev.AskedToStopError), suppress(Exception):
        dev._stop(2, None)


def test_doctor_names_them_and_leaves_them(
    instance: dg.DagsterInstance, world: World, dead: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_dagster_storage_of", lambda _: database.urls[Role.ADMIN])
    assert doctor.runs_of_commands(world).found == "there were none yet"
    with database.connect(Role.ADMIN) as connection:
        connection.execute("CREATE TABLE public.runs ()")
    told = doctor.runs_of_commands(world)
    assert told.verdict is doctor.Verdict.DOUBTFUL
    assert f"load_products ({dead})" in told.found
    assert "neanelu dev" in told.remedy
    assert status_of(dead, instance) is BEGUN
    orchestra.end_dead_runs(instance, database, shared=False)
    assert doctor.runs_of_commands(world).verdict is doctor.Verdict.GOOD
