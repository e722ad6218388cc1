"""What the mirror must hold of a sandbox shop's files and media: one table, which two resources write.

Belongs here: the rows that follow from the shop's nodes, by hand, as in `expected`, without anything of the loader.
Does not belong here: which product or variant shows a medium (`expected`).
"""

from benchmarks.values import ELSEWHERE, Row, Rows, moment, nodes, number, url
from neanelu_pipelines.sandbox.shop.overlay import Node
from neanelu_pipelines.sandbox.shop.world import Shop


def files(shop: Shop) -> dict[str, Rows]:
    """All files of the shop: what products show, and what hangs on none."""
    return {"shopify_media": {(node["id"],): _file(node) for node in nodes(shop, "files")}}


def medium(node: Node) -> Row:
    """What a product tells of a medium that it shows."""
    image, sources = node.get("image") or {}, node.get("sources") or []
    return {
        "shopify_gid": node["id"],
        "legacy_resource_id": number(node["id"]),
        "media_type": node["mediaContentType"],
        "alt": node["alt"],
        "status": node["status"],
        "mime_type": node.get("mimeType") or next((one["mimeType"] for one in sources), None),
        "file_size": ELSEWHERE,
        "width": image.get("width"),
        "height": image.get("height"),
        "duration": node.get("duration"),
        "url": url(node),
        "preview_url": (node["preview"]["image"] or {}).get("url"),
        "sources": [{key: one[key] for key in ("url", "mimeType")} for one in sources],
        "metadata": {"host": node["host"]} if node.get("host") else {},
        "created_at_shopify": moment(node["createdAt"]),
    }


def _file(node: Node) -> Row:
    if node["__typename"] != "GenericFile":
        source = node.get("originalSource") or {}
        return medium(node) | {"file_size": source.get("fileSize", source.get("filesize"))}
    document = {"mediaContentType": "GENERIC_FILE", "status": node["fileStatus"]}
    return medium(node | document) | {"url": node["url"], "file_size": node["originalFileSize"]}
