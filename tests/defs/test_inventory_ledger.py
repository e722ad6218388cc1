"""Inventory as Dagster loads it: the ledger's checks, and the view that follows the ledger."""

from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.catalogue.specs import key_of
from neanelu_pipelines.defs.inventory.checks import QUESTIONS, inventory_checks
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror import river
from neanelu_pipelines.sandbox.wire import encode_line
from tests.defs.shops import SHOP, add_shop

LEDGER = dg.AssetKey(["inventory", "inventory_ledger"])
VIEW = dg.AssetKey(["inventory", "inventory_current"])
EVENTS = key_of("webhook_events")
ALL_WELL = dict.fromkeys((question.name for question in QUESTIONS), True)
WRONG = {
    "DELETE FROM inventory_ledger WHERE delta = 2": {"sum_of_deltas_is_quantity"},
    "UPDATE inventory_ledger SET delta = 3 WHERE delta = 2": {"sum_of_deltas_is_quantity", "entries_follow_each_other"},
    "UPDATE inventory_ledger SET previous_quantity = 1, new_quantity = 3 WHERE delta = 2": {
        "entries_follow_each_other"
    },
    "UPDATE shopify_variants SET inventory_quantity = 8": {"levels_sum_to_variants"},
}
"""What breaks which promise; each is undone before the next, the last need not be."""
ITEM, CHANGED = "gid://shopify/InventoryItem/10", "2026-03-01T10:00:00Z"
PRODUCT: dict[str, Any] = {
    "__typename": "Product",
    "id": "gid://shopify/Product/1",
    "handle": "lopata",
    "title": "Lopată",
    "tags": [],
}
VARIANT = {
    "__typename": "ProductVariant",
    "id": "gid://shopify/ProductVariant/10",
    "title": "Lopată",
    "price": "49.90",
    "inventoryQuantity": 7,
    "inventoryItem": {"id": ITEM},
    "updatedAt": CHANGED,
}


def level(place: int, available: int) -> bytes:
    node = {
        "__typename": "InventoryLevel",
        "id": f"gid://shopify/InventoryLevel/{place}?inventory_item_id=10",
        "updatedAt": CHANGED,
        "item": {"id": ITEM},
        "location": {"id": f"gid://shopify/Location/{place}"},
        "quantities": [{"name": "available", "quantity": available}],
    }
    return encode_line(node, ITEM)


@pytest.fixture
def stocked(warehouse: Warehouse, instance: dg.DagsterInstance, tmp_path: Path) -> dg.ExecuteInProcessResult:
    """A load of two levels, by the job of the location, of a shop whose product is there."""
    add_shop(warehouse.database, SHOP)
    instance.add_dynamic_partitions(str(SHOPS.name), [SHOP])
    products = tmp_path / "products.jsonl"
    products.write_bytes(
        encode_line({**PRODUCT, "descriptionHtml": "", "status": "ACTIVE", "vendor": "Casa", "updatedAt": CHANGED})
        + encode_line(VARIANT, PRODUCT["id"])
    )
    load = river.load_file(
        warehouse.database, warehouse.settings, shop_domain=SHOP, resource="products", source=str(products)
    )
    assert load.stage.total.rejected == 0, load.rejections
    inbox = Path(warehouse.settings.artifact_root) / "inbox" / SHOP
    inbox.mkdir(parents=True)
    inbox.joinpath("inventory.jsonl").write_bytes(level(1, 5) + level(2, 2))
    job = build_defs(warehouse=warehouse).resolve_job_def("load_inventory")
    return job.execute_in_process(instance=instance, partition_key=SHOP)


def ask(warehouse: Warehouse, instance: dg.DagsterInstance) -> dict[str, bool]:
    """The verdicts of the ledger's checks."""
    job = build_defs(warehouse=warehouse).resolve_implicit_global_asset_job_def()
    result = job.get_subset(asset_selection=set(), asset_check_selection=set(inventory_checks.check_keys))
    evaluations = result.execute_in_process(instance=instance).get_asset_check_evaluations()
    return {check.check_name: check.passed for check in evaluations}


def refresh(warehouse: Warehouse, instance: dg.DagsterInstance) -> dict[str, object]:
    job = build_defs(warehouse=warehouse).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=instance, asset_selection=[VIEW])
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}


def test_a_load_appends_to_the_ledger_and_is_checked(
    stocked: dg.ExecuteInProcessResult, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    figures = {
        event.asset_key: event.step_materialization_data.materialization.metadata
        for event in stocked.get_asset_materialization_events()
    }
    assert figures[LEDGER]["rows_inserted"].value == figures[LEDGER]["dagster/partition_row_count"].value == 2
    assert ask(warehouse, instance) == ALL_WELL
    figures_of_view = refresh(warehouse, instance)
    assert (figures_of_view["dagster/row_count"], figures_of_view["shops"]) == (2, 1)
    with warehouse.database.connect(Role.PIPELINE) as connection:
        rows = connection.execute("SELECT location_id, quantity FROM inventory_current ORDER BY 1").fetchall()
    assert rows == [("gid://shopify/Location/1", 5), ("gid://shopify/Location/2", 2)]


def test_what_is_wrong_with_the_ledger_is_found(
    stocked: dg.ExecuteInProcessResult, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    assert stocked.success
    for wrong, found in WRONG.items():
        with warehouse.database.connect(Role.ADMIN) as connection:
            connection.execute("CREATE TABLE kept AS SELECT * FROM inventory_ledger")
            connection.execute(wrong)
        assert ask(warehouse, instance) == {name: name not in found for name in ALL_WELL}, wrong
        with warehouse.database.connect(Role.ADMIN) as connection:
            connection.execute("DELETE FROM inventory_ledger")
            connection.execute("INSERT INTO inventory_ledger SELECT * FROM kept")
            connection.execute("DROP TABLE kept")


def test_the_view_follows_loads_at_once_and_webhooks_every_half_hour(instance: dg.DagsterInstance) -> None:
    definitions = build_defs()
    instance.add_dynamic_partitions(str(SHOPS.name), [SHOP, "alta-casa.myshopify.com"])
    target = dg.AssetSelection.assets(VIEW) | dg.AssetSelection.checks(*inventory_checks.check_keys)

    cursor = None

    def requested(clock: str) -> int:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(
            defs=definitions,
            instance=instance,
            asset_selection=target,
            cursor=cursor,
            evaluation_time=datetime.fromisoformat(f"2026-03-01T{clock}+00:00"),
        )
        cursor = result.cursor
        return result.total_requested

    assert requested("10:05:00") == 0
    instance.report_runless_asset_event(dg.AssetMaterialization(LEDGER, partition=SHOP))
    assert requested("10:06:00") == 1 + len(QUESTIONS), "though the other shop has no partition there"
    assert requested("10:07:00") == 0
    instance.report_runless_asset_event(dg.AssetMaterialization(EVENTS))
    assert requested("10:08:00") == 0
    assert requested("10:31:00") == 1 + len(QUESTIONS)
    assert requested("11:01:00") == 0
