"""The runner of the schema's migrations: which have run, which are missing, applying them in order.

Belongs here: files of sql/migrations, `migration_history`, and refusing what cannot end well (a server without what
the schema needs, a migration that was edited or comes too late, a database of a newer version). Does not belong here:
the schema itself.

Each migration runs in one transaction as the admin login and says itself which role it becomes. A failed one leaves
nothing behind but its row in `migration_history`, and is tried again next time.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.server import EXTENSIONS, refuse_unusable
from neanelu_pipelines.database.statements import sql_root, statement
from neanelu_pipelines.errors import NeaneluError


class MigrationError(NeaneluError):
    """The schema cannot be brought up to date; the message says why and what to do."""


class EditedMigrationError(MigrationError):
    """A migration was changed after it had been applied."""


class LateMigrationError(MigrationError):
    """A migration has a number below one that is applied: it would run after what was written to follow it."""


class NewerDatabaseError(MigrationError):
    """A newer version of Neanelu Pipelines has migrated this database."""


class FailedMigrationError(MigrationError):
    """A migration was refused by the server."""


class InterruptedMigrationError(MigrationError):
    """The connection was lost in the middle of a migration; the server has undone it."""

    transient = True


@dataclass(frozen=True)
class Pending:
    """A migration that this database lacks."""

    name: str
    failure: str | None = None
    """Why it failed when it was tried before."""

    @property
    def failed(self) -> bool:
        """Whether it was tried before and failed."""
        return self.failure is not None


@dataclass(frozen=True)
class Applied:
    """A migration that has just been applied, and how long it took in milliseconds."""

    name: str
    milliseconds: int


@dataclass(frozen=True)
class _Migration:
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class _Entry:
    checksum: str
    success: bool
    failure: str | None


def pending(database: Database) -> list[Pending]:
    """The migrations that `migrate` would apply, in order. Changes nothing.

    Raises:
        MigrationError: `migrate` would refuse this database.
        UnusableServerError: `migrate` would refuse this server.
    """
    with _connection(database) as connection:
        history = _history(connection)
        missing = _missing(history)
        return [Pending(one.name, history[one.name].failure if one.name in history else None) for one in missing]


def migrate(database: Database, say: Callable[[str], None] = lambda _: None) -> list[Applied]:
    """Apply the migrations that are missing, in order; none if there is nothing to do.

    One runner works at a time; another one waits for it, which it says, and then finds nothing to do.

    Raises:
        MigrationError: the database is refused, or a migration failed.
        UnusableServerError: the server is too old or lacks an extension.
    """
    with _connection(database) as connection:
        _lock(connection, say)
        if not _has_history(connection):
            connection.execute(statement("database/create_migration_history"))
        return [_apply(connection, migration) for migration in _missing(_history(connection))]


@contextmanager
def _connection(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect(Role.ADMIN, autocommit=True) as connection:
        facts = connection.execute(statement("database/server_facts"), {"extensions": list(EXTENSIONS)}).fetchone()
        if facts:
            refuse_unusable(f"{connection.info.host}:{connection.info.port}", *facts)
        yield connection


def _lock(connection: psycopg.Connection, say: Callable[[str], None]) -> None:
    if connection.execute(statement("database/lock_migrations_now")).fetchone() == (True,):
        return
    holder = connection.execute(statement("database/who_migrates")).fetchone()
    if holder:  # None if it has just ended.
        say("Waiting for another migrate of this database (server process {}, since {} UTC)".format(*holder))
    connection.execute(statement("database/lock_migrations"))


def _has_history(connection: psycopg.Connection) -> bool:
    row = connection.execute(statement("database/has_migration_history")).fetchone()
    return row == (True,)


def _history(connection: psycopg.Connection) -> dict[str, _Entry]:
    if not _has_history(connection):
        return {}
    rows = connection.execute(statement("database/read_migration_history")).fetchall()
    return {name: _Entry(checksum, success, failure) for name, checksum, success, failure in rows}


def _migrations() -> list[_Migration]:
    # read_text makes line ends plain, so that a checkout on another system has the same checksum
    files = sorted((sql_root() / "migrations").glob("[0-9]*.sql"))
    return [_Migration(file.name, file.read_text(encoding="utf-8")) for file in files]


def _missing(history: dict[str, _Entry]) -> list[_Migration]:
    migrations = _migrations()
    applied = {name: entry for name, entry in history.items() if entry.success}
    _refuse_newer(applied, migrations)
    _refuse_edited(applied, migrations)
    _refuse_late(applied, migrations)
    return [migration for migration in migrations if migration.name not in applied]


def _refuse_newer(applied: dict[str, _Entry], migrations: list[_Migration]) -> None:
    unknown = sorted(applied.keys() - {migration.name for migration in migrations})
    if unknown:
        raise NewerDatabaseError(
            f"This database was made by a newer version of Neanelu Pipelines: it has {', '.join(unknown)}, which this "
            "version does not know. Install that version, or use another database; nothing was changed."
        )


def _refuse_edited(applied: dict[str, _Entry], migrations: list[_Migration]) -> None:
    edited = [
        migration.name
        for migration in migrations
        if migration.name in applied and applied[migration.name].checksum != migration.checksum
    ]
    if edited:
        raise EditedMigrationError(
            f"{', '.join(edited)} changed after being applied to this database. Restore the file as it was, and "
            "write the change as a new migration; nothing was changed."
        )


def _refuse_late(applied: dict[str, _Entry], migrations: list[_Migration]) -> None:
    newest = max(applied, default="")
    late = [item.name for item in migrations if item.name < newest and item.name not in applied]
    if late:
        raise LateMigrationError(
            f"{', '.join(late)} would run after {newest}, the newest that is applied to this database, though numbered "
            "below it: a new database would get them in another order. Give it a number above "
            f"{newest.partition('_')[0]}; nothing was changed."
        )


def _apply(connection: psycopg.Connection, migration: _Migration) -> Applied:
    begun = time.perf_counter()

    def record(error: str | None) -> int:
        milliseconds = round((time.perf_counter() - begun) * 1000)
        entry = {
            "name": migration.name,
            "checksum": migration.checksum,
            "milliseconds": milliseconds,
            "success": error is None,
            "error": error,
        }
        connection.execute(statement("database/record_migration"), entry)
        return milliseconds

    running = _Statement(1, "")
    try:
        with connection.transaction():
            connection.execute("SET LOCAL search_path TO public, pg_temp")
            for running in _statements(migration.text):
                connection.execute(running.text.encode())
                _refuse_its_own_end(connection, migration.name, running)
            connection.execute("RESET ROLE")
            return Applied(migration.name, record(None))
    except FailedMigrationError as error:
        connection.execute("RESET ROLE")
        record(str(error))
        raise
    except psycopg.Error as error:
        if connection.broken:
            raise InterruptedMigrationError(
                f"The connection was lost in {migration.name}, which the server has undone: migrate again. ({error})"
            ) from error
        reason = _reason(error.diag, running)
        connection.execute("RESET ROLE")
        record(reason)
        raise FailedMigrationError(
            f"{migration.name}, {reason}\nNothing of it is kept; the migrations before it are. "
            "Remove the cause and migrate again."
        ) from error


def _refuse_its_own_end(connection: psycopg.Connection, name: str, running: "_Statement") -> None:
    if connection.info.transaction_status != TransactionStatus.INTRANS:
        raise FailedMigrationError(
            f"{name}, line {running.line}: the script ends its transaction itself (COMMIT, ROLLBACK), which is the "
            "runner's to do. What stands before that line may have been kept: look, take that line out, migrate again."
        )


def _reason(diag: errors.Diagnostic, running: "_Statement") -> str:
    """Where and why: the server's position within the statement if it gives one, else the statement's first line."""
    line = running.line
    if diag.statement_position:
        line += running.text.count("\n", 0, int(diag.statement_position) - 1)
    said = (diag.message_primary, diag.message_detail, diag.message_hint)
    return " ".join([f"line {line}:", *(text for text in said if text)])


@dataclass(frozen=True)
class _Statement:
    line: int
    text: str


_SPACE = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_TOKENS = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$|;", re.DOTALL)


def _statements(script: str) -> Iterator[_Statement]:
    """The statements of a script, each from its first word and with the line where that stands.

    One at a time, because the server says where only some errors are.
    """
    start = 0
    ends = [token.end() for token in _TOKENS.finditer(script) if token[0] == ";"]
    for end in [*ends, len(script)]:
        space = _SPACE.match(script, start, end)
        start = space.end() if space else start
        if start < end:
            yield _Statement(script.count("\n", 0, start) + 1, script[start:end])
        start = end
