"""A server of a test's own home, and rows by which it is seen that nothing was lost.

Belongs here: what tests of the embedded server share. Does not belong here: what is expected.
"""

from pathlib import Path

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.embedded import EmbeddedServer


def server_of(home: Path) -> EmbeddedServer:
    return EmbeddedServer(home, 0)


def write_rows(database: Database, rows: int) -> None:
    with database.connect(Role.ADMIN) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, %s)", [rows])


def rows_of(database: Database) -> int:
    with database.connect(Role.ADMIN) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row
    return int(row[0])
