"""The place where the command uses Dagster: a load as a run of the location's own job, in this process.

Belongs here: the instance, executing a job in process, reading a run's events back. Does not belong here: services
that keep running (`services`), what a load is (`defs`).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from neanelu_pipelines.cli.launcher import is_of_a_command, launcher_tags, was_killed
from neanelu_pipelines.cli.outcome import FIGURES_OF_SHOPIFY, LINES, ROWS, LoadOutcome
from neanelu_pipelines.cli.world import World, use_environment
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.artifacts import shown

if TYPE_CHECKING:
    import dagster as dg

SOURCE_VARIABLE = "NEANELU_LOAD_SOURCE"
"""Through it a run in this process gets a source that may not be recorded."""

FILE_WORDS = "Keeping the file"

EXPORT_WORDS = "Waiting for Shopify's export"

PLACE_WORDS = "Waiting for a place: other runs have all those of the pool `{}`"

WORDS_AFTER = {"artifacts": "Reading and staging", "staging": "Checking and merging"}
"""What is done next when an asset of that group is there."""

_INTERRUPTED = "The command that ran this load was interrupted."
_INTERRUPTIONS = ("DagsterExecutionInterruptedError", "InterruptedStepError", "KeyboardInterrupt")
_REFUSES = "error"
_BLOCKED = "blocked by limit for pool"
"""In what Dagster says of a step that waits; there is no event of its own for it."""

_STATEMENT_MILLISECONDS = 60_000
_NO_COMPUTE_LOGS = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}


class StorageGoneError(NeaneluError):
    """The database with Dagster's storage does not answer any more."""


@contextmanager
def dagster_instance(world: World) -> Iterator["dg.DagsterInstance"]:
    """Dagster's persistent instance, for runs in this process.

    Output of steps is not captured: that takes two helper processes a step, and this process prints it anyway.
    Connections are kept: by default Dagster opens four for each event, and a load has sixty events.

    Raises:
        StorageGoneError: its database went away, before or meanwhile.
    """
    use_environment(world.dagster_environment())
    import dagster as dg
    from dagster._core.instance import InstanceRef
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import DBAPIError

    reference = InstanceRef.from_dir(str(world.dagster_home), overrides={"compute_logs": _NO_COMPUTE_LOGS})
    lost = None
    try:
        with dg.DagsterInstance.from_ref(reference) as instance:
            instance.optimize_for_webserver(
                statement_timeout=_STATEMENT_MILLISECONDS, pool_recycle=3600, max_overflow=4
            )
            yield instance
    except (DBAPIError, DagsterPostgresException) as fault:  # The latter: it has tried to connect several times.
        lost = _first_line(fault if isinstance(fault, DBAPIError) else fault.__cause__ or fault)
    if lost:
        raise StorageGoneError(
            f"The database went away in the middle: {lost}. What was loaded stays; see `neanelu doctor`, then run the "
            "same command again."
        )


def _first_line(fault: BaseException) -> str:
    """What the server or its driver said, without what SQLAlchemy adds."""
    return str(getattr(fault, "orig", None) or fault).strip().partition("\n")[0]


def run_load(
    world: World,
    *,
    shop: str,
    resource: str,
    source: str | None,
    as_of: datetime | None,
    say: Callable[[str], None],
    since_last: bool = False,
) -> LoadOutcome:
    """Load a file, or without one what Shopify has (or what changed `since_last`), through the assets of the UI.

    The run and its materializations are in the UI too.
    """
    with dagster_instance(world) as instance:
        end_dead_runs(instance, world.database, shared=world.embedded is None)
        config = {
            "source": None if source is None else _recordable(source),
            "as_of": as_of.isoformat() if as_of else None,
            "since_last": since_last,
        }
        return _run_load(instance, world, config, shop=shop, resource=resource, source=source, say=say)


def _run_load(
    instance: "dg.DagsterInstance",
    world: World,
    config: dict[str, Any],
    *,
    shop: str,
    resource: str,
    source: str | None,
    say: Callable[[str], None],
) -> LoadOutcome:
    from dagster._core.utils import make_new_run_id

    from neanelu_pipelines.defs.build import build_defs
    from neanelu_pipelines.defs.loads.keys import load_job_name, load_op_name
    from neanelu_pipelines.defs.shops.partitions import SHOPS
    from neanelu_pipelines.defs.warehouse import Warehouse
    from neanelu_pipelines.mirror.resources import resource_named

    declared = resource_named(resource)
    job = build_defs(
        warehouse=Warehouse(world.database, world.settings), resources={resource: declared}
    ).resolve_job_def(load_job_name(resource))
    instance.add_dynamic_partitions(str(SHOPS.name), [shop])
    run_id = make_new_run_id()
    teller = _Teller(say, EXPORT_WORDS if source is None else FILE_WORDS)
    instance.add_event_listener(run_id, teller.hear)
    name = "Shopify" if source is None else shown(source)
    outcome = LoadOutcome(
        shop,
        resource,
        name,
        dagster_run_id=run_id,
        status="failed",
        seconds=0.0,
        wanted_changes=bool(config["since_last"]),
    )
    started = time.perf_counter()
    try:
        result = job.execute_in_process(
            instance=instance,
            partition_key=shop,
            run_id=run_id,
            raise_on_error=False,
            tags=launcher_tags(run_id),
            run_config={
                "ops": {load_op_name(resource): {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
        outcome.status = "completed" if result.success else "failed"
        outcome.seconds = time.perf_counter() - started - teller.waited
        _read_events(outcome, result)
    finally:
        _close_in_the_ledger(world, outcome)
    if source is None:
        outcome.asked_for = _asked_for(world, outcome)
    return outcome


def _asked_for(world: World, outcome: LoadOutcome) -> str | None:
    """What Shopify was asked for, as the ledger has it: where there is nothing to go on from, it is everything."""
    if outcome.run_id is None:
        return None
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        row = connection.execute(statement("cli/asked_for"), {"run_id": outcome.run_id}).fetchone()
    return row[0] if row else None


def _close_in_the_ledger(world: World, outcome: LoadOutcome) -> None:
    """Leave no load of this run as running, however it ended: a step that was cut off may not have said so.

    If the server itself is gone the ledger keeps it, until the next load of the shop.
    """
    values = {
        "dagster_run_id": outcome.dagster_run_id,
        "shop_domain": outcome.shop,
        "error": outcome.error or _INTERRUPTED,
    }
    with suppress(psycopg.OperationalError), world.database.connect(Role.PIPELINE) as connection:
        connection.execute(statement("cli/close_loads_of_run"), values)


def _recordable(source: str) -> str | dict[str, str]:
    """The source as a run's configuration keeps it: one with a secret only by the name of a variable of ours."""
    if shown(source) == source:
        return source
    use_environment({SOURCE_VARIABLE: source})
    return {"env": SOURCE_VARIABLE}


def end_dead_runs(instance: "dg.DagsterInstance", database: Database, *, shared: bool) -> list[str]:
    """Mark runs failed whose command was killed, free their places in the pools and their loads. Their ids.

    The daemon ends them only after a day. `neanelu dev` does it each minute; but there may be none, and then the next
    load would wait for their places forever.
    """
    dead = dead_runs(instance, shared=shared)
    return _end_runs(instance, database, dead, "The neanelu command that ran this was killed.")


def dead_runs(instance: "dg.DagsterInstance", *, shared: bool) -> list["dg.DagsterRun"]:
    """Unfinished runs whose command was killed: they hold places in the pools, or wait for one in another's way.

    If other machines or containers may use the database (`shared`), their runs are left alone: each ends its own.
    """
    import dagster as dg

    status = dg.DagsterRunStatus
    unfinished = [status.NOT_STARTED, status.STARTING, status.STARTED]
    found = instance.get_runs(dg.RunsFilter(statuses=unfinished))
    gone = [run.run_id for run in found if was_killed(run.tags, run.run_id, shared=shared)]
    if not gone:
        return []
    # Again: a command may have ended well between the look at its run and the look at its process.
    return list(instance.get_runs(dg.RunsFilter(run_ids=gone, statuses=unfinished)))


def end_orphaned_runs(instance: "dg.DagsterInstance", database: Database) -> list[str]:
    """Mark runs failed that a daemon began before the machine, or all of Dagster, went down. Their ids.

    Only for whoever knows that no daemon of this storage is alive. Nobody else would end them before their time is up,
    and meanwhile they keep their places, and sensors that wait for a run to end wait for them.
    """
    import dagster as dg

    status = dg.DagsterRunStatus
    begun = dg.RunsFilter(statuses=[status.STARTING, status.STARTED, status.CANCELING])
    orphans = [run for run in instance.get_runs(begun) if not is_of_a_command(run.tags, run.run_id)]
    return _end_runs(instance, database, orphans, "Dagster went down while this ran; its process is gone.")


def _end_runs(instance: "dg.DagsterInstance", database: Database, runs: list["dg.DagsterRun"], why: str) -> list[str]:
    if runs:  # The ledger first: a run that is marked failed is not looked at again.
        values = {"dagster_run_ids": [run.run_id for run in runs], "error": why}
        with database.connect(Role.PIPELINE) as connection:
            connection.execute(statement("cli/release_loads_of_runs"), values)
    for run in runs:
        instance.report_run_failed(run, why)
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in runs]


class _Teller:
    """Says what a run is doing, and counts the seconds (`waited`) in which it did nothing for want of a place."""

    def __init__(self, say: Callable[[str], None], first_words: str) -> None:
        self.waited = 0.0
        self._say = say
        self._first_words = first_words
        self._waits_since: float | None = None

    def hear(self, event: Any) -> None:
        """Take in an event of the run, at the moment it happens."""
        happened = event.dagster_event
        if happened is None:
            return
        if happened.event_type_value == "ENGINE_EVENT" and _BLOCKED in (happened.message or ""):
            self._waits_since = self._waits_since or time.perf_counter()
            self._say(PLACE_WORDS.format(happened.engine_event_data.metadata["pool"].value))
        elif happened.event_type_value == "STEP_START":
            self._end_of_waiting()
            self._say(self._first_words)
        elif happened.event_type_value == "ASSET_MATERIALIZATION":
            group = happened.step_materialization_data.materialization.asset_key.path[0]
            if group in WORDS_AFTER:
                self._say(WORDS_AFTER[group])

    def _end_of_waiting(self) -> None:
        if self._waits_since is not None:
            self.waited += time.perf_counter() - self._waits_since
            self._waits_since = None


def _read_events(outcome: LoadOutcome, result: "dg.ExecuteInProcessResult") -> None:
    for event in result.all_events:
        kind = event.event_type_value
        if kind == "ASSET_MATERIALIZATION":
            _read_materialization(outcome, event.step_materialization_data.materialization)
        elif kind == "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            if check.check_name == "newest_loads":
                continue  # of other shops, too; `status` tells of those
            outcome.checks.append(_as_object(check))
        elif kind == "ASSET_OBSERVATION":
            _read_observation(outcome, event.asset_observation_data.asset_observation)
        elif kind == "STEP_FAILURE":
            outcome.error = outcome.error or _reason(event.step_failure_data)
        elif kind == "PIPELINE_FAILURE":
            outcome.interrupted = _was_interrupted(event.job_failure_data)
            if outcome.interrupted:  # Perhaps before its step began: then nothing else has said so.
                outcome.error = outcome.error or _INTERRUPTED
    failed = [check for check in outcome.checks if not check["passed"]]
    # A warning has refused nothing: it must not stand before the reason.
    refused = [str(check["description"]) for check in failed if check["severity"] == _REFUSES]
    outcome.error = " ".join(refused) or outcome.error
    cut_off = [str(check["description"]) for check in failed if check["name"] == "artifact_whole"]
    if cut_off and outcome.succeeded:
        outcome.status, outcome.error = "incomplete", " ".join(cut_off)


def _as_object(check: Any) -> dict[str, Any]:
    return {
        "name": check.check_name,
        "passed": check.passed,
        "severity": check.severity.value.lower(),
        "description": check.description,
    }


def _read_materialization(outcome: LoadOutcome, materialization: "dg.AssetMaterialization") -> None:
    figures = materialization.metadata
    group, table = materialization.asset_key.path[0], materialization.asset_key.path[-1]
    outcome.run_id = str(figures["ledger_run_id"].value)
    if group == "artifacts":
        outcome.bytes = _count(figures, "bytes")
        outcome.steps["artifact"] = _seconds(figures, "seconds")
        outcome.shopify = _shown_of_shopify(figures)
    elif group == "staging":
        outcome.steps["staging"] = _seconds(figures, "seconds")
        outcome.staged[table] = _count(figures, "dagster/partition_row_count")
        outcome.lines = {kind: _count(figures, f"lines_{kind}") for kind in LINES}
        outcome.nodes = {
            str(record.pop("node_type")): {name: int(value) for name, value in record.items()}
            for record in _records(figures, "lines_by_node_type")
        }
        outcome.rejections = _records(figures, "rejections")
        outcome.notes = str(figures["notes"].value) if "notes" in figures else None
    else:
        before = outcome.steps.get("artifact", 0.0) + outcome.steps.get("staging", 0.0)
        outcome.steps["mirror"] = round(_seconds(figures, "load_seconds") - before, 3)
        outcome.tables[table] = {kind: _count(figures, f"rows_{kind}") for kind in ROWS}
        outcome.totals[table] = _count(figures, "dagster/partition_row_count")


def _read_observation(outcome: LoadOutcome, observed: "dg.AssetObservation") -> None:
    """Nothing came of it, though the run may have succeeded: that is not what was asked for."""
    outcome.status = str(observed.metadata["outcome"].value)
    if "ledger_run_id" in observed.metadata:
        outcome.run_id = str(observed.metadata["ledger_run_id"].value)
    outcome.error = str(observed.description)
    if "traceback" in observed.metadata:
        outcome.traceback = str(observed.metadata["traceback"].value)
    if "partial_result" in observed.metadata:
        outcome.partial_result = str(observed.metadata["partial_result"].value)
    outcome.shopify = _shown_of_shopify(observed.metadata)


def _shown_of_shopify(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: figures[name].value for name in FIGURES_OF_SHOPIFY if name in figures}


def _count(figures: Mapping[str, Any], name: str) -> int:
    return int(figures[name].value)


def _seconds(figures: Mapping[str, Any], name: str) -> float:
    return float(figures[name].value)


def _records(figures: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [dict(record.data) for record in figures[name].records] if name in figures else []


def _was_interrupted(failure: Any) -> bool:
    return failure.error is not None and failure.error.cls_name in _INTERRUPTIONS


def _reason(failure: Any) -> str:
    """The words of the failure itself; Dagster wraps what was raised."""
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    if _was_interrupted(failure):
        return _INTERRUPTED
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    return str(error.message).strip() if error is not None else "the step failed"
