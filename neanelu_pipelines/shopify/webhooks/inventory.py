"""Webhook bodies about inventory items and levels as the lines that the inventory bulk query gives of the same.

Belongs here: names and shapes of REST to those of GraphQL. Does not belong here: checking values, and the ledger of
quantities, which the mirror writes.
"""

from neanelu_pipelines.shopify.webhooks.bodies import Body, Reading, amount, gid, gid_of, identity, reading, renamed

_ITEM_FIELDS = {
    "sku": "sku",
    "tracked": "tracked",
    "requires_shipping": "requiresShipping",
    "country_code_of_origin": "countryCodeOfOrigin",
    "harmonized_system_code": "harmonizedSystemCode",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
}


def _item(body: Body) -> Reading:
    node = identity("InventoryItem", body) | renamed(body, _ITEM_FIELDS)
    if "cost" in body:
        # In the shop's own currency, which the body does not name.
        node["unitCost"] = None if body["cost"] is None else {"amount": amount(body["cost"])}
    return Reading([node])


def _level(body: Body) -> Reading:
    item = gid("InventoryItem", body["inventory_item_id"])
    node = {
        "__typename": "InventoryLevel",
        "id": gid_of("InventoryLevel", body),
        **renamed(body, {"updated_at": "updatedAt"}),
        "item": {"id": item},
        "location": {"id": gid("Location", body["location_id"])},
        "__parentId": item,
    }
    # Null of an item that is not tracked. That is no quantity, and not that nothing is left.
    if body.get("available") is not None:
        node["available"] = body["available"]
    return Reading([node])


read_item = reading("an inventory item", _item)
"""A body of inventory_items/create and inventory_items/update."""

read_level = reading("an inventory level", _level)
"""A body of inventory_levels/update and inventory_levels/connect: the available quantity, and no other."""


def place_of_level(body: Body) -> str:
    """What an inventory_levels/disconnect says: which item is stocked no more, and where."""
    return f"{gid('InventoryItem', body['inventory_item_id'])} {gid('Location', body['location_id'])}"
