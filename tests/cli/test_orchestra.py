"""Runs that a command leaves behind when it is killed."""

import dagster as dg

from neanelu_pipelines.cli import orchestra

DEAD = "999999999:0"


def test_only_runs_of_dead_commands_are_ended_whatever_they_had_come_to() -> None:
    @dg.job
    def nothing() -> None: ...

    def made(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, launcher: str | None) -> str:
        from dagster._core.utils import make_new_run_id

        run_id = make_new_run_id()
        tags = {orchestra.LAUNCHER_TAG: launcher.format(run_id)} if launcher else {}
        return instance.create_run_for_job(nothing, run_id=run_id, status=status, tags=tags).run_id

    status = dg.DagsterRunStatus
    unfinished = (status.NOT_STARTED, status.STARTING, status.STARTED)
    with dg.DagsterInstance.ephemeral() as instance:
        dead = {made(instance, kind, DEAD + ":{}") for kind in unfinished}
        alive = made(instance, status.NOT_STARTED, orchestra._launcher("{}"))
        daemons = made(instance, status.NOT_STARTED, None)
        again = made(instance, status.NOT_STARTED, DEAD + ":the-run-it-repeats")
        assert set(orchestra.end_dead_runs(instance)) == dead
        for run in instance.get_runs():
            assert run.status is (status.FAILURE if run.run_id in dead else status.NOT_STARTED)
        assert {run.run_id for run in instance.get_runs()} == dead | {alive, daemons, again}
