"""The record of an act: begun, ended, audited; and the locks under which it is done.

Belongs here: `pipeline.redactions`, the audit's row, the loads' locks. Does not belong here: the acts.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import Connection, IsolationLevel
from psycopg.types.json import Jsonb

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import ledger
from neanelu_pipelines.mirror.reports import LoadRun

_LOCK_WAIT = "60s"


@dataclass
class Outcome:
    """What became of a request."""

    id: UUID
    status: str
    """`completed`: done and proved; `residue`: something is still there, `proof` says where."""
    removed: dict[str, Any] = field(default_factory=dict)
    """Rows by table, and `files`."""
    proof: dict[str, Any] = field(default_factory=dict)
    again: bool = False
    """It had been done before; nothing was done now."""


@dataclass(frozen=True)
class Request:
    """Who asked for what."""

    key: str
    kind: str
    shop_id: UUID
    subject: dict[str, Any]
    subject_hash: str


@contextmanager
def pipeline(database: Database) -> Iterator[Connection]:
    """One transaction that sees every row of every shop.

    Its waits for locks end: who works on events holds some of them, and may wait for a load that waits for us.
    """
    with database.connect(Role.PIPELINE) as connection:
        connection.execute(statement("ledger/lock_timeout"), {"timeout": _LOCK_WAIT})
        yield connection


@contextmanager
def as_of_now(database: Database) -> Iterator[Connection]:
    """One transaction that only reads, and sees every row of every shop as it is at this moment, whatever comes in."""
    with database.connect(Role.PIPELINE) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute(statement("ledger/lock_timeout"), {"timeout": _LOCK_WAIT})
        connection.execute(statement("redaction/as_of_now"))
        yield connection


def domains(connection: Connection, shop_id: UUID) -> list[str]:
    """The names that a shop has and had: its files lie in folders named after each."""
    return [domain for (domain,) in connection.execute(statement("redaction/domains"), {"shop_id": shop_id}).fetchall()]


def begin(database: Database, request: Request) -> Outcome:
    """Write down what is about to be done, or find what was begun."""
    with pipeline(database) as connection:
        values = {
            "request_key": request.key,
            "kind": request.kind,
            "shop_id": request.shop_id,
            "subject": Jsonb(request.subject),
            "subject_hash": request.subject_hash,
        }
        row = connection.execute(statement("redaction/open"), values).fetchone()
    assert row is not None  # noqa: S101 - it returns its row
    return Outcome(row[0], row[1], row[2] or {}, row[3] or {}, again=row[1] == "completed")


def end(connection: Connection, outcome: Outcome, request: Request, *, error: str | None = None) -> None:
    """Write down how it ended, and that it was done, in one transaction; nothing of it is personal."""
    values = {
        "id": outcome.id,
        "status": outcome.status,
        "removed": Jsonb(outcome.removed),
        "proof": Jsonb(outcome.proof),
        "error": error,
    }
    connection.execute(statement("redaction/close"), values)
    if outcome.status == "completed":
        audited = {
            "id": outcome.id,
            "shop_id": None if request.kind == "shop" else request.shop_id,
            "action": "EXPORT" if request.kind == "export" else "REDACT",
            "kind": f"redaction/{request.kind}",
            "values": Jsonb({"removed": outcome.removed, "proof": outcome.proof}),
            "request_id": str(outcome.id),
        }
        connection.execute(statement("redaction/audit"), audited)


@contextmanager
def locked(database: Database, shop_id: UUID, domain: str, resources: Sequence[str]) -> Iterator[None]:
    """Hold the locks of these resources' loads, so that nothing comes in while it is taken out.

    Raises:
        ResourceBusyError: a load did not end in time (transient).
    """
    with ledger.opened(database) as book, ExitStack() as locks:
        for resource in sorted(resources):
            load = LoadRun(shop_id, shop_id, domain, resource, "", 0, "")
            locks.enter_context(ledger.resource_lock(book, load))
        yield
