"""Connections by role, and the tenant context.

Belongs here: who a connection is (admin, pipeline, tenant) and whose rows it may see. Does not belong here: where
the server comes from (`embedded`), what is said on the connection.
"""

import enum
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeAlias
from uuid import UUID

import psycopg
from psycopg import conninfo

from neanelu_pipelines.database.statements import statement


class Role(enum.StrEnum):
    """The three ways into the database (spec: architecture, "The database")."""

    ADMIN = "admin"
    PIPELINE = "pipeline"
    TENANT = "tenant"


Transaction: TypeAlias = Callable[[], AbstractContextManager[psycopg.Connection]]
"""Opens a transaction, and commits it at the end; from any thread, several at once."""


@dataclass(frozen=True)
class Database:
    """A database and how each role logs in to it.

    `urls` holds one connection string per role. On an external server it carries `options=-c role=neanelu_…`, so that
    every session starts as that role. That is a boundary only where the role has a login of its own: any other login
    can undo it (SET ROLE NONE).
    """

    urls: dict[Role, str]

    @classmethod
    def from_login(cls, url: str, own: Mapping[Role, str] | None = None) -> "Database":
        """A database reached by a login that may become each role, and by the roles' `own` logins where given."""
        logins = {Role.PIPELINE: url, Role.TENANT: url, **(own or {})}
        return cls({Role.ADMIN: url} | {role: _as_role(login, group_role(role)) for role, login in logins.items()})

    def __repr__(self) -> str:
        """Without the connection strings: they hold passwords."""
        return "Database(…)"

    def connect(self, role: Role, *, autocommit: bool = False) -> psycopg.Connection:
        """A new connection as `role`. The caller closes it (it is a context manager).

        Raises:
            psycopg.OperationalError: the server cannot be reached or refuses the login.
        """
        return psycopg.connect(self.urls[role], autocommit=autocommit, application_name=f"neanelu {role}")

    @contextmanager
    def transactions(self, role: Role) -> Iterator[Transaction]:
        """What opens transactions as `role`, on connections that are used again.

        A new connection first reads its tables, indexes, policies and dictionaries from the catalogues, and plans the
        checks of foreign keys: for one of many small transactions that is not little. There are as many connections as
        transactions at once. One whose transaction failed is not used again; all are closed on leaving the context.
        """
        idle: SimpleQueue[psycopg.Connection] = SimpleQueue()
        with ExitStack() as opened:

            @contextmanager
            def begin() -> Iterator[psycopg.Connection]:
                try:
                    connection = idle.get_nowait()
                except Empty:
                    connection = opened.enter_context(self.connect(role))
                with connection.transaction():
                    yield connection
                idle.put(connection)

            yield begin

    @contextmanager
    def tenant(self, shop_id: UUID, *, trace_id: str | None = None) -> Iterator[psycopg.Connection]:
        """One transaction as the tenant role, with the context of one shop; commits at the end.

        Row-level security lets it see and write that shop's rows and no others, whatever the statements say.
        """
        with self.connect(Role.TENANT) as connection:
            set_tenant(connection, shop_id, trace_id=trace_id)
            yield connection


def group_role(role: Role) -> str:
    """What the server calls a role that every installation has (pipeline, tenant)."""
    return f"neanelu_{role}"


def set_tenant(connection: psycopg.Connection, shop_id: UUID | None, *, trace_id: str | None = None) -> None:
    """Set the shop (and the trace id for the audit) for the rest of the current transaction."""
    connection.execute(
        statement("database/set_tenant"),
        {"shop_id": str(shop_id) if shop_id else "", "trace_id": trace_id or ""},
    )


def _as_role(url: str, role: str) -> str:
    options = conninfo.conninfo_to_dict(url).get("options")
    return conninfo.make_conninfo(url, options=f"{options} -c role={role}" if options else f"-c role={role}")
