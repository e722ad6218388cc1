"""Ledgers: append-only tables into which a trigger writes every change of the rows of another.

Belongs here: what a load does for them, which is to make room before it merges, and to say how much was appended. Does
not belong here: the entries themselves. The trigger writes them (sql/migrations/0033), whoever changes the rows.
"""

from psycopg import Connection, sql

from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.partitions import ensure_partitions
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.reports import LoadRun, TableCounts


def make_room(book: Connection, resource: Resource, load: LoadRun) -> None:
    """Make the partitions that the staged changes need, history too; `book` commits each statement by itself."""
    for entity in resource.entities:
        if entity.ledger is None or entity.version is None:
            continue
        query = statement("mirror/staged_months").format(
            version=sql.Identifier(entity.version), staging=table_identifier(entity.staging)
        )
        for (month,) in book.execute(query, {"run_id": load.run_id}).fetchall():
            ensure_partitions(book, entity.ledger, month, month)


def appended(connection: Connection) -> TableCounts:
    """What this transaction's changes appended."""
    row = connection.execute(statement("mirror/ledger_entries")).fetchone()
    return TableCounts(inserted=row[0] if row else 0)
