"""Events about orders, customers, collections and locations, from the endpoint to their rows."""

from datetime import UTC, datetime
from typing import Any

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.mirror import river
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.webhooks.bodies import Node, encoded
from neanelu_pipelines.shopify.webhooks.hands import Gone, Hands
from neanelu_pipelines.shopify.webhooks.processing import TRIES
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import DOMAIN, at, event, events_of, posted, rows, work_off


def exported(database: Database, obeyed: Settings, resource: str, lines: list[Node], hour: int) -> None:
    """A whole export of the shop, begun at that hour of the shop's day."""
    file = obeyed.home / "bulk.jsonl"
    file.write_bytes(encoded(lines))
    moment = datetime.fromisoformat(at(hour))
    river.load_file(database, obeyed, shop_domain=DOMAIN, resource=resource, source=str(file), as_of=moment)


def money(amount: str) -> dict[str, Any]:
    one = {"amount": amount, "currency_code": "RON"}
    return {"shop_money": one, "presentment_money": one}


def item(number: int, variant: int | None, price: str = "19.90") -> dict[str, Any]:
    node = {"id": number, "name": f"Sapă {number}", "title": "Sapă", "sku": "S", "quantity": 2, "current_quantity": 2}
    node |= {"product_exists": True, "product_id": 7, "variant_id": variant, "tax_lines": []}
    return node | {"price_set": money(price), "total_discount_set": money("4.00")}


def order(number: int = 1, hour: int = 10, **fields: Any) -> dict[str, Any]:
    amounts = ("total_price", "subtotal_price", "total_tax", "total_discounts", "total_shipping_price")
    body = {"id": number, "name": f"#{number}", "order_number": number, "email": "ion@example.com", "phone": None}
    body |= {"financial_status": "paid", "fulfillment_status": None, "currency": "RON", "presentment_currency": "RON"}
    body |= {f"{name}_set": money("35.80") for name in amounts} | {"discount_codes": [{"code": "TOAMNA"}]}
    body |= {"shipping_address": {"city": "Cluj-Napoca", "country_code": "RO"}, "billing_address": None, "note": None}
    body |= {"customer": {"id": 3}, "customer_locale": "ro", "tags": "urgent, cadou", "note_attributes": []}
    body |= {"payment_gateway_names": ["Ramburs"], "source_name": "web", "source_identifier": None}
    body |= {"cancelled_at": None, "cancel_reason": None, "closed_at": None, "processed_at": at(9)}
    body |= {"created_at": at(9), "updated_at": at(hour), "line_items": [item(11, 70)], "shipping_lines": []}
    return body | fields


def customer(number: int = 3, hour: int = 10, **fields: Any) -> dict[str, Any]:
    body = {"id": number, "first_name": "Ion", "last_name": "Pop", "state": "enabled", "email": "ion@example.com"}
    return body | {"phone": None, "addresses": [], "updated_at": at(hour), "created_at": at(8)} | fields


def test_an_order_becomes_a_row_with_its_customer_and_variants(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    variant = {"id": 70, "title": "Default Title", "price": "19.90", "updated_at": at(9)}
    product = {"id": 7, "title": "Sapă", "handle": "sapa", "status": "active", "updated_at": at(9)}
    # In one batch, in the order that suits nobody: what others name is written first.
    posted(
        database,
        event(order(), "orders/create", triggered_at=at(10)),
        event(customer(), "customers/create", triggered_at=at(11)),
        event(product | {"variants": [variant]}, "products/create", triggered_at=at(12)),
    )
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert (batch.done, batch.aside, batch.loads) == (3, 0, 3)
    ((name, paid, sent, total, tags, codes, updated, whose),) = rows(
        database,
        "SELECT o.name, financial_status, fulfillment_status, total_price::text, o.tags, discount_codes,"
        " o.updated_at_shopify, c.first_name FROM shopify_orders o JOIN shopify_customers c ON c.id = o.customer_id",
    )
    assert (name, paid, sent, total, whose) == ("#1", "PAID", "UNFULFILLED", "35.80", "Ion")
    assert (tags, codes, updated) == (["urgent", "cadou"], ["TOAMNA"], datetime(2026, 11, 1, 8, tzinfo=UTC))
    ((line, id_of_variant),) = rows(
        database,
        "SELECT line_items->0, v.id::text FROM shopify_orders, shopify_variants v",
    )
    assert line["variant_id"] == id_of_variant
    assert (line["price"], line["discounted_total"], line["quantity"]) == ("19.9", "35.8", 2)


def test_lists_that_are_empty_now_are_emptied_and_the_rest_is_kept(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    address = {"id": 5, "city": "Turda", "country": "RO", "country_name": "Romania", "country_code": "RO"}
    posted(
        database,
        event(customer(addresses=[address], default_address=address), "customers/create"),
        event(
            order(shipping_lines=[{"id": 8, "title": "Curier", "code": None, "price_set": money("9.00")}]),
            "orders/create",
        ),
    )
    work_off(database, into_mirror(database, obeyed))
    sums = "SELECT jsonb_array_length(addresses), default_address->>'country' FROM shopify_customers"
    shipping = "SELECT jsonb_array_length(shipping_lines), jsonb_array_length(line_items) FROM shopify_orders"
    assert rows(database, sums) == [(1, "Romania")]
    assert rows(database, shipping) == [(1, 1)]
    with database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE shopify_customers SET metafields = '{\"a.b\": 1}', display_name = 'Ion P.'")
    posted(
        database,
        event(customer(hour=12), "customers/update", triggered_at=at(12)),
        event(order(hour=12), "orders/updated", triggered_at=at(12)),
        # Beside poison: what was said of the others still counts.
        event(order(2, hour=12, total_price_set=money("mult")), "orders/updated", triggered_at=at(12)),
    )
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert (batch.done, batch.aside) == (2, 1)
    assert rows(database, sums) == [(0, None)]
    assert rows(database, shipping) == [(0, 1)]
    assert rows(database, "SELECT metafields, display_name FROM shopify_customers") == [({"a.b": 1}, "Ion P.")]
    assert "total_price" in next(reason for _, state, reason, _ in events_of(database) if state == "aside")


def test_the_row_s_own_time_of_change_counts_before_that_of_the_event(database: Database, obeyed: Settings) -> None:
    """Bodies are written when they are sent: the later event may carry the older state."""
    make_shop(database)
    posted(
        database,
        event(order(hour=12, note="nou"), "orders/updated", triggered_at=at(12)),
        event(order(hour=11, note="vechi"), "orders/paid", triggered_at=at(13)),
    )
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert batch.done == 2
    assert rows(database, "SELECT note FROM shopify_orders") == [("nou",)]
    posted(database, event(order(hour=11, note="vechi"), "orders/paid", triggered_at=at(14)))
    work_off(database, into_mirror(database, obeyed))
    assert rows(database, "SELECT note FROM shopify_orders") == [("nou",)]


def collection(number: int, hour: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "title": f"La {hour}", "handle": f"c-{number}", "updated_at": at(hour), **fields}


def test_collections_have_no_time_of_change_so_each_event_counts_as_of_its_own_moment(
    database: Database, obeyed: Settings
) -> None:
    make_shop(database)
    lines: list[Node] = []
    for number in (1, 2):
        gid = f"gid://shopify/Collection/{number}"
        lines.append({"__typename": "Collection", "id": gid, "title": "Export", "handle": f"c-{number}", "seo": None})
    exported(database, obeyed, "collections", lines, 11)
    # One is older than the export, one newer; together they are in one batch.
    posted(
        database,
        event(collection(1, 10), "collections/update", triggered_at=at(10)),
        event(collection(2, 12), "collections/update", triggered_at=at(12)),
    )
    work_off(database, into_mirror(database, obeyed))
    found = rows(database, "SELECT title FROM shopify_collections ORDER BY shopify_gid")
    assert found == [("Export",), ("La 12",)]


def test_a_collection_keeps_its_members_and_what_else_the_body_does_not_say(
    database: Database, obeyed: Settings
) -> None:
    make_shop(database)
    product = {"id": 7, "title": "Sapă", "handle": "sapa", "status": "active", "updated_at": at(8)}
    posted(database, event(product, "products/create"))
    work_off(database, into_mirror(database, obeyed))
    node: Node = {"__typename": "Collection", "id": "gid://shopify/Collection/1", "title": "Unelte", "handle": "unelte"}
    node |= {"seo": {"title": "SEO", "description": None}, "ruleSet": None, "productsCount": {"count": 1}}
    member = {"__typename": "Product", "id": "gid://shopify/Product/7", "__parentId": node["id"]}
    exported(database, obeyed, "collections", [node, member], 9)
    rules = [{"column": "tag", "relation": "equals", "condition": "unelte"}]
    changed = collection(1, 12, sort_order="price-asc", rules=rules, disjunctive=False)
    posted(database, event(changed, "collections/update", triggered_at=at(12)))
    work_off(database, into_mirror(database, obeyed))
    found = rows(
        database,
        "SELECT title, seo->>'title', sort_order, collection_type, rules->0->>'column', products_count"
        " FROM shopify_collections",
    )
    assert found == [("La 12", "SEO", "PRICE_ASC", "SMART", "TAG", 1)]
    assert rows(database, "SELECT count(*) FROM shopify_collection_products") == [(1,)]


def test_a_location_is_written_and_switched_off(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    body = {"id": 9, "name": "Depozit", "active": True, "city": "Turda", "country_name": "Romania"}
    body |= dict.fromkeys(("address1", "address2", "zip", "phone", "province", "province_code", "country_code"))
    posted(database, event(body, "locations/create", triggered_at=at(10)))
    work_off(database, into_mirror(database, obeyed))
    posted(database, event({"id": 9, "name": "Depozit", "active": False}, "locations/deactivate", triggered_at=at(11)))
    work_off(database, into_mirror(database, obeyed))
    found = rows(database, "SELECT name, is_active, address->>'city' FROM inventory_locations")
    assert found == [("Depozit", False, "Turda")]


def test_what_is_said_again_changes_nothing(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    bodies = [(order(), "orders/create"), (customer(), "customers/update"), (collection(1, 10), "collections/create")]
    moments = "SELECT o.updated_at, u.updated_at, c.updated_at FROM shopify_orders o, shopify_customers u,"
    moments += " shopify_collections c"
    seen = []
    for _ in range(2):
        posted(database, *(event(body, topic) for body, topic in bodies))
        work_off(database, into_mirror(database, obeyed))
        seen.append(rows(database, moments))
    assert seen[0] == seen[1]
    assert {state for _, state, _, _ in events_of(database)} == {"done"}


def gone(number: int, topic: str, hour: int) -> Any:
    return event({"id": number}, topic, triggered_at=at(hour))


def test_what_is_deleted_goes_by_the_shop_s_time_whatever_comes_first(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    # In one batch: one deleted after its last change, one said to be deleted before it.
    posted(
        database,
        gone(1, "orders/delete", 13),
        gone(2, "orders/delete", 11),
        event(order(1, 12), "orders/updated", triggered_at=at(12)),
        event(order(2, 12), "orders/updated", triggered_at=at(12)),
    )
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert (batch.done, batch.aside) == (4, 0)
    names = "SELECT name FROM shopify_orders ORDER BY 1"
    assert rows(database, names) == [("#2",)]
    # Across batches: news from before the deletion does not bring it back; an old deletion does not take it away.
    posted(database, event(order(1, 11), "orders/paid", triggered_at=at(11)), gone(2, "orders/delete", 10))
    work_off(database, into_mirror(database, obeyed))
    assert rows(database, names) == [("#2",)]
    posted(database, gone(2, "orders/delete", 14))
    work_off(database, into_mirror(database, obeyed))
    assert rows(database, names) == []
    assert {state for _, state, _, _ in events_of(database)} == {"done"}


def test_every_kind_of_row_can_be_deleted_and_each_has_a_record_of_why(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    product = {"id": 7, "title": "Sapă", "handle": "sapa", "status": "active", "updated_at": at(9)}
    bodies = {
        "products": product | {"variants": [{"id": 70, "title": "A", "price": "1.00", "updated_at": at(9)}]},
        "collections": collection(7, 9),
        "customers": customer(7, 9),
        "orders": order(7, 9),
        "locations": {"id": 7, "name": "Depozit", "active": True},
    }
    posted(database, *(event(body, f"{kind}/create", triggered_at=at(9)) for kind, body in bodies.items()))
    work_off(database, into_mirror(database, obeyed))
    tables = [f"shopify_{kind}" for kind in bodies if kind != "locations"] + ["inventory_locations", "shopify_variants"]
    assert [rows(database, f"SELECT count(*) FROM {table}") for table in tables] == [[(1,)]] * 6
    posted(database, *(gone(7, f"{kind}/delete", 10) for kind in bodies))
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert (batch.done, batch.aside) == (5, 0)
    assert [rows(database, f"SELECT count(*) FROM {table}") for table in tables] == [[(0,)]] * 6
    told = {by for (by,) in rows(database, "SELECT DISTINCT told_by FROM pipeline.removals")}
    assert told == {f"webhook {kind}/delete" for kind in bodies}


def test_a_deletion_that_names_nothing_is_set_aside_and_one_that_fails_is_tried_again_alone(
    database: Database, obeyed: Settings
) -> None:
    make_shop(database)
    posted(database, event([], "orders/delete"), gone(1, "orders/delete", 10), gone(2, "orders/delete", 11))
    hands = into_mirror(database, obeyed)
    asked: list[int] = []

    def bad(what: Gone) -> None:
        asked.append(len(what.moments))
        if "gid://shopify/Order/1" in what.moments:
            raise RuntimeError("nu merge")
        hands.remove(what)

    work_off(database, Hands(hands.write, bad))
    assert asked == [2, 1, 1] + [1] * (TRIES - 1)
    found = events_of(database)
    assert sorted(state for _, state, _, _ in found) == ["aside", "aside", "done"]
    reasons = " ".join(str(reason) for _, _, reason, _ in found)
    assert "names no Order" in reasons
    assert "RuntimeError in bad" in reasons


def test_a_body_without_a_required_field_updates_a_row_that_is_there_and_is_set_aside_where_there_is_none(
    database: Database, obeyed: Settings
) -> None:
    make_shop(database)
    hands = into_mirror(database, obeyed)
    posted(database, event(order(1, 10), "orders/create", triggered_at=at(10)))
    work_off(database, hands)
    partial = [order(number, 12, note="Sunați") for number in (1, 2)]
    for body in partial:
        del body["total_price_set"]
    posted(database, *(event(body, "orders/updated", triggered_at=at(12)) for body in partial))
    (batch,) = work_off(database, hands)
    assert (batch.done, batch.aside) == (1, 1)
    assert rows(database, "SELECT name, note, total_price::text FROM shopify_orders") == [("#1", "Sunați", "35.80")]


def test_variants_that_a_product_has_no_more_go_and_newer_ones_stay(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    hands = into_mirror(database, obeyed)

    def product(hour: int, *variants: int) -> Any:
        whole = [
            {"id": n, "title": str(n), "price": "1.00", "updated_at": at(9), "created_at": at(9)} for n in variants
        ]
        body = {"id": 7, "title": "Sapă", "handle": "sapa", "status": "active", "updated_at": at(hour)}
        body |= {
            "variants": whole,
            "variant_gids": [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{n}"} for n in variants],
        }
        return event(body, "products/update", triggered_at=at(hour))

    def there() -> list[int]:
        return [n for (n,) in rows(database, "SELECT legacy_resource_id FROM shopify_variants ORDER BY 1")]

    posted(database, product(10, 70, 71))
    work_off(database, hands)
    posted(database, product(12, 70, 72))
    work_off(database, hands)
    assert there() == [70, 72]
    assert rows(database, "SELECT told_by FROM pipeline.removals") == [("webhook products/update",)]
    # From before the third one was made: it is not missing, and the second does not come back.
    posted(database, product(11, 70, 71))
    (batch,) = work_off(database, hands)
    assert (batch.done, there()) == (1, [70, 72])
