"""The sandbox answers queries as the Admin API does: selections, pages, searches, costs, refusals."""

import time
from typing import Any

import httpx
import pytest

from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.sandbox.admin.cost import Bucket
from neanelu_pipelines.sandbox.shop.generated import SCOPES
from tests.sandbox.admin_client import AdminClient
from tests.sandbox.conftest import DOMAIN, OTHER


def test_a_shop_says_who_it_is_and_what_the_token_may(standing: AdminClient) -> None:
    data = standing.data("{ shop { myshopifyDomain currencyCode } currentAppInstallation { accessScopes { handle } } }")
    assert data["shop"] == {"myshopifyDomain": DOMAIN, "currencyCode": "RON"}
    assert {"handle": "read_products"} in data["currentAppInstallation"]["accessScopes"]


def test_a_wrong_token_and_an_unknown_shop_or_version_are_refused(standing: AdminClient) -> None:
    payload = {"query": "{ shop { name } }"}
    wrong = httpx.post(standing.url, json=payload, headers={"X-Shopify-Access-Token": "shpat_wrong"})
    assert wrong.status_code == 401
    assert "Invalid API key or access token" in wrong.json()["errors"]
    assert httpx.post(standing.url, json=payload).status_code == 401
    assert standing.http.post(standing.url.replace(DOMAIN, "nimeni.myshopify.com"), json=payload).status_code == 404
    assert standing.http.post(standing.url.replace("2025-10", "2019-01"), json=payload).status_code == 404
    other = httpx.Client(headers={"X-Shopify-Access-Token": standing.sandbox.token(OTHER)})
    assert other.post(standing.url, json=payload).status_code == 401


def test_aliases_fragments_variables_and_typenames(standing: AdminClient) -> None:
    query = """query Q($first: Int!, $with: Boolean = false) {
      goods: products(first: $first) { __typename nodes { ...Basic more: title @include(if: $with) } } }
      fragment Basic on Product { __typename id ... on Node { gid: id } media(first: 1) {
        nodes { __typename ... on MediaImage { image { width } } ... on Video { duration } } } }"""
    goods = standing.data(query, first=2)["goods"]
    assert goods["__typename"] == "ProductConnection"
    assert [list(node) for node in goods["nodes"]] == [["__typename", "id", "gid", "media"]] * 2
    assert goods["nodes"][0]["__typename"] == "Product"
    assert list(goods["nodes"][0]["media"]["nodes"][0]) == ["__typename", "image"]
    assert "more" in standing.data(query, first=1, **{"with": True})["goods"]["nodes"][0]


def walked(client: AdminClient, arguments: str, field: str = "products") -> list[dict[str, Any]]:
    nodes, after = [], None
    while True:
        page = client.data(
            f"query($after: String) {{ {field}(first: 7, after: $after{arguments}) "
            "{ edges { cursor node { id updatedAt } } pageInfo { hasNextPage endCursor } } }",
            after=after,
        )[field]
        nodes += [edge["node"] for edge in page["edges"]]
        assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes
        after = page["pageInfo"]["endCursor"]


@pytest.mark.parametrize("field", ["products", "orders", "customers", "inventoryItems", "files"])
def test_pages_hold_every_node_once(standing: AdminClient, field: str) -> None:
    nodes = walked(standing, "", field)
    assert len({node["id"] for node in nodes}) == len(nodes) > 5
    backwards = walked(standing, ", reverse: true", field)
    assert [node["id"] for node in backwards] == [node["id"] for node in nodes][::-1]


def test_pages_sorted_by_a_moment_are_in_its_order(standing: AdminClient) -> None:
    moments = [node["updatedAt"] for node in walked(standing, ", sortKey: UPDATED_AT", "orders")]
    assert moments == sorted(moments)
    assert len(moments) == 80


def test_a_range_of_moments_is_half_open(standing: AdminClient) -> None:
    nodes = walked(standing, ", sortKey: UPDATED_AT", "orders")
    low, high = nodes[10]["updatedAt"], nodes[30]["updatedAt"]
    search = f", sortKey: UPDATED_AT, query: \"updated_at:>='{low}' AND updated_at:<'{high}'\""
    found = walked(standing, search, "orders")
    assert found == [node for node in nodes if low <= node["updatedAt"] < high]


def test_ids_are_found_and_joined(standing: AdminClient) -> None:
    numbers = [node["id"].rpartition("/")[2] for node in walked(standing, "")]
    found = walked(standing, f', query: "id:{numbers[4]} OR id:{numbers[9]}"')
    assert [node["id"].rpartition("/")[2] for node in found] == [numbers[4], numbers[9]]
    later = walked(standing, f', query: "id:>{numbers[20]}"')
    assert [node["id"].rpartition("/")[2] for node in later] == numbers[21:]


def test_an_unknown_search_field_finds_everything_with_a_warning(standing: AdminClient) -> None:
    body = standing.ask('{ products(first: 250, query: "made_up:value") { nodes { id } } }')
    assert len(body["data"]["products"]["nodes"]) == 60
    (said,) = body["extensions"]["search"]
    assert said["parsed"] == {"field": "made_up", "match_all": "value"}
    message = "Invalid search field for this query."
    assert said["warnings"] == [{"field": "made_up", "message": message, "code": "invalid_field"}]


@pytest.mark.parametrize(
    ("query", "message", "code"),
    [
        (
            "{ products(first: 1) { nodes { colour } } }",
            "Field 'colour' doesn't exist on type 'Product'",
            "undefinedField",
        ),
        (
            "{ bulkOperation(id: 1) { id } }",
            "Field 'bulkOperation' doesn't exist on type 'QueryRoot'",
            "undefinedField",
        ),
        ("{ shop(a: 1) { id } }", "Field 'shop' doesn't accept argument 'a'", "argumentNotAccepted"),
        ("{ products { nodes { id } } }", "you must provide one of first or last", "BAD_REQUEST"),
        ("{ products(first: 251) { nodes { id } } }", "first cannot exceed 250", "INVALID_ARGUMENT"),
        ('{ products(first: 1, query: "updated_at:>x") { nodes { id } } }', "Invalid timestamp", "BAD_REQUEST"),
        ('{ node(id: "not-a-gid") { id } }', "Invalid global id 'not-a-gid'", "argumentLiteralsIncompatible"),
        ("query($id: ID!) { node(id: $id) { id } }", "provided invalid value", "INVALID_VARIABLE"),
    ],
)
def test_wrong_queries_are_refused_in_shopifys_words(
    standing: AdminClient, query: str, message: str, code: str
) -> None:
    (error,) = standing.ask(query)["errors"]
    assert message in error["message"]
    assert error["extensions"]["code"] == code


def test_what_2025_10_does_not_have_newer_versions_do(standing: AdminClient) -> None:
    newer = AdminClient(standing.sandbox, DOMAIN, "2026-01")
    assert newer.data("{ bulkOperations(first: 1) { nodes { id } } }")["bulkOperations"] == {"nodes": []}


def test_any_node_is_found_by_its_id_and_one_that_never_was_is_null(standing: AdminClient) -> None:
    data = standing.data("""{ products(first: 3) { nodes { id variants(first: 1) { nodes { id inventoryItem {
      id inventoryLevels(first: 1) { nodes { id } } } } } media(first: 1) { nodes { id } } } }
      orders(first: 1) { nodes { id lineItems(first: 1) { nodes { id } } } } customers(first: 9) { nodes { id } }
      collections(first: 1) { nodes { id } } locations(first: 1) { nodes { id } } menus(first: 1) { nodes { id } }
      metaobjects(type: "producator", first: 1) { nodes { id } } publications(first: 1) { nodes { id } }
      webhookSubscriptions(first: 1) { nodes { id } } files(first: 9) { nodes { id } } }""")
    gids: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            gids.extend([value["id"]] if "id" in value else [])
            value = list(value.values())
        for one in value if isinstance(value, list) else []:
            collect(one)

    collect(data)
    assert len(gids) > 30
    gone = "gid://shopify/Product/1"
    nodes = standing.data("query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=[*gids, gone])["nodes"]
    assert [node["id"] if node else None for node in nodes] == [*gids, None]
    assert all(node["__typename"] == gid.split("/")[3] for node, gid in zip(nodes, gids, strict=False))


def test_costs_are_those_that_were_recorded(standing: AdminClient) -> None:
    def requested(query: str) -> int:
        cost: int = standing.ask(query)["extensions"]["cost"]["requestedQueryCost"]
        return cost

    assert requested("{ products(first: 1) { nodes { id } } }") == 3
    assert requested("{ products(first: 5) { nodes { id } } }") == 5
    assert requested("{ products(first: 250) { nodes { id title tags } pageInfo { hasNextPage endCursor } } }") == 13
    nested = "(first: 250) { nodes { id } pageInfo { hasNextPage } }"
    three = f"variants{nested} media{nested} metafields{nested}"
    assert requested(f"{{ products(first: 250) {{ nodes {{ id {three} }} pageInfo {{ hasNextPage }} }} }}") == 442
    assert requested("{ currentBulkOperation { id } }") == 1
    assert requested("{ productsCount { count } }") == 10


def test_a_query_over_a_thousand_points_is_refused_and_costs_nothing(standing: AdminClient) -> None:
    inner = " ".join(f"a{i}: variants(first: 250) {{ nodes {{ id }} }}" for i in range(8))
    body = standing.ask(f"{{ products(first: 250) {{ nodes {{ id {inner} }} }} }}")
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["cost"] > error["extensions"]["maxCost"] == 1000


def test_an_empty_bucket_throttles_with_http_200_and_fills_again() -> None:
    shop = GeneratedShop(DOMAIN, products=10)
    with Sandbox([shop], bucket=(30.0, 200.0)) as sandbox:
        client = AdminClient(sandbox, DOMAIN)
        query = "{ products(first: 250) { nodes { id } } }"
        throttled = next(body for body in (client.ask(query) for _ in range(50)) if "errors" in body)
        assert "data" not in throttled
        assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"
        cost = throttled["extensions"]["cost"]
        missing = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
        time.sleep(missing / cost["throttleStatus"]["restoreRate"] + 0.02)
        assert "data" in client.ask(query)
        assert any(seen.throttled for seen in sandbox.requests)


def test_the_bucket_gives_back_what_a_query_did_not_use() -> None:
    now = 0.0
    bucket = Bucket(100, 10, clock=lambda: now)
    assert bucket.take(80)
    assert not bucket.take(30)
    bucket.give_back(10)
    assert bucket.take(30)
    now = 5.0
    assert bucket.status() == {"maximumAvailable": 100, "currentlyAvailable": 50, "restoreRate": 10}
    now = 1000.0
    assert bucket.status()["currentlyAvailable"] == 100


def test_a_scope_that_the_token_lacks_denies_the_field_that_needs_it() -> None:
    shop = GeneratedShop(DOMAIN, products=3, orders=9, customers=9, scopes=("read_products", "read_orders"))
    with Sandbox([shop]) as sandbox:
        client = AdminClient(sandbox, DOMAIN)
        body = client.ask("{ customers(first: 1) { nodes { id } } }")
        assert body["data"] is None
        (error,) = body["errors"]
        assert error["extensions"]["code"] == "ACCESS_DENIED"
        assert error["extensions"]["requiredAccess"] == "`read_customers` access scope."
        assert client.ask("{ orders(first: 9) { nodes { customer { id } } } }")["errors"][0]["path"][-1] == "customer"
        ended = client.finish(client.start("{ orders { edges { node { id customer { id } } } } }"))
        assert (ended["status"], ended["errorCode"], ended["url"]) == ("FAILED", "ACCESS_DENIED", None)


def test_without_the_scope_for_all_orders_those_of_the_last_60_days_are_shown_and_no_word_is_said() -> None:
    few = tuple(set(SCOPES) - {"read_all_orders"})
    shops = [GeneratedShop(DOMAIN, products=3, orders=40), GeneratedShop(OTHER, products=3, orders=40, scopes=few)]
    listed = "{ orders(first: 100) { nodes { createdAt } } }"
    with Sandbox(shops) as sandbox:
        made = sorted(node["createdAt"] for node in AdminClient(sandbox, DOMAIN).data(listed)["orders"]["nodes"])
        client = AdminClient(sandbox, OTHER)
        recent = client.data(listed)["orders"]["nodes"]
        assert (len(made), made[0] < min(node["createdAt"] for node in recent)) == (40, True)
        assert 0 < len(recent) < 40
        ended = client.finish(client.start("{ orders { edges { node { id } } } }"))
        assert (ended["status"], ended["objectCount"]) == ("COMPLETED", str(len(recent)))


def test_webhook_subscriptions_are_made_changed_and_removed(admin: AdminClient) -> None:
    made = admin.data(
        """mutation($topic: WebhookSubscriptionTopic!, $given: WebhookSubscriptionInput!) {
        webhookSubscriptionCreate(topic: $topic, webhookSubscription: $given) {
          webhookSubscription { id uri apiVersion { handle } } userErrors { message } } }""",
        topic="CUSTOMERS_UPDATE",
        given={"uri": "https://a.example/x"},
    )["webhookSubscriptionCreate"]
    gid = made["webhookSubscription"]["id"]
    assert made["webhookSubscription"]["apiVersion"] == {"handle": "2025-10"}
    listed = "{ webhookSubscriptions(first: 50) { nodes { id topic uri } } }"
    node = {"id": gid, "topic": "CUSTOMERS_UPDATE", "uri": "https://a.example/x"}
    assert node in admin.data(listed)["webhookSubscriptions"]["nodes"]
    removed = "mutation($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId } }"
    assert admin.data(removed, id=gid)["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"] == gid
    assert node not in admin.data(listed)["webhookSubscriptions"]["nodes"]
