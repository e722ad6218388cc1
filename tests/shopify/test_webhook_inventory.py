"""Events about inventory: every change of a quantity is an entry of the ledger, in the shop's order."""

from typing import Any

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.sandbox.shop.hooks import Event
from neanelu_pipelines.settings import Settings
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import at, event, events_of, posted, rows, work_off


def product(hour: int = 8) -> Event:
    variant = {"id": 70, "title": "Default Title", "price": "19.90", "updated_at": at(hour), "inventory_item_id": 700}
    body = {"id": 7, "title": "Sapă", "handle": "sapa", "status": "active", "updated_at": at(hour)}
    return event(body | {"variants": [variant]}, "products/create", triggered_at=at(hour))


def level(available: int | None, hour: int, topic: str = "update", place: int = 9, **fields: Any) -> Event:
    body = {"inventory_item_id": 700, "location_id": place, "available": available, "updated_at": at(hour)}
    body |= {"admin_graphql_api_id": f"gid://shopify/InventoryLevel/{place}?inventory_item_id=700"}
    return event(body | fields, f"inventory_levels/{topic}", triggered_at=at(hour))


def entries(database: Database) -> list[tuple[int, int, int]]:
    return rows(
        database, "SELECT previous_quantity, new_quantity, delta FROM inventory_ledger ORDER BY recorded_at, id"
    )


def test_every_event_of_a_level_is_an_entry_and_they_chain(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    first, second, third = level(5, 10, "connect"), level(3, 11), level(8, 12)
    # As they come: not in order, all in one batch.
    posted(database, third, first, product(), second)
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert (batch.done, batch.aside) == (4, 0)
    assert entries(database) == [(0, 5, 5), (5, 3, -2), (3, 8, 5)]
    keys = [key for (key,) in rows(database, "SELECT reference_id FROM inventory_ledger ORDER BY recorded_at, id")]
    assert keys == [one.webhook_id for one in (first, second, third)]
    # Older after newer, and another location.
    posted(database, level(4, 11), level(2, 12, place=10))
    work_off(database, into_mirror(database, obeyed))
    assert entries(database)[3:] == [(0, 2, 2)]
    assert {state for _, state, _, _ in events_of(database)} == {"done"}


def test_a_level_that_is_disconnected_ends_at_nothing(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    gone = {"inventory_item_id": 700, "location_id": 9}
    posted(
        database,
        product(),
        level(5, 10),
        event(gone, "inventory_levels/disconnect", triggered_at=at(12)),
        event(gone | {"location_id": 11}, "inventory_levels/disconnect", triggered_at=at(12)),
        event({}, "inventory_levels/disconnect", triggered_at=at(12)),
    )
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert (batch.done, batch.aside) == (4, 1)
    assert rows(database, "SELECT count(*) FROM pipeline.inventory_levels") == [(0,)]
    assert entries(database) == [(0, 5, 5), (5, 0, -5)]
    posted(database, level(5, 10))
    work_off(database, into_mirror(database, obeyed))
    assert rows(database, "SELECT count(*) FROM pipeline.inventory_levels") == [(0,)]


def test_an_item_is_written_and_removed(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    item = {"id": 700, "sku": "SAPA-1", "tracked": True, "requires_shipping": True, "cost": "12.50"}
    item |= {"country_code_of_origin": "RO", "harmonized_system_code": None, "updated_at": at(10)}
    posted(database, event(item, "inventory_items/update", triggered_at=at(10)))
    work_off(database, into_mirror(database, obeyed))
    found = rows(database, "SELECT sku, tracked, unit_cost::text, country_code_of_origin FROM pipeline.inventory_items")
    assert found == [("SAPA-1", True, "12.50", "RO")]
    posted(database, event({"id": 700}, "inventory_items/delete", triggered_at=at(12)))
    work_off(database, into_mirror(database, obeyed))
    assert rows(database, "SELECT count(*) FROM pipeline.inventory_items") == [(0,)]


def test_a_quantity_that_is_not_known_is_no_quantity(database: Database, obeyed: Settings) -> None:
    """Shopify says null of an item that it does not track: neither the mirror nor the ledger takes that for nothing."""
    make_shop(database)
    write = into_mirror(database, obeyed)
    available = "SELECT location_gid, available FROM pipeline.inventory_levels ORDER BY 1"
    here, there = "gid://shopify/Location/9", "gid://shopify/Location/91"
    posted(database, product(), level(5, 10), level(None, 11), level(None, 11, place=91))
    work_off(database, write)
    assert rows(database, available) == [(here, 5), (there, None)]
    assert entries(database) == [(0, 5, 5)]
    # Tracked again.
    posted(database, level(8, 12), level(2, 12, place=91))
    work_off(database, write)
    assert rows(database, available) == [(here, 8), (there, 2)]
    assert sorted(entries(database)) == [(0, 2, 2), (0, 5, 5), (5, 8, 3)]
    assert {state for _, state, _, _ in events_of(database)} == {"done"}


def test_a_level_of_unknown_quantity_that_finds_its_variant_later_makes_no_entry(
    database: Database, obeyed: Settings
) -> None:
    make_shop(database)
    write = into_mirror(database, obeyed)
    posted(database, level(None, 10), level(4, 10, place=10))
    work_off(database, write)
    posted(database, product(9))
    work_off(database, write)
    posted(database, level(None, 11), level(4, 11, place=10))
    work_off(database, write)
    assert entries(database) == [(0, 4, 4)]


def test_a_level_that_was_disconnected_before_it_ever_came_does_not_come_late(
    database: Database, obeyed: Settings
) -> None:
    """The news of its end names an item and a location, and no level that the mirror could look for later."""
    make_shop(database)
    hands = into_mirror(database, obeyed)
    posted(database, product())
    for late in (
        event({"inventory_item_id": 700, "location_id": 9}, "inventory_levels/disconnect", triggered_at=at(12)),
        level(5, 11, "connect"),
        level(4, 11, "connect", place=10),
    ):
        posted(database, late)
        work_off(database, hands)
    there = "SELECT location_gid, available FROM pipeline.inventory_levels ORDER BY 1 DESC"
    assert rows(database, there) == [("gid://shopify/Location/10", 4)], "another location's is none of it"
    assert entries(database) == [(0, 4, 4)]
    # What happened afterwards is there.
    posted(database, level(3, 13, "connect"))
    work_off(database, hands)
    assert rows(database, there) == [("gid://shopify/Location/9", 3), ("gid://shopify/Location/10", 4)]
    assert rows(database, "SELECT shopify_gid, was_here FROM pipeline.removals") == [
        ("gid://shopify/InventoryItem/700 gid://shopify/Location/9", False)
    ]
