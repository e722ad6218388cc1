"""Where a run stands when it has been taken as far as it goes for now.

Belongs here: plain data, and reading it off a run. Does not belong here: taking a run further (`exports`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from neanelu_pipelines.shopify.bulk.ledger import Export
from neanelu_pipelines.shopify.bulk.states import Phase


@dataclass(frozen=True)
class Outcome:
    """Where a run stands when `advance` returns."""

    run_id: UUID
    status: Literal["ready", "waiting", "failed"]
    """`ready`: the artifact is there, and the run goes on as a load. `waiting`: `advance` is to be called at `due`."""
    operation_id: str | None
    due: datetime | None = None
    message: str | None = None
    """Why it failed, or what it waits for."""
    reason: str | None = None
    transient: bool = False
    """Whether a new run may do better."""


def outcome_of(export: Export) -> Outcome:
    """What there is to say of a run."""
    state = export.state
    message = state.message
    if state.phase is Phase.NEW and state.blocked_by:
        message = f"Waits for another bulk operation of the shop to end: {', '.join(state.blocked_by)}."
    return Outcome(
        run_id=export.run_id,
        status="ready" if state.phase is Phase.READY else "failed" if state.phase is Phase.FAILED else "waiting",
        operation_id=state.operation_id,
        due=state.due,
        message=message,
        reason=state.reason,
        transient=state.transient,
    )
