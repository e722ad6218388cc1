"""A customer is forgotten everywhere, provably; and a customer is told what is known of them."""

import gzip
import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from neanelu_pipelines.mirror.redaction import Customer, SubjectError, acts, export_customer
from neanelu_pipelines.mirror.redaction.subjects import hashed
from neanelu_pipelines.mirror.removals import Reason, remove
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River, gid
from tests.mirror.people import ANA, MARKS, PEOPLE, everything, files, redact, spread


def test_nothing_of_the_customer_is_left_anywhere_and_others_stay(peopled: River) -> None:
    spread(peopled, OTHER_DOMAIN)
    mine, theirs = peopled.shops[DOMAIN], peopled.shops[OTHER_DOMAIN]
    peopled.do("INSERT INTO staff_users (shop_id, email) VALUES (%s, 'ana.popescu@example.ro')", mine)
    inbox = Path(peopled.settings.artifact_root, "inbox", DOMAIN, "customers-1.jsonl.gz")
    inbox.parent.mkdir(parents=True)
    inbox.write_bytes(gzip.compress(b'{"email":"ANA.POPESCU\\u0040example.ro"}\n'))
    before, other, kept = everything(peopled, mine), everything(peopled, theirs), files(peopled, OTHER_DOMAIN)
    assert sum(any(mark in text for mark in MARKS) for text in before.values()) >= 7

    done = redact(peopled)

    assert (done.status, done.proof["found"]) == ("completed", {})
    assert done.proof["searched"]["tables"] > 60
    left = {table: text.replace("diana.popescu@example.ro", "") for table, text in everything(peopled, mine).items()}
    found = {table: mark for table, text in left.items() for mark in MARKS if mark in text}
    assert found == {"staff_users": "ana.popescu"}, "who works there keeps the account, and the proof says so"
    assert done.proof["accounts_of_staff"] == {"staff_users.email": 1}
    assert (done.removed["shopify_customers"], done.removed["shopify_orders"]) == (1, 4)
    assert peopled.one("SELECT status, subject FROM pipeline.redactions") == ("completed", None)
    assert peopled.one("SELECT count(*) FROM audit_logs WHERE action = 'REDACT'") == 1
    assert not inbox.exists()
    assert [path.parent.name for path in files(peopled)] == ["products"], "files that hold the person are deleted"
    gone = peopled.query(
        "SELECT DISTINCT r.query_type FROM bulk_artifacts a JOIN bulk_runs r ON r.id = a.bulk_run_id"
        " WHERE a.deleted_at IS NOT NULL ORDER BY 1"
    )
    assert gone == [("customers",), ("orders",)], "the ledger says which"

    emails = "SELECT email::text FROM shopify_customers WHERE shop_id = %s"
    assert peopled.query(emails, mine) == [("diana.popescu@example.ro",)]
    addresses = "SELECT legacy_resource_id, shipping_address FROM shopify_orders WHERE shop_id = %s ORDER BY 1"
    (nobodys, empty), (dianas, kept_address) = peopled.query(addresses, mine)
    assert (nobodys, empty) == (550013, {"redacted": True})
    assert (dianas, kept_address["name"], kept_address["phone"]) == (550014, "Diana Pop", "[redacted]"), (
        "an order of somebody else with the same telephone stays"
    )
    fields = {"author": {"value": "gid://shopify/[redacted]"}, "n": "[redacted]", "kept": "da"}
    assert peopled.one("SELECT fields FROM shopify_metaobjects WHERE shop_id = %s", mine) == fields
    assert files(peopled, OTHER_DOMAIN) == kept
    now = everything(peopled, theirs)
    unlike = {table for table in now if now[table] != other[table]} - {"audit_logs", "redactions"}
    assert unlike == set(), "another shop's customer is that shop's"

    again = redact(peopled)
    assert (again.again, again.id, again.removed) == (True, done.id, done.removed)
    peopled.do(
        "INSERT INTO pipeline.redactions (request_key, kind, of_shop, subject, subject_hash, status, error)"
        " VALUES ('alta', 'export', %s, %s, '', 'hindered', 'Ana.Popescu@example.ro')",
        mine,
        json.dumps(ANA.as_json()),
    )
    hindered = redact(peopled, key="cerere-3")
    assert (hindered.status, hindered.proof["found"]) == ("residue", {"pipeline.redactions.error": 1})
    assert hindered.proof["other_requests"] == {"pipeline.redactions.subject": 1}
    peopled.do("DELETE FROM pipeline.redactions WHERE request_key IN ('alta', 'cerere-3')")
    later = redact(peopled, key="cerere-2")
    assert (later.status, later.removed) == ("completed", {})


def test_told_then_killed_then_hindered_then_forgotten(peopled: River, monkeypatch: pytest.MonkeyPatch) -> None:
    from neanelu_pipelines.mirror.redaction import rows

    shop = peopled.shops[DOMAIN]
    about_diana = {"id": 706405506931, "email": "diana.popescu@example.ro", "phone": "+40722123456"}
    events = "INSERT INTO webhook_events (shop_id, topic, payload) VALUES (%s, 'customers/update', %s)"
    peopled.do(events, shop, json.dumps(about_diana))
    peopled.do(
        "INSERT INTO staff_users (shop_id, email, first_name) VALUES (%s, 'ana.popescu@example.ro', 'secret')", shop
    )

    peopled.do(events, shop, '{"id": 706405506930, "total_spent": 1e5000}')

    told = export_customer(
        peopled.database, peopled.settings, shop_domain=DOMAIN, customer=ANA, request_key="cerere-export"
    )
    path = Path(peopled.settings.artifact_root, DOMAIN, told.proof["file"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    tables = json.loads(path.read_text())["tables"]
    assert [row["email"] for row in tables["shopify_customers"]] == ["Ana.Popescu@example.ro"]
    assert sorted(row["legacy_resource_id"] for row in tables["shopify_orders"]) == [550011, 550012]
    event, unreadable = tables["webhook_events"]
    assert event["payload"]["id"] == 706405506930
    assert "total_spent" in unreadable, "what Python cannot read is told as its text"
    assert set(tables) == {"shopify_customers", "shopify_orders", "webhook_events"}, "nobody else's rows"
    assert "diana" not in path.read_text()
    assert "secret" not in path.read_text()

    with monkeypatch.context() as patch:
        patch.setattr(rows, "empty", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            redact(peopled)
    of_this = "SELECT status, attempts FROM pipeline.redactions WHERE kind = 'customer'"
    assert peopled.one(of_this) == ("running", 1)
    assert peopled.one("SELECT count(*) FROM shopify_customers") == 2
    assert not path.exists(), "a redaction takes the export with it"

    with monkeypatch.context() as patch:
        patch.setattr(rows, "empty", lambda *_, **__: {})
        hindered = redact(peopled)
    assert hindered.status == "residue"
    assert hindered.proof["found"]["webhook_events.payload"] == 3
    assert peopled.one("SELECT count(*) FROM audit_logs WHERE action = 'REDACT'") == 0

    assert redact(peopled).status == "completed"
    assert peopled.one(of_this) == ("completed", 3)


def test_loads_wait_for_the_deletion_only_and_the_proof_is_of_its_moment(
    peopled: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that come while others are searched are found; rows that come after the deletion are none of it."""
    look_ahead, prove = acts._look_ahead, acts._prove
    inbox = Path(peopled.settings.artifact_root, "inbox", DOMAIN, "customers-2.jsonl")

    def meanwhile(*given: Any) -> Any:
        found = look_ahead(*given)
        inbox.parent.mkdir(parents=True, exist_ok=True)
        inbox.write_bytes(b"".join(PEOPLE))
        return found

    def afterwards(*given: Any) -> Any:
        later = peopled.load(PEOPLE, resource="customers", as_of=datetime.now(UTC) + timedelta(minutes=1))
        assert later.tables["shopify_customers"].inserted == 1, "no lock is held any more"
        return prove(*given)

    monkeypatch.setattr(acts, "_look_ahead", meanwhile)
    monkeypatch.setattr(acts, "_prove", afterwards)
    done = redact(peopled)

    assert (done.status, done.proof["found"]) == ("completed", {})
    assert not inbox.exists()


def test_a_request_that_names_nobody_is_refused() -> None:
    payloads: tuple[Any, ...] = ({}, {"customer": {}}, {"customer": {"id": "x"}}, {"customer": {"email": "m"}}, "nimic")
    for payload in payloads:
        with pytest.raises(SubjectError):
            Customer.of_payload(payload, orders="orders_to_redact")
    assert "ana" not in repr(ANA)


def test_what_a_customer_asks_touches_the_rows_of_that_shop_alone_and_no_key(swept: River) -> None:
    mine, theirs = swept.shops[DOMAIN], swept.shops[OTHER_DOMAIN]
    settings = "UPDATE shops SET settings = %s WHERE id = %s"
    contact = json.dumps({"contact": "ana.popescu@example.ro"})
    for shop in (mine, theirs):
        swept.do(settings, contact, shop)
    swept.do("INSERT INTO feature_flags (flag_key, description) VALUES ('nou', 'Asked by ana.popescu@example.ro')")
    swept.do(
        "INSERT INTO audit_logs (action, entity_type, entity_id, new_values)"
        " VALUES ('UPDATE', 'system_config', gen_random_uuid(), %s)",
        contact,
    )
    swept.do(
        "INSERT INTO webhook_events (shop_id, topic, payload, idempotency_key)"
        " VALUES (%s, 'orders/update', %s, 'ana.popescu@example.ro')",
        mine,
        json.dumps({"named": [gid("Order", 10**12 + 7999), gid("Order", 10**12 + 8000)], "note": "m"}),
    )
    swept.do(
        "INSERT INTO shopify_metaobjects (shop_id, shopify_gid, type, handle, fields) VALUES (%s, %s, 't', 'm', %s)",
        mine,
        gid("Order", 10**12 + 7999),
        json.dumps({"named": [gid("Order", 10**12 + 7999), gid("Order", 10**12 + 8000)], "note": "m"}),
    )
    before = everything(swept, mine)

    no_address = redact(swept, key="m", who=Customer(99, "m"))

    assert (no_address.status, no_address.removed) == ("completed", {})
    assert no_address.proof["not_sought"] == {"email": "it is no address"}
    now = everything(swept, mine)
    assert {table for table in now if now[table] != before[table]} == {"audit_logs", "redactions", "forgotten"}

    done = redact(swept, who=Customer(99, "ana.popescu@example.ro", orders=tuple(range(10**12, 10**12 + 8000))))

    touched = {"shopify_metaobjects": 1, "shops": 1, "webhook_events": 1}
    assert {table: rows for table, rows in done.removed.items() if table != "audit_logs"} == touched
    audited = "SELECT count(*) FROM audit_logs WHERE shop_id = %s AND new_values::text ~ 'ana.popescu'"
    assert (swept.one(audited, mine), swept.one(audited, theirs)) == (0, 1)
    keys = {"shopify_metaobjects.shopify_gid": 1, "webhook_events.idempotency_key": 1}
    assert (done.status, done.proof["found"]) == ("residue", keys)
    assert done.proof["of_no_shop"] == {"audit_logs.new_values": 1, "feature_flags.description": 1}
    of_shops = dict(swept.query("SELECT id, settings ->> 'contact' FROM shops WHERE settings ? 'contact'"))
    assert of_shops == {mine: "[redacted]", theirs: "ana.popescu@example.ro"}
    assert swept.one("SELECT fields FROM shopify_metaobjects WHERE shopify_gid = %s", gid("Order", 10**12 + 7999)) == {
        "named": ["gid://shopify/[redacted]", gid("Order", 10**12 + 8000)],
        "note": "m",
    }
    swept.do("UPDATE shops SET settings = '{}'")


FULFILMENT, REFUND = "fulfillments/create", "refunds/create"


def test_what_names_her_order_by_its_number_or_has_its_address_is_told_and_forgotten(peopled: River) -> None:
    """REST's bodies name an order by its number alone; and an order may have another address than its customer."""
    shop = peopled.shops[DOMAIN]
    reached = "UPDATE shopify_orders SET email = %s, phone = %s WHERE legacy_resource_id = 550012"
    peopled.do(reached, "Comenzi@ana.example", "0733 000 111")
    peopled.do("UPDATE shopify_customers SET phone = '+40744555666' WHERE legacy_resource_id = 706405506931")
    event = "INSERT INTO webhook_events (shop_id, topic, payload) VALUES (%s, %s, %s)"
    her_address = {"name": "Ana Popescu", "address1": "Strada Lalelelor 5"}
    for topic, body in (
        (FULFILMENT, {"id": 1, "order_id": 550012, "destination": her_address, "email": "comenzi@ana.example"}),
        (REFUND, {"id": 2, "order_id": 550011, "note": "pentru Ana Popescu", "transactions": [{"name": "A POPESCU"}]}),
        (REFUND, {"id": 3, "order_id": 6700000000012, "note": "pentru Ana Popescu"}),
        (REFUND, {"id": 4, "of": 6700000000012, "note": "pentru Ana Popescu"}),
        ("checkouts/create", {"id": 5, "email": "comenzi@ana.example", "name": "Ana Popescu"}),
        ("checkouts/create", {"id": 6, "phone": "+40733000111", "name": "Ana Popescu"}),
        (REFUND, {"id": 7, "order_id": 550014, "note": "pentru Diana"}),
        (REFUND, {"id": 8, "order_id": 5500121, "note": "de la 550012, 670000000001"}),
    ):
        peopled.do(event, shop, topic, json.dumps(body))
    fields = json.dumps({"order_id": 550012, "text": '{\\"order_id\\": \\"550011\\"}', "other": {"order_id": 550014}})
    peopled.do(
        "INSERT INTO shopify_metaobjects (shop_id, shopify_gid, type, handle, fields) VALUES (%s, %s, 't', 'r', %s)",
        shop,
        gid("Metaobject", 2),
        fields,
    )
    inbox = Path(peopled.settings.artifact_root, "inbox", DOMAIN)
    inbox.mkdir(parents=True)
    for name, text in (("a", '{"order_id":550012}'), ("b", "6700000000012,x"), ("c", '{"order_id":5500121}')):
        (inbox / name).write_text(text)
    who = replace(ANA, orders=(550011, 6700000000012))

    told = export_customer(
        peopled.database, peopled.settings, shop_domain=DOMAIN, customer=who, request_key="cerere-export"
    )
    tables = json.loads(Path(peopled.settings.artifact_root, DOMAIN, told.proof["file"]).read_text())["tables"]
    of_orders = [row["payload"]["id"] for row in tables["webhook_events"] if "order_id" in row["payload"]]
    assert of_orders == [1, 2, 3]

    done = redact(peopled, who=who)

    assert (done.status, done.proof["found"]) == ("completed", {})
    assert "not_sought" not in done.proof
    events = "SELECT (payload ->> 'id')::int FROM webhook_events WHERE payload ? 'id' ORDER BY 1"
    assert peopled.query(events) == [(7,), (8,)], "what is about other orders stays"
    assert sorted(path.name for path in inbox.iterdir()) == ["c"]
    kept = peopled.one("SELECT fields FROM shopify_metaobjects WHERE handle = 'r'")
    assert kept["other"] == {"order_id": 550014}
    assert kept["order_id"] == "[redacted]"
    assert "550011" not in kept["text"]
    assert "550012" in json.dumps(peopled.query("SELECT payload FROM webhook_events")), "an amount, an article's number"


@pytest.mark.parametrize(
    ("dianas_order", "left"), [("diana.popescu@example.ro", [550013, 550014]), ("ana.popescu@example.ro", [550013])]
)
def test_orders_whose_customers_row_is_gone_are_found_by_the_id_and_by_the_address(
    peopled: River, dianas_order: str, left: list[int]
) -> None:
    """Shopify deletes a customer days before it asks for this, and an order can be made under any address.

    With the customer's own address it may be of an earlier account of theirs.
    """
    reached = "UPDATE shopify_orders SET email = %s WHERE legacy_resource_id = %s"
    peopled.do(reached, "comenzi@ana.example", 550012)
    peopled.do(reached, dianas_order, 550014)
    remove(
        peopled.database,
        shop_domain=DOMAIN,
        resource="customers",
        gone=dict.fromkeys((gid("Customer", 706405506930), gid("Customer", 706405506931)), datetime.now(UTC)),
        reason=Reason.WEBHOOK,
        told_by="webhook customers/delete",
    )

    done = redact(peopled)

    assert (done.status, done.proof["found"]) == ("completed", {})
    orders = peopled.query("SELECT legacy_resource_id FROM shopify_orders ORDER BY 1")
    assert [number for (number,) in orders] == left


def test_what_an_order_said_is_sought_by_whoever_follows_one_that_died_and_not_if_it_is_another_customers(
    peopled: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neanelu_pipelines.mirror.redaction import rows

    shop = peopled.shops[DOMAIN]
    reached = "UPDATE shopify_orders SET email = %s, phone = %s WHERE legacy_resource_id = %s"
    peopled.do(reached, "comenzi@ana.example", "0744 555 666", 550012)
    peopled.do(reached, "diana.popescu@example.ro", None, 550011)
    peopled.do("UPDATE shopify_customers SET phone = '+40744555666' WHERE legacy_resource_id = 706405506931")
    event = "INSERT INTO webhook_events (shop_id, topic, payload) VALUES (%s, 'checkouts/create', %s)"
    peopled.do(event, shop, '{"id": 5, "email": "comenzi@ana.example"}')
    peopled.do(event, shop, '{"id": 6, "email": "diana.popescu@example.ro", "phone": "0744555666"}')

    with monkeypatch.context() as patch:
        patch.setattr(rows, "empty", lambda *_, **__: {})
        first = redact(peopled)
    assert first.status == "residue"
    assert first.proof["not_sought"]["of_orders"].startswith("2 addresses or telephones")
    assert peopled.query("SELECT id FROM shopify_orders WHERE legacy_resource_id = 550012") == []
    done = redact(peopled)

    assert (done.status, done.proof["found"]) == ("completed", {})
    assert peopled.query("SELECT (payload ->> 'id')::int FROM webhook_events WHERE payload ? 'id'") == [(6,)]
    assert "diana.popescu" in str(peopled.query("SELECT email::text FROM shopify_customers"))
    assert peopled.query("SELECT subject FROM pipeline.redactions") == [(None,)]


def test_the_record_of_a_customer_says_nothing_by_which_a_telephone_could_be_guessed(peopled: River) -> None:
    """The request's key stands beside a hash: whoever reads both tries every number in minutes."""
    done = redact(peopled)
    assert done.status == "completed"
    ((row, audited),) = peopled.query(
        "SELECT to_jsonb(r)::text, a.new_values::text FROM pipeline.redactions r, audit_logs a"
        " WHERE a.action = 'REDACT'"
    )
    guesses = ("+40722123456", "ana.popescu@example.ro", "706405506930", "722123456")
    digests = [hashed("cerere-1", guess) for guess in guesses] + [hashed("cerere-1", ANA.id, ANA.email, ANA.phone)]
    assert not [digest for digest in digests if digest in row + audited]
