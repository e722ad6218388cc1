"""Bulk operations of the sandbox: Shopify's rules, states, bytes, and signed urls."""

import json
import time
from collections.abc import Iterator

import pytest

from neanelu_pipelines.sandbox.admin import GeneratedShop, Pace, Sandbox
from neanelu_pipelines.sandbox.wire import encode_line
from tests.sandbox.admin_client import RUN, AdminClient
from tests.sandbox.conftest import DOMAIN

PRODUCTS = "{ products(sortKey: UPDATED_AT) { edges { node { id title variants { edges { node { id sku } } } } } } }"


@pytest.fixture
def slow() -> Iterator[AdminClient]:
    """Operations stay a while in each state, and urls hold only shortly."""
    pace = Pace(created=0.15, running=0.15, canceling=0.1, url_seconds=0.4)
    with Sandbox([GeneratedShop(DOMAIN, products=20)], pace=pace) as sandbox:
        yield AdminClient(sandbox, DOMAIN)


def test_the_counters_are_those_of_the_file(standing: AdminClient) -> None:
    ended = standing.finish(standing.start(PRODUCTS))
    data = standing.http.get(ended["url"]).content
    lines = [json.loads(line) for line in data.splitlines()]
    assert data.endswith(b"\n")
    assert ended["objectCount"] == str(len(lines))
    assert ended["rootObjectCount"] == str(sum("__parentId" not in line for line in lines)) == "60"
    assert ended["fileSize"] == str(len(data))
    assert ended["query"] == PRODUCTS


def test_lines_are_bytes_as_shopify_writes_them(standing: AdminClient) -> None:
    data = standing.bulk("{ products { edges { node { title id seo { title } media { edges { node { id } } } } } } }")
    lines = data.splitlines(keepends=True)
    assert lines == [encode_line(json.loads(line)) for line in lines]
    assert b"gid:\\/\\/shopify\\/" in data
    assert b"gid://" not in data
    first, second = (json.loads(line) for line in lines[:2])
    assert list(first) == ["title", "id", "seo"]
    assert list(second) == ["id", "__parentId"]
    assert second["__parentId"] == first["id"]


def test_a_parent_is_the_nearest_connections_node(standing: AdminClient) -> None:
    levels = 'inventoryLevels { edges { node { id quantities(names: ["available"]) { name quantity } } } }'
    under_variant = standing.nodes(
        f"{{ productVariants {{ edges {{ node {{ id inventoryItem {{ id {levels} }} }} }} }} }}"
    )
    children = [node for node in under_variant if "__parentId" in node]
    assert children
    assert {node["__parentId"].split("/")[3] for node in children} == {"ProductVariant"}
    assert [quantity["name"] for quantity in children[0]["quantities"]] == ["available"]
    under_item = standing.nodes(f"{{ inventoryItems {{ edges {{ node {{ id {levels} }} }} }} }}")
    assert {node["__parentId"].split("/")[3] for node in under_item if "__parentId" in node} == {"InventoryItem"}
    assert "?inventory_item_id=" in children[0]["id"]


def test_ungrouped_lines_are_the_same_in_another_order(standing: AdminClient) -> None:
    grouped = standing.bulk(PRODUCTS).splitlines()
    ungrouped = standing.bulk(PRODUCTS, grouped=False).splitlines()
    assert ungrouped != grouped
    assert sorted(ungrouped) == sorted(grouped)
    seen: set[str] = set()
    orphans = 0
    for line in map(json.loads, ungrouped):
        orphans += line.get("__parentId", line["id"]) not in seen | {line["id"]}
        seen.add(line["id"])
    assert orphans, "children come before parents"


def test_a_result_without_rows_is_complete_and_has_no_url(standing: AdminClient) -> None:
    search = '{ products(query: "updated_at:>2099-01-01") { edges { node { id } } } }'
    ended = standing.finish(standing.start(search))
    assert (ended["status"], ended["url"], ended["objectCount"]) == ("COMPLETED", None, "0")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "Invalid bulk query: syntax error, unexpected end of file"),
        ("{ shop { id } }", "Bulk queries must contain at least one connection."),
        ("{ products { nodes { id } } }", "must select the 'edges' and 'node' fields"),
        ("{ products { edges { node { title variants { edges { node { id } } } } } } }", "must select the 'id' field"),
        ("{ products { edges { node { x: id variants { edges { node { id } } } } } } }", "must select the 'id' field"),
        ("{ products { edges { node { id colour } } } }", "Field 'colour' doesn't exist on type 'Product'"),
        ("mutation { bulkOperationCancel(id: 1) { bulkOperation { id } } }", "Only `query` operations are supported."),
        ("query($a: String) { products(query: $a) { edges { node { id } } } }", "variables"),
        (
            '{ nodes(ids: ["gid://shopify/Product/1"]) { ... on Product { id variants { edges { node { id } } } } } }',
            "contain a connection field within a list field",
        ),
        (
            "{ a: products { edges { node { id } } } " * 1
            + " ".join(f"b{i}: orders {{ edges {{ node {{ id }} }} }}" for i in range(5))
            + " }",
            "cannot contain more than 5 connections",
        ),
        (
            "{ collections { edges { node { id products { edges { node { id variants { edges { node { id media "
            "{ edges { node { id } } } } } } } } } } } } }",
            "nested deeper than 2 levels",
        ),
    ],
)
def test_what_a_bulk_query_may_not_contain(standing: AdminClient, query: str, message: str) -> None:
    error = standing.refusal(query)
    assert message in error["message"]
    assert (error["field"], error["code"]) == (["query"], "INVALID")


def test_one_at_a_time_on_2025_10(slow: AdminClient) -> None:
    running = slow.start(PRODUCTS)
    error = slow.refusal(PRODUCTS)
    assert error == {
        "field": None,
        "message": f"A bulk query operation for this app and shop is already in progress: {running}.",
        "code": "OPERATION_IN_PROGRESS",
    }
    slow.finish(running)
    slow.start(PRODUCTS)


def test_five_at_a_time_on_2026_01(slow: AdminClient) -> None:
    newer = AdminClient(slow.sandbox, DOMAIN, "2026-01")
    running = [newer.start(PRODUCTS) for _ in range(5)]
    assert ", ".join(running) in newer.refusal(PRODUCTS)["message"]
    assert all(newer.finish(gid)["status"] == "COMPLETED" for gid in running)


def test_an_operation_goes_through_its_states(slow: AdminClient) -> None:
    fresh = slow.data(RUN, bulk=PRODUCTS, grouped=True)["bulkOperationRunQuery"]["bulkOperation"]
    assert (fresh["status"], fresh["objectCount"], fresh["url"]) == ("CREATED", "0", None)
    seen: list[str] = []
    while not seen or seen[-1] != "COMPLETED":
        status = slow.poll(fresh["id"])["status"]
        if status not in seen:
            seen.append(status)
    assert seen == ["CREATED", "RUNNING", "COMPLETED"]
    current = slow.data("{ currentBulkOperation(type: QUERY) { id status } }")["currentBulkOperation"]
    assert current == {"id": fresh["id"], "status": "COMPLETED"}


def test_an_operation_can_be_canceled_until_it_has_ended(slow: AdminClient) -> None:
    cancel = "mutation($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { status } userErrors { message } } }"
    gid = slow.start(PRODUCTS)
    assert slow.data(cancel, id=gid)["bulkOperationCancel"]["bulkOperation"]["status"] == "CANCELING"
    ended = slow.finish(gid)
    assert (ended["status"], ended["url"]) == ("CANCELED", None)
    assert "cannot be canceled" in slow.data(cancel, id=gid)["bulkOperationCancel"]["userErrors"][0]["message"]


def test_a_url_expires_and_a_fresh_one_can_be_had(slow: AdminClient) -> None:
    gid = slow.start(PRODUCTS)
    url = slow.finish(gid)["url"]
    assert slow.http.get(url).status_code == 200
    assert slow.http.get(url.replace("signature=", "signature=0")).status_code == 403
    time.sleep(0.45)
    assert slow.http.get(url).status_code == 403
    assert slow.http.get(slow.poll(gid)["url"]).status_code == 200


def test_a_download_can_be_taken_up_where_it_broke_off(standing: AdminClient) -> None:
    ended = standing.finish(standing.start(PRODUCTS))
    whole = standing.http.get(ended["url"])
    assert whole.headers["Accept-Ranges"] == "bytes"
    rest = standing.http.get(ended["url"], headers={"Range": "bytes=1000-"})
    assert rest.status_code == 206
    assert rest.headers["Content-Range"] == f"bytes 1000-{len(whole.content) - 1}/{len(whole.content)}"
    assert rest.content == whole.content[1000:]
    assert standing.http.get(ended["url"], headers={"Range": "bytes=5-9"}).content == whole.content[5:10]
    beyond = standing.http.get(ended["url"], headers={"Range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416
