"""The ledger of a load: `bulk_runs`, `bulk_steps`, `bulk_artifacts`, and the lock of (shop, resource).

Belongs here: writing and reading those tables, through one connection (`opened`) on which each entry is a transaction
of its own. Does not belong here: what the steps do, and rejected lines (`bulk_errors`), which staging writes by COPY.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.reports import LoadRun, Rejection
from neanelu_pipelines.shopify.operation_types import export_of

STAGE = "stage"
MERGE = "merge"
LOCK_WAIT = 600.0
"""Seconds that somebody waits for the lock of (shop, resource) who does not say how long."""


class UnknownShopError(NeaneluError):
    """The mirror has no such shop."""


class NoLoadError(NeaneluError):
    """A step was asked to go on with a load that is not there."""


class ResourceBusyError(NeaneluError):
    """Another load of the same shop and resource did not end in time."""

    transient = True


class LoadEndedError(NeaneluError):
    """A step was asked to go on with a load that has ended."""


class TakenForDeadError(LoadEndedError):
    """Another load ended this one while it was merged: it had lost its lock. Tried again, it begins again."""

    transient = True


@dataclass(frozen=True)
class Shop:
    """What a load needs to know of its shop."""

    shop_id: UUID
    domain: str
    currency: str | None


@dataclass(frozen=True)
class Stands:
    """What became of a load so far."""

    status: str
    error: str | None
    is_abandoned: bool
    """Whether another load found it dead and ended it."""


@dataclass
class Step:
    """A step under way; what is put in `metadata` stands in the ledger for the steps after it."""

    metadata: dict[str, Any]
    records: int = 0


def find_shop(book: Connection, domain: str) -> Shop:
    """The shop of that domain.

    Raises:
        UnknownShopError: there is none.
    """
    row = _one(book, "ledger/find_shop", {"shop_domain": domain})
    if row is None:
        raise UnknownShopError(f"There is no shop {domain!r}. `neanelu status` lists the shops there are.")
    return Shop(row[0], domain, row[1])


def open_run(
    book: Connection,
    shop: Shop,
    resource: str,
    *,
    source: str,
    as_of: datetime,
    snapshot: bool = True,
    whole: Collection[tuple[str, str]] = (),
    dated: bool = True,
    dagster_run: str,
) -> UUID:
    """A new row in `bulk_runs`, written before anything else is done; `dated` where `as_of` is more than a guess."""
    state = {
        "source": source,
        "as_of": as_of.isoformat(),
        "dated": dated,
        "snapshot": snapshot,
        "whole": sorted(whole),
        "dagster_run_id": dagster_run,
    }
    row = _one(
        book,
        "ledger/open_run",
        {
            "shop_id": shop.shop_id,
            "resource": resource,
            "operation_type": export_of(resource),
            "state": Jsonb(state),
        },
    )
    assert row is not None  # noqa: S101 - the shop was found
    return UUID(str(row[0]))


def add_artifact(book: Connection, load: LoadRun) -> None:
    """Record the artifact of a load: where it is, its bytes and its SHA-256."""
    _do(
        book,
        "ledger/add_artifact",
        {
            "run_id": load.run_id,
            "shop_id": load.shop_id,
            "path": load.artifact_path,
            "bytes": load.bytes,
            "sha256": load.sha256,
        },
    )


def count_artifact_rows(book: Connection, load: LoadRun, rows: int) -> None:
    """Record how many lines the artifact turned out to have."""
    _do(book, "ledger/count_artifact_rows", {"run_id": load.run_id, "rows": rows})


def find_load(book: Connection, shop_domain: str, resource: str, dagster_run_id: str) -> LoadRun:
    """The unfinished load that this Dagster run began, else the newest unfinished one of this shop and resource.

    Raises:
        NoLoadError: there is none.
    """
    parameters = {"shop_domain": shop_domain, "resource": resource, "dagster_run_id": dagster_run_id}
    row = _one(book, "ledger/find_load", parameters)
    if row is None:
        raise NoLoadError(
            f"There is no unfinished load of {resource} of {shop_domain}: materialize its artifact first "
            f"({resource}_jsonl), or run `neanelu load FILE --shop {shop_domain} --resource {resource}`."
        )
    return LoadRun(*row)


def take_load(book: Connection, run_id: UUID, *, dagster_run_id: str, first_run_id: str) -> LoadRun | None:
    """The export of that id as a load of this Dagster run; None if it is not there to be loaded, or another run's.

    Args:
        book: the ledger.
        run_id: an export whose result is in the artifact store.
        dagster_run_id: the Dagster run whose later steps are to find the load.
        first_run_id: the Dagster run that it repeats, or itself: what one of them took, the next may go on with.
    """
    parameters = {"run_id": run_id, "dagster_run_id": dagster_run_id, "first_run_id": first_run_id}
    row = _one(book, "ledger/take_load", parameters)
    return LoadRun(*row) if row else None


def as_of(book: Connection, load: LoadRun) -> datetime:
    """The moment whose state of the shop the artifact shows."""
    return datetime.fromisoformat(_state(book, load)["as_of"])


def said_as_of(book: Connection, load: LoadRun) -> datetime | None:
    """The moment whose state the artifact is known to show; None where nobody said so and it is taken for current."""
    state = _state(book, load)
    return datetime.fromisoformat(state["as_of"]) if state.get("dated", "bulk" in state) else None


def whole_parts(book: Connection, load: LoadRun) -> frozenset[tuple[str, str]]:
    """The lines that the artifact holds all of, known beforehand: by their parent's node type and their own."""
    return frozenset((parent, node) for parent, node in _state(book, load).get("whole", ()))


def query_of(book: Connection, load: LoadRun) -> str | None:
    """The query whose result the artifact is; None of a file."""
    query: str | None = (_state(book, load).get("bulk") or {}).get("query")
    return query


def _state(book: Connection, load: LoadRun) -> dict[str, Any]:
    row = _one(book, "ledger/run_state", {"run_id": load.run_id})
    if row is None:
        raise _gone(load)
    return dict(row[0])


def shown_through(book: Connection, load: LoadRun, resource: str | None = None) -> datetime | None:
    """The newest moment whose state of the shop stands in the mirror, by a completed load of this resource, or that."""
    row = _one(book, "ledger/shown_through", {"shop_id": load.shop_id, "resource": resource or load.resource})
    return row[0] if row else None


def last_merge(book: Connection, load: LoadRun) -> str | None:
    """The merge that was last begun for this shop and resource, if any: it may have changed the mirror."""
    row = _one(book, "ledger/last_merge", {"shop_id": load.shop_id, "resource": load.resource})
    return str(row[0]) if row else None


def close_run(
    book: Connection,
    load: LoadRun,
    status: str,
    *,
    records: int | None = None,
    error: str | None = None,
    cut_off: bool = False,
) -> None:
    """End a load as `completed` or `failed`; what was completed stays so. Of one that is `cut_off` nothing is whole.

    Raises:
        LoadEndedError: it is to be completed, and somebody has ended it before.
    """
    parameters = {
        "run_id": load.run_id,
        "status": status,
        "records": records,
        "bytes": load.bytes,
        "error": error,
        "cut_off": cut_off,
    }
    if _one(book, "ledger/close_run", parameters) is None and status == "completed":
        raise ended(load, standing(book, load))


def standing(book: Connection, load: LoadRun) -> Stands:
    """How the load stands.

    Raises:
        NoLoadError: it is not in the ledger any more.
    """
    row = _one(book, "ledger/run_standing", {"run_id": load.run_id})
    if row is None:
        raise _gone(load)
    return Stands(*row)


def ended(load: LoadRun, stands: Stands) -> LoadEndedError:
    """What to say to whoever would go on with a load that stands so."""
    kind = TakenForDeadError if stands.is_abandoned else LoadEndedError
    how = "has failed meanwhile" if stands.status == "failed" else f"is {stands.status} already"
    return kind(
        f"Load {load.run_id} ({load.resource} of {load.shop_domain}) {how}, so it is not gone on with: load its source "
        f"again.{f' It ended with: {stands.error}' if stands.error else ''}"
    )


def _gone(load: LoadRun) -> NoLoadError:
    return NoLoadError(f"The load {load.run_id} is not in the ledger any more.")


def clear_errors(book: Connection, load: LoadRun) -> None:
    """Forget the rejections of an earlier staging of this load: it is staged again from its first line."""
    _do(book, "ledger/clear_errors", {"run_id": load.run_id})


def rejections(book: Connection, load: LoadRun) -> list[Rejection]:
    """Why lines of this load were rejected, the commonest reason first."""
    rows = book.execute(statement("ledger/rejections"), {"run_id": load.run_id}).fetchall()
    return [Rejection(*row) for row in rows]


@contextmanager
def step(book: Connection, load: LoadRun, name: str) -> Iterator[Step]:
    """A row in `bulk_steps` around the work of one step, with its times, its counts and, if it fails, why."""
    opened = {"run_id": load.run_id, "shop_id": load.shop_id, "step": name}
    row = _one(book, "ledger/open_step", opened)
    assert row is not None  # noqa: S101 - an INSERT returns its row
    current = Step({})
    started = time.perf_counter()
    status, error = "failed", "The process that ran this step ended before it did."
    try:
        yield current
        status, error = "completed", ""
    except Exception as problem:
        error = str(problem)
        raise
    finally:
        current.metadata["seconds"] = round(time.perf_counter() - started, 3)
        closed = {
            "step_id": row[0],
            "status": status,
            "records": current.records,
            "error": error or None,
            "metadata": Jsonb(current.metadata),
        }
        _do_if_reachable(book, closed, failed=status == "failed")


def _do_if_reachable(book: Connection, closed: dict[str, Any], *, failed: bool) -> None:
    """Close the step; if it failed because the server is gone, its own error matters more than this one."""
    try:
        _do(book, "ledger/close_step", closed)
    except psycopg.OperationalError:
        if not failed:
            raise


def step_metadata(book: Connection, load: LoadRun, name: str) -> dict[str, Any] | None:
    """What the newest completed step of that name left; None if there is none."""
    row = _one(book, "ledger/step_metadata", {"run_id": load.run_id, "step": name})
    return dict(row[0]) if row else None


@contextmanager
def opened(database: Database, shared: Connection | None = None) -> Iterator[Connection]:
    """A connection for the ledger: each entry is a transaction of its own, so that it outlives this process.

    Or the one that the caller has and shares: the first statements on a new connection cost ten times their work.
    """
    if shared is not None:
        yield shared
        return
    with database.connect(Role.PIPELINE, autocommit=True) as book:
        yield book


@contextmanager
def resource_lock(book: Connection, load: LoadRun, wait: float = LOCK_WAIT) -> Iterator[None]:
    """Hold the lock of (shop, resource): whoever else wants it waits, `wait` seconds at most.

    The lock belongs to the session of `book`: if this process dies, or the connection breaks, it is free.

    Raises:
        ResourceBusyError: another load held it all that time.
    """
    key = {"key": f"{load.shop_id}/{load.resource}"}
    book.execute(statement("ledger/lock_timeout"), {"timeout": f"{max(1, round(wait * 1000))}ms"})
    try:
        book.execute(statement("ledger/lock_resource"), key)
    except psycopg.errors.LockNotAvailable as error:
        raise ResourceBusyError(
            f"Another load of {load.resource} of {load.shop_domain} is still running after {wait:g} seconds. "
            "Wait for it, or end it; `neanelu status` shows which it is."
        ) from error
    finally:
        if not book.broken and not book.closed:
            book.execute(statement("ledger/lock_timeout"), {"timeout": "0"})
    try:
        yield
    finally:
        if not book.broken and not book.closed:
            book.execute(statement("ledger/unlock_resource"), key)


def _one(book: Connection, name: str, parameters: dict[str, Any]) -> Any:
    return book.execute(statement(name), parameters).fetchone()


def _do(book: Connection, name: str, parameters: dict[str, Any]) -> None:
    book.execute(statement(name), parameters)
