"""Assembling the code location.

Belongs here: putting the folders' definitions together, and the one seam through which tests (and the command) bring
their own world. Does not belong here: definitions themselves.
"""

from collections.abc import Mapping

import dagster as dg

from neanelu_pipelines.defs.catalogue.external import external_specs
from neanelu_pipelines.defs.deletions.assets import deletion_definitions
from neanelu_pipelines.defs.exports.schedule import sync_schedules
from neanelu_pipelines.defs.exports.sensor import exports_sensor
from neanelu_pipelines.defs.inventory.assets import TABLE as INVENTORY_CURRENT
from neanelu_pipelines.defs.inventory.assets import inventory_definitions
from neanelu_pipelines.defs.keys.assets import TABLE as KEY_ROTATIONS
from neanelu_pipelines.defs.keys.assets import key_rotations_asset
from neanelu_pipelines.defs.loads.factory import load_definitions
from neanelu_pipelines.defs.maintenance.partitions import maintenance_definitions
from neanelu_pipelines.defs.maintenance.retention import retention_definitions
from neanelu_pipelines.defs.months.asset import months_definitions
from neanelu_pipelines.defs.patience import sleep_while_waiting
from neanelu_pipelines.defs.privacy.assets import privacy_definitions
from neanelu_pipelines.defs.shops.sensor import shop_sensor
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.defs.webhooks.assets import TABLE as WEBHOOK_EVENTS
from neanelu_pipelines.defs.webhooks.assets import webhook_definitions
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.resources import RESOURCES


def build_defs(
    *, warehouse: Warehouse | None = None, resources: Mapping[str, Resource] | None = None
) -> dg.Definitions:
    """All definitions of the location.

    Args:
        warehouse: the database and settings that steps work with; by default those of the environment, opened when a
            step first needs them, so that the location loads without a database.
        resources: the declared resources to make assets of; by default all of them.

    The executor runs a run's steps one after another in the run's own process: processes of their own would cost about
    2.5 s for each step. A run takes several shops in turn; runs go beside each other, as the run queue and the pools
    allow.
    """
    sleep_while_waiting()
    declared = tuple((RESOURCES if resources is None else resources).values())
    # Also where some are left out: what fills a table does not change by that.
    written = frozenset(
        table
        for resource in (*declared, *RESOURCES.values())
        for table in (*resource.staging_tables, *resource.mirror_tables)
    )
    loads = {resource.name: load_definitions(resource) for resource in declared}
    jobs = {name: load.job for name, load in loads.items()}
    warehouse = warehouse or Warehouse()
    first = warehouse.settings.months_from
    months = {resource.name: months_definitions(resource, first) for resource in declared if resource.by_month}
    return dg.Definitions.merge(
        maintenance_definitions(),
        retention_definitions(),
        webhook_definitions(),
        deletion_definitions(),
        privacy_definitions(),
        inventory_definitions(),
        dg.Definitions(
            assets=[
                *(load.asset for load in loads.values()),
                *(one.asset for one in months.values()),
                *external_specs(written | {INVENTORY_CURRENT, KEY_ROTATIONS, WEBHOOK_EVENTS}),
                key_rotations_asset(),
            ],
            jobs=[*jobs.values(), *(one.job for one in months.values())],
            sensors=[shop_sensor, exports_sensor(jobs, months)],
            schedules=[item for resource in declared for item in sync_schedules(resource, jobs[resource.name])],
            resources={"warehouse": warehouse},
            executor=dg.in_process_executor,
        ),
    )
