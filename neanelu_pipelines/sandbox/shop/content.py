"""What else a shop holds: metaobjects with their definitions, menus.

Belongs here: these nodes, decided by (seed, number). Does not belong here: files (`files`), goods, orders, customers.
"""

import json

from neanelu_pipelines.sandbox import ids, words
from neanelu_pipelines.sandbox.families import FAMILIES
from neanelu_pipelines.sandbox.pools import Dice, slug
from neanelu_pipelines.sandbox.shop.overlay import Node, Overlay, seconds_of, stamp
from neanelu_pipelines.sandbox.shop.table import Table

SINCE = seconds_of("2024-01-01T00:00:00Z")
SPAN = 600 * 86_400
FILES = "https://cdn.shopify.com/s/files/1/0594/2010/4119/files"

_DEFINITIONS: tuple[tuple[str, str, str, tuple[tuple[str, str, str, bool], ...]], ...] = (
    (
        "producator",
        "Producător",
        "nume",
        (
            ("nume", "single_line_text_field", "TEXT", True),
            ("descriere", "multi_line_text_field", "TEXT", False),
            ("an_infiintare", "number_integer", "NUMBER", False),
            ("site", "url", "URL", False),
        ),
    ),
    (
        "ghid_plantare",
        "Ghid de plantare",
        "titlu",
        (
            ("titlu", "single_line_text_field", "TEXT", True),
            ("luni", "list.number_integer", "NUMBER", False),
            ("temperatura", "temperature", "MEASUREMENT", False),
            ("perena", "boolean", "TRUE_FALSE", False),
        ),
    ),
    ("marime", "Mărime", "eticheta", (("eticheta", "single_line_text_field", "TEXT", True),)),
)


class Metaobjects:
    """The metaobjects of each type; the last type has none."""

    def __init__(self, seed: int, first: int, count: int, overlay: Overlay) -> None:
        self._seed = seed
        self._first = first
        self._overlay = overlay
        used = len(_DEFINITIONS) - 1
        self.by_type = {
            definition[0]: Table(
                "Metaobject",
                0 if kind == used else count // used + (kind < count % used),
                overlay,
                first=first + kind * 100_000,
                build=lambda number, kind=kind: self._build(kind, number),  # type: ignore[misc]
                moments=self._moments,
            )
            for kind, definition in enumerate(_DEFINITIONS)
        }

    def definitions(self) -> list[Node]:
        """The definitions of all types."""
        return [
            {
                "__typename": "MetaobjectDefinition",
                "id": ids.gid("MetaobjectDefinition", self._first + kind),
                "type": type_name,
                "name": name,
                "description": None,
                "displayNameKey": display,
                "metaobjectsCount": len(self.by_type[type_name].indexes()),
                "fieldDefinitions": [
                    {
                        "key": key,
                        "name": key.replace("_", " ").capitalize(),
                        "required": required,
                        "type": {"name": value_type, "category": category},
                    }
                    for key, value_type, category, required in fields
                ],
            }
            for kind, (type_name, name, display, fields) in enumerate(_DEFINITIONS)
        ]

    def find(self, number: int) -> Node | None:
        """The metaobject with this number."""
        table = next((one for one in self.by_type.values() if one.has(number)), None)
        return None if table is None else table.by_number(number)

    def _moments(self, number: int) -> tuple[int, int]:
        created = SINCE + Dice("metaobject-times", self._seed, number).below(SPAN)
        return created, created

    def _build(self, kind: int, number: int) -> Node:
        type_name, _, display, fields = _DEFINITIONS[kind]
        dice = Dice("metaobject", self._seed, number)
        values = [_field(dice, key, value_type, number) for key, value_type, _, _ in fields]
        created, updated = (stamp(moment) for moment in self._moments(number))
        return {
            "__typename": "Metaobject",
            "id": ids.gid("Metaobject", number),
            "handle": f"{type_name.replace('_', '-')}-{number % 100_000}",
            "type": type_name,
            "displayName": next(one["value"] for one in values if one["key"] == display),
            "createdAt": created,
            "updatedAt": updated,
            "fields": values,
        }


def _field(dice: Dice, key: str, value_type: str, number: int) -> Node:
    json_value = _value(dice, value_type, number)
    if json_value is None or isinstance(json_value, str):
        text = json_value
    else:
        text = json.dumps(json_value, ensure_ascii=False, separators=(",", ":"))
    return {"key": key, "type": value_type, "value": text, "jsonValue": json_value}


def _value(dice: Dice, value_type: str, number: int) -> object:
    if value_type == "single_line_text_field":
        return f"{dice.pick(words.VENDORS)} {number % 100_000}"
    if dice.chance(0.15):
        return None
    values: dict[str, object] = {
        "multi_line_text_field": "Fabricat în România.\nGaranție & service.",
        "number_integer": 1950 + dice.below(70),
        "url": "https://producator.example/ro",
        "list.number_integer": [3, 4, 5],
        "temperature": {"value": 12.5, "unit": "CELSIUS"},
        "boolean": dice.chance(0.5),
    }
    return values[value_type]


def menus(first: int, domain: str) -> list[Node]:
    """The shop's menus: one flat, one three levels deep, one empty."""
    counter = iter(range(first * 1000, first * 1000 + 1000))

    def item(title: str, kind: str, url: str, items: list[Node] | None = None, resource: str | None = None) -> Node:
        gid = ids.gid("MenuItem", next(counter))
        fixed: Node = {"id": gid, "title": title, "type": kind, "url": url, "resourceId": resource, "tags": []}
        return {**fixed, "items": items or []}

    def collection(index: int, items: list[Node] | None = None) -> Node:
        family = FAMILIES[index % len(FAMILIES)]
        url = f"https://{domain}/collections/{slug(family.product_type)}-{index}"
        return item(family.product_type, "COLLECTION", url, items, ids.gid("Collection", first + index))

    flat = [
        item("Acasă", "FRONTPAGE", f"https://{domain}/"),
        item("Catalog", "CATALOG", f"https://{domain}/collections/all"),
        item("Contact", "PAGE", f"https://{domain}/pages/contact", resource="gid://shopify/Page/148098187570"),
        item("ANPC", "HTTP", "https://anpc.ro/ce-este-sal/"),
    ]
    deep = [collection(at, [collection(at + 4, [collection(at + 8), collection(at + 9)])]) for at in range(4)]
    every: tuple[tuple[str, str, list[Node]], ...] = (
        ("main-menu", "Meniu principal", flat),
        ("categorii", "Categorii & produse", deep),
        ("gol", "Gol", []),
    )
    return [
        {
            "__typename": "Menu",
            "id": ids.gid("Menu", first + index),
            "handle": handle,
            "title": title,
            "isDefault": index == 0,
            "items": items,
        }
        for index, (handle, title, items) in enumerate(every)
    ]
