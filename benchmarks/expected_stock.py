"""What the mirror must hold of a sandbox shop's stock: inventory items, levels at locations, the ledger's sums.

Belongs here: the rows that follow from the shop's nodes, by hand, as in `expected`, without anything of the loader.
Does not belong here: variants, and what they have in all (`expected`).
"""

from benchmarks.values import Row, Rows, decimal, identity, moments, nodes
from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.world import Shop

_QUANTITIES = (
    "available", "on_hand", "committed", "incoming", "reserved", "damaged", "quality_control", "safety_stock",
)  # fmt: skip


def inventory(shop: Shop) -> dict[str, Rows]:
    """Items with their levels; and of each variant at a location, what the ledger's entries add up to."""
    items = nodes(shop, "inventoryItems")
    levels = [(one, item) for item in items for one in item["inventoryLevels"]]
    return {
        "pipeline.inventory_items": {(item["id"],): _item(item) for item in items},
        "pipeline.inventory_levels": {(one["id"],): _level(one, item) for one, item in levels},
        "inventory_ledger": {(item["variant"]["id"], one["location"]["id"]): _sum(one, item) for one, item in levels},
    }


def _item(node: Node) -> Row:
    cost = node["unitCost"] or {}
    return identity(node) | {
        "sku": node["sku"],
        "tracked": node["tracked"],
        "requires_shipping": node["requiresShipping"],
        "country_code_of_origin": node["countryCodeOfOrigin"],
        "harmonized_system_code": node["harmonizedSystemCode"],
        "unit_cost": decimal(cost.get("amount")),
        "unit_cost_currency": cost.get("currencyCode"),
        **moments(node),
    }


def _level(node: Node, item: Node) -> Row:
    there = _there(node)
    return {
        "shopify_gid": node["id"],
        "inventory_item_gid": item["id"],
        "location_gid": node["location"]["id"],
        "variant_id": item["variant"]["id"],
        **{name: there[name] for name in _QUANTITIES},
        "webhook_key": None,  # no webhook says anything here
        **moments(node),
    }


def _sum(node: Node, item: Node) -> Row:
    return {
        "variant_id": item["variant"]["id"],
        "location_id": node["location"]["id"],
        "quantity": _there(node)["available"],
        "unbroken": True,
    }


def _there(node: Node) -> dict[str, int]:
    return {one["name"]: one["quantity"] for one in node["quantities"]}
