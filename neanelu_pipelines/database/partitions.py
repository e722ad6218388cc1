"""Partitions by month and day: making them exist for a range, seeing that none was missing, dropping old ones.

Belongs here: the calls of the database functions that do it (sql/migrations). Does not belong here: when that happens
(schedules, loaders), and how long things are kept.
"""

from datetime import datetime

import psycopg
from psycopg import errors

from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError


class PartitionError(NeaneluError):
    """A table that is not partitioned by time, or a range that no partitions can be made for."""


def ensure_partitions(connection: psycopg.Connection, table: str, start: datetime, end: datetime) -> list[str]:
    """Make a partition of `table` exist for every instant from `start` to `end`; the names of those that are new.

    Rows of the range that wait in the DEFAULT partition move into theirs. The DEFAULT partition stays locked until the
    transaction ends: call it in one of its own, before loading. Needs the pipeline role.

    Raises:
        PartitionError: `table` has no partitions by time, a time has no zone, or the range is backward or absurd.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise PartitionError(f"Partitions of {table}: {start} to {end} needs time zones")
    parameters = {"table": f"public.{table}", "start": start, "end": end}
    try:
        with connection.transaction():
            rows = connection.execute(statement("database/ensure_partitions"), parameters).fetchall()
    except (errors.InvalidParameterValue, errors.UndefinedTable) as error:
        raise PartitionError(f"Partitions of {table}: {error.diag.message_primary}") from error
    return [name for (name,) in rows]


def drop_partitions(connection: psycopg.Connection, table: str, before: datetime) -> list[str]:
    """Drop the partitions of `table` whose whole time lies before an instant; their names. Needs the pipeline role.

    Of webhook_events those that hold rows stay.

    Raises:
        PartitionError: nothing of this table may be dropped.
        psycopg.errors.LockNotAvailable: a long query holds one of them.
    """
    parameters = {"table": f"public.{table}", "before": before}
    try:
        with connection.transaction():
            rows = connection.execute(statement("database/drop_partitions"), parameters).fetchall()
    except (errors.InvalidParameterValue, errors.UndefinedTable) as error:
        raise PartitionError(f"Partitions of {table}: {error.diag.message_primary}") from error
    return [name for (name,) in rows]


def default_partition_rows(connection: psycopg.Connection) -> dict[str, int]:
    """How many rows of each partitioned table found no partition of their own. All should be 0."""
    return dict(connection.execute(statement("database/default_partition_rows")).fetchall())
