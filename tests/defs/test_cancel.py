"""A run that is canceled while a step works: the step ends, the query ends, and the ledger says so."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.defs.loads.faults import INTERRUPTED
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.sandbox.catalogue import write_products
from tests.defs.shops import SHOP, add_shop

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, %s) > 0"
_LOCK_LOADS = "SELECT pg_advisory_xact_lock(hashtextextended(id || '/products', 0)) FROM shops"
_LOCK_MIRROR = "LOCK TABLE shopify_products IN SHARE MODE"


@pytest.mark.parametrize(
    ("lock", "waits"),
    [(_LOCK_LOADS, "pg_advisory_lock"), (_LOCK_MIRROR, 'UPDATE "shopify_products"')],
    ids=["while it waits", "while it merges"],
)
def test_a_canceled_step_is_not_tried_again_and_leaves_nothing_open(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    run_load: Callable[..., dg.ExecuteInProcessResult],
    tmp_path: Path,
    lock: str,
    waits: str,
) -> None:
    add_shop(warehouse.database, SHOP)
    source = tmp_path / "products.jsonl"
    write_products(source, 5, seed=5)
    database = warehouse.database
    with database.connect(Role.ADMIN) as holding, database.connect(Role.ADMIN, autocommit=True) as looking:
        holding.execute(lock)

        def cancel() -> None:
            until = time.monotonic() + 30
            while looking.execute(_WAITING, [waits]).fetchone() == (0,) and time.monotonic() < until:
                time.sleep(0.05)
            # As the run's launcher does it.
            instance.report_run_canceling(instance.get_runs()[0])
            os.kill(os.getpid(), signal.SIGINT)

        canceler = threading.Thread(target=cancel)
        canceler.start()
        result = run_load(source)
        canceler.join()
        assert not result.success
        assert looking.execute(_WAITING, [waits]).fetchone() == (0,)
    [run] = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.CANCELED
    said = [record.dagster_event_type for record in instance.all_logs(run.run_id)]
    assert dg.DagsterEventType.STEP_UP_FOR_RETRY not in said
    with database.connect(Role.PIPELINE) as connection:
        runs = connection.execute("SELECT status, error_message FROM bulk_runs").fetchall()
        steps = connection.execute("SELECT count(*) FROM bulk_steps WHERE status = 'running'").fetchone()
    assert (runs, steps) == ([("failed", INTERRUPTED)], (0,))
    # The next run begins anew.
    assert run_load(source).success
