"""A made-up shop: the same every time, never whole in memory, and what happens to it shows everywhere."""

import json
import tracemalloc
from decimal import Decimal
from typing import Any

import httpx
import pytest

from neanelu_pipelines.sandbox.admin import GeneratedShop
from neanelu_pipelines.sandbox.shop.overlay import stamp
from neanelu_pipelines.sandbox.shop.world import NoSuchNodeError, Shop
from tests.sandbox.admin_client import AdminClient
from tests.sandbox.conftest import DOMAIN, made

BIG = GeneratedShop(DOMAIN, seed=1, products=50_000, orders=200_000, customers=50_000)
PRODUCTS = """{ products(sortKey: UPDATED_AT) { edges { node { id title updatedAt totalInventory
  priceRangeV2 { maxVariantPrice { amount } } variants { edges { node { id price inventoryQuantity } } } } } } }"""
ORDERS = """{ orders { edges { node { id createdAt updatedAt processedAt closedAt cancelledAt customer { id }
  totalPriceSet { shopMoney { amount } } subtotalPriceSet { shopMoney { amount } }
  totalShippingPriceSet { shopMoney { amount } } totalRefundedSet { shopMoney { amount } }
  currentTotalPriceSet { shopMoney { amount } } transactions { kind amountSet { shopMoney { amount } } }
  refunds { totalRefundedSet { shopMoney { amount } } }
  lineItems { edges { node { id variant { id } product { id } discountedTotalSet { shopMoney { amount } } } } }
  } } } }"""


def amount(bag: dict[str, Any]) -> Decimal:
    return Decimal(bag["shopMoney"]["amount"])


def test_a_shop_is_the_same_every_time_and_differs_by_seed() -> None:
    with made() as first, made() as again:
        one, two = AdminClient(first, DOMAIN), AdminClient(again, DOMAIN)
        assert one.bulk(PRODUCTS) == two.bulk(PRODUCTS)
        assert one.bulk(ORDERS) == two.bulk(ORDERS)
    first_ids = {Shop(GeneratedShop(DOMAIN, seed=seed, products=9)).products.table.node(0)["id"] for seed in range(9)}
    assert len(first_ids) == 9, "shops of other seeds have other ids"


def test_a_big_shop_takes_no_memory_until_it_is_looked_at() -> None:
    tracemalloc.start()
    shop = Shop(BIG)
    order, product = shop.orders.table.node(199_999), shop.products.table.node(49_999)
    assert shop.node(order["id"]) == order
    of_product = shop.node(product["variants"][0]["id"])
    assert of_product
    assert of_product["product"]["id"] == product["id"]
    for index in range(500):
        shop.orders.table.node(index)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_the_moneys_of_an_order_add_up(standing: AdminClient) -> None:
    lines = standing.nodes(ORDERS)
    items: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        items.setdefault(line.get("__parentId", ""), []).append(line)
    orders = items.pop("")
    assert len(orders) == 80
    assert any(order["cancelledAt"] for order in orders)
    for order in orders:
        subtotal = sum(amount(line["discountedTotalSet"]) for line in items[order["id"]])
        assert amount(order["subtotalPriceSet"]) == subtotal
        assert amount(order["totalPriceSet"]) == subtotal + amount(order["totalShippingPriceSet"])
        refunded = amount(order["totalRefundedSet"])
        assert refunded == amount(order["totalPriceSet"]) or not order["cancelledAt"]
        assert refunded == sum(amount(refund["totalRefundedSet"]) for refund in order["refunds"])
        assert amount(order["currentTotalPriceSet"]) == amount(order["totalPriceSet"]) - refunded
        assert amount(order["transactions"][0]["amountSet"]) == amount(order["totalPriceSet"])
        assert order["createdAt"] == order["processedAt"] <= (order["closedAt"] or order["updatedAt"])
        assert (order["closedAt"] or "") <= order["updatedAt"]


def test_what_an_order_names_is_in_the_shop(standing: AdminClient) -> None:
    lines = standing.nodes(ORDERS)
    gids = {line["customer"]["id"] for line in lines if line.get("customer")}
    gids |= {line[part]["id"] for line in lines for part in ("variant", "product") if line.get(part)}
    assert len(gids) > 50
    for start in range(0, len(gids), 100):
        some = sorted(gids)[start : start + 100]
        nodes = standing.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=some)["nodes"]
        assert [node and node["id"] for node in nodes] == some


def test_levels_make_up_the_variants_stock(standing: AdminClient) -> None:
    query = """{ productVariants(first: 100) { nodes { inventoryQuantity inventoryItem { inventoryLevels(first: 9) {
      nodes { location { isActive } quantities(names: ["on_hand", "available", "committed"]) { name quantity } } }
      } } } }"""
    for variant in standing.data(query)["productVariants"]["nodes"]:
        levels = variant["inventoryItem"]["inventoryLevels"]["nodes"]
        amounts = [{one["name"]: one["quantity"] for one in level["quantities"]} for level in levels]
        assert sum(one["available"] for one in amounts) == variant["inventoryQuantity"]
        assert all(one["on_hand"] == one["available"] + one["committed"] for one in amounts)
        assert all(level["location"]["isActive"] for level in levels)


def test_collections_count_their_members(standing: AdminClient) -> None:
    query = "{ collections { edges { node { id productsCount { count } products { edges { node { id } } } } } } }"
    lines = standing.nodes(query)
    collections = [line for line in lines if "__parentId" not in line]
    for collection in collections:
        members = [line["id"] for line in lines if line.get("__parentId") == collection["id"]]
        assert len(set(members)) == len(members) == collection["productsCount"]["count"]
    assert sum(line["productsCount"]["count"] for line in collections) > 0


def test_an_edit_shows_everywhere_and_moves_the_moment(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    before = admin.nodes(PRODUCTS)
    product = before[0]
    since = stamp(shop.overlay.now())
    shop.update(product["id"], title="Greblă & sapă")
    search = (
        f"{{ products(sortKey: UPDATED_AT, query: \"updated_at:>='{since}'\") {{ edges {{ node {{ id title }} }} }} }}"
    )
    assert admin.nodes(search) == [{"id": product["id"], "title": "Greblă & sapă"}]
    after = admin.nodes(PRODUCTS)
    assert [line["title"] for line in after if line["id"] == product["id"]] == ["Greblă & sapă"]
    last = [line for line in after if "__parentId" not in line][-1]
    assert last["id"] == product["id"], "sorted by updatedAt it is now the last"
    assert last["updatedAt"] >= since
    unchanged = [line for line in after if line["id"] != product["id"]]
    assert sorted(map(json.dumps, unchanged)) == sorted(
        map(json.dumps, [x for x in before if x["id"] != product["id"]])
    )


def test_a_variants_edit_moves_its_product(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    product, variant = admin.nodes(PRODUCTS)[:2]
    assert variant["__parentId"] == product["id"]
    shop.update(variant["id"], price="99999.90", sku="SKU-NOU")
    changed = {line["id"]: line for line in admin.nodes(PRODUCTS)}
    assert changed[variant["id"]]["price"] == "99999.90"
    assert changed[product["id"]]["priceRangeV2"]["maxVariantPrice"]["amount"] == "99999.9"
    assert changed[product["id"]]["updatedAt"] > product["updatedAt"]
    items = admin.nodes("{ inventoryItems { edges { node { sku variant { id sku } } } } }")
    assert [one["sku"] for one in items if one["variant"]["id"] == variant["id"]] == ["SKU-NOU"]
    assert all(one["sku"] == one["variant"]["sku"] for one in items)


def test_stock_that_is_set_is_the_variants_stock(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    product = shop.products.table.node(7)
    level = product["variants"][0]["inventoryItem"]["inventoryLevels"][0]
    rest = product["totalInventory"] - level["quantities"][0]["quantity"]
    shop.set_stock(level["id"], available=1234)
    query = "query($id: ID!) { product(id: $id) { totalInventory updatedAt } }"
    assert admin.data(query, id=product["id"])["product"]["totalInventory"] == rest + 1234
    query = 'query($id: ID!) { inventoryLevel(id: $id) { updatedAt quantities(names: ["on_hand"]) { quantity } } }'
    committed = level["quantities"][2]["quantity"]
    assert admin.data(query, id=level["id"])["inventoryLevel"]["quantities"] == [{"quantity": 1234 + committed}]


def test_what_is_deleted_is_gone_everywhere(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    line = next(one for one in admin.nodes(ORDERS) if one.get("product"))
    product = line["product"]["id"]
    shop.delete(product)
    nodes = admin.nodes(PRODUCTS)
    assert product not in {one["id"] for one in nodes} | {one.get("__parentId") for one in nodes}
    assert admin.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[product, line["variant"]["id"]]) == {
        "nodes": [None, None]
    }
    sold = next(one for one in admin.nodes(ORDERS) if one["id"] == line["id"])
    assert (sold["product"], sold["variant"]) == (None, None)
    variants = admin.nodes("{ productVariants { edges { node { id product { id } } } } }")
    assert product not in {one["product"]["id"] for one in variants}
    events = admin.data("{ deletionEvents(first: 9, subjectTypes: [PRODUCT]) { nodes { subjectId subjectType } } }")
    assert events["deletionEvents"]["nodes"] == [{"subjectId": product, "subjectType": "PRODUCT"}]
    assert admin.data("{ productsCount { count } }")["productsCount"]["count"] == 59
    with pytest.raises(NoSuchNodeError, match="has no"):
        shop.update(product, title="x")


def test_what_is_created_is_new(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    since = stamp(shop.overlay.now())
    gids = {name: shop.create(name) for name in ("Product", "Order", "Customer", "Collection")}
    for name, gid in gids.items():
        field = f"{name.lower()}s"
        searched = "updated_at" if name == "Collection" else "created_at"
        found = admin.nodes(f'{{ {field}(query: "{searched}:>={since}") {{ edges {{ node {{ id updatedAt }} }} }} }}')
        assert [node["id"] for node in found] == [gid]
        assert found[0]["updatedAt"] >= since
    assert len({line["id"] for line in admin.nodes("{ products { edges { node { id } } } }")}) == 61
    assert gids["Product"] in {
        line["product"]["id"] for line in admin.nodes("{ productVariants { edges { node { id product { id } } } } }")
    }


def test_orders_keep_their_customers_whoever_comes_and_lose_those_who_go(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    orders = "{ orders { edges { node { id customer { id } } } } }"
    before = {line["id"]: line["customer"] for line in admin.nodes(orders)}
    for _ in range(5):
        shop.create("Customer")
    assert {line["id"]: line["customer"] for line in admin.nodes(orders)} == before
    gone = next(customer for customer in before.values() if customer)
    shop.delete(gone["id"])
    after = {order: None if customer == gone else customer for order, customer in before.items()}
    assert {line["id"]: line["customer"] for line in admin.nodes(orders)} == after


def test_a_variant_may_go_alone(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    lines = admin.nodes(PRODUCTS)
    parents = [line["__parentId"] for line in lines if "__parentId" in line]
    several = next(parent for parent in parents if parents.count(parent) > 1)
    gone = next(line["id"] for line in lines if line.get("__parentId") == several)
    shop.delete(gone)
    after = admin.nodes(PRODUCTS)
    assert len(after) == len(lines) - 1
    product = next(line for line in after if line["id"] == several)
    left = [line for line in after if line.get("__parentId") == several]
    assert product["totalInventory"] == sum(line["inventoryQuantity"] for line in left)
    items = {line["id"] for line in admin.nodes("{ productVariants { edges { node { id } } } }")}
    assert gone not in items


def test_metafields_of_goods_variants_and_customers_can_be_changed(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    fields = "metafields { edges { node { id value } } }"
    for root in ("products", "productVariants", "customers"):
        query = f"{{ {root} {{ edges {{ node {{ id {fields} }} }} }} }}"
        field = next(line for line in admin.nodes(query) if "/Metafield/" in line["id"])
        since = stamp(shop.overlay.now())
        shop.update(field["id"], value="altceva")
        changed = [line for line in admin.nodes(query) if line["id"] == field["id"]]
        assert [line["value"] for line in changed] == ["altceva"]
        search = f'{{ {root}(query: "updated_at:>={since}") {{ edges {{ node {{ id }} }} }} }}'
        assert field["__parentId"] in {line["id"] for line in admin.nodes(search)}


def test_a_picture_may_go_and_another_is_featured(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    product = next(one for one in map(shop.products.table.node, range(60)) if len(one["media"]) > 1)
    shop.delete(product["media"][0]["id"])
    query = "query($id: ID!) { product(id: $id) { featuredMedia { id } media(first: 9) { nodes { id } } } }"
    after = admin.data(query, id=product["id"])["product"]
    assert after["featuredMedia"]["id"] == after["media"]["nodes"][0]["id"] == product["media"][1]["id"]


def test_files_are_the_loose_ones_and_all_products_media(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)

    def files(search: str = "") -> list[str]:
        return [one["id"] for one in admin.nodes(f'{{ files(query: "{search}") {{ edges {{ node {{ id }} }} }} }}')]

    goods = list(map(shop.products.table.node, range(60)))
    media = [one["id"] for product in goods for one in product["media"]]
    before = files()
    assert sorted(before) == sorted([*media, *(one["id"] for one in shop.files.loose())])
    assert len(before) - len(media) == 6

    gone = goods[0]
    loose = next(one["id"] for one in shop.files.loose() if one["__typename"] == "MediaImage")
    for gid in (gone["id"], goods[1]["media"][0]["id"], loose):
        shop.delete(gid)
    left = files()
    assert set(before) - set(left) == {loose, goods[1]["media"][0]["id"], *(one["id"] for one in gone["media"])}
    assert admin.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[loose, left[0]])["nodes"][0] is None

    since = stamp(shop.overlay.now())
    changed = {goods[2]["media"][0]["id"], left[0]}
    for gid in changed:
        shop.update(gid, alt="nou")
    assert set(files(f"updated_at:>='{since}'")) == changed
    shop.create("Product")
    assert len(files()) > len(left)


def test_deletion_events_are_found_by_when_they_happened(admin: AdminClient) -> None:
    shop = admin.sandbox.shop(DOMAIN)
    gids = [shop.products.table.node(index)["id"] for index in range(2)] + [shop.collections.table.node(0)["id"]]
    for gid in gids:
        shop.delete(gid)
    moment = stamp(shop.overlay.now() - 60)
    query = "query($q: String) { deletionEvents(first: 9, query: $q, sortKey: CREATED_AT) { nodes { subjectId } } }"

    def found(search: str) -> list[str]:
        return [one["subjectId"] for one in admin.data(query, q=search)["deletionEvents"]["nodes"]]

    assert found(f"occurred_at:>='{moment}'") == gids
    assert found(f"occurred_at:<'{moment}'") == []


def test_what_is_to_happen_in_a_shop_can_be_said_by_http(admin: AdminClient) -> None:
    def post(**options: object) -> httpx.Response:
        return httpx.post(f"{admin.sandbox.address}/__shop/{DOMAIN}", json=options)

    product = "query($id: ID!) { product(id: $id) { title } }"
    gid = post(create="Product").json()["id"]
    assert post(update=gid, changes={"title": "Ghiveci"}).status_code == 200
    assert admin.data(product, id=gid) == {"product": {"title": "Ghiveci"}}
    level = admin.sandbox.shop(DOMAIN).products.items.node(0)["inventoryLevels"][0]["id"]
    assert post(stock=level, changes={"available": 3}).status_code == 200
    assert post(delete=gid).status_code == 200
    assert admin.data(product, id=gid) == {"product": None}
    other = admin.sandbox.shop(DOMAIN).products.table.node(0)["id"]
    wrong: tuple[dict[str, object], ...] = (
        {"delete": gid},
        {"create": "Menu"},
        {"update": other, "changes": {"title": 5}},
        {"update": other, "changes": {"variants": []}},
        {"update": other},
        {"stock": level, "changes": {"available": "x"}},
        {"delete": other, "create": "Product"},
        {},
    )
    for options in wrong:
        refused = post(**options)
        assert (refused.status_code, bool(refused.json()["error"])) == (400, True), options
    assert httpx.post(f"{admin.sandbox.address}/__shop/alt.myshopify.com", json={}).status_code == 404
