"""Locations: their fields, and what the resource's declaration promises like any other's."""

from typing import Any

from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import River, fates, gid, moment, written


def location(number: int = 1, **fields: Any) -> bytes:
    node = {
        "__typename": "Location",
        "id": gid("Location", number),
        "legacyResourceId": str(number),
        "name": "Depozit central",
        "isActive": True,
        "isFulfillmentService": False,
        "fulfillsOnlineOrders": True,
        "address": {"address1": "Str. Fabricii 12", "city": "Cluj-Napoca", "countryCode": "RO", "zip": "400620"},
    }
    return encode_line(node | fields)


def load(river: River, *lines: bytes, day: int = 5) -> Any:
    return river.load(lines, resource="locations", as_of=moment(day))


def test_a_location_becomes_a_row_and_follows_its_changes(river: River) -> None:
    assert written(load(river, location(), location(2, isActive=False))) == {"inventory_locations": (2, 0, 0)}
    before = river.versions()
    assert written(load(river, location(), location(2, isActive=False), day=6)) == {}
    assert river.versions() == before

    assert written(load(river, location(name="Depozit nou", address=None), day=7)) == {"inventory_locations": (0, 1, 0)}

    assert river.query(
        "SELECT name, is_active, is_primary, fulfills_online_orders, address ->> 'city' FROM inventory_locations"
        " ORDER BY legacy_resource_id"
    ) == [("Depozit nou", True, False, True, None), ("Depozit central", False, False, True, "Cluj-Napoca")]


def test_which_is_the_primary_location_is_left_alone_by_a_query_that_does_not_ask(river: River) -> None:
    load(river, location(isPrimary=True))
    load(river, location(name="Depozit nou"), day=6)
    assert river.one("SELECT name, is_primary FROM inventory_locations") == ("Depozit nou", True)
    load(river, location(isPrimary=False), day=7)
    assert river.one("SELECT is_primary FROM inventory_locations") is False


def test_bad_and_older_lines_change_nothing(river: River) -> None:
    load(river, location(), day=6)
    before = river.versions()

    report = load(river, location(name="Vechi"), location(2, name=None), location(3, isActive="da"), day=5)

    assert fates(report) == {"Location": (0, 0, 2, 1)}
    assert river.errors(report.run_id) == [(2, "missing_required"), (3, "not_a_boolean")]
    assert river.versions() == before
