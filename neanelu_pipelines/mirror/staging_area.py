"""The staging tables as a place: emptied before and after a load, counted, analyzed.

Belongs here: what is done to the tables whatever stands in them. Does not belong here: filling and judging them.
"""

from contextlib import suppress

import psycopg
from psycopg import Connection, sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.copy import column_list, table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.reports import LoadRun, StageReport, StagingCheck, TableCounts

LINES = "pipeline.staging_lines"
_MANY_ROWS = 1000
_STATISTICS = "10"
"""3,000 rows: these stay, and many shops stand in one table."""
_SMALL_BYTES = 4 * 1024 * 1024


def clear(book: Connection, resource: Resource, load: LoadRun) -> None:
    """Remove the rows of this load and of loads that are over; by TRUNCATE where no other load uses the table.

    A small table's rows are deleted: TRUNCATE makes new files for it and all of its indexes, and waits for the disk.
    What deleted rows leave behind is taken away with the next TRUNCATE, when it has become much.
    """
    for table in (*resource.staging_tables, LINES):
        staging = table_identifier(table)
        query = statement("mirror/size_of_staging").format(staging=staging, name=sql.Literal(table))
        empty, bytes_on_disk = book.execute(query).fetchone() or (True, 0)
        if empty:
            continue
        if bytes_on_disk < _SMALL_BYTES or not _truncated(book, staging, load):
            book.execute(statement("mirror/clear_staging").format(staging=staging), {"run_id": load.run_id})


def _truncated(book: Connection, staging: sql.Identifier, load: LoadRun) -> bool:
    try:
        with book.transaction():
            book.execute(statement("mirror/lock_staging").format(staging=staging))
            query = statement("mirror/staging_is_ours").format(staging=staging)
            ours = book.execute(query, {"run_id": load.run_id}).fetchone() == (True,)
            if ours:
                book.execute(statement("mirror/truncate_staging").format(staging=staging))
    except psycopg.errors.LockNotAvailable:
        return False
    return ours


def analyze_mirror(database: Database, resource: Resource, counts: dict[str, TableCounts]) -> None:
    """Refresh the statistics of the mirror tables that many rows came into: a shop just loaded is in none yet.

    Whoever is at work on a table for longer is not waited for: as a rule it is autovacuum, which makes them itself, and
    which would be cancelled by waiting for a second.
    """
    joined_by = {table: by for table, by in _joined_by(resource).items() if counts[table].inserted >= _MANY_ROWS}
    if not joined_by:
        return
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        for table, by in joined_by.items():
            query = statement("database/analyze").format(table=table_identifier(table), columns=column_list(by))
            with suppress(psycopg.errors.LockNotAvailable), connection.transaction():
                connection.execute(statement("database/wait_briefly"))
                connection.execute(statement("database/look_briefly"), {"target": _STATISTICS})
                connection.execute(query)


def _joined_by(resource: Resource) -> dict[str, tuple[str, ...]]:
    """By mirror table, the columns that its rows are found by."""
    columns: dict[str, tuple[str, ...]] = {}
    for entity in resource.entities:
        columns[entity.table] = ("shop_id", "shopify_gid")
        columns |= {link.table: ("shop_id", link.parent_column, link.child_column) for link in entity.links}
    return columns


def plan_for(connection: Connection, rows: int) -> None:
    """Tell the planner, for this transaction, whether it is about to join many rows or a few."""
    connection.execute(statement("database/plan_for_bulk"), {"nestloop": "off" if rows >= _MANY_ROWS else "on"})


def is_complete(book: Connection, report: StageReport, load: LoadRun) -> StagingCheck:
    """Whether the rows that were staged are still there: unlogged tables are empty after a crash of the server."""
    found: dict[str, int] = {}
    for table in report.tables:
        query = statement("mirror/count_staged").format(staging=table_identifier(table))
        row = book.execute(query, {"run_id": load.run_id}).fetchone()
        found[table] = row[0] if row else 0
    missing = {table: count - found[table] for table, count in report.tables.items() if found[table] != count}
    words = f"All {sum(found.values()):,} staged rows are there."
    if missing:
        words = (
            f"Staged rows are missing ({', '.join(f'{table}: {count:,}' for table, count in missing.items())}): "
            "the server was restarted after a crash, which empties unlogged tables. The merge stages them again."
        )
    return StagingCheck("staging_complete", not missing, words, {"staged_rows": sum(found.values())})
