"""The order of a result's lines, where it means something."""

import json
from pathlib import Path

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.shopify.documents import document, inlined
from tests.shopify.bulk import Desk
from tests.shopify.conftest import make_shop

DOMAIN = "gradina-in-ordine.myshopify.com"


def test_a_collections_products_come_in_its_order(database: Database, tmp_path: Path) -> None:
    """An ungrouped result promises no order: the sandbox shuffles it."""
    with Sandbox([GeneratedShop(DOMAIN, products=30, collections=3)], bucket=(1e6, 1e6)) as sandbox:
        shop_id = make_shop(database, DOMAIN)
        desk = Desk(database.urls, sandbox.url_template, sandbox.token(DOMAIN), shop_id, tmp_path, DOMAIN)
        outcome = desk.export(inlined(document("collections"), {"search": None}), "collections")
        rows = sandbox.shop(DOMAIN).rows("collections", {})
        every = [rows.node(int(index)) for index in rows.indexes()]

    wanted = {one["id"]: [one["products"].node(int(at))["id"] for at in one["products"].indexes()] for one in every}
    lines = [json.loads(line) for line in (tmp_path / DOMAIN / "collections" / f"{outcome.run_id}.jsonl").open()]
    came = {gid: [line["id"] for line in lines if line.get("__parentId") == gid] for gid in wanted}
    assert came == wanted
    assert max(map(len, wanted.values())) > 5
