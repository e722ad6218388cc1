"""Runs that a command leaves behind when it is killed."""

import dagster as dg

from neanelu_pipelines.cli import orchestra
from neanelu_pipelines.database.connect import Database

DEAD = "999999999:0"


def made(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, launcher: str | None) -> str:
    """A run of that status, which a command launched if `launcher` says so."""

    @dg.job
    def nothing() -> None: ...

    from dagster._core.utils import make_new_run_id

    run_id = make_new_run_id()
    tags = {orchestra.LAUNCHER_TAG: launcher.format(run_id)} if launcher else {}
    return instance.create_run_for_job(nothing, run_id=run_id, status=status, tags=tags).run_id


def test_only_runs_of_dead_commands_are_ended_whatever_they_had_come_to(database: Database) -> None:
    status = dg.DagsterRunStatus
    unfinished = (status.NOT_STARTED, status.STARTING, status.STARTED)
    with dg.DagsterInstance.ephemeral() as instance:
        dead = {made(instance, kind, DEAD + ":{}") for kind in unfinished}
        alive = made(instance, status.NOT_STARTED, orchestra._launcher("{}"))
        daemons = made(instance, status.NOT_STARTED, None)
        again = made(instance, status.NOT_STARTED, DEAD + ":the-run-it-repeats")
        assert set(orchestra.end_dead_runs(instance, database)) == dead
        for run in instance.get_runs():
            assert run.status is (status.FAILURE if run.run_id in dead else status.NOT_STARTED)
        assert {run.run_id for run in instance.get_runs()} == dead | {alive, daemons, again}


def test_what_a_daemon_had_begun_is_ended_when_everything_went_down_but_not_a_commands_run(
    database: Database,
) -> None:
    status = dg.DagsterRunStatus
    with dg.DagsterInstance.ephemeral() as instance:
        begun = {made(instance, kind, None) for kind in (status.STARTING, status.STARTED, status.CANCELING)}
        waits = made(instance, status.NOT_STARTED, None)
        commands = made(instance, status.STARTED, orchestra._launcher("{}"))
        assert set(orchestra.end_orphaned_runs(instance, database)) == begun
        after = {run.run_id: run.status for run in instance.get_runs()}
        assert after == {**dict.fromkeys(begun, status.FAILURE), waits: status.NOT_STARTED, commands: status.STARTED}
