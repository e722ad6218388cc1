"""Recorded nodes of the resources besides products: the loader takes or names every one of them.

They were recorded with other queries than ours, so most lack what a row demands; those are completed from a whole node.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.mirror.reports import LoadReport
from neanelu_pipelines.mirror.river import load_file
from neanelu_pipelines.sandbox.wire import encode_line
from neanelu_pipelines.settings import Settings

DOMAIN = "unelte.myshopify.com"
ROOTS = {
    "collections": ("Collection", "shopify_collections"),
    "customers": ("Customer", "shopify_customers"),
    "orders": ("Order", "shopify_orders"),
    "locations": ("Location", "inventory_locations"),
    "metaobjects": ("Metaobject", "shopify_metaobjects"),
    "publications": ("Publication", "shopify_publications"),
    "menus": ("Menu", "shopify_menus"),
    "webhook_subscriptions": ("WebhookSubscription", "shopify_webhooks"),
    "files": ("MediaImage", "shopify_media"),
}
WHOLE: dict[str, dict[str, Any]] = {
    "collections": {"title": "Unelte", "handle": "unelte", "sortOrder": "MANUAL"},
    "customers": {},
    "orders": {
        "name": "#1001",
        "number": 1001,
        "currencyCode": "RON",
        "totalPriceSet": {"shopMoney": {"amount": "119.9", "currencyCode": "RON"}},
    },
    "locations": {"name": "Depozit"},
    "metaobjects": {"type": "ghid", "handle": "ghid", "fields": []},
    "publications": {"name": "Online Store"},
    "menus": {"title": "Meniu", "handle": "meniu", "items": []},
    "webhook_subscriptions": {"topic": "SHOP_UPDATE", "uri": "https://neanelu.example", "format": "JSON"},
    "files": {"mediaContentType": "IMAGE", "fileStatus": "READY"},
}
"""What a row demands, where the recorded query did not ask for it."""


@pytest.fixture
def entities(shared: Path) -> Path:
    folder = shared / "data/shopify/entities"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here: the recorded data is not part of the project")
    return folder


@pytest.fixture
def shop(database: Database) -> Database:
    with database.connect(Role.ADMIN) as connection:
        connection.execute(
            "INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes)"
            " VALUES (%s, '', '', '', '{}')",
            [DOMAIN],
        )
    return database


def test_recorded_nodes_of_every_resource_are_accounted_for(shop: Database, entities: Path, tmp_path: Path) -> None:
    for resource, (node_type, table) in ROOTS.items():
        recorded = _recorded(entities / f"{node_type}.ndjson")
        assert recorded

        as_recorded = _load(shop, tmp_path, resource, recorded)
        completed = [{**WHOLE[resource], **node} for node in recorded]
        whole = _load(shop, tmp_path, resource, completed)

        for report in (as_recorded, whole):
            assert report.stage.total.read == len(recorded), resource
            assert sum(rejection.count for rejection in report.rejections) == report.stage.total.rejected, resource
        codes = {rejection.code for rejection in whole.rejections}
        assert codes <= {"conflicting_duplicate"}, (resource, whole.rejections)
        rows = _rows(shop, f"SELECT count(*) FROM {table}")
        assert rows == len({node["id"] for node in recorded}), resource


def _recorded(path: Path) -> list[dict[str, Any]]:
    nodes = [json.loads(text)["node"] for text in path.read_text(encoding="utf-8").splitlines()]
    return [node for node in nodes if isinstance(node, dict) and "id" in node]


def _load(database: Database, folder: Path, resource: str, nodes: list[dict[str, Any]]) -> LoadReport:
    source = folder / f"{resource}.jsonl"
    source.write_bytes(b"".join(encode_line(node) for node in nodes))
    settings = Settings(artifact_url=str(folder / "artifacts"), max_reject_share=1.0, _env_file=None)
    return load_file(database, settings, shop_domain=DOMAIN, resource=resource, source=str(source))


def _rows(database: Database, query: str) -> Any:
    with database.connect(Role.ADMIN) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None
