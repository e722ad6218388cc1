"""The tenant transactions of one merge, on connections that are used again.

A new connection first reads its tables, indexes, policies and dictionaries from the catalogues, and plans the checks of
foreign keys: for one share of a table that is not little. Belongs here: handing out transactions. Does not belong here:
what is done in them (`merge`).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from queue import Empty, SimpleQueue

from psycopg import Connection

from neanelu_pipelines.database.connect import Database, Role, set_tenant
from neanelu_pipelines.mirror import staging_area, standing
from neanelu_pipelines.mirror.merge import Transaction
from neanelu_pipelines.mirror.reports import LoadRun


@contextmanager
def tenant_transactions(database: Database, load: LoadRun, rows: int) -> Iterator[Transaction]:
    """What opens a transaction of the load's shop, planned for so many `rows`; from any thread, several at once.

    There are as many connections as transactions at once. One whose transaction failed is not used again; all are
    closed on leaving the context. Nobody ends the load within one of them; opened after somebody did, it raises
    LoadEndedError: what is staged may be gone by then, some of it or all.
    """
    idle: SimpleQueue[Connection] = SimpleQueue()
    with ExitStack() as opened:

        @contextmanager
        def begin() -> Iterator[Connection]:
            try:
                connection = idle.get_nowait()
            except Empty:
                connection = opened.enter_context(database.connect(Role.TENANT))
            with connection.transaction():
                set_tenant(connection, load.shop_id, trace_id=str(load.run_id))
                standing.hold(connection, load)
                staging_area.plan_for(connection, rows)
                yield connection
            idle.put(connection)

        yield begin
