"""A customer and a shop are forgotten everywhere, provably; and a customer is told what is known of them."""

import gzip
import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.mirror import forgotten, river
from neanelu_pipelines.mirror.expiry import delete_expired
from neanelu_pipelines.mirror.forgotten import ForgottenShopError
from neanelu_pipelines.mirror.redaction import (
    Customer,
    RedactionRefusedError,
    SubjectError,
    acts,
    export_customer,
    redact_customer,
    redact_shop,
)
from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River, catalogue, gid, moment, product
from tests.mirror.test_orders import item, order

ANA = Customer(706405506930, "ana.popescu@example.ro", "+40722123456", orders=(550011,))
MARKS = ("706405506930", "ana.popescu", "722 123 456", "722123456", "Popescu", "Strada Lalelelor")


def customer(number: int, email: str, phone: str, name: str) -> bytes:
    node = {
        "__typename": "Customer",
        "id": gid("Customer", number),
        "legacyResourceId": str(number),
        "displayName": name,
        "lastName": name.rsplit(maxsplit=1)[-1],
        "defaultEmailAddress": {"emailAddress": email},
        "defaultPhoneNumber": {"phoneNumber": phone},
        "updatedAt": "2026-03-01T10:00:00Z",
    }
    return encode_line(node)


PEOPLE = [
    customer(706405506930, "Ana.Popescu@example.ro", "+40722123456", "Ana Popescu"),
    customer(706405506931, "diana.popescu@example.ro", "+40722123457", "Diana Pop"),
]
ADDRESS = {"name": "Ana Popescu", "address1": "Strada Lalelelor 5", "phone": "0722 123 456"}


def orders() -> list[bytes]:
    return [
        order(550011, customer=None, email=None),
        item(1, 10, of=gid("Order", 550011)),
        order(550012, customer={"id": gid("Customer", 706405506930)}, email="ana.popescu@example.ro", note="pt. Ana"),
        order(550013, customer=None, email=None, shippingAddress=ADDRESS),
        order(
            550014,
            customer={"id": gid("Customer", 706405506931)},
            email="diana.popescu@example.ro",
            shippingAddress={"name": "Diana Pop", "city": "Cluj", "phone": "0722 123 456"},
        ),
    ]


def spread(river: River, domain: str) -> None:
    """The person wherever a person may stand."""
    shop = river.shops[domain]
    river.load(catalogue(2), as_of=moment(2), domain=domain)
    river.load(PEOPLE, resource="customers", as_of=moment(2), domain=domain)
    river.load(orders(), resource="orders", as_of=moment(2), domain=domain)
    # A rejected line, with its payload.
    river.load(
        [customer(706405506930, "ana.popescu@example.ro", "1" * 60, "Ana Popescu")],
        resource="customers",
        as_of=moment(3),
        domain=domain,
    )
    body = {"id": 706405506930, "email": "ana.popescu@example.ro", "first_name": "Ana Popescu"}
    river.do(
        "INSERT INTO webhook_events (shop_id, topic, payload, processing_error)"
        " VALUES (%s, 'customers/update', %s, %s)",
        shop,
        json.dumps(body),
        "Not understood: ana.popescu@example.ro",
    )
    river.do(
        "INSERT INTO audit_logs (shop_id, action, entity_type, entity_id, old_values)"
        " VALUES (%s, 'UPDATE', 'x', %s, %s)",
        shop,
        shop,
        json.dumps({"note": "Ana Popescu, ana.popescu@example.ro"}),
    )
    river.do(
        "INSERT INTO shopify_metaobjects (shop_id, shopify_gid, type, handle, fields) VALUES (%s, %s, 't', 'h', %s)",
        shop,
        gid("Metaobject", 1),
        json.dumps({"author": {"value": gid("Customer", 706405506930)}, "n": 706405506930, "kept": "da"}),
    )
    river.do(
        "INSERT INTO pipeline.staging_customers (bulk_run_id, shop_id, shopify_gid, raw_data)"
        " SELECT id, shop_id, %s, %s FROM bulk_runs WHERE shop_id = %s LIMIT 1",
        gid("Customer", 706405506930),
        json.dumps({"lastName": "Popescu"}),
        shop,
    )


@pytest.fixture
def swept(river: River) -> Iterator[River]:
    """Nothing of a test is left to the next."""
    yield river
    for table in (
        "pipeline.redactions",
        "pipeline.forgotten",
        "webhook_events",
        "feature_flags",
        "oauth_states",
        "staff_users",
    ):
        river.do(f"DELETE FROM {table}")


@pytest.fixture
def peopled(swept: River) -> River:
    spread(swept, DOMAIN)
    return swept


def everything(river: River, shop: UUID) -> dict[str, str]:
    """All rows of a shop and of no shop, as text, by table; written independently of what is tested."""
    found = {}
    with river.database.connect(Role.ADMIN) as connection:
        for schema, table, has_shop in connection.execute(
            "SELECT n.nspname, c.relname,"
            " EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'shop_id')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('public', 'pipeline') AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        ).fetchall():
            where = f"WHERE shop_id = '{shop}' OR shop_id IS NULL" if has_shop else ""
            rows = connection.execute(f'SELECT to_jsonb(t)::text FROM "{schema}"."{table}" t {where}').fetchall()
            found[table] = "\n".join(row[0] for row in rows)
    return found


def files(river: River, domain: str = DOMAIN) -> list[Path]:
    return sorted(path for path in Path(river.settings.artifact_root, domain).rglob("*") if path.is_file())


def redact(river: River, key: str = "cerere-1", who: Customer = ANA, domain: str = DOMAIN) -> Any:
    return redact_customer(river.database, river.settings, shop_domain=domain, customer=who, request_key=key)


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

    told = export_customer(
        peopled.database, peopled.settings, shop_domain=DOMAIN, customer=ANA, request_key="cerere-export"
    )
    path = Path(told.proof["file"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    tables = json.loads(path.read_text())["tables"]
    assert [row["email"] for row in tables["shopify_customers"]] == ["Ana.Popescu@example.ro"]
    assert sorted(row["legacy_resource_id"] for row in tables["shopify_orders"]) == [550011, 550012]
    assert [row["payload"]["id"] for row in tables["webhook_events"]] == [706405506930]
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
    assert hindered.proof["found"]["webhook_events.payload"] == 2
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
    payloads: tuple[Any, ...] = ({}, {"customer": {}}, {"customer": {"id": "x"}}, "nimic")
    for payload in payloads:
        with pytest.raises(SubjectError):
            Customer.of_payload(payload, orders="orders_to_redact")
    assert "ana" not in repr(ANA)


# Older exports -------------------------------------------------------------------------------------------------------

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


# Shops ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def leaving(swept: River) -> River:
    """A third shop, full of everything, that asked to be forgotten; another shop has a product."""
    swept.load([product(1)], as_of=moment(2))
    row = swept.query(
        "INSERT INTO shops (shopify_domain, shopify_shop_id, access_token_ciphertext, access_token_iv,"
        " access_token_tag, scopes, installed_at) VALUES ('pleaca.myshopify.com', 778899001122, '', '', '', '{}',"
        " now() - interval '9 days') RETURNING id"
    )
    swept.shops["pleaca.myshopify.com"] = row[0][0]
    spread(swept, "pleaca.myshopify.com")
    swept.do("INSERT INTO feature_flags (flag_key, allowed_shop_ids) VALUES ('pleaca', ARRAY[%s]::uuid[])", row[0][0])
    swept.do(
        "INSERT INTO oauth_states (state, shop_domain, redirect_uri, nonce, expires_at)"
        " VALUES ('s', 'pleaca.myshopify.com', 'https://pleaca.myshopify.com/x', 'n', now())"
    )
    return swept


def forget(river: River, key: str = "plecare", asked_at: datetime | None = None) -> Any:
    return redact_shop(
        river.database,
        river.settings,
        shop_domain="pleaca.myshopify.com",
        request_key=key,
        asked_at=asked_at or datetime.now(UTC),
    )


def test_nothing_of_the_shop_is_left_and_the_others_stay(leaving: River, monkeypatch: pytest.MonkeyPatch) -> None:
    from neanelu_pipelines.mirror.redaction import shops

    shop = leaving.shops["pleaca.myshopify.com"]
    with pytest.raises(RedactionRefusedError, match="installed again"):
        forget(leaving, asked_at=datetime.now(UTC) - timedelta(days=10))
    assert leaving.one("SELECT count(*) FROM shops WHERE id = %s", shop) == 1

    leaving.do(
        "INSERT INTO pipeline.redactions (request_key, kind, of_shop, subject, subject_hash, status)"
        " VALUES ('alta', 'customer', %s, '{\"email\": \"ana.popescu@example.ro\"}', '', 'residue')",
        shop,
    )

    with monkeypatch.context() as patch:
        patch.setattr(shops, "_refresh_views", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            forget(leaving)
    assert leaving.one("SELECT status FROM pipeline.redactions WHERE kind = 'shop'") == "running", "killed in between"
    done = forget(leaving)

    assert (done.status, done.proof["found"]) == ("completed", {})
    text = "\n".join(everything(leaving, shop).values())
    assert not [mark for mark in (str(shop), "pleaca.myshopify.com", "778899001122") if mark in text]
    assert files(leaving, "pleaca.myshopify.com") == []
    assert leaving.one("SELECT count(*) FROM shops WHERE id = %s", shop) == 0
    assert leaving.one("SELECT count(*) FROM shopify_products") == 1
    assert files(leaving) != []
    assert leaving.query("SELECT action, shop_id FROM audit_logs WHERE action = 'REDACT'") == [("REDACT", None)]
    assert leaving.query("SELECT of_shop, subject FROM pipeline.redactions") == [(None, None)] * 2
    assert forget(leaving).again

    leaving.do(
        "INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes)"
        " VALUES ('pleaca.myshopify.com', '', '', '', '{}')"
    )
    for as_of in (moment(2), None):
        with pytest.raises(ForgottenShopError, match="was forgotten"):
            leaving.load([product(1)], domain="pleaca.myshopify.com", as_of=as_of)
    assert files(leaving, "pleaca.myshopify.com") == []
    leaving.load([product(1)], domain="pleaca.myshopify.com", as_of=datetime.now(UTC) + timedelta(minutes=1))
