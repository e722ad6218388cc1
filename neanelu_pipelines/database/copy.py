"""COPY in both directions, without holding up whoever makes the rows.

Belongs here: streaming rows into tables from a thread of its own; streaming narrow rows out. Does not belong here: how
rows lie on the wire (`wire`), and making them.
"""

import queue
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.database.wire import HEADER, TRAILER

_WAITING_BLOCKS = 2
_STATISTICS = "1"
"""What a load has just copied is one run's, and whether a key is unique shows in 300 rows."""


def table_identifier(name: str) -> sql.Identifier:
    """`pipeline.staging_media` or `staging_products` as an identifier."""
    return sql.Identifier(*name.split("."))


def column_list(columns: Sequence[str]) -> sql.Composed:
    """Column names, quoted, separated by commas."""
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


class TableCopy:
    """A COPY into one table on a connection and a thread of its own: parsing overlaps with PostgreSQL's work.

    Everything written, as `wire.binary_rows` makes it, is committed together on leaving the context without an error,
    and nothing otherwise.
    """

    def __init__(
        self,
        database: Database,
        table: str,
        columns: Sequence[str],
        analyzed: Sequence[str] = (),
        *,
        sure: bool = False,
    ) -> None:
        """A copy of rows of these `columns`; the `analyzed` columns get statistics in the same thread.

        Where rows are `sure` to come the connection is opened before the first of them, and else with them.
        """
        self.table = table
        self.rows = 0
        self._sure = sure
        self._copy = statement("database/copy_in").format(table=table_identifier(table), columns=column_list(columns))
        self._analyze = (
            statement("database/analyze").format(table=table_identifier(table), columns=column_list(analyzed))
            if analyzed
            else None
        )
        self._database = database
        self._chunks: queue.Queue[bytes | None] = queue.Queue(maxsize=_WAITING_BLOCKS)
        self._error: BaseException | None = None
        self._abandoned = False
        self._ended = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"copy {table}", daemon=True)

    def write(self, data: bytes, rows: int) -> None:
        """Queue the bytes of `rows` rows; waits while too much is queued already.

        Raises:
            psycopg.Error: what PostgreSQL said to rows written earlier.
        """
        if self._error is not None:
            raise self._error
        self.rows += rows
        self._chunks.put(data)

    def end(self) -> None:
        """Say that nothing more will be written; what is left is written and committed meanwhile."""
        if not self._closed:
            self._closed = True
            self._chunks.put(None)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Commit, or give up if the block failed; raises what PostgreSQL said."""
        self._abandoned = self._abandoned or kind is not None
        self.end()
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def _run(self) -> None:
        try:
            first = b"" if self._sure else self._next()
            if first is None:
                return
            with self._database.connect(Role.PIPELINE) as connection, connection.cursor() as cursor:
                with cursor.copy(self._copy) as copy:
                    chunk: bytes | None = HEADER + first
                    while chunk is not None:
                        copy.write(chunk)
                        chunk = self._next()
                    copy.write(TRAILER)
                if self._abandoned:
                    connection.rollback()
                elif self._analyze:
                    connection.execute(statement("database/look_briefly"), {"target": _STATISTICS})
                    connection.execute(self._analyze)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that writes
            self._error = error
            # Whoever writes must never wait for a reader that is gone; the end may have been read before the error.
            while not self._ended:
                self._next()

    def _next(self) -> bytes | None:
        chunk = self._chunks.get()
        self._ended = chunk is None
        return chunk


@contextmanager
def table_copies(
    database: Database, tables: Mapping[str, Sequence[str]], analyzed: Mapping[str, Sequence[str]], *, sure: bool
) -> Iterator[dict[str, TableCopy]]:
    """One `TableCopy` per table, side by side, each committed by itself; `analyzed` are columns by table.

    In those that are analyzed rows are `sure` to come, or not.
    """
    with ExitStack() as stack:
        copies = {
            table: stack.enter_context(
                TableCopy(database, table, columns, analyzed.get(table, ()), sure=sure and table in analyzed)
            )
            for table, columns in tables.items()
        }
        yield copies
        for copy in copies.values():
            copy.end()


def integer_rows(
    connection: Connection, query: sql.Composable, parameters: Mapping[str, object], *, batch_rows: int = 65_536
) -> Generator[NDArray[np.int64]]:
    """The rows of a query of two columns (bigint, integer), in batches of shape (n, 2), by binary COPY.

    Memory stays at one batch however many rows there are, which a client-side cursor would not give.
    """
    row = np.dtype([("fields", ">i2"), ("l1", ">i4"), ("a", ">i8"), ("l2", ">i4"), ("b", ">i4")])
    copy_out = statement("database/copy_out").format(query=query)
    with connection.cursor() as cursor, cursor.copy(copy_out, parameters) as copy:
        pending: list[bytes] = []
        for data in copy:
            pending.append(bytes(data))
            if len(pending) >= batch_rows:
                yield _rows_of(b"".join(pending), row)
                pending = [HEADER]
        if pending:
            yield _rows_of(b"".join(pending), row)


def _rows_of(data: bytes, row: np.dtype[np.void]) -> NDArray[np.int64]:
    body = data[len(HEADER) :]
    rows = np.frombuffer(body, dtype=row, count=len(body) // row.itemsize)
    return np.stack((rows["a"], rows["b"]), axis=1).astype(np.int64)
