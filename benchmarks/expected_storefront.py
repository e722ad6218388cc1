"""What the mirror must hold of what a sandbox shop's customers see: where products are published, menus.

Belongs here: the rows that follow from the shop's nodes, by hand, as in `expected`, without anything of the loader.
Does not belong here: products and publications themselves (`expected`).
"""

from collections.abc import Iterator

from benchmarks.values import Row, Rows, moment, nodes
from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.world import Shop


def product_publications(shop: Shop) -> dict[str, Rows]:
    """What each product is published in: as a set, and as rows."""
    products = nodes(shop, "products")
    return {
        "pipeline.product_publications": {(node["id"],): _set(node) for node in products},
        "shopify_resource_publications": {
            (node["id"], one["publication"]["id"]): _published(node, one)
            for node in products
            for one in node["resourcePublicationsV2"]
        },
    }


def _set(node: Node) -> Row:
    shown = {one["publication"]["id"]: one for one in node["resourcePublicationsV2"]}
    return {
        "shopify_gid": node["id"],
        "product_id": node["id"],
        "publications": {
            gid: {
                "publication_gid": gid,
                "publication_id": gid,
                "is_published": one["isPublished"],
                "publish_date": one["publishDate"],
            }
            for gid, one in shown.items()
        },
    }


def _published(node: Node, shown: Node) -> Row:
    date = moment(shown["publishDate"])
    return {
        "publication_id": shown["publication"]["id"],
        "resource_type": "Product",
        "resource_id": node["id"],
        "is_published": shown["isPublished"],
        "published_at": date if shown["isPublished"] else None,
        "publish_date": date,
    }


def menus(shop: Shop) -> dict[str, Rows]:
    """Menus, and all their items, however deep."""
    made: dict[str, Rows] = {"shopify_menus": {}, "shopify_menu_items": {}}
    for menu in nodes(shop, "menus"):
        items = list(_items(menu["items"], menu, None, ()))
        made["shopify_menu_items"] |= {(row["shopify_gid"],): row for row in items}
        made["shopify_menus"][menu["id"],] = {
            "shopify_gid": menu["id"],
            "title": menu["title"],
            "handle": menu["handle"],
            "items_count": len(items),
        }
    return made


def _items(items: list[Node], menu: Node, parent: str | None, way: tuple[str, ...]) -> Iterator[Row]:
    for position, item in enumerate(items):
        path = (*way, item["title"])
        yield {
            "menu_id": menu["id"],
            "shopify_gid": item["id"],
            "parent_item_id": parent,
            "title": item["title"],
            "url": item["url"],
            "item_type": item["type"],
            "resource_id": item["resourceId"],
            "position": position,
            "level": len(path),
            "path": list(path),
        }
        yield from _items(item["items"], menu, item["id"], path)
