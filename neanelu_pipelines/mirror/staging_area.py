"""The staging tables as a place: emptied before and after a load, counted, analyzed.

Belongs here: what is done to the tables whatever stands in them. Does not belong here: filling and judging them.
"""

import psycopg
from psycopg import Connection

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.copy import column_list, table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.declarations import CHILDREN_STAGING, LINKS_STAGING, Resource
from neanelu_pipelines.mirror.reports import LoadRun, StageReport, StagingCheck

LINES = "pipeline.staging_lines"
_MANY_ROWS = 1000
_JOIN_COLUMNS = {
    CHILDREN_STAGING: ("bulk_run_id", "parent_gid"),
    LINKS_STAGING: ("bulk_run_id", "parent_gid", "child_gid"),
}


def clear(database: Database, resource: Resource, load: LoadRun) -> None:
    """Remove the rows of a load and its errors' drafts; by TRUNCATE where no other load uses the table."""
    for table in (*resource.staging_tables, LINES):
        staging = table_identifier(table)
        with database.connect(Role.PIPELINE) as connection:
            try:
                connection.execute(statement("mirror/lock_staging").format(staging=staging))
                query = statement("mirror/staging_is_ours").format(staging=staging)
                ours = connection.execute(query, {"run_id": load.run_id}).fetchone() == (True,)
            except psycopg.errors.LockNotAvailable:
                connection.rollback()
                ours = False
            name = "mirror/truncate_staging" if ours else "mirror/clear_staging"
            connection.execute(statement(name).format(staging=staging), None if ours else {"run_id": load.run_id})


def analyze(connection: Connection, resource: Resource) -> None:
    """Statistics for the columns that the verdicts and the merge join on."""
    for table in resource.staging_tables:
        columns = _JOIN_COLUMNS.get(table, ("bulk_run_id", "shopify_gid"))
        query = statement("mirror/analyze_staging").format(
            staging=table_identifier(table), columns=column_list(columns)
        )
        connection.execute(query)


def plan_for(connection: Connection, rows: int) -> None:
    """Tell the planner, for this transaction, whether it is about to join many rows or a few."""
    connection.execute(statement("database/plan_for_bulk"), {"nestloop": "off" if rows >= _MANY_ROWS else "on"})


def is_complete(database: Database, report: StageReport, load: LoadRun) -> StagingCheck:
    """Whether the rows that were staged are still there: unlogged tables are empty after a crash of the server."""
    found: dict[str, int] = {}
    with database.connect(Role.PIPELINE) as connection:
        for table in report.tables:
            query = statement("mirror/count_staged").format(staging=table_identifier(table))
            row = connection.execute(query, {"run_id": load.run_id}).fetchone()
            found[table] = row[0] if row else 0
    missing = {table: count - found[table] for table, count in report.tables.items() if found[table] != count}
    words = f"All {sum(found.values()):,} staged rows are there."
    if missing:
        words = (
            f"Staged rows are missing ({', '.join(f'{table}: {count:,}' for table, count in missing.items())}): "
            "the server was restarted after a crash, which empties unlogged tables. The merge stages them again."
        )
    return StagingCheck("staging_complete", not missing, words, {"staged_rows": sum(found.values())})
