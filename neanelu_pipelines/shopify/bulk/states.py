"""What a run of a bulk operation does next, decided from what is known of it: pure, without a clock or a network.

Belongs here: the run's state as the ledger keeps it, what can happen to it, and what follows. Does not belong here:
asking, fetching, storing (`exports`).

Whatever happens, these hold (tests/shopify/test_bulk_states.py): only a COMPLETED operation's whole result becomes
READY; an operation that may have been started is looked for before another one is; what has ended stays as it is.
"""

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from neanelu_pipelines.shopify.bulk.operation import Operation

COMPLETED = "COMPLETED"


class Phase(enum.StrEnum):
    """How far a run has come."""

    NEW = "new"
    """Nothing was started."""
    STARTING = "starting"
    """The request to start was, or is about to be, sent; its answer is not known."""
    RUNNING = "running"
    """The operation is known and has not ended."""
    FETCHING = "fetching"
    """It completed; its result is being fetched."""
    SALVAGING = "salvaging"
    """It ended otherwise; what there is of its result is kept for a person."""
    READY = "ready"
    """The whole result is in the artifact store."""
    FAILED = "failed"


class Move(enum.StrEnum):
    """What to do next."""

    START = "start"
    FIND = "find"
    """Look for the operation that may have been started."""
    POLL = "poll"
    FETCH = "fetch"
    """Fetch, verify and promote the result."""
    SALVAGE = "salvage"
    """Fetch what there is, and keep it apart."""
    WAIT = "wait"
    """Until `due`."""
    STOP = "stop"


@dataclass(frozen=True)
class Pace:
    """How often and how long: seconds, tries and bytes."""

    first_poll: float = 1.0
    longest_poll: float = 30.0
    """Pauses between polls grow from the one to the other."""
    busy: float = 15.0
    """Before trying again while somebody else's operation is in the way."""
    late_url: float = 120.0
    """How long a url (of partial data, say) is waited for after the operation ended."""
    longest_life: float = 10 * 86_400.0
    """An operation that has not ended by then never will."""
    fetches: int = 3
    """How often a result that is not what the operation says is fetched."""
    most_bytes: int = 200 * 1024**3
    """A larger result is refused."""
    piece_bytes: int = 8 * 1024**2
    """A result is kept in pieces of this size while it comes in; a piece is held in memory."""


@dataclass(frozen=True)
class State:
    """A run as the ledger keeps it between any two processes."""

    phase: Phase = Phase.NEW
    due: datetime | None = None
    """Nothing is to be done before; None: at once."""
    operation_id: str | None = None
    status: str | None = None
    """Shopify's, when it last said it."""
    error_code: str | None = None
    created_at: datetime | None = None
    """When Shopify began: the moment whose state of the shop the result shows."""
    objects: int = 0
    roots: int = 0
    bytes: int | None = None
    polls: int = 0
    misses: int = 0
    """How often in a row Shopify did not know the operation."""
    fetches: int = 0
    ended_at: datetime | None = None
    """When the end of the operation was first seen here."""
    blocked_by: tuple[str, ...] = ()
    reason: str | None = None
    """Why it failed, as a code: Shopify's errorCode or status, or one of ours."""
    message: str | None = None
    transient: bool = False
    """Whether starting a new run may help."""


@dataclass(frozen=True)
class Starting:
    """The request to start is about to be sent."""


@dataclass(frozen=True)
class Started:
    """Shopify took the query. What it says of the operation then is only that it exists."""

    operation: Operation


@dataclass(frozen=True)
class Seen:
    """Shopify told of the run's operation; `None`: it does not know it."""

    operation: Operation | None


@dataclass(frozen=True)
class NotStarted:
    """No operation of this run exists: the request was never carried out."""

    retry_after: float = 0.0


@dataclass(frozen=True)
class Lost:
    """The request to start was sent and its answer did not arrive."""


@dataclass(frozen=True)
class Blocked:
    """Shopify runs as many operations as it may; these are in the way."""

    by: tuple[str, ...]


@dataclass(frozen=True)
class Fetched:
    """The result was fetched and verified; `problem` says what is wrong with it, if anything is."""

    problem: str | None = None


@dataclass(frozen=True)
class UrlRefused:
    """The url is not valid any more."""


@dataclass(frozen=True)
class Salvaged:
    """What there was of the result is kept, unless it may not be: it is from before a customer was forgotten."""

    kept: bool = True


@dataclass(frozen=True)
class Refused:
    """It cannot work: Shopify or we refuse it."""

    reason: str
    message: str
    transient: bool = False


Event = Starting | Started | Seen | NotStarted | Lost | Blocked | Fetched | UrlRefused | Salvaged | Refused

_MOVES = {
    Phase.NEW: Move.START,
    Phase.STARTING: Move.FIND,
    Phase.RUNNING: Move.POLL,
    Phase.FETCHING: Move.FETCH,
    Phase.SALVAGING: Move.SALVAGE,
    Phase.READY: Move.STOP,
    Phase.FAILED: Move.STOP,
}
_WELCOME: dict[Phase, tuple[type, ...]] = {
    Phase.NEW: (Starting, Refused),
    Phase.STARTING: (Starting, Started, NotStarted, Lost, Blocked, Refused),
    Phase.RUNNING: (Seen, Refused),
    Phase.FETCHING: (Seen, Fetched, UrlRefused, Refused),
    Phase.SALVAGING: (Seen, Salvaged, UrlRefused, Refused),
    Phase.READY: (),
    Phase.FAILED: (),
}
"""What can happen to a run in each phase; anything else changes nothing."""
_PATIENT_MISSES = 3
_SHORT_PAUSE = 2.0
_GROWTH = 1.5


def next_move(state: State, now: datetime) -> Move:
    """What to do now."""
    move = _MOVES[state.phase]
    if move is not Move.STOP and state.due is not None and state.due > now:
        return Move.WAIT
    return move


def after(state: State, event: Event, now: datetime, pace: Pace) -> State:  # noqa: PLR0911 - one line each
    """The state after something happened. What has ended stays as it is."""
    if not isinstance(event, _WELCOME[state.phase]):
        return state
    match event:
        case Seen(operation):
            return _seen(state, operation, now, pace) if operation else _missed(state, now, pace)
        case Fetched(problem):
            return _fetched(state, problem, pace)
        case UrlRefused():
            return _url_refused(state, now, pace)
        case Salvaged(kept):
            words = "What there is was kept." if kept else "No file of it is kept: a customer was forgotten since."
            return replace(state, phase=Phase.FAILED, due=None, message=f"{state.message} {words}")
        case Refused() if state.phase is Phase.SALVAGING:
            return replace(state, phase=Phase.FAILED, due=None)
        case Refused(reason, message, transient):
            return _failed(state, reason, message, transient=transient)
        case _:
            return _starting(state, event, now, pace)


def _starting(
    state: State, event: Starting | Started | NotStarted | Lost | Blocked, now: datetime, pace: Pace
) -> State:
    match event:
        case Starting():
            return replace(state, phase=Phase.STARTING, due=None, blocked_by=())
        case Started(operation):
            created = _created(operation.created_at, now)
            known = replace(state, phase=Phase.RUNNING, operation_id=operation.id, created_at=created, blocked_by=())
            return replace(known, due=_in(now, pace.first_poll))
        case NotStarted(retry_after):
            return replace(state, phase=Phase.NEW, due=_in(now, retry_after))
        case Lost():
            # A request still on its way shows only a little later.
            return replace(state, phase=Phase.STARTING, due=_in(now, min(_SHORT_PAUSE, pace.first_poll)))
        case Blocked(by):
            return replace(state, phase=Phase.NEW, due=_in(now, pace.busy), blocked_by=by)
        case _:
            assert_never(event)


def _seen(state: State, operation: Operation, now: datetime, pace: Pace) -> State:
    state = replace(
        state,
        phase=Phase.SALVAGING if state.phase is Phase.SALVAGING else Phase.RUNNING,
        operation_id=operation.id,
        status=operation.status,
        error_code=operation.error_code,
        created_at=_created(operation.created_at or state.created_at, now),
        # Counters grow; one that shrinks is an answer that came late.
        objects=max(state.objects, operation.objects),
        roots=max(state.roots, operation.roots),
        bytes=operation.bytes if operation.bytes is not None else state.bytes,
        polls=state.polls + 1,
        misses=0,
        due=None,
    )
    if state.phase is Phase.SALVAGING:  # What it is was decided; only its url may be new.
        return state if operation.partial_url or operation.url else replace(state, phase=Phase.FAILED)
    match operation.status:
        case "COMPLETED":
            return _completed(state, operation, now, pace)
        case "FAILED" | "CANCELED":
            return _ended_badly(state, operation, now, pace)
        case "EXPIRED":
            words = "Shopify let the operation expire before its result was fetched. Start it again."
            return _failed(state, "EXPIRED", words, transient=True)
        case _:
            return _not_ended(state, now, pace)


def _created(said: datetime | None, now: datetime) -> datetime:
    """When the operation was made. Clocks differ; one that lies ahead would outdate all that comes until then."""
    return said if said and said < now + timedelta(days=1) else now


def _completed(state: State, operation: Operation, now: datetime, pace: Pace) -> State:
    if operation.bytes is not None and operation.bytes > pace.most_bytes:
        words = f"The result has {operation.bytes:,} bytes; at most {pace.most_bytes:,} are fetched. Ask for less."
        return _failed(state, "TOO_LARGE", words)
    if operation.url:
        return replace(state, phase=Phase.FETCHING, ended_at=state.ended_at or now)
    if state.objects == 0 and not state.bytes:
        # Nothing at all is believed when it is said twice: a whole shop may be taken for empty.
        if state.ended_at is None:
            return replace(state, ended_at=now, due=_in(now, pace.first_poll))
        return replace(state, phase=Phase.FETCHING)
    words = f"The operation completed with {operation.objects:,} objects, but Shopify gives no url of its result."
    return _wait_for_url(state, now, pace) or _failed(state, "INCOMPLETE", words, transient=True)


def _ended_badly(state: State, operation: Operation, now: datetime, pace: Pace) -> State:
    """FAILED and CANCELED are never a snapshot, with or without a file."""
    reason = operation.error_code or operation.status
    what = "failed" if operation.status == "FAILED" else "was canceled"
    words = f"Shopify's operation {operation.id} {what}"
    words += f" ({operation.error_code})." if operation.error_code else "."
    state = replace(
        state,
        reason=reason,
        message=f"{words} Nothing of it is merged.",
        # Whoever canceled it meant it; what the token may not read it may not read again.
        transient=operation.status == "FAILED" and operation.error_code != "ACCESS_DENIED",
        ended_at=state.ended_at or now,
    )
    if operation.partial_url or operation.url:
        return replace(state, phase=Phase.SALVAGING)
    may_come = operation.status == "FAILED" and operation.error_code != "ACCESS_DENIED"
    waiting = _wait_for_url(state, now, pace) if may_come else None
    return waiting or replace(state, phase=Phase.FAILED)


def _wait_for_url(state: State, now: datetime, pace: Pace) -> State | None:
    """Poll on for a while: a url may come later than the end. None once that while is over."""
    ended = state.ended_at or now
    if now >= ended + timedelta(seconds=pace.late_url):
        return None
    return replace(state, phase=Phase.RUNNING, ended_at=ended, due=_in(now, _pause(state, pace)))


def _not_ended(state: State, now: datetime, pace: Pace) -> State:
    if state.created_at and now > state.created_at + timedelta(seconds=pace.longest_life):
        words = f"The operation has not ended since {state.created_at.isoformat()} (its status: {state.status})."
        return _failed(state, "NEVER_ENDED", words, transient=True)
    return replace(state, phase=Phase.RUNNING, due=_in(now, _pause(state, pace)))


def _missed(state: State, now: datetime, pace: Pace) -> State:
    """Shopify does not know the operation: right after its start, perhaps not yet."""
    state = replace(state, misses=state.misses + 1)
    if state.misses <= _PATIENT_MISSES:
        return replace(state, due=_in(now, _pause(state, pace)))
    if state.phase is Phase.SALVAGING:
        return replace(state, phase=Phase.FAILED, due=None)
    words = f"Shopify does not know the operation {state.operation_id} any more. Start it again."
    return _failed(state, "GONE", words, transient=True)


def _fetched(state: State, problem: str | None, pace: Pace) -> State:
    if problem is None and state.status == COMPLETED:
        return replace(state, phase=Phase.READY, due=None, reason=None, message=None)
    state = replace(state, fetches=state.fetches + 1)
    if state.fetches < pace.fetches:
        return state
    words = f"{problem or 'The operation is not completed.'} It was fetched {state.fetches} times."
    words += " Nothing of it is merged."
    return replace(state, phase=Phase.SALVAGING, reason="INCOMPLETE", message=words, transient=True)


def _url_refused(state: State, now: datetime, pace: Pace) -> State:
    state = replace(state, fetches=state.fetches + 1, due=_in(now, min(_SHORT_PAUSE, pace.first_poll)))
    if state.fetches < pace.fetches:
        return state
    if state.phase is Phase.SALVAGING:
        return replace(state, phase=Phase.FAILED, due=None)
    words = f"The url of the result was refused {state.fetches} times, although it was asked for again each time."
    return _failed(state, "URL_REFUSED", words, transient=True)


def _failed(state: State, reason: str, message: str, *, transient: bool = False) -> State:
    return replace(state, phase=Phase.FAILED, due=None, reason=reason, message=message, transient=transient)


def _pause(state: State, pace: Pace) -> float:
    return min(pace.longest_poll, pace.first_poll * _GROWTH ** min(state.polls, 30))


def _in(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
