"""Runs that a command leaves behind when it is killed."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import dagster_postgres.utils
import psutil
import pytest

from neanelu_pipelines.cli import launcher, orchestra, place
from neanelu_pipelines.cli.world import STORAGE_VARIABLE, World
from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs import patience
from neanelu_pipelines.settings import Settings

DEAD = "999999999:0"


def made(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, by: str | None, at: str | None = None) -> str:
    """A run of that status, which a command launched if `by` says so, in the place `at`."""

    @dg.job
    def nothing() -> None: ...

    from dagster._core.utils import make_new_run_id

    run_id = make_new_run_id()
    tags = {launcher.LAUNCHER_TAG: by.format(run_id)} if by else {}
    if at is not None:
        tags[launcher.PLACE_TAG] = at
    return instance.create_run_for_job(nothing, run_id=run_id, status=status, tags=tags).run_id


def test_only_runs_of_dead_commands_are_ended_whatever_they_had_come_to(database: Database) -> None:
    status = dg.DagsterRunStatus
    unfinished = (status.NOT_STARTED, status.STARTING, status.STARTED)
    with dg.DagsterInstance.ephemeral() as instance:
        dead = {made(instance, kind, DEAD + ":{}") for kind in unfinished}
        alive = made(instance, status.NOT_STARTED, launcher.launcher_tags("{}")[launcher.LAUNCHER_TAG])
        daemons = made(instance, status.NOT_STARTED, None)
        again = made(instance, status.NOT_STARTED, DEAD + ":the-run-it-repeats")
        assert set(orchestra.end_dead_runs(instance, database, shared=True)) == dead
        for run in instance.get_runs():
            assert run.status is (status.FAILURE if run.run_id in dead else status.NOT_STARTED)
        assert {run.run_id for run in instance.get_runs()} == dead | {alive, daemons, again}


def test_runs_of_other_machines_are_left_alone_where_the_database_is_shared(database: Database) -> None:
    status = dg.DagsterRunStatus
    machine, boot, container = place.place().split(".")
    with dg.DagsterInstance.ephemeral() as instance:
        there = {
            made(instance, status.STARTED, DEAD + ":{}", f"another.{boot}.{container}"),
            made(instance, status.STARTED, DEAD + ":{}", f"{machine}.{boot}.another"),
        }
        here = {
            made(instance, status.STARTED, DEAD + ":{}", place.place()),
            made(instance, status.STARTED, DEAD + ":{}", f"{machine}.before.{container}"),
        }
        alive = made(instance, status.STARTED, launcher.launcher_tags("{}")[launcher.LAUNCHER_TAG], place.place())
        assert set(orchestra.end_dead_runs(instance, database, shared=True)) == here
        assert set(orchestra.end_dead_runs(instance, database, shared=False)) == there, "nobody else can be meant"
        after = instance.get_run_by_id(alive)
        assert after is not None
        assert after.status is status.STARTED


def test_a_command_that_lives_is_known_though_the_clock_was_set_and_its_remains_are_not_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tags = launcher.launcher_tags("r")
    started = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: started(self) - 7200)
    assert not launcher.was_killed(tags, "r", shared=True)
    assert launcher.was_killed({**tags, launcher.START_TAG: "1"}, "r", shared=True), "its number is another's now"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        begun = psutil.Process(child.pid)
        tags = {launcher.LAUNCHER_TAG: f"{child.pid}:{begun.create_time():.0f}:r"}
        assert not launcher.was_killed(tags, "r", shared=False)
        child.kill()
        while begun.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert launcher.was_killed(tags, "r", shared=False)


def test_a_command_that_ends_well_while_it_is_looked_at_was_not_killed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = dg.DagsterRunStatus
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = made(instance, status.STARTED, DEAD + ":{}")
        run = instance.get_run_by_id(run_id)
        assert run is not None
        looked = iter([[run], []])
        monkeypatch.setattr(instance, "get_runs", lambda _: next(looked))
        assert orchestra.end_dead_runs(instance, database, shared=False) == []
        after = instance.get_run_by_id(run_id)
        assert after is not None
        assert after.status is status.STARTED


def test_a_place_has_a_name_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("_MACHINE", "_BOOT", "_PROCESS_IDS"):
        monkeypatch.setattr(place, name, tmp_path / "missing")
    assert len(place.place().split(".")) == 3
    assert not place.is_elsewhere(place.place())
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    named = place.place()
    monkeypatch.undo()
    assert place.is_elsewhere(named)


class Gone(World):
    """An installation whose storage nobody answers for."""

    def dagster_environment(self) -> dict[str, str]:
        self.prepare_dagster_home()
        nobody = "postgresql+psycopg2://nobody@127.0.0.1:1/dagster"
        return {"DAGSTER_HOME": str(self.dagster_home), STORAGE_VARIABLE: nobody}


def test_a_server_that_is_gone_before_the_storage_is_opened_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dagster_postgres.utils, "calculate_delay", lambda **_: 0.0)
    for name in ("DAGSTER_HOME", STORAGE_VARIABLE):
        monkeypatch.setenv(name, "")
    world = Gone(Settings(home=tmp_path))
    with (
        pytest.raises(orchestra.StorageGoneError, match=r"went away.*Connection refused") as raised,
        orchestra.dagster_instance(world),
    ):
        pass
    assert raised.value.__context__ is None, "no traceback of Dagster's comes with it"


def test_what_a_daemon_had_begun_is_ended_when_everything_went_down_but_not_a_commands_run(
    database: Database,
) -> None:
    status = dg.DagsterRunStatus
    with dg.DagsterInstance.ephemeral() as instance:
        begun = {made(instance, kind, None) for kind in (status.STARTING, status.STARTED, status.CANCELING)}
        waits = made(instance, status.NOT_STARTED, None)
        commands = made(instance, status.STARTED, launcher.launcher_tags("{}")[launcher.LAUNCHER_TAG])
        assert set(orchestra.end_orphaned_runs(instance, database)) == begun
        after = {run.run_id: run.status for run in instance.get_runs()}
        assert after == {**dict.fromkeys(begun, status.FAILURE), waits: status.NOT_STARTED, commands: status.STARTED}


def test_a_load_says_that_it_waits_for_a_place_and_its_seconds_leave_that_out() -> None:
    from dagster._core.utils import make_new_run_id

    @dg.op(pool="narrow")
    def step() -> None: ...

    @dg.job(executor_def=dg.in_process_executor)
    def waits() -> None:
        step()

    patience.sleep_while_waiting()
    said: list[str] = []
    with dg.instance_for_test(overrides={"concurrency": {"pools": {"granularity": "op"}}}) as instance:
        storage, holder, run_id = instance.event_log_storage, make_new_run_id(), make_new_run_id()
        storage.set_concurrency_slots("narrow", 1)
        storage.claim_concurrency_slot("narrow", holder, "s")

        def say(words: str) -> None:
            said.append(words)
            storage.free_concurrency_slots_for_run(holder)

        teller = orchestra._Teller(say, orchestra.FILE_WORDS)
        instance.add_event_listener(run_id, teller.hear)
        assert waits.execute_in_process(instance=instance, run_id=run_id).success
    assert said == [orchestra.PLACE_WORDS.format("narrow"), orchestra.FILE_WORDS]
    assert 1.0 <= teller.waited < 3.0, "Dagster asks again after a second"
