"""A run whose step waits for a place in a pool sleeps meanwhile, and can be canceled.

Belongs here: mending that one fault of Dagster's. Does not belong here: who gets the place (`loads.places`).

Dagster 1.13.27 has the fault: `InstanceConcurrencyContext.interval_to_next_pending_claim_check` takes the smallest of
0 and the times left, so it is never above 0, and the in-process executor asks whether its step may begin as fast as it
can, on a whole core. Nor does it look for an interruption there, so that neither Ctrl-C nor the UI ends the wait. A
test (`test_patience`) fails once Dagster's interval is right; then see whether a waiting run can be canceled, and if it
can, this module can go.
"""

import time

import dagster as dg
from dagster._core.execution.plan.active import ActiveExecution

_LOOK_SECONDS = 0.25
"""Between two looks at whether it is time to ask again; Dagster asks its storage itself only after 1 to 15 s."""

_as_dagster_does = ActiveExecution.sleep_til_ready


def sleep_while_waiting() -> None:
    """Mend it in this process, for runs of the command and of the daemon alike."""
    ActiveExecution.sleep_til_ready = _sleep_til_ready  # type: ignore[assignment, method-assign]


def _sleep_til_ready(execution: ActiveExecution) -> None:
    places = execution._instance_concurrency_context
    if places is None or not places.has_pending_claims():
        _as_dagster_does(execution)
        return
    with dg.raise_execution_interrupts():
        time.sleep(_LOOK_SECONDS)
