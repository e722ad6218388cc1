"""Values as the mirror must hold them, worked out of what a sandbox's shop says.

Belongs here: what several tables' rows are made with. Like the rows, without anything of the loader. Does not belong
here: the rows (`expected`).
"""

import html
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.world import Shop

Row = dict[str, Any]
Rows = dict[tuple[str, ...], Row]
"""By key: a GID, or the GIDs of what a row joins."""

ELSEWHERE = object()
"""In place of a value that only another resource is told, and that is compared there."""


def nodes(shop: Shop, field: str, **arguments: Any) -> list[Node]:
    """All nodes of a list of the shop, as they are now."""
    rows = shop.rows(field, arguments)
    return [rows.node(int(index)) for index in rows.indexes()]


def identity(node: Node) -> Row:
    """The columns that every row of a node with a number has."""
    return {"shopify_gid": node["id"], "legacy_resource_id": number(node["id"])}


def moments(node: Node) -> Row:
    """The shop's times."""
    return {
        "created_at_shopify": moment(node["createdAt"]),
        "updated_at_shopify": moment(node["updatedAt"]),
    }


def link(parent: Node, child: str, parent_column: str, child_column: str, position: int) -> Row:
    """A row that joins two."""
    return {parent_column: parent["id"], child_column: child, "position": position}


def metafields(node: Node) -> Row:
    """As the column holds them, by namespace and key."""
    return {
        f"{one['namespace']}.{one['key']}": {"type": one["type"], "value": one["value"]} for one in node["metafields"]
    }


def url(media: Node) -> str | None:
    """Where a media's content lies: a picture's, an embedded film's, a film's first."""
    found: list[str | None] = [
        (media.get("image") or {}).get("url"),
        media.get("embedUrl"),
        *(one["url"] for one in media.get("sources") or ()),
    ]
    return next((one for one in found if one), None)


def paid(bag: Node) -> Decimal | None:
    """What was paid, in the shop's currency."""
    return decimal(bag["shopMoney"]["amount"])


def decimal(value: object, unit: str = "0.01") -> Decimal | None:
    """With as many digits as the column has."""
    return None if value is None else Decimal(str(value)).quantize(Decimal(unit))


def moment(said: str | None) -> datetime | None:
    """A time, if there is one."""
    return datetime.fromisoformat(said) if said else None


def number(gid: str) -> int:
    """A GID's number."""
    return int(gid.partition("?")[0].rpartition("/")[2])


def text(markup: str) -> str:
    """What a person reads of HTML, on one line."""
    return " ".join(html.unescape(re.sub("<[^<>]*>", " ", markup)).split())
