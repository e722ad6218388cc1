"""From kept events to the mirror: in the shop's order, once, by the one way of writing."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import fsspec
import psycopg
import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.mirror import river
from neanelu_pipelines.sandbox.shop.hooks import Event
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, read_access
from neanelu_pipelines.shopify.webhooks import processing
from neanelu_pipelines.shopify.webhooks.aside import put_back
from neanelu_pipelines.shopify.webhooks.bodies import encoded
from neanelu_pipelines.shopify.webhooks.hands import Hands, Lines
from neanelu_pipelines.shopify.webhooks.processing import TRIES, HinderedError, process_batch
from neanelu_pipelines.shopify.webhooks.products import read_product
from tests.shopify.conftest import make_shop
from tests.shopify.test_vault import key, ring
from tests.shopify.webhooks import DOMAIN, event, events_of, pass_time, posted, rows, work_off

OTHER = "alt-magazin.myshopify.com"


def body(number: int = 7, hour: int = 10, **fields: Any) -> dict[str, Any]:
    moment = f"2026-11-01T{hour:02}:00:00+02:00"
    variant = {"id": number * 10, "title": "Default Title", "price": "19.90", "updated_at": moment, "sku": "S"}
    common = {"id": number, "title": "Sapă", "handle": f"sapa-{number}", "status": "active", "updated_at": moment}
    return common | {"tags": "unelte, grădină", "variants": [variant]} | fields


def read_text(source: str) -> str:
    with fsspec.open(source, "rt", encoding="utf-8") as file:
        return str(file.read())


def happened(number: int = 7, hour: int = 10, topic: str = "products/update", **fields: Any) -> Event:
    return event(body(number, hour, **fields), topic, triggered_at=f"2026-11-01T{hour:02}:00:01+02:00")


def titles(database: Database) -> dict[int, str]:
    return dict(rows(database, "SELECT legacy_resource_id, title FROM shopify_products ORDER BY 1"))


def states(database: Database) -> list[str]:
    return [state for _, state, _, _ in events_of(database)]


def test_events_become_rows_of_the_mirror(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    posted(database, happened(7, topic="products/create"), happened(8, title="Greblă"))
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert (batch.domain, batch.done, batch.loads) == (DOMAIN, 2, 1)
    assert titles(database) == {7: "Sapă", 8: "Greblă"}
    ((tags, updated),) = rows(database, "SELECT tags, updated_at_shopify FROM shopify_products WHERE title = 'Sapă'")
    assert tags == ["unelte", "grădină"]
    assert updated == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert rows(database, "SELECT price::text, sku FROM shopify_variants") == [("19.90", "S")] * 2
    assert rows(database, "SELECT count(*) FROM webhook_events WHERE processed_at IS NOT NULL") == [(2,)]
    assert rows(database, "SELECT count(*) FROM bulk_runs WHERE status = 'completed'") == [(1,)]
    # Nothing is left to do, and to do it again changes nothing.
    assert work_off(database, into_mirror(database, obeyed)) == []


def test_the_newest_word_on_a_product_counts_in_whatever_order_it_comes(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    write = into_mirror(database, obeyed)
    posted(database, happened(7, 12, title="De la 12"), happened(7, 9, title="De la 9"))
    (batch,) = work_off(database, write)
    assert batch.done == 2
    assert titles(database) == {7: "De la 12"}
    posted(database, happened(7, 11, title="De la 11"))
    work_off(database, write)
    assert titles(database) == {7: "De la 12"}
    assert states(database) == ["done"] * 3


def test_the_mirror_keeps_what_bodies_do_not_carry(database: Database, obeyed: Settings, tmp_path: Path) -> None:
    make_shop(database)
    full = read_product(body(7, 9)).lines
    full[0] |= {"isGiftCard": True, "seo": {"title": "SEO", "description": None}, "vendor": "Hecht"}
    full[1] |= {"barcode": "594", "inventoryItem": {"id": "gid://shopify/InventoryItem/1", "unitCost": {"amount": "3"}}}
    meta = {"__typename": "Metafield", "id": "gid://shopify/Metafield/1", "namespace": "a", "key": "b"}
    full.append(meta | {"type": "text", "value": "v", "__parentId": full[0]["id"]})
    file = tmp_path / "bulk.jsonl"
    file.write_bytes(encoded(full))
    river.load_file(
        database,
        obeyed,
        shop_domain=DOMAIN,
        resource="products",
        source=str(file),
        as_of=datetime(2026, 11, 1, 8, tzinfo=UTC),
    )
    # One event with a vendor and one without stand in one batch: they must not clear each other's fields.
    posted(database, happened(7, 11, title="Nou"), happened(8, 11, vendor="Gardena"))
    work_off(database, into_mirror(database, obeyed))
    ((title, gift, seo, vendor, metafields),) = rows(
        database,
        "SELECT title, is_gift_card, seo->>'title', vendor, metafields"
        " FROM shopify_products WHERE legacy_resource_id = 7",
    )
    assert (title, gift, seo, vendor) == ("Nou", True, "SEO", "Hecht")
    assert list(metafields.values()) == [{"type": "text", "value": "v"}]
    assert rows(database, "SELECT barcode, cost::text FROM shopify_variants WHERE legacy_resource_id = 70") == [
        ("594", "3.00")
    ]


def test_an_export_begun_before_an_event_still_counts_for_all_other_rows(
    database: Database, obeyed: Settings, tmp_path: Path
) -> None:
    """A load of events is no snapshot of the shop: rows that it does not show are no newer for it."""
    make_shop(database)

    def export(file: str, hour: int, alt: str) -> None:
        lines = read_product(body(8, 8)).lines
        media: dict[str, Any] = {"__typename": "MediaImage", "id": "gid://shopify/MediaImage/5", "alt": alt}
        media |= {
            "status": "READY",
            "mediaContentType": "IMAGE",
            "image": {"url": "https://cdn.example/a.jpg", "width": 1, "height": 1},
        }
        path = tmp_path / file
        path.write_bytes(encoded([*lines, media | {"__parentId": lines[0]["id"]}]))
        moment = datetime(2026, 11, 1, hour, tzinfo=UTC)
        river.load_file(database, obeyed, shop_domain=DOMAIN, resource="products", source=str(path), as_of=moment)

    export("first.jsonl", 7, "veche")
    posted(database, happened(7, 12))
    work_off(database, into_mirror(database, obeyed))
    export("second.jsonl", 9, "nouă")  # 11:00 of the shop: before the event of 12:00
    assert rows(database, "SELECT alt FROM shopify_media") == [("nouă",)]


def test_poison_is_set_aside_with_the_reason_and_the_rest_is_merged(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    no_handle = body(9)
    del no_handle["handle"]
    poison = [
        event(no_handle, triggered_at="2026-11-01T01:00:00Z"),
        event({"id": 1, "variants": 5}, triggered_at="2026-11-01T02:00:00Z"),
        happened(11, 5, status="paused"),
    ]
    posted(database, *poison, happened(7, 12))
    work_off(database, into_mirror(database, obeyed))
    assert titles(database) == {7: "Sapă"}
    found = events_of(database)
    assert sorted(state for _, state, _, _ in found) == ["aside", "aside", "aside", "done"]
    reasons = " ".join(reason for _, _, reason, _ in found if reason)
    assert "handle" in reasons
    assert "not a product's" in reasons
    assert "ACTIVE" in reasons


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (RuntimeError("ana.popescu@example.ro"), "RuntimeError in bad"),
        (psycopg.errors.ProgramLimitExceeded("DETAIL: Key (email)=(ana.popescu@example.ro)"), "54000"),
    ],
)
def test_an_event_that_cannot_be_written_is_tried_a_few_times_alone_and_its_reason_quotes_no_value(
    database: Database, obeyed: Settings, fault: Exception, words: str
) -> None:
    make_shop(database)
    posted(database, happened(7), happened(8, 11), happened(9, 12))
    good = into_mirror(database, obeyed)
    sizes: list[int] = []

    def bad(lines: Lines) -> UUID:
        assert lines.source.startswith("memory://"), "on a disk it would outlive this process, if that is killed"
        text = read_text(lines.source)
        sizes.append(text.count('"__typename":"Product"'))
        if "Product/8" in text:
            raise fault
        return good.write(lines)

    first, *rest = work_off(database, Hands(bad, good.remove))
    assert (first.done, first.again) == (2, 1)
    assert sizes[0] == 3
    assert not fsspec.filesystem("memory").find("/neanelu-webhooks"), "what is written is held no longer"
    assert len(rest) == TRIES - 1
    assert set(sizes[-len(rest) :]) == {1}
    assert sorted(titles(database)) == [7, 9]
    by_tries = {tries: (state, reason) for _, state, reason, tries in events_of(database)}
    assert by_tries[TRIES][0] == "aside"
    assert words in by_tries[TRIES][1]
    assert "ana" not in by_tries[TRIES][1]


def test_the_nth_try_comes_two_to_the_n_minutes_after_the_one_before(database: Database) -> None:
    make_shop(database)
    posted(database, happened(7))

    def bad(*_: Any) -> NoReturn:
        raise RuntimeError("nu merge")

    minutes = []
    while process_batch(database, Hands(bad, bad)):
        assert process_batch(database, Hands(bad, bad)) is None
        query = "SELECT extract(epoch FROM not_before - now()) / 60 FROM pipeline.webhook_keys"
        minutes += [round(put_off) for (put_off,) in rows(database, query) if put_off is not None]
        pass_time(database)
    assert minutes == [2**n for n in range(1, TRIES)]
    assert states(database) == ["aside"]


def test_what_was_set_aside_is_tried_again_when_a_person_says_so(
    database: Database, obeyed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "TRIES", 1)
    shop, other = make_shop(database), make_shop(database, OTHER)
    good = into_mirror(database, obeyed)
    first, second = happened(7), happened(8, 11)
    posted(database, first, second, event({"id": 1}, "themes/update"), happened(9, 12))
    posted(database, happened(10, 13), domain=OTHER)

    def bad(lines: Lines) -> UUID:
        if any(f"Product/{number}" in read_text(lines.source) for number in (7, 8, 10)):
            raise RuntimeError("nu merge")
        return good.write(lines)

    work_off(database, Hands(bad, good.remove))
    assert sorted(states(database)) == ["aside"] * 4 + ["done"]
    assert put_back(database, ids=[first.webhook_id, "nothing"]) == {"products/update": 1}
    work_off(database, good)
    assert sorted(titles(database)) == [7, 9]
    assert put_back(database, domain=OTHER) == {"products/update": 1}
    assert put_back(database) == {"products/update": 1}
    assert [batch.done for batch in work_off(database, good)] == [1, 1]
    assert put_back(database) == {}
    assert [state for _, state, *_ in events_of(database, other)] == ["done"]
    assert sorted(state for _, state, *_ in events_of(database, shop)) == ["aside", "done", "done", "done"]


def test_a_database_that_goes_away_blames_no_event(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    posted(database, happened(7))
    for fault in (psycopg.OperationalError("gone"), psycopg.errors.DeadlockDetected("gone"), OSError("no disk")):

        def away(*_: Any, fault: Exception = fault) -> NoReturn:
            raise fault

        with pytest.raises(HinderedError, match=DOMAIN) as hindered:
            process_batch(database, Hands(away, away))
        assert hindered.value.transient
        assert str(fault) not in str(hindered.value)
    assert events_of(database) == [("products/update", "new", None, 0)]
    work_off(database, into_mirror(database, obeyed))
    assert states(database) == ["done"]


def test_two_workers_never_take_the_same_event(database: Database, obeyed: Settings) -> None:
    first, second = make_shop(database), make_shop(database, OTHER)
    posted(database, happened(7))
    posted(database, happened(8), domain=OTHER)
    good = into_mirror(database, obeyed)
    inside = threading.Barrier(2, timeout=20)
    domains: list[str] = []

    def slow(lines: Lines) -> UUID:
        domains.append(lines.domain)
        inside.wait()
        return good.write(lines)

    workers = [threading.Thread(target=process_batch, args=(database, Hands(slow, good.remove))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(domains) == sorted([DOMAIN, OTHER])
    found = rows(database, "SELECT shop_id, legacy_resource_id FROM shopify_products ORDER BY 2")
    assert found == [(first, 7), (second, 8)]


def test_an_uninstalled_app_marks_the_shop_unless_it_was_installed_again_since(
    database: Database, obeyed: Settings
) -> None:
    shop, other = make_shop(database), make_shop(database, OTHER)
    with database.connect(Role.ADMIN) as connection:
        for day, which in (("2026-10-01", shop), ("2026-11-02", other)):
            connection.execute(
                "UPDATE shops SET installed_at = %s, access_token_ciphertext = 'x' WHERE id = %s", [day, which]
            )
    gone = event({"id": 1}, "app/uninstalled", triggered_at="2026-11-01T10:00:00Z")
    posted(database, gone)
    posted(database, event({"id": 1}, "app/uninstalled", triggered_at="2026-11-01T10:00:00Z"), domain=OTHER)
    work_off(database, into_mirror(database, obeyed))
    found = rows(database, "SELECT id, uninstalled_at, access_token_ciphertext FROM shops ORDER BY installed_at")
    assert found == [(shop, datetime(2026, 11, 1, 10, tzinfo=UTC), b""), (other, None, b"x")]
    assert states(database) == ["done", "done"]


def test_a_token_given_after_an_uninstallation_outlives_its_late_event(database: Database, obeyed: Settings) -> None:
    keyring = ring(key())
    shop = shops.install(database, keyring, DOMAIN, Secret("shpat_0123456789"))
    with database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE shops SET installed_at = '2026-01-01' WHERE id = %s", [shop])
    left = datetime.now(UTC) - timedelta(minutes=5)
    posted(database, event({"id": 1}, "app/uninstalled", triggered_at=left.isoformat()))
    shops.install(database, keyring, DOMAIN, Secret("shpat_9876543210"))
    work_off(database, into_mirror(database, obeyed))
    assert states(database) == ["done"]
    assert read_access(database, keyring, DOMAIN).token.get_secret_value() == "shpat_9876543210"


def test_the_end_of_a_bulk_operation_makes_its_export_due(database: Database, obeyed: Settings) -> None:
    shop = make_shop(database)
    gid = "gid://shopify/BulkOperation/1"
    with database.connect(Role.ADMIN) as connection:
        connection.execute(
            "INSERT INTO bulk_runs (shop_id, operation_type, query_type, status, shopify_operation_id, cursor_state)"
            " VALUES (%s, 'PRODUCTS_EXPORT', 'products', 'pending', %s, %s)",
            [shop, gid, '{"bulk": {"due": "2099-01-01T00:00:00Z"}}'],
        )
    topic = "bulk_operations/finish"
    posted(database, event({"admin_graphql_api_id": gid, "status": "completed"}, topic), event([], topic))
    work_off(database, into_mirror(database, obeyed))
    assert rows(database, "SELECT cursor_state->'bulk'->>'due' FROM bulk_runs") == [(None,)]
    assert sorted(states(database)) == ["aside", "done"]


def test_two_products_that_show_one_picture_agree_on_it(database: Database, obeyed: Settings) -> None:
    make_shop(database)

    def media(alt: str) -> list[dict[str, Any]]:
        image = {"src": "https://cdn.example/a.jpg", "width": 3, "height": 4, "status": "READY"}
        about = {"admin_graphql_api_id": "gid://shopify/MediaImage/5", "alt": alt, "position": 1, "status": "READY"}
        return [about | {"media_content_type": "IMAGE", "preview_image": image}]

    posted(database, happened(7, 12, media=media("nouă")), happened(8, 11, media=media("veche")))
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert (batch.done, batch.aside) == (2, 0)
    assert rows(database, "SELECT alt FROM shopify_media") == [("nouă",)]
    assert rows(database, "SELECT count(*) FROM shopify_product_media") == [(2,)]
    assert rows(database, "SELECT DISTINCT featured_image_url FROM shopify_products") == [
        ("https://cdn.example/a.jpg",)
    ]


def test_variants_that_carry_other_fields_are_all_written(database: Database, obeyed: Settings) -> None:
    make_shop(database)

    def variants(*prices: str) -> list[dict[str, Any]]:
        common = {"title": "A", "updated_at": "2026-11-01T10:00:00+02:00", "sku": "S"}
        found = [{**common, "id": 70 + place, "price": price} for place, price in enumerate(prices)]
        found[1]["barcode"] = "594"
        return found

    bad = happened(8, 11, variants=[{**one, "id": one["id"] + 10} for one in variants("1.00", "ieftin", "3.00")])
    posted(database, happened(7, variants=variants("1.00", "2.00", "3.00")), bad)
    (batch,) = work_off(database, into_mirror(database, obeyed))
    assert (batch.done, batch.aside) == (1, 1)
    found = rows(database, "SELECT legacy_resource_id, price::text, barcode FROM shopify_variants ORDER BY 1")
    assert found[:3] == [(70, "1.00", None), (71, "2.00", "594"), (72, "3.00", None)]
    assert [number for number, *_ in found[3:]] == [80, 82]
    (reason,) = [reason for _, state, reason, _ in events_of(database) if state == "aside"]
    assert "price" in reason
