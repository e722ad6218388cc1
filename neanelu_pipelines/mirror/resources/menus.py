"""Menus with their items: the menus query, asked page by page, and its two mirror tables.

A menu is one line with its items within it, up to three deep, and is replaced as a whole: its fingerprint is that of
the line. The mirror has no time of change of a menu, so the moments of the exports decide which is newer. An item's
tags, and whether a menu is the default one, have no column, and are not asked for.

Belongs here: the declaration. Does not belong here: how a tree becomes rows (`sql/mirror/unfold_menu_items`).
"""

from neanelu_pipelines.mirror.declarations import Column, Entity, Kind, Resource, Shape, Unfolded
from neanelu_pipelines.mirror.resources.common import GID, LINE_IDENTITY

_ITEM: dict[str, Shape] = dict.fromkeys(("id", "title", "type", "url", "resourceId"), "text")
_DEEPEST: list[Shape] = [_ITEM]
_MIDDLE: list[Shape] = [{**_ITEM, "items": _DEEPEST}]

MENUS = Resource(
    name="menus",
    description="Menus with their items, as the pages of a query return them.",
    entities=(
        Entity(
            node_types=("Menu",),
            table="shopify_menus",
            staging="pipeline.staging_menus",
            columns=(
                GID,
                Column("title", Kind.TEXT, ("title",), required=True),
                Column("handle", Kind.TEXT, ("handle",), required=True, max_length=255),
                Column("items", Kind.JSON, ("items",), shape=[{**_ITEM, "items": _MIDDLE}], staged_only=True),
            ),
            unfolded=(Unfolded("shopify_menu_items", "items", "mirror/unfold_menu_items", "mirror/check_menu_items"),),
        ),
    ),
    ignored_fields=frozenset({"isDefault"}) | LINE_IDENTITY,
)
