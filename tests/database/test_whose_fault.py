"""Whose fault an error of the database is."""

import psycopg
import pytest
from psycopg import errors

from neanelu_pipelines.database.faults import passes


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
