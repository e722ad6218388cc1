"""The schedules that ask the shops for exports."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.shopify import shops
from tests.defs.office import MIRROR, MakeOffice, requests_of
from tests.defs.shops import add_shop


def test_the_daily_schedule_is_off_and_takes_the_shops_with_a_token(make_office: MakeOffice, tmp_path: Path) -> None:
    office = make_office()
    office.instance = dg.DagsterInstance.local_temp(str(tmp_path))  # A schedule's context demands one that persists.
    office.instance.add_dynamic_partitions(str(SHOPS.name), [office.domain])
    add_shop(office.database, "fara-jeton.myshopify.com")
    office.instance.add_dynamic_partitions(str(SHOPS.name), ["fara-jeton.myshopify.com"])
    schedule = office.defs.resolve_schedule_def("sync_products_daily")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    context = dg.build_schedule_context(
        instance=office.instance,
        scheduled_execution_time=datetime(2026, 1, 31, 1, 30, tzinfo=UTC),
        resources={"warehouse": office.warehouse},
    )
    requests = requests_of(schedule(context))
    assert [(item.partition_key, item.run_key) for item in requests] == [
        (office.domain, f"{office.domain}/2026-01-31T01:30:00+00:00")
    ]
    shops.remove(office.database, office.domain)
    assert requests_of(schedule(context)) == []


def test_the_hourly_schedule_takes_neighbours_in_one_run_and_asks_for_what_changed(
    make_office: MakeOffice, tmp_path: Path
) -> None:
    office = make_office()
    second = make_office().domain
    office.instance = dg.DagsterInstance.local_temp(str(tmp_path))
    office.instance.add_dynamic_partitions(str(SHOPS.name), [office.domain, second])
    schedule = office.defs.resolve_schedule_def("sync_products_hourly")
    context = dg.build_schedule_context(
        instance=office.instance,
        scheduled_execution_time=datetime(2026, 1, 31, 1, 7, tzinfo=UTC),
        resources={"warehouse": office.warehouse},
    )
    [request] = requests_of(schedule(context))
    job = office.defs.resolve_job_def("load_products")
    done = job.execute_in_process(instance=office.instance, tags=dict(request.tags), run_config=request.run_config)
    assert done.success
    assert office.instance.get_materialized_partitions(MIRROR) == {office.domain, second}
    assert office.rows("SELECT count(*) FROM shopify_products") == [(24,)]
    again = job.execute_in_process(instance=office.instance, tags=dict(request.tags), run_config=request.run_config)
    assert again.success
    windows = office.rows("SELECT cursor_state -> 'windows' FROM bulk_runs ORDER BY created_at")
    assert [bool(window) for (window,) in windows] == [False, False, True, True], "all of it, then what changed since"
