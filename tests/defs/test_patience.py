"""A run that waits for a place in a pool does not work meanwhile, and can be ended."""

import signal
import time
from collections.abc import Iterator
from threading import Timer
from types import MappingProxyType
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

from neanelu_pipelines.defs import patience
from neanelu_pipelines.defs.build import build_defs

POOL, HOLDER = "narrow", "00000000-0000-0000-0000-000000000001"
PATIENCE = MappingProxyType({"concurrency": {"pools": {"granularity": "op"}}})


@dg.op(pool=POOL)
def step() -> None: ...


@dg.job(executor_def=dg.in_process_executor)
def waits() -> None:
    step()


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The pool's one place is held by somebody else."""
    monkeypatch.setattr(ActiveExecution, "sleep_til_ready", patience._as_dagster_does)
    build_defs(resources={})
    with dg.instance_for_test(overrides=dict(PATIENCE)) as one:
        one.event_log_storage.set_concurrency_slots(POOL, 1)
        one.event_log_storage.claim_concurrency_slot(POOL, HOLDER, "s")
        yield one


def run(instance: dg.DagsterInstance, do: Any) -> tuple[dg.ExecuteInProcessResult, int]:
    """Run the job and, when it waits, do that; how it ended, and how often it asked whether its step may begin."""
    from dagster._core.utils import make_new_run_id

    run_id = make_new_run_id()
    asked = []
    claim = InstanceConcurrencyContext.claim

    def counted(self: InstanceConcurrencyContext, *arguments: Any) -> bool:
        asked.append(time.monotonic())
        return claim(self, *arguments)

    def heard(entry: dg.EventLogEntry) -> None:
        if entry.dagster_event and "blocked by limit for pool" in (entry.dagster_event.message or ""):
            do()

    instance.add_event_listener(run_id, heard)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InstanceConcurrencyContext, "claim", counted)
        late = Timer(4.0, free, [instance])
        late.start()
        result = waits.execute_in_process(instance=instance, run_id=run_id, raise_on_error=False)
        late.cancel()
    return result, len(asked)


def free(instance: dg.DagsterInstance) -> None:
    instance.event_log_storage.free_concurrency_slots_for_run(HOLDER)


def test_it_sleeps_until_a_place_is_free(instance: dg.DagsterInstance) -> None:
    result, asked = run(instance, lambda: free(instance))
    assert result.success
    assert asked < 12, "it waits for a second"


def test_it_can_be_ended_while_it_waits_and_then_waits_no_more(instance: dg.DagsterInstance) -> None:
    result, _ = run(instance, lambda: signal.raise_signal(signal.SIGINT))
    assert not [event for event in result.all_events if event.is_step_start], "it waited on"
    [failure] = [event for event in result.all_events if event.is_job_failure]
    assert cast("Any", failure.job_failure_data.error).cls_name == "DagsterExecutionInterruptedError"
    assert not instance.event_log_storage.get_concurrency_info(POOL).pending_steps[1:], "only the holder's"


def test_dagster_still_has_the_fault_for_which_it_is_mended(instance: dg.DagsterInstance) -> None:
    places = InstanceConcurrencyContext(instance, instance.create_run_for_job(waits))
    assert not places.claim(POOL, "step")
    assert places.interval_to_next_pending_claim_check() <= 0, "mended in this Dagster: see what `patience` says"
