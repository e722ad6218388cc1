"""Whose fault an error of the database is.

Belongs here: telling the server's and the connection's faults, which pass, from those of what was sent. Does not belong
here: what is done about either.
"""

import psycopg

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
