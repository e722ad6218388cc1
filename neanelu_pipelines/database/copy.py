"""COPY in both directions, without holding up whoever makes the rows.

Belongs here: streaming bytes into tables from a thread of its own, in the two forms that PostgreSQL takes; streaming
narrow rows out. Does not belong here: making the rows.
"""

import io
import queue
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from psycopg import Connection, sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement

_WAITING_BLOCKS = 2
# https://www.postgresql.org/docs/18/sql-copy.html, "Binary Format": a signature, no flags, no extension.
_BINARY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_BINARY_TRAILER = b"\xff\xff"


def table_identifier(name: str) -> sql.Identifier:
    """`pipeline.staging_media` or `staging_products` as an identifier."""
    return sql.Identifier(*name.split("."))


def csv_bytes(rows: pl.DataFrame) -> bytes:
    """A frame as `CsvCopy` takes it: no header, null as nothing, the empty text as `""`."""
    buffer = io.BytesIO()
    rows.write_csv(buffer, include_header=False)
    return buffer.getvalue()


def binary_bytes(rows: pl.DataFrame) -> bytes:
    """A frame as `BinaryCopy` takes it: bytes as they are (a uuid's sixteen), text, bigint; nothing may be null.

    PostgreSQL takes narrow rows in half the time that it needs for CSV's, whose numbers and uuids it has to read.
    """
    if any(column.null_count() for column in rows.get_columns()):
        raise ValueError("narrow rows hold a null")
    if not len(rows):
        return b""
    pieces = [_fixed(np.full(len(rows), len(rows.columns), dtype=">i2"))]
    for column in rows.get_columns():
        if column.dtype == pl.Int64:
            pieces += [_fixed(np.full(len(rows), 8, dtype=">i4")), _fixed(column.to_numpy().astype(">i8"))]
        else:
            values = column.cast(pl.Binary)
            pieces += [_fixed(values.bin.size().to_numpy().astype(">i4")), values.to_arrow().cast(pa.binary())]
    data: bytes = pc.binary_join_element_wise(*pieces, b"").buffers()[2].to_pybytes()
    return data


def _fixed(values: NDArray[Any]) -> pa.BinaryArray:
    """The bytes of each value, as they stand."""
    ends = np.arange(len(values) + 1, dtype=np.int32) * values.dtype.itemsize
    buffers = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(values.tobytes())]
    return pa.BinaryArray.from_buffers(pa.binary(), len(values), buffers)


def column_list(columns: Sequence[str]) -> sql.Composed:
    """Column names, quoted, separated by commas."""
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


class TableCopy:
    """A COPY into one table on a connection and a thread of its own: parsing overlaps with PostgreSQL's work.

    Everything written is committed together on leaving the context without an error, and nothing otherwise.
    """

    query: str
    header = b""
    trailer = b""

    def __init__(self, database: Database, table: str, columns: Sequence[str], analyzed: Sequence[str] = ()) -> None:
        """A copy of rows of these `columns`; the `analyzed` columns get statistics in the same thread."""
        self.table = table
        self.rows = 0
        self._copy = statement(self.query).format(table=table_identifier(table), columns=column_list(columns))
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
        """Start the thread; the connection is opened with the first rows."""
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
            first = self._next()
            if first is None:
                return
            with self._database.connect(Role.PIPELINE) as connection, connection.cursor() as cursor:
                with cursor.copy(self._copy) as copy:
                    chunk: bytes | None = self.header + first
                    while chunk is not None:
                        copy.write(chunk)
                        chunk = self._next()
                    copy.write(self.trailer)
                if self._abandoned:
                    connection.rollback()
                elif self._analyze:
                    connection.execute(statement("database/look_briefly"))
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


class CsvCopy(TableCopy):
    """Takes what `csv_bytes` makes: for rows of any type, and of text for the most part."""

    query = "database/copy_csv_in"


class BinaryCopy(TableCopy):
    """Takes what `binary_bytes` makes: for narrow rows."""

    query = "database/copy_binary_in"
    header = _BINARY_HEADER
    trailer = _BINARY_TRAILER


@contextmanager
def csv_copies(
    database: Database, tables: Mapping[str, Sequence[str]], analyzed: Mapping[str, Sequence[str]] | None = None
) -> Iterator[dict[str, CsvCopy]]:
    """One `CsvCopy` per table, side by side, each committed by itself; `analyzed` are columns by table."""
    with ExitStack() as stack:
        copies = {
            table: stack.enter_context(CsvCopy(database, table, columns, (analyzed or {}).get(table, ())))
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
    copy_out = statement("database/copy_binary_out").format(query=query)
    with connection.cursor() as cursor, cursor.copy(copy_out, parameters) as copy:
        pending: list[bytes] = []
        for data in copy:
            pending.append(bytes(data))
            if len(pending) >= batch_rows:
                yield _rows_of(b"".join(pending), row)
                pending = [_BINARY_HEADER]
        if pending:
            yield _rows_of(b"".join(pending), row)


def _rows_of(data: bytes, row: np.dtype[np.void]) -> NDArray[np.int64]:
    body = data[len(_BINARY_HEADER) :]
    rows = np.frombuffer(body, dtype=row, count=len(body) // row.itemsize)
    return np.stack((rows["a"], rows["b"]), axis=1).astype(np.int64)
