"""What becomes of a step that fails: tried again, or ended with words that a person can use.

Belongs here: deciding between transient and permanent, and closing the ledger's row. Does not belong here: retries of
runs (dagster.yaml) and the errors themselves.
"""

import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import dagster as dg
import psycopg

from neanelu_pipelines.database.faults import passes, words_of
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.reports import LoadRun

RETRIES = dg.RetryPolicy(max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""For transient faults: a lost connection, a server that restarts. Permanent ones end the step at once."""

INTERRUPTED = "The run was interrupted: it was canceled, or its process was told to end."

_MOST_FAULTS, _INNERMOST_FRAMES = 4, 15
"""Of a traceback: faults that led to one another, and calls of each."""


class InterruptedStepError(dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
    """Dagster's own interrupt; and one for which psycopg cancels the query that it waits for."""


@contextmanager
def step_faults(context: dg.AssetExecutionContext, warehouse: Warehouse, load: LoadRun | None = None) -> Iterator[None]:
    """Run a step's work: transient faults go to the retry policy, permanent ones end the step with their message.

    The load's row in the ledger is marked failed when the step will not be tried again. An interrupt ends the step for
    good: under a retry policy Dagster would try it again, and a run could not be canceled.

    Raises:
        dg.Failure: the fault is permanent, or the run was interrupted; trying again by itself cannot help.
    """
    try:
        with interruptible():
            yield
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as interrupt:
        close_load(warehouse, load, INTERRUPTED)
        raise dg.Failure(description=INTERRUPTED, allow_retries=False) from interrupt
    except dg.Failure as failure:
        close_load(warehouse, load, failure.description or "failed")
        raise
    except Exception as fault:
        message = words_of(fault)
        if is_transient(fault):
            if context.retry_number >= RETRIES.max_retries:
                close_load(warehouse, load, message)
            raise
        close_load(warehouse, load, message)
        metadata: dict[str, str] = {"error": message}
        if load is not None:
            metadata["ledger_run_id"] = str(load.run_id)
        raise dg.Failure(description=message, metadata=metadata, allow_retries=False) from fault


@contextmanager
def interruptible() -> Iterator[None]:
    """Around work that yields nothing to Dagster: an interrupt also cancels the query that is waited for."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, _interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise InterruptedStepError


def is_of_the_program(fault: BaseException) -> bool:
    """Whether nobody but who writes this program can mend it: it is none of ours, the database's or the system's."""
    return not isinstance(fault, NeaneluError | psycopg.Error | OSError | MemoryError)


def traceback_of(fault: BaseException) -> str:
    """Where a fault came about, and what led to it: files, lines and kinds, newest last.

    Without the faults' own words and without values: these may hold what nobody is to see.
    """
    told: list[str] = []
    this: BaseException | None = fault
    while this is not None and len(told) < _MOST_FAULTS:
        frames = "".join(traceback.format_tb(this.__traceback__, limit=-_INNERMOST_FRAMES))
        told.append(f"{frames}{type(this).__qualname__}")
        this = this.__cause__ or (None if this.__suppress_context__ else this.__context__)
    return "\n\nwhich led to:\n\n".join(reversed(told))


def is_transient(fault: BaseException) -> bool:
    """Whether trying again by itself can help."""
    if isinstance(fault, psycopg.Error):
        return passes(fault)
    return isinstance(fault, NeaneluError) and fault.transient


def close_load(warehouse: Warehouse, load: LoadRun | None, message: str) -> None:
    """Mark a load that nobody goes on with as failed in the ledger; what was merged to its end stays completed."""
    if load is None:
        return
    from neanelu_pipelines.mirror import river

    # The fault that is being reported may be the database's own: then the ledger cannot be told, and the next load
    # of the shop finds the open row.
    with suppress(psycopg.Error, NeaneluError):
        river.fail(warehouse.database, load, message)
