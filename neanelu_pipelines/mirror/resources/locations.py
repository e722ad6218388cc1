"""Locations: the locations bulk query and its mirror table.

The mirror has no time of change of a location, so the moments of the exports decide which is newer. Files made with
another query may not say which location is the primary one: that column is left alone then.

Belongs here: the declaration. Does not belong here: what lies at a location (`inventory`).
"""

from neanelu_pipelines.mirror.declarations import Column, Derivation, Entity, Kind, Resource
from neanelu_pipelines.mirror.resources.common import GID, LINE_IDENTITY, TOLD_AT

_ADDRESS = (
    "address1",
    "address2",
    "city",
    "province",
    "provinceCode",
    "country",
    "countryCode",
    "zip",
    "phone",
)

LOCATIONS = Resource(
    name="locations",
    description="Locations, active or not, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("Location",),
            table="inventory_locations",
            staging="pipeline.staging_locations",
            columns=(
                GID,
                Column("legacy_resource_id", Kind.BIGINT, ("legacyResourceId",), derivation=Derivation.GID_NUMBER),
                Column("name", Kind.TEXT, ("name",), required=True, max_length=255),
                Column("address", Kind.JSON, ("address",), shape=dict.fromkeys(_ADDRESS, "text")),
                Column("is_active", Kind.BOOLEAN, ("isActive",)),
                Column("is_primary", Kind.BOOLEAN, ("isPrimary",), in_query=False),
                Column("fulfills_online_orders", Kind.BOOLEAN, ("fulfillsOnlineOrders",)),
                TOLD_AT,
            ),
        ),
    ),
    ignored_fields=frozenset({"isFulfillmentService", "shipsInventory", "createdAt", "updatedAt", "deactivatedAt"})
    | LINE_IDENTITY,
)
