"""The view of present quantities as an asset, refreshed when the ledger has changed.

Belongs here: the asset. Does not belong here: the ledger, which the merge of levels writes.
"""

import time

import dagster as dg

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.catalogue.specs import key_of, relation_spec
from neanelu_pipelines.defs.inventory.checks import inventory_checks
from neanelu_pipelines.defs.inventory.condition import ledger_has_changed
from neanelu_pipelines.defs.loads.faults import RETRIES, step_faults
from neanelu_pipelines.defs.warehouse import Warehouse

TABLE = "inventory_current"

_HOW = (
    "The sum of the ledger's deltas by variant and location, of all shops. Refreshed (CONCURRENTLY: readers are not "
    "disturbed) after loads of inventory, and at most every half hour after webhooks."
)


def inventory_definitions() -> dg.Definitions:
    """The view, the checks of its ledger, and the sensor that obeys their condition."""
    return dg.Definitions(
        assets=[inventory_current_asset()],
        asset_checks=[inventory_checks],
        sensors=[
            dg.AutomationConditionSensorDefinition(
                "inventory_automation",
                target=dg.AssetSelection.assets(key_of(TABLE)) | dg.AssetSelection.checks(*inventory_checks.check_keys),
                default_status=dg.DefaultSensorStatus.RUNNING,
                description="Checks the inventory ledger and refreshes inventory_current when it has changed.",
            )
        ],
    )


def inventory_current_asset() -> dg.AssetsDefinition:
    """The asset of the materialized view `inventory_current`."""
    spec = relation_spec(TABLE, deps=[key_of("inventory_ledger"), key_of("webhook_events")], how=_HOW)

    @dg.multi_asset(
        name=TABLE,
        specs=[spec.replace_attributes(automation_condition=ledger_has_changed())],
        retry_policy=RETRIES,
        pool="view_refresh",
    )
    def inventory_current(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.perf_counter()
        with step_faults(context, warehouse), warehouse.database.connect(Role.PIPELINE, autocommit=True) as connection:
            connection.execute(statement("inventory/refresh_current"))
            seconds = time.perf_counter() - started
            rows, shops = connection.execute(statement("inventory/count_current")).fetchone() or (0, 0)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "shops": shops,
                "seconds": round(seconds, 3),
                "rows_per_second": round(rows / seconds, 1) if seconds > 0 else 0.0,
            }
        )

    return inventory_current
