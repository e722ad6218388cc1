"""Menus: a line with lists within lists becomes a tree of rows, replaced with its menu."""

import json
from pathlib import Path
from typing import Any

import pytest

from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River, fates, gid, moment, written


def item(number: int, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    fixed = {"id": gid("MenuItem", number), "title": f"Raion {number}", "type": "HTTP", "url": f"/{number}"}
    return {**fixed, "resourceId": None, "tags": [], "items": list(items), **fields}


def menu(number: int, *items: dict[str, Any], **fields: Any) -> bytes:
    node = {"__typename": "Menu", "id": gid("Menu", number), "handle": f"meniu-{number}", "title": "Meniu"}
    return encode_line({**node, "isDefault": number == 1, "items": list(items), **fields})


def load(river: River, *lines: bytes, day: int = 5, **options: Any) -> Any:
    return river.load(lines, resource="menus", as_of=moment(day), **options)


def tree(river: River, domain: str = DOMAIN) -> list[tuple[str, str | None, str, int, int]]:
    """Each item with what it stands under, its menu, place and level."""
    return river.query(
        "SELECT split_part(i.shopify_gid, '/', 5), split_part(p.shopify_gid, '/', 5),"
        " split_part(m.shopify_gid, '/', 5), i.position, i.level FROM shopify_menu_items i"
        " JOIN shopify_menus m ON m.id = i.menu_id LEFT JOIN shopify_menu_items p ON p.id = i.parent_item_id"
        " WHERE i.shop_id = %s ORDER BY m.shopify_gid, length(i.shopify_gid), i.shopify_gid",
        river.shops[domain],
    )


DEEP = (item(1, item(11, item(111), item(112)), item(12)), item(2))
ROWS = [("1", None, "1", 0, 1), ("2", None, "1", 1, 1), ("11", "1", "1", 0, 2), ("12", "1", "1", 1, 2),
        ("111", "11", "1", 0, 3), ("112", "11", "1", 1, 3)]  # fmt: skip


def test_a_menu_becomes_a_tree_of_rows(river: River) -> None:
    shown = item(3, type="COLLECTION", resourceId=gid("Collection", 9), url=None)
    report = load(river, menu(1, *DEEP), menu(2, shown, title="Raft & unelte"), menu(3))

    assert written(report) == {"shopify_menus": (3, 0, 0), "shopify_menu_items": (7, 0, 0)}
    assert fates(report) == {"Menu": (3, 0, 0, 0)}
    assert report.stage.notes == []
    assert tree(river) == [*ROWS, ("3", None, "2", 0, 1)]
    assert river.query(
        "SELECT title, handle, items_count, fingerprint IS NOT NULL FROM shopify_menus ORDER BY handle"
    ) == [
        ("Meniu", "meniu-1", 6, True),
        ("Raft & unelte", "meniu-2", 1, True),
        ("Meniu", "meniu-3", 0, True),
    ]
    assert river.query(
        "SELECT title, url, item_type, resource_id, path FROM shopify_menu_items"
        " WHERE shopify_gid IN (%s, %s) ORDER BY 1",
        gid("MenuItem", 112), gid("MenuItem", 3),
    ) == [
        ("Raion 112", "/112", "HTTP", None, ["Raion 1", "Raion 11", "Raion 112"]),
        ("Raion 3", None, "COLLECTION", gid("Collection", 9), ["Raion 3"]),
    ]  # fmt: skip


def test_the_same_menus_again_in_any_order_change_nothing_at_all(river: River) -> None:
    lines = [menu(1, *DEEP), menu(2, item(3))]
    load(river, *lines)
    before = river.versions()
    for day, again in ((6, lines), (7, lines[::-1])):
        report = load(river, *again, day=day)
        assert (written(report), fates(report)) == ({}, {"Menu": (0, 2, 0, 0)})
    assert river.versions() == before


def test_items_are_moved_changed_and_removed_with_their_menu(river: River) -> None:
    load(river, menu(1, *DEEP), menu(2, item(3)))
    ids = dict(river.query("SELECT shopify_gid, id FROM shopify_menu_items"))

    # 11 goes up and keeps its own, 12 goes to the other menu, 1 and 111 are gone, 2 has another title.
    report = load(
        river, menu(1, item(2, title="Noutăți"), item(11, item(112))), menu(2, item(3, item(12)), item(4)), day=6
    )

    assert written(report)["shopify_menu_items"] == (1, 4, 2)
    assert tree(river) == [
        ("2", None, "1", 0, 1), ("11", None, "1", 1, 1), ("112", "11", "1", 0, 2),
        ("3", None, "2", 0, 1), ("4", None, "2", 1, 1), ("12", "3", "2", 0, 2),
    ]  # fmt: skip
    assert river.one("SELECT path FROM shopify_menu_items WHERE shopify_gid = %s", gid("MenuItem", 112)) == [
        "Raion 11", "Raion 112",
    ]  # fmt: skip
    now = dict(river.query("SELECT shopify_gid, id FROM shopify_menu_items"))
    assert {key: ids[key] for key in now if key in ids} == {key: now[key] for key in now if key in ids}
    assert river.query("SELECT items_count FROM shopify_menus ORDER BY handle") == [(3,), (3,)]
    report = load(river, menu(1), menu(2, item(3, item(12)), item(4)), day=7)
    assert written(report) == {"shopify_menu_items": (0, 0, 3)}
    assert [row[2] for row in tree(river)] == ["2", "2", "2"]


def test_menus_with_items_that_cannot_be_rows_are_rejected(river: River) -> None:
    report = load(
        river,
        menu(1, item(1, item(2, title=None))),
        menu(2, item(3), {**item(4), "id": None}),
        menu(3, item(5, item(6), item(6))),
        menu(4, item(7, type="T" * 51)),
        menu(5, item(8)),
        menu(6, title=None),
        menu(7, items="multe"),
    )

    assert river.errors(report.run_id) == [
        (1, "bad_item"),
        (2, "bad_item"),
        (3, "bad_item"),
        (4, "bad_item"),
        (6, "missing_required"),
        (7, "wrong_shape"),
    ]
    assert tree(river) == [("8", None, "5", 0, 1)]
    (message,) = river.one("SELECT ARRAY[error_message] FROM bulk_errors WHERE line_number = 3")
    assert message == "Its item gid://shopify/MenuItem/6 stands in more than one place."


def test_an_older_export_overwrites_nothing(river: River) -> None:
    load(river, menu(1, *DEEP), day=6)
    before = river.versions()
    assert fates(load(river, menu(1, item(9)), day=5)) == {"Menu": (0, 0, 0, 1)}
    assert river.versions() == before


def test_a_query_without_items_leaves_them_alone(river: River) -> None:
    load(river, menu(1, *DEEP))
    load(river, encode_line({"__typename": "Menu", "id": gid("Menu", 1), "handle": "alt", "title": "Alt"}), day=6)
    assert tree(river) == ROWS
    assert river.one("SELECT items_count, handle FROM shopify_menus") == (6, "alt")


def test_whoever_else_changes_the_items_is_put_right_by_the_next_load(river: River) -> None:
    load(river, menu(1, *DEEP))
    river.do("UPDATE shopify_menu_items SET title = 'altul' WHERE shopify_gid = %s", gid("MenuItem", 2))
    assert written(load(river, menu(1, *DEEP), day=6)) == {"shopify_menu_items": (0, 1, 0)}
    river.do("DELETE FROM shopify_menu_items WHERE level = 3")
    assert written(load(river, menu(1, *DEEP), day=7)) == {"shopify_menu_items": (2, 0, 0)}
    assert tree(river) == ROWS


def test_a_shops_menus_are_its_own(river: River) -> None:
    load(river, menu(1, *DEEP))
    load(river, menu(1, item(1)), domain=OTHER_DOMAIN)
    assert (tree(river), tree(river, OTHER_DOMAIN)) == (ROWS, [("1", None, "1", 0, 1)])


def test_real_menus_are_the_trees_that_they_were(river: River, shared: Path) -> None:
    """Menus of a real shop, beside what another program made of them: parent, level and path of each item."""
    folder = shared / "data/shopify/menus"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here: the recorded data is not part of the project")
    menus = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*_tree.json"))]
    flat = [
        json.loads(line)
        for path in sorted(folder.glob("*_flat.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]

    report = load(river, *(encode_line({"__typename": "Menu", **one}) for one in menus))

    assert report.stage.total.rejected == 0
    found = river.query(
        "SELECT i.shopify_gid, p.shopify_gid, i.level, array_to_string(i.path, ' > '), i.title, i.url, i.item_type"
        " FROM shopify_menu_items i LEFT JOIN shopify_menu_items p ON p.id = i.parent_item_id ORDER BY 1"
    )
    wanted = sorted(
        (one["id"], one["parentId"], one["level"], one["path"], one["title"], one["url"], one["type"]) for one in flat
    )
    assert found == wanted
    assert len(found) > 592
