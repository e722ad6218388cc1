"""A run of a bulk operation in the ledger: its row in `bulk_runs`, and the artifact that comes of it.

Belongs here: writing and reading that row. Does not belong here: what the state means (`states`), and what becomes of
the row once its artifact is there: then its status is `running` and it is a load like any other.

Two columns of the table stay empty. `result_url`: the url opens the shop's data for a week to whoever reads it, and
a ledger is read by many; the operation gives a fresh one whenever it is asked. `polling_url`: an operation is asked
for by its id.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.bulk import kinds as by_kind
from neanelu_pipelines.shopify.bulk.kinds import Kinds
from neanelu_pipelines.shopify.bulk.states import Phase, State
from neanelu_pipelines.shopify.operation_types import export_of
from neanelu_pipelines.shopify.windows import Window

_STATE = TypeAdapter(State)
_KINDS = TypeAdapter(Kinds | None)
_STATUS = {Phase.READY: "running", Phase.FAILED: "failed"}
_NO_STATE = frozenset({"key", "query", "kinds"})
_LARGEST_INTEGER = 2**31 - 1
_STEP = "artifact"

WHOLE = "jsonl"
PARTIAL = "partial"


class NoExportError(NeaneluError):
    """There is no such run, or it is no bulk operation's."""


class ExportBusyError(NeaneluError):
    """Another process is taking the run further."""

    transient = True


@dataclass(frozen=True)
class Export:
    """A run and its state."""

    run_id: UUID
    shop_id: UUID
    domain: str
    resource: str
    query: str
    state: State
    windows: tuple[Window, ...] = ()
    """What the query asks for; none: everything."""
    reach: dict[str, Any] | None = None
    """What was asked of whoever made the query, in their words."""
    api_version: str = ""
    """Of the Admin API that is spoken with the shop."""
    lacks: str | None = None
    """The scope without which Shopify shows a part only, where the shop's token is known not to have had it."""
    kinds: Kinds | None = None
    """Of an export that takes an operation for each kind, once they are known: how far it has come."""

    @property
    def asked(self) -> str:
        """The query of the operation whose turn it is."""
        kind = self.kinds.current if self.kinds else None
        return self.query if kind is None else by_kind.query_of(self.query, kind)

    @property
    def mark(self) -> UUID:
        """What the operation whose turn it is is recognized by."""
        kind = self.kinds.current if self.kinds else None
        return self.run_id if kind is None else by_kind.mark_of(self.run_id, kind)


@dataclass(frozen=True)
class StoredResult:
    """A file that was put into the artifact store."""

    path: str
    bytes: int
    lines: int
    sha256: str


@dataclass(frozen=True)
class DueExport:
    """A run that can be taken further now."""

    run_id: UUID
    domain: str
    resource: str
    reach: dict[str, Any] | None = None
    """As `Export.reach`."""


@contextmanager
def opened(database: Database) -> Iterator[Connection]:
    """A connection on which each entry is a transaction of its own, so that it outlives this process."""
    with database.connect(Role.PIPELINE, autocommit=True) as book:
        yield book


def open_export(
    book: Connection,
    *,
    shop_id: UUID,
    resource: str,
    query: str,
    dagster_run: str,
    first_run: str = "",
    windows: Sequence[Window] = (),
    sought: str | None = None,
    reach: Mapping[str, Any] | None = None,
    whole_with: str | None = None,
) -> UUID:
    """A new run of that query, or the one that is already under way for what is `sought` (default: the same query).

    Or the one of which `dagster_run`, the `first_run` that it repeats, or nobody loads the result.

    Raises:
        NoExportError: there is no such shop.
    """
    key = hashlib.sha256(f"{shop_id}/{resource}/{sought or query}".encode()).hexdigest()
    found = {"key": key, "shop_id": shop_id, "resource": resource, "dagster_run_id": dagster_run}
    found["first_run_id"] = first_run
    new = {
        "operation_type": export_of(resource),
        "whole_with": whole_with,
        "state": Jsonb(
            {"dagster_run_id": dagster_run, "bulk": {"key": key, "query": query}, **_extent(windows, reach)}
        ),
    }
    with book.transaction():
        book.execute(statement("bulk/release_key"), found)
        row = (
            book.execute(statement("bulk/find_export"), found).fetchone()
            or book.execute(statement("bulk/open_export"), {**found, **new}).fetchone()
        )
    # Another process may have opened it in between.
    row = row or book.execute(statement("bulk/find_export"), found).fetchone()
    if row is None:
        raise NoExportError(f"There is no shop {shop_id}. `neanelu status` lists the shops there are.")
    return UUID(str(row[0]))


def _extent(windows: Sequence[Window], reach: Mapping[str, Any] | None) -> dict[str, Any]:
    """A window shows nothing of the rows outside of it: its load is no snapshot."""
    told = {} if reach is None else {"reach": reach}
    return {**told, "snapshot": False, "windows": [window.as_json() for window in windows]} if windows else told


def read_export(book: Connection, run_id: UUID) -> Export:
    """The run as it was last left.

    Raises:
        NoExportError: there is none.
    """
    with book.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("bulk/read_export"), {"run_id": run_id}).fetchone()
    if row is None or row["bulk"] is None:
        raise NoExportError(f"The run {run_id} is no bulk operation's.")
    bulk: dict[str, Any] = row["bulk"]
    known = {"phase": Phase.NEW, "operation_id": row["operation_id"], **bulk}
    state = _STATE.validate_python({name: value for name, value in known.items() if name not in _NO_STATE})
    if row["status"] == "failed" and state.phase is not Phase.FAILED:
        state = State(phase=Phase.FAILED, reason="ENDED", message=row["error_message"] or "The run was ended.")
    windows = tuple(Window.of_json(ends) for ends in row["windows"] or ())
    kinds = _KINDS.validate_python(bulk.get("kinds"))
    return Export(
        run_id,
        row["shop_id"],
        row["domain"],
        row["resource"],
        bulk["query"],
        state,
        windows,
        row["reach"],
        row["api_version"],
        row["lacks"],
        kinds,
    )


def keep_state(book: Connection, export: Export, stored: StoredResult | None = None) -> None:
    """Write down how far the run has come; with `stored`, the artifact with it, in one transaction.

    Raises:
        NoExportError: the run was ended from outside meanwhile.
    """
    state, kinds = export.state, export.kinds
    known = _STATE.dump_python(state, mode="json", exclude={"operation_id"})
    done = kinds.lines if kinds and state.phase is not Phase.READY else 0
    values = {
        "run_id": export.run_id,
        "status": _STATUS.get(state.phase, "pending"),
        "operation_id": state.operation_id,
        "state": Jsonb({**known, "kinds": _KINDS.dump_python(kinds, mode="json")} if kinds else known),
        "as_of": state.created_at.isoformat() if state.created_at else None,
        "source": _source(state, kinds),
        "records": min(done + state.objects, _LARGEST_INTEGER),
        "bytes": stored.bytes if stored else None,
        "retries": state.fetches,
        "error": state.message,
    }
    with book.transaction():
        if book.execute(statement("bulk/keep_state"), values).fetchone() is None:
            raise NoExportError(f"The run {export.run_id} was ended by something else; it is not taken further.")
        if stored is not None:
            artifact = {
                "run_id": export.run_id,
                "shop_id": export.shop_id,
                "kind": WHOLE if state.phase is Phase.READY else PARTIAL,
                "path": stored.path,
                "bytes": stored.bytes,
                "rows": min(stored.lines, _LARGEST_INTEGER),
                "sha256": stored.sha256,
            }
            book.execute(statement("bulk/add_artifact"), artifact)


def may_tell_of_forgotten(book: Connection, export: Export) -> bool:
    """Whether what was read of customers or orders is from before somebody of the shop was forgotten."""
    row = book.execute(statement("bulk/may_tell_of_forgotten"), {"run_id": export.run_id}).fetchone()
    return row is not None and bool(row[0])


def _source(state: State, kinds: Kinds | None) -> str | None:
    if state.operation_id is None:
        return None
    each = f"s of {len(kinds.names)} types, the last:" if kinds else ""
    return f"bulk operation{each} {state.operation_id}"


@contextmanager
def step(book: Connection, export: Export) -> Iterator[dict[str, Any]]:
    """A row in `bulk_steps` around fetching the result; what is put into the dictionary is kept, `problem` fails it."""
    book.execute(statement("ledger/abandon_steps"), {"run_ids": [export.run_id]})
    opened = {"run_id": export.run_id, "shop_id": export.shop_id, "step": _STEP}
    row = book.execute(statement("ledger/open_step"), opened).fetchone()
    assert row is not None  # noqa: S101 - an INSERT returns its row
    metadata: dict[str, Any] = {}
    closed = {"step_id": row[0], "status": "failed", "error": "The process that ran this step ended before it did."}
    try:
        yield metadata
        problem = metadata.get("problem")
        closed |= {"status": "failed" if problem else "completed", "error": problem}
    except Exception as error:
        closed["error"] = str(error)
        raise
    finally:
        if not book.broken:
            values = {**closed, "records": metadata.get("lines", 0), "metadata": Jsonb(metadata)}
            book.execute(statement("ledger/close_step"), values)


@contextmanager
def locked(database: Database, run_id: UUID) -> Iterator[Connection]:
    """The run's lock, and the connection that holds it: if this process dies, or the connection breaks, it is free.

    Raises:
        ExportBusyError: another process holds it.
    """
    with opened(database) as book:
        key = {"key": f"bulk/{run_id}"}
        row = book.execute(statement("bulk/lock_export"), key).fetchone()
        if row is None or not row[0]:
            raise ExportBusyError(f"Another process is taking the run {run_id} further. Wait for it; it loses nothing.")
        try:
            yield book
        finally:
            # It would fall with the connection, but a moment after that is closed: whoever comes next would not get it.
            with suppress(psycopg.Error):
                book.execute(statement("bulk/unlock_export"), key)


def due_exports(book: Connection, now: datetime, *, most: int = 100) -> list[DueExport]:
    """Runs under way that wait for nothing but somebody to take them further, the longest due first."""
    rows = book.execute(statement("bulk/due_exports"), {"now": now, "most": most}).fetchall()
    return [DueExport(*row[:4]) for row in rows]


def hurry_export(book: Connection, shop_id: UUID, operation_id: str) -> UUID | None:
    """Make the run of that operation due now (a `bulk_operations/finish` webhook came); None if it is nobody's here."""
    values = {"shop_id": shop_id, "operation_id": operation_id}
    row = book.execute(statement("bulk/hurry_export"), values).fetchone()
    return UUID(str(row[0])) if row else None
