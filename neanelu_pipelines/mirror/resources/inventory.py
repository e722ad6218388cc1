"""Inventory items and levels: the inventory bulk query, its two mirror tables and the ledger of available quantities.

A level belongs to its item, and to the item's variant, which is the products river's row and may come later: until then
the ledger says nothing of the level. A level's line needs no item's line: a webhook about a level brings none.

It has no window, though an item says when it changed: a quantity changes without its item, and Shopify's search for
items knows nothing of their levels. Webhooks tell of levels between two whole exports.

Belongs here: the declaration. Does not belong here: what a variant has in all (`shopify_variants.inventory_quantity`),
which the products river writes as Shopify says it; the ledger's entries, which a trigger writes.
"""

from neanelu_pipelines.mirror.declarations import Column, Entity, Kind, Lookup, Resource
from neanelu_pipelines.mirror.resources.common import CREATED, GID, LEGACY_ID, LINE_IDENTITY, MONEY, TOLD_AT, UPDATED

_QUANTITIES = ("on_hand", "committed", "incoming", "reserved", "damaged", "quality_control", "safety_stock")


def _quantity(name: str, *sources: str) -> Column:
    return Column(name, Kind.INTEGER, (*sources, f"quantities.name={name}.quantity"))


INVENTORY = Resource(
    name="inventory",
    description="Inventory items with their levels at locations, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("InventoryItem",),
            table="pipeline.inventory_items",
            staging="pipeline.staging_inventory_items",
            columns=(
                GID,
                LEGACY_ID,
                Column("sku", Kind.TEXT, ("sku",), max_length=255),
                Column("tracked", Kind.BOOLEAN, ("tracked",)),
                Column("requires_shipping", Kind.BOOLEAN, ("requiresShipping",)),
                Column("country_code_of_origin", Kind.TEXT, ("countryCodeOfOrigin",), max_length=2),
                Column("harmonized_system_code", Kind.TEXT, ("harmonizedSystemCode",), max_length=20),
                Column("unit_cost", Kind.NUMERIC, ("unitCost.amount",), precision=MONEY),
                Column("unit_cost_currency", Kind.TEXT, ("unitCost.currencyCode",), max_length=3),
                CREATED,
                UPDATED,
                TOLD_AT,
            ),
            version="updated_at_shopify",
        ),
        Entity(
            node_types=("InventoryLevel",),
            table="pipeline.inventory_levels",
            staging="pipeline.staging_inventory_levels",
            columns=(
                GID,
                Column("inventory_item_gid", Kind.TEXT, ("item.id",), required=True, max_length=100),
                Column("location_gid", Kind.TEXT, ("location.id",), required=True, max_length=100),
                # A webhook says the available quantity only, under its own name.
                _quantity("available", "available"),
                *map(_quantity, _QUANTITIES),
                Column("webhook_key", Kind.TEXT, ("webhookKey",), max_length=255, in_query=False),
                CREATED,
                UPDATED,
                TOLD_AT,
            ),
            parent_node="InventoryItem",
            lookup=Lookup(
                "variant_id",
                "inventory_item_gid",
                "shopify_variants",
                "id",
                elsewhere=True,
                key_column="inventory_item_id",
            ),
            version="updated_at_shopify",
            gid_returns=True,
            place=("inventory_item_gid", "location_gid"),
            ledger="inventory_ledger",
        ),
    ),
    ignored_fields=LINE_IDENTITY,
)
