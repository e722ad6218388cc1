"""The floor: the bytes of the file in one unlogged text column, unparsed. Nothing that loads them can be faster.

Belongs here: that contender. Does not belong here: measuring it (`measure`).
"""

import time
from pathlib import Path

from benchmarks.contender import Contender, Result, Shop
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement

_CHUNK = 1024 * 1024


def run(database: Database, shop: Shop, path: Path) -> Result:  # noqa: ARG001 - every contender is given the shop
    """COPY the file, whatever it holds, into a new table."""
    started = time.perf_counter()
    with database.connect(Role.ADMIN) as connection, connection.cursor() as cursor:
        cursor.execute(statement("benchmarks/drop_floor"))
        cursor.execute(statement("benchmarks/create_floor"))
        with path.open("rb") as stream, cursor.copy(statement("benchmarks/copy_floor")) as copy:
            while chunk := stream.read(_CHUNK):
                copy.write(chunk)
        rows = cursor.rowcount
        connection.commit()
    return Result(time.perf_counter() - started, path.stat().st_size, rows)


def prepare(database: Database) -> None:
    """Make the schema for the table."""
    with database.connect(Role.ADMIN) as connection:
        connection.execute(statement("benchmarks/create_schema"))


FLOOR = Contender("floor", "the bytes COPYed into one unlogged text column, unparsed", run, prepare)
