"""The ids of the made-up shops: which number a node has, and which node a number is.

Belongs here: the arithmetic between (type, number) and GIDs. Does not belong here: the nodes themselves.

Ids follow from the number alone, so a node can be found by its id without an index of all nodes.
"""

from typing import NamedTuple

STEP = 32768
"""Shopify's ids of one kind are this far apart, or multiples of it."""
SLOTS = 16
"""Room for this many nodes of one type under one parent, so that ids follow from the parent's number alone."""

FAR = 2**37
"""Numbers of a second kind in one series begin here, beyond all of the first."""

BASES = {
    "Product": 9_801_098_789_170,
    "ProductVariant": 51_487_966_167_346,
    "InventoryItem": 53_593_718_620_466,
    "ProductOption": 11_660_598_378_729,
    "ProductOptionValue": 14_718_346_371_305,
    "Media": 44_070_521_766_194,
    "Metafield": 45_912_994_666_802,
    "Customer": 9_102_030_405_938,
    "MailingAddress": 10_585_989_447_986,
    "Order": 6_938_752_442_674,
    "LineItem": 17_924_909_883_698,
    "ShippingLine": 5_404_113_412_402,
    "Refund": 928_613_341_490,
    "OrderTransaction": 7_740_523_303_218,
    "Fulfillment": 5_878_997_410_098,
    "Collection": 514_489_057_586,
    "Location": 106_318_430_514,
    "InventoryLevel": 143_273_001_266,
    "Metaobject": 209_223_549_234,
    "MetaobjectDefinition": 20_182_696_242,
    "Publication": 302_900_543_794,
    "Catalog": 105_900_543_282,
    "Menu": 291_567_599_922,
    "MenuItem": 728_151_228_722,
    "GenericFile": 34_070_521_766_194,
    "WebhookSubscription": 1_958_415_565_106,
    "BulkOperation": 7_749_099_028_786,
}
_MEDIA = frozenset({"MediaImage", "Video", "ExternalVideo", "Model3d"})
"""They share one series of numbers."""


class Node(NamedTuple):
    """What a GID says: the node's type, its number here, and what follows the `?`."""

    type_name: str
    number: int
    query: str


def legacy_id(base: str, number: int) -> int:
    """The numeric id of node `number` in the series `base`."""
    return BASES[base] + number * STEP


def gid(type_name: str, number: int) -> str:
    """The GID of node `number` of this type."""
    return f"gid://shopify/{type_name}/{legacy_id(series(type_name), number)}"


def series(type_name: str) -> str:
    """The series of numbers that nodes of this type are counted in."""
    return "Media" if type_name in _MEDIA else type_name


def parse(text: str) -> Node | None:
    """What a GID of ours says; None where it is none of ours."""
    parts = text.split("/")
    if not text.startswith("gid://shopify/") or len(parts) != 5:  # noqa: PLR2004 - gid:, '', shopify, type, id
        return None
    number, _, query = parts[4].partition("?")
    base = BASES.get(series(parts[3]))
    if base is None or not number.isdigit():
        return None
    steps, rest = divmod(int(number) - base, STEP)
    return None if rest or steps < 0 else Node(parts[3], steps, query)
