"""The transactions of one load that run side by side: its tenant's for the merge, the pipeline's for the verdicts.

Belongs here: what holds of each of them from its beginning. Does not belong here: what is done in them (`merge`,
`verdicts`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection

from neanelu_pipelines.database.connect import Database, Role, Transaction, set_tenant
from neanelu_pipelines.mirror import staging_area, standing
from neanelu_pipelines.mirror.reports import LoadRun


@contextmanager
def tenant_transactions(database: Database, load: LoadRun, rows: int) -> Iterator[Transaction]:
    """What opens a transaction of the load's shop, planned for so many `rows`.

    Nobody ends the load within one of them; opened after somebody did, it raises LoadEndedError: what is staged may be
    gone by then, some of it or all.
    """
    with database.transactions(Role.TENANT) as begin:

        @contextmanager
        def begin_as_tenant() -> Iterator[Connection]:
            with begin() as connection:
                set_tenant(connection, load.shop_id, trace_id=str(load.run_id))
                standing.hold(connection, load)
                staging_area.plan_for(connection, rows)
                yield connection

        yield begin_as_tenant


@contextmanager
def pipeline_transactions(database: Database, rows: int) -> Iterator[Transaction]:
    """What opens a transaction of the pipeline, planned for so many `rows`."""
    with database.transactions(Role.PIPELINE) as begin:

        @contextmanager
        def begin_planned() -> Iterator[Connection]:
            with begin() as connection:
                staging_area.plan_for(connection, rows)
                yield connection

        yield begin_planned
