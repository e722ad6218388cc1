"""Webhooks in Dagster: the sensor asks for a run when there is something to do, and the run says what it did."""

import dagster as dg

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.defs.webhooks.assets import JOB, webhook_definitions
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import event, posted, rows

BODY = {"id": 7, "title": "Sapă", "handle": "sapa", "status": "active", "updated_at": "2026-11-01T10:00:00+02:00"}


def tick(instance: dg.DagsterInstance, warehouse: Warehouse) -> dg.RunRequest | dg.SkipReason:
    (sensor,) = webhook_definitions().sensors or ()
    assert isinstance(sensor, dg.SensorDefinition)
    context = dg.build_sensor_context(instance=instance, resources={"warehouse": warehouse})
    answer = sensor(context)
    assert isinstance(answer, (dg.RunRequest, dg.SkipReason))
    return answer


def test_new_events_are_processed_by_one_run_at_a_time(
    database: Database, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    make_shop(database)
    assert isinstance(tick(instance, warehouse), dg.SkipReason)
    posted(database, event(BODY), event({"id": 1}, "shop/redact"), event({"title": "fără id"}))
    assert isinstance(tick(instance, warehouse), dg.RunRequest)

    defs = dg.Definitions.merge(webhook_definitions(), dg.Definitions(resources={"warehouse": warehouse}))
    job = defs.resolve_job_def(JOB)
    under_way = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert isinstance(tick(instance, warehouse), dg.SkipReason)
    instance.delete_run(under_way.run_id)
    # What made a run fail would have one at each look.
    failed = instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE)
    assert isinstance(tick(instance, warehouse), dg.SkipReason)
    instance.delete_run(failed.run_id)

    done = job.execute_in_process(instance=instance)
    assert done.success
    (event_of_asset,) = done.asset_materializations_for_node("webhook_events")
    said = {name: value.value for name, value in event_of_asset.metadata.items()}
    assert (said["rows_read"], said["rows_updated"], said["rows_rejected"], said["loads"]) == (2, 1, 1, 1)
    assert (said["events_new"], said["events_later"], said["events_waiting"], said["events_aside"]) == (0, 0, 1, 1)
    assert rows(database, "SELECT title FROM shopify_products") == [("Sapă",)]
    assert rows(database, "SELECT DISTINCT job_id FROM webhook_events WHERE job_id IS NOT NULL") == [(done.run_id,)]
    assert isinstance(tick(instance, warehouse), dg.SkipReason)
