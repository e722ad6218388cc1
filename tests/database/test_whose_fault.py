"""Whose fault an error of the database is, and what is said of it."""

import psycopg
import pytest
from psycopg import errors

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.faults import passes, words_of
from neanelu_pipelines.errors import NeaneluError


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("the connection is lost"),
        psycopg.InterfaceError("the connection is closed"),
        errors.ConnectionFailure(),
        errors.AdminShutdown(),
        errors.CannotConnectNow(),
        errors.DiskFull(),
        errors.TooManyConnections(),
        errors.DeadlockDetected(),
        errors.LockNotAvailable(),
    ],
)
def test_what_the_server_or_the_connection_does_passes(error: psycopg.Error) -> None:
    assert passes(error)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.DataError("PostgreSQL text fields cannot contain NUL"),
        errors.ProgramLimitExceeded(),
        errors.StatementTooComplex(),
        errors.QueryCanceled(),
        errors.UniqueViolation(),
        errors.UndefinedColumn(),
    ],
)
def test_what_was_sent_stays_as_it_is(error: psycopg.Error) -> None:
    assert not passes(error)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("INSERT INTO people VALUES ('ana@example.ro'), ('ana@example.ro')", "UniqueViolation: duplicate key value"),
        ("SELECT 'ana@example.ro'::int", "InvalidTextRepresentation: PostgreSQL refuses a value"),
    ],
)
def test_what_was_to_be_stored_is_not_quoted(empty_database: Database, query: str, said: str) -> None:
    with empty_database.connect(Role.ADMIN) as connection:
        connection.execute("CREATE TABLE people (email text PRIMARY KEY)")
        with pytest.raises(psycopg.Error) as fault:
            connection.execute(query)

    assert words_of(fault.value).startswith(said)
    assert "ana@" not in words_of(fault.value)
    assert words_of(NeaneluError("A shop is not there.")) == "A shop is not there."
