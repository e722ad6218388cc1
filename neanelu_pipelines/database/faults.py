"""Whose fault an error of the database is, and what of an error can be kept and shown.

Belongs here: telling the server's and the connection's faults, which pass, from those of what was sent; and words
without values. Does not belong here: what is done about either.
"""

from traceback import extract_tb

import psycopg

from neanelu_pipelines.errors import NeaneluError

_SERVERS = ("08", "40", "53", "57P0", "55P03", "58")
"""SQLSTATEs, or how they begin: the connection, other transactions, the server's means, its end, a lock, its disk."""


def passes(error: psycopg.Error) -> bool:
    """Whether the same may succeed at another time, because the connection or the server was to blame.

    psycopg counts many more among its operational errors: a value too large for an index, a canceled statement.
    """
    if error.sqlstate is None:
        # Said by the client: the connection broke, or was never had; but a value it cannot send is another class.
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return error.sqlstate.startswith(_SERVERS)


def words_of(error: BaseException) -> str:
    """What to tell a person: our own errors speak for themselves, others are named too.

    Of PostgreSQL's neither DETAIL nor CONTEXT, nor which value it refuses (class 22): they quote what was to be stored.
    """
    if isinstance(error, NeaneluError):
        return str(error)
    said = str(error)
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        refuses_a_value = (error.sqlstate or "").startswith("22")
        said = "PostgreSQL refuses a value; its own log says more" if refuses_a_value else error.diag.message_primary
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def without_values(error: Exception) -> str:
    """Why, without a value: what PostgreSQL or a bug says may be somebody's address."""
    if isinstance(error, NeaneluError):
        return str(error)
    if isinstance(error, psycopg.Error):
        return f"PostgreSQL: {type(error).__name__} ({error.sqlstate or 'connection'}). Its own log says more."
    where = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {where.name}, {where.filename}:{where.lineno}."
