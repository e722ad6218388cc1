"""What was read of a person before they were forgotten does not bring them back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neanelu_pipelines.mirror import forgotten, ledger, river
from neanelu_pipelines.mirror.expiry import delete_expired
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import DOMAIN, River, gid, moment
from tests.mirror.people import MARKS, PEOPLE, customer, files, orders, redact
from tests.mirror.test_orders import order

KEPT = "SELECT email::text FROM shopify_customers WHERE shop_id = %s ORDER BY 1"
NUMBERS = "SELECT legacy_resource_id FROM shopify_orders WHERE shop_id = %s ORDER BY 1"


def test_what_was_read_before_does_not_bring_a_person_back(peopled: River) -> None:
    """Named by the GID, by an order, by an address alone; in lines that are rejected; in files without a moment."""
    shop = peopled.shops[DOMAIN]
    redact(peopled)
    assert MARKS[0] not in str(peopled.query("SELECT * FROM pipeline.forgotten"))
    never_seen = order(550019, customer=None, email="ANA.popescu@example.ro")
    address = encode_line(
        {"id": gid("MailingAddress", 5), "address1": "Strada Lalelelor 5", "__parentId": gid("Customer", 706405506930)}
    )
    too_long = customer(706405506930, "ana.popescu@example.ro", "1" * 60, "Ana Popescu")

    for as_of in (moment(2), None):
        people = peopled.load([*PEOPLE, address], resource="customers", as_of=as_of)
        assert (people.stage.forgotten, people.stage.total.rejected) == (1, 0)
        assert people.stage.total.ignored >= 2, "with the address under it"
        assert "forgotten" in people.stage.notes[0]
        bought = peopled.load([*orders(), never_seen], resource="orders", as_of=as_of)
        assert bought.stage.forgotten == 3, "the named one, the customer's, and one that only the address tells of"
        assert peopled.query(KEPT, shop) == [("diana.popescu@example.ro",)]
        assert peopled.query(NUMBERS, shop) == [(550013,), (550014,)]
        peopled.load([*PEOPLE, too_long, address, b'{"id": "gid:\\/\\/shop'], resource="customers", as_of=as_of)
        assert peopled.query("SELECT DISTINCT payload FROM bulk_errors WHERE shop_id = %s", shop) == [
            ({"redacted": True},)
        ]
        assert "70640550" not in str(peopled.query("SELECT error_message FROM bulk_errors"))
    assert not [path for path in files(peopled) if b"ana.popescu" in path.read_bytes().lower()]

    later = datetime.now(UTC) + timedelta(minutes=1)
    again = peopled.load(PEOPLE, resource="customers", as_of=later)
    assert (again.stage.forgotten, len(peopled.query(KEPT, shop))) == (0, 2), "the shop has them again"
    assert files(peopled)


def test_events_and_exports_under_way_from_before_are_older_too(
    peopled: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = peopled.shops[DOMAIN]
    redact(peopled)
    late = {"id": 706405506930, "email": "ana.popescu@example.ro"}
    for number, payload in enumerate((late, {**late, "id": 5, "email": "x@example.ro"})):
        peopled.do(
            "WITH k AS (INSERT INTO pipeline.webhook_keys"
            " (idempotency_key, shop_id, event_id, received_at, triggered_at)"
            " VALUES (%s, %s, gen_random_uuid(), now(), %s) RETURNING *)"
            " INSERT INTO webhook_events (id, shop_id, topic, payload, created_at)"
            " SELECT event_id, shop_id, 'customers/update', %s, received_at FROM k",
            str(number),
            shop,
            moment(3),
            json.dumps(payload),
        )
    with monkeypatch.context() as patch:
        patch.setattr(forgotten, "let_go", lambda *_: None)
        event = peopled.load(PEOPLE[:1], resource="customers", as_of=moment(3), snapshot=False)
    assert event.stage.forgotten == 1
    left = peopled.query("SELECT payload ->> 'email' FROM webhook_events WHERE topic = 'customers/update' ORDER BY 1")
    assert left[0] == ("x@example.ro",)
    assert left[1:] == [(None,)] * (len(left) - 1)
    holding = [path for path in files(peopled) if path.parent.name == "customers"]
    assert len(holding) == 1, "whoever ended the load died before it was deleted"
    delete_expired(peopled.database, now=moment(1))
    assert not holding[0].exists()

    source = peopled.file(b"".join(PEOPLE))
    export = river.open_load(
        peopled.database, peopled.settings, shop_domain=DOMAIN, resource="customers", source=source
    )
    # As `bulk` writes it: Shopify began to read before the redaction, and is ready only now.
    peopled.do(
        "UPDATE bulk_runs SET cursor_state = cursor_state - 'dated' || %s WHERE id = %s",
        json.dumps({"bulk": {}, "as_of": moment(4).isoformat()}),
        export.run_id,
    )
    assert river.stage(peopled.database, peopled.settings, export).forgotten == 1
    river.merge(peopled.database, peopled.settings, export)
    assert peopled.query(KEPT, shop) == [("diana.popescu@example.ro",)]


def test_what_was_read_before_and_is_loaded_by_nobody_is_not_kept(peopled: River) -> None:
    redact(peopled)
    later = datetime.now(UTC) + timedelta(minutes=1)
    source = peopled.file(b"".join(PEOPLE))

    def opened(resource: str, as_of: datetime | None) -> LoadRun:
        return river.open_load(
            peopled.database, peopled.settings, shop_domain=DOMAIN, resource=resource, source=source, as_of=as_of
        )

    failed = {"by its moment": opened("customers", moment(4)), "undated": opened("orders", None)}
    kept = {"of nobody": opened("products", moment(4)), "read afterwards": opened("customers", later)}
    for load in (*failed.values(), *kept.values()):
        river.fail(peopled.database, load, "canceled")
    unloaded, waits = opened("orders", moment(4)), opened("orders", later)
    peopled.do(
        "UPDATE bulk_steps SET started_at = now() - interval '2 hours', completed_at = now() - interval '2 hours'"
    )
    for one in (unloaded, waits):
        then = "now() - interval '2 hours'"
        peopled.do(f"UPDATE bulk_runs SET updated_at = {then}, started_at = {then} WHERE id = %s", one.run_id)
    peopled.do("UPDATE bulk_runs SET bytes_processed = 1234 WHERE id = %s", unloaded.run_id)  # an export says so
    begun = opened("customers", moment(4))

    with ledger.opened(peopled.database) as book, ledger.resource_lock(book, unloaded):
        assert delete_expired(peopled.database, now=datetime.now(UTC)) == 2
    assert not [name for name, load in failed.items() if Path(load.artifact_path).exists()]
    assert Path(unloaded.artifact_path).exists(), "whoever holds the lock may be reading it"
    assert delete_expired(peopled.database, now=datetime.now(UTC)) == 1

    assert not Path(unloaded.artifact_path).exists()
    ended = "SELECT status, error_message, bytes_processed FROM bulk_runs WHERE id = %s"
    status, why, size = peopled.one(ended, unloaded.run_id)
    assert (status, "a customer was forgotten" in why, size) == ("failed", True, 1234)
    stay = [*kept.values(), waits, begun]
    assert [load for load in stay if not Path(load.artifact_path).exists()] == []
    assert peopled.query("SELECT id FROM bulk_runs WHERE status = 'running' ORDER BY id") == [
        (waits.run_id,),
        (begun.run_id,),
    ]
    assert delete_expired(peopled.database, now=datetime.now(UTC)) == 0
