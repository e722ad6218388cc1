"""Where the shop keeps and sells its goods: locations, and the publications (sales channels) goods stand in.

Belongs here: short lists that are made once. Does not belong here: quantities at a location (`products`).
"""

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.pools import Dice
from neanelu_pipelines.sandbox.shop.overlay import Node, Overlay

_LOCATIONS = (
    ("Depozit central", "Str. Fabricii 12", "Cluj-Napoca", "Cluj", "CJ", "400620", True, False),
    ("Magazin Floreasca", "Calea Floreasca 88", "București", "București", "B", "014457", True, False),
    ("Magazin Iași", "Bd. Independenței 5", "Iași", "Iași", "IS", "700100", True, False),
    ("Depozit vechi", "Str. Gării 3", "Turda", "Cluj", "CJ", "401041", False, False),
    ("Curier & depozitare SRL", None, "Otopeni", "Ilfov", "IF", "075100", True, True),
)
_CHANNELS = (("Online Store", True), ("Point of Sale", False), ("Google & YouTube", False))


class Places:
    """The locations and publications of a shop."""

    stocked = 3
    """Goods lie at the first locations."""

    def __init__(self, seed: int, first: int, overlay: Overlay) -> None:
        self._seed = seed
        self._overlay = overlay
        self.locations = [_location(first + index, index) for index in range(len(_LOCATIONS))]
        self.publications = [_publication(first + index, *channel) for index, channel in enumerate(_CHANNELS)]

    def publications_of(self, product: Node, number: int) -> list[Node]:
        """Where a product is published; nodes of this type have no id."""
        if product["publishedAt"] is None:
            return []
        dice = Dice("published", self._seed, number)
        chosen = [one for index, one in enumerate(self.publications) if index == 0 or dice.chance(0.4)]
        return [
            {
                "__typename": "ResourcePublicationV2",
                "isPublished": True,
                "publishDate": product["publishedAt"],
                "publication": publication,
            }
            for publication in chosen
        ]


def _location(number: int, index: int) -> Node:
    name, street, city, province, code, zip_code, active, service = _LOCATIONS[index]
    return {
        "__typename": "Location",
        "id": ids.gid("Location", number),
        "legacyResourceId": str(ids.legacy_id("Location", number)),
        "name": name,
        "isActive": active,
        "isPrimary": index == 0,
        "isFulfillmentService": service,
        "shipsInventory": active,
        "fulfillsOnlineOrders": active and not service,
        "createdAt": "2021-02-01T08:00:00Z",
        "updatedAt": "2025-01-15T09:30:00Z",
        "deactivatedAt": None if active else "2024-06-30T15:00:00Z",
        "address": {
            "address1": street,
            "address2": None,
            "city": city,
            "province": province,
            "provinceCode": code,
            "country": "Romania",
            "countryCode": "RO",
            "zip": zip_code,
            "phone": None if service else f"+4026400{index:04d}",
        },
    }


def _publication(number: int, title: str, auto: bool) -> Node:  # noqa: FBT001 - a column of the table above
    return {
        "__typename": "Publication",
        "id": ids.gid("Publication", number),
        "autoPublish": auto,
        "supportsFuturePublishing": auto,
        "catalog": {"__typename": "AppCatalog", "id": _catalog(number), "title": title, "status": "ACTIVE"},
    }


def _catalog(number: int) -> str:
    return f"gid://shopify/AppCatalog/{ids.legacy_id('Catalog', number)}"
