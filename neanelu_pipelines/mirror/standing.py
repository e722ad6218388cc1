"""Whether a load may be gone on with, and which others are dead.

Belongs here: what whoever holds the lock of (shop, resource) may conclude from holding it. Does not belong here: the
lock, and how a load ends by itself (`ledger`).
"""

import enum
from uuid import UUID

from psycopg import Connection

from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import ledger
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.shopify.operation_types import removal_of


class Standing(enum.Enum):
    """How a load stands that a step goes on with."""

    RUNNING = enum.auto()
    BEGUN_AGAIN = enum.auto()
    """Another load had found it dead, and what it had staged need not be there any more."""
    COMPLETED = enum.auto()


def take_up(book: Connection, load: LoadRun) -> Standing:
    """How the load stands that a step is about to go on with; the caller holds its lock.

    One that another load found dead, and closed, is begun again: it is not, or nobody would ask.

    Raises:
        LoadEndedError: somebody has ended it.
        NoLoadError: it is not in the ledger any more.
    """
    stands = ledger.standing(book, load)
    if stands.status == "running":
        return Standing.RUNNING
    if stands.status == "completed":
        return Standing.COMPLETED
    if book.execute(statement("ledger/reopen_run"), {"run_id": load.run_id}).rowcount == 0:
        raise ledger.ended(load, stands)
    return Standing.BEGUN_AGAIN


def hold(connection: Connection, load: LoadRun) -> None:
    """Let nobody end the load before this transaction does, so that what it has staged stays.

    Raises:
        LoadEndedError: somebody has ended it already; TakenForDeadError, if it was another load.
    """
    if connection.execute(statement("ledger/hold_run"), {"run_id": load.run_id}).fetchone() != (True,):
        raise ledger.ended(load, ledger.standing(connection, load))


def abandon_others(book: Connection, load: LoadRun) -> list[UUID]:
    """Mark loads and removals of this shop and resource that died as failed; the caller holds the lock."""
    parameters = {
        "run_id": load.run_id,
        "shop_id": load.shop_id,
        "resource": load.resource,
        "removal": removal_of(load.resource),
        "locked_steps": [ledger.STAGE, ledger.MERGE],
    }
    dead = [row[0] for row in book.execute(statement("ledger/abandon_runs"), parameters).fetchall()]
    if dead:
        book.execute(statement("ledger/abandon_steps"), {"run_ids": dead})
    return dead
