"""Each event is as new as its own moment, whichever others it is written with: some rows have no time of change, and
Shopify tells that of the others in whole seconds."""

import itertools
from datetime import datetime
from typing import Any

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.sandbox.shop.hooks import Event
from neanelu_pipelines.settings import Settings
from tests.shopify.conftest import make_shop
from tests.shopify.test_webhook_inventory import entries, product
from tests.shopify.test_webhook_topics import money, order
from tests.shopify.webhooks import event, events_of, posted, rows, work_off

NOON = "2026-11-01T12:00:00+02:00"


def at_noon(tenths: int) -> str:
    """That many tenths of a second after twelve."""
    return f"2026-11-01T12:00:00.{tenths}00000+02:00"


def level(available: int, triggered_at: str, place: int = 9, updated_at: str = NOON, topic: str = "update") -> Event:
    body = {"inventory_item_id": 700, "location_id": place, "available": available, "updated_at": updated_at}
    body |= {"admin_graphql_api_id": f"gid://shopify/InventoryLevel/{place}?inventory_item_id=700"}
    return event(body, f"inventory_levels/{topic}", triggered_at=triggered_at)


def collection(number: int, triggered_at: str, title: str = "Unelte") -> Event:
    body = {"id": number, "title": title, "handle": f"c-{number}", "sort_order": "manual", "updated_at": NOON}
    return event(body | {"body_html": "<p>De toate</p>"}, "collections/update", triggered_at=triggered_at)


def state_of(database: Database) -> list[tuple[Any, ...]]:
    query = "SELECT shopify_gid, title, synced_at FROM shopify_collections ORDER BY legacy_resource_id"
    return rows(database, query)


def test_the_second_change_of_a_second_counts_beside_late_news_of_another_row(
    database: Database, obeyed: Settings
) -> None:
    make_shop(database)
    hands = into_mirror(database, obeyed)
    posted(database, product(8), level(5, at_noon(2)))
    work_off(database, hands)
    before = "2026-11-01T11:59:58+02:00"
    posted(database, level(4, at_noon(6)), level(7, before, place=10, updated_at=before))
    (batch,) = work_off(database, hands)

    assert batch.loads == 1, "both in one file"
    assert rows(database, "SELECT location_gid, available FROM pipeline.inventory_levels ORDER BY 1 DESC") == [
        ("gid://shopify/Location/9", 4),
        ("gid://shopify/Location/10", 7),
    ]
    assert [one for one in entries(database) if one != (0, 7, 7)] == [(0, 5, 5), (5, 4, -1)]
    # And what happened between the two is told last.
    posted(database, level(6, at_noon(4)))
    work_off(database, hands)
    assert len(entries(database)) == 3


def test_an_order_that_is_paid_in_the_second_of_its_creation_is_paid(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    hands = into_mirror(database, obeyed)
    created = order(1, 12, updated_at=NOON, financial_status="pending")
    paid = order(1, 12, updated_at=NOON, financial_status="paid")
    late = order(2, 11, updated_at="2026-11-01T11:59:50+02:00", total_price_set=money("10.00"))
    posted(database, event(created, "orders/create", triggered_at=at_noon(2)))
    work_off(database, hands)
    posted(
        database,
        event(late, "orders/create", triggered_at="2026-11-01T11:59:50+02:00"),
        event(paid, "orders/paid", triggered_at=at_noon(6)),
    )
    work_off(database, hands)
    found = rows(database, "SELECT legacy_resource_id, financial_status FROM shopify_orders ORDER BY 1")
    assert found == [(1, "PAID"), (2, "PAID")]


def test_a_level_that_is_disconnected_and_connected_in_one_second_is_there(
    database: Database, obeyed: Settings
) -> None:
    make_shop(database)
    hands = into_mirror(database, obeyed)
    posted(database, product(8), level(5, "2026-11-01T11:00:00+02:00", updated_at="2026-11-01T11:00:00+02:00"))
    gone = event({"inventory_item_id": 700, "location_id": 9}, "inventory_levels/disconnect", triggered_at=at_noon(2))
    posted(database, gone)
    work_off(database, hands)
    before = "2026-11-01T11:59:58+02:00"
    posted(database, level(3, at_noon(6), topic="connect"), level(7, before, place=10, updated_at=before))
    work_off(database, hands)

    found = rows(database, "SELECT available FROM pipeline.inventory_levels WHERE location_gid LIKE %s", "%/9")
    assert found == [(3,)]
    told = "SELECT previous_quantity, new_quantity FROM inventory_ledger WHERE location_id LIKE %s ORDER BY created_at"
    assert rows(database, told, "%/9") == [(0, 5), (5, 0), (0, 3)]


def test_the_same_news_said_again_later_makes_the_row_newer(database: Database, obeyed: Settings) -> None:
    """A row without a time of change of its own: between two events that say the same, another said otherwise."""
    make_shop(database)
    hands = into_mirror(database, obeyed)
    posted(database, collection(1, at_noon(2)))
    work_off(database, hands)
    posted(database, collection(1, at_noon(6)))
    work_off(database, hands)
    posted(database, collection(1, at_noon(4), "Alta"))
    work_off(database, hands)
    assert [title for _, title, _ in state_of(database)] == ["Unelte"]


def test_many_collections_are_few_loads_and_each_ends_as_its_newest_event_says(
    database: Database, obeyed: Settings
) -> None:
    make_shop(database)
    hands = into_mirror(database, obeyed)
    moments = [f"2026-11-01T12:{n % 60:02}:{n // 60:02}+02:00" for n in range(500)]
    posted(database, *(collection(n % 250, moment, f"T{n // 250}") for n, moment in enumerate(moments)))
    newest = [f"T{int(moments[n + 250] > moments[n])}" for n in range(250)]
    batches = work_off(database, hands)

    assert sum(batch.done for batch in batches) == 500
    assert sum(batch.loads for batch in batches) <= 2, "not one by one"
    assert [title for _, title, _ in state_of(database)] == newest
    assert {state for _, state, _, _ in events_of(database)} == {"done"}


def test_in_whatever_order_batches_come_they_end_alike(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    hands = into_mirror(database, obeyed)
    news = [(2, "A"), (3, "B"), (4, "B"), (5, "C")]
    # Each order of these has a collection of its own; a batch holds the first of each, the next one the second of each.
    orders = list(itertools.permutations(news))
    for turn in range(len(news)):
        posted(database, *(collection(n, at_noon(order[turn][0]), order[turn][1]) for n, order in enumerate(orders)))
        (batch,) = work_off(database, hands)
        assert batch.loads == 1
    ends = [(title, moment) for _, title, moment in state_of(database)]
    assert ends == [("C", datetime.fromisoformat(at_noon(5)))] * len(orders)
