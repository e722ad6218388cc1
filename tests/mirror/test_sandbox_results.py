"""A whole made-up shop through the river: what the sandbox answers to each resource's own query becomes its rows."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import pytest

from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.ledger import Shop
from neanelu_pipelines.mirror.parsing import BlockParser
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.mirror.selection import Selection
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.sandbox.wire import encode_line
from neanelu_pipelines.shopify.documents import document as stored
from neanelu_pipelines.shopify.documents import paged
from neanelu_pipelines.shopify.jsonl import read_blocks
from tests.mirror.lines import DOMAIN, River, moment, written
from tests.sandbox.admin_client import AdminClient

ROOTS = {
    "products": "Product",
    "collections": "Collection",
    "customers": "Customer",
    "orders": "Order",
    "locations": "Location",
    "inventory": "InventoryItem",
    "metaobjects": "Metaobject",
    "publications": "Publication",
    "product_publications": "Product",
    "variant_media": "ProductVariant",
    "menus": "Menu",
    "files": "MediaImage",
    "webhook_subscriptions": "WebhookSubscription",
}


EMPTY = {
    "shopify_collections": {"published_at"},  # Shopify does not tell
    "shopify_customers": {"average_order_amount"},  # nor this
    "shopify_metaobjects": {"capabilities"},
    "shopify_orders": {"payment_terms"},  # for which a token needs a scope of its own
    "pipeline.inventory_levels": {"webhook_key"},  # of an event
    "shopify_webhooks": {"include_fields", "metafield_namespaces"},  # the sandbox's own asks for everything
}
"""Columns that no export of ours fills, by table."""


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, bytes]]:
    """The result of every declared resource's query, of one shop."""
    shop = GeneratedShop(
        DOMAIN, seed=3, products=90, orders=150, customers=60, collections=12, metaobjects=30, files=25
    )
    with Sandbox([shop]) as sandbox:
        admin = AdminClient(sandbox, DOMAIN)
        yield {name: page(admin, name) if name in paged() else admin.bulk(document(name)) for name in RESOURCES}


def empty_columns(river: River) -> dict[str, set[str]]:
    """The columns of the mirror that hold in all rows what they hold where nobody says anything."""
    found: dict[str, set[str]] = {}
    for table in dict.fromkeys(table for resource in RESOURCES.values() for table in resource.mirror_tables):
        rows = [row for (row,) in river.query(f"SELECT to_jsonb(t) - ARRAY['shop_id'] FROM {table} t")]
        filled = {name for row in rows for name, value in row.items() if value not in (None, {}, [])}
        found[table] = columns_of(river, table) - filled - {"shop_id"}
    return {table: names for table, names in found.items() if names}


def columns_of(river: River, table: str) -> set[str]:
    query = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    return {name for (name,) in river.query(query, table)}


def page(admin: AdminClient, resource: str) -> bytes:
    """The nodes of the one page that a short list has, a line each."""
    (found,) = admin.data(stored(f"paged/{resource}"), first=250, after=None).values()
    return b"".join(encode_line(node) for node in found["nodes"])


def document(resource: str) -> str:
    """The resource's query as it is sent in bulk: without a head and a search."""
    text = files("neanelu_pipelines.shopify").joinpath(f"documents/{resource}.graphql").read_text(encoding="utf-8")
    text = re.sub(r"^query \w+(\(.*?\))? ", "", text).replace(", query: $search", "")
    return text.replace("$type", '"producator"')


def mixed(resource: Resource, lines: list[bytes], folder: Path) -> dict[str, set[str]]:
    """The columns of which the file's lines seem to disagree whether they carry them."""
    file = folder / "lines.jsonl"
    file.write_bytes(b"".join(lines))
    selection, shop = Selection(), Shop(uuid4(), DOMAIN, "RON")
    load = LoadRun(uuid4(), shop.shop_id, DOMAIN, resource.name, str(file), 0, "")
    parser = BlockParser(resource, shop, load, selection.wants, moment(5))
    for block in read_blocks(str(file), block_bytes=2**20, max_line_bytes=2**20):
        parsed = parser.parse(block, None)
        for entity, node, sample in parsed.samples:
            selection.sample(resource, entity, node, sample)
        for entity, columns in parsed.values:
            selection.saw_values(entity, columns)
    selection.settle()
    return selection.mixed


def test_no_part_of_a_result_is_taken_for_two_queries(results: dict[str, bytes], tmp_path: Path) -> None:
    """A shop may have nodes of one type only, or a single one."""
    for name, resource in RESOURCES.items():
        by_type: dict[str, list[bytes]] = defaultdict(list)
        for line in results[name].splitlines(keepends=True):
            by_type[json.loads(line)["__typename"]].append(line)
        for kind, lines in by_type.items():
            for some in (lines, lines[:1], lines[-1:]):
                assert mixed(resource, some, tmp_path) == {}, (name, kind)


@pytest.mark.parametrize("rows", [1, 5000], ids=["side by side", "in one transaction"])
def test_every_resource_of_a_shop_arrives_whole(
    river: River, results: dict[str, bytes], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_BIG_LOAD_ROWS", rows)
    for name, resource in RESOURCES.items():
        nodes = Counter(json.loads(line)["__typename"] for line in results[name].splitlines())

        held = {table: river.one(f"SELECT count(*) FROM {table}") for table in resource.mirror_tables}
        report = river.load(results[name], resource=name, as_of=moment(5))

        assert (report.stage.total.rejected, report.stage.notes) == (0, []), (name, report.rejections)
        total = report.stage.total
        assert (total.staged, total.ignored) == (sum(nodes.values()), 0), name
        root = resource.entity(next(e.table for e in resource.entities if ROOTS[name] in e.node_types))
        whole = river.one(f"SELECT count(*) FROM {root.table} WHERE {root.fingerprint} IS NOT NULL")
        assert whole == sum(nodes[kind] for kind in root.node_types) > 0, name
        for table, counts in report.tables.items():
            assert counts.inserted == river.one(f"SELECT count(*) FROM {table}") - held[table], (name, table)

    assert empty_columns(river) == EMPTY
    before = river.versions()
    for name in RESOURCES:
        assert written(river.load(results[name], resource=name, as_of=moment(6))) == {}, name
    assert river.versions() == before
