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
from lines import DOMAIN, OTHER_DOMAIN, River, catalogue, gid, moment
from test_orders import item, order

from neanelu_pipelines.mirror.redaction import (
    Customer,
    RedactionRefusedError,
    SubjectError,
    export_customer,
    redact_customer,
    redact_shop,
)
from neanelu_pipelines.sandbox.wire import encode_line

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
        order(550014, customer={"id": gid("Customer", 706405506931)}, email="diana.popescu@example.ro"),
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
def peopled(river: River) -> Iterator[River]:
    spread(river, DOMAIN)
    yield river
    for table in ("pipeline.redactions", "webhook_events", "feature_flags", "oauth_states", "staff_users"):
        river.do(f"DELETE FROM {table}")


def everything(river: River, shop: UUID) -> dict[str, str]:
    """All rows of a shop and of no shop, as text, by table; written independently of what is tested."""
    found = {}
    for schema, table, has_shop in river.query(
        "SELECT n.nspname, c.relname, EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'shop_id')"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('public', 'pipeline') AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    ):
        where = f"WHERE shop_id = '{shop}' OR shop_id IS NULL" if has_shop else ""
        found[table] = "\n".join(
            row[0] for row in river.query(f'SELECT to_jsonb(t)::text FROM "{schema}"."{table}" t {where}')
        )
    return found


def files(river: River, domain: str = DOMAIN) -> list[Path]:
    return sorted(path for path in Path(river.settings.artifact_root, domain).rglob("*") if path.is_file())


def redact(river: River, key: str = "cerere-1", who: Customer = ANA, domain: str = DOMAIN) -> Any:
    return redact_customer(river.database, river.settings, shop_domain=domain, customer=who, request_key=key)


def test_nothing_of_the_customer_is_left_anywhere(peopled: River) -> None:
    inbox = Path(peopled.settings.artifact_root, "inbox", DOMAIN, "customers-1.jsonl.gz")
    inbox.parent.mkdir(parents=True)
    inbox.write_bytes(gzip.compress(b'{"email":"ANA.POPESCU\\u0040example.ro"}\n'))
    before = everything(peopled, peopled.shops[DOMAIN])
    assert sum(any(mark in text for mark in MARKS) for text in before.values()) >= 7

    done = redact(peopled)

    assert done.status == "completed", done.proof
    assert done.proof["found"] == {}
    after = everything(peopled, peopled.shops[DOMAIN])
    left = {table: text.replace("diana.popescu@example.ro", "") for table, text in after.items()}
    assert {table: mark for table, text in left.items() for mark in MARKS if mark in text} == {}
    assert not [path for path in files(peopled) if b"706405506930" in path.read_bytes()]
    assert not inbox.exists()
    assert done.removed["shopify_customers"] == 1
    assert done.removed["shopify_orders"] == 3
    assert done.proof["searched"]["tables"] > 60
    assert peopled.one("SELECT count(*) FROM audit_logs WHERE action = 'REDACT'") == 1


def test_others_and_what_else_there_is_stay(peopled: River) -> None:
    spread(peopled, OTHER_DOMAIN)
    other = everything(peopled, peopled.shops[OTHER_DOMAIN])
    kept = files(peopled, OTHER_DOMAIN)

    redact(peopled)

    mine = peopled.shops[DOMAIN]
    assert peopled.query("SELECT email::text FROM shopify_customers WHERE shop_id = %s", mine) == [
        ("diana.popescu@example.ro",)
    ]
    assert peopled.query("SELECT legacy_resource_id FROM shopify_orders WHERE shop_id = %s", mine) == [(550014,)]
    assert peopled.one("SELECT count(*) FROM shopify_products WHERE shop_id = %s", mine) == 2
    fields = {"author": {"value": "gid://shopify/[redacted]"}, "n": "[redacted]", "kept": "da"}
    assert peopled.one("SELECT fields FROM shopify_metaobjects WHERE shop_id = %s", mine) == fields
    assert files(peopled, OTHER_DOMAIN) == kept
    unlike = {
        table
        for table, text in everything(peopled, peopled.shops[OTHER_DOMAIN]).items()
        if text != other[table] and table not in ("audit_logs", "redactions")
    }
    assert unlike == set(), "another shop's customer is that shop's"


def test_the_ledger_says_which_artifacts_went(peopled: River) -> None:
    redact(peopled)

    gone = peopled.query(
        "SELECT DISTINCT r.query_type FROM bulk_artifacts a JOIN bulk_runs r ON r.id = a.bulk_run_id"
        " WHERE a.deleted_at IS NOT NULL ORDER BY 1"
    )
    assert gone == [("customers",), ("orders",)]
    assert [path.parent.name for path in files(peopled)] == ["products"]


def test_the_same_request_again_does_nothing_and_another_finds_nothing(peopled: River) -> None:
    first = redact(peopled)
    again = redact(peopled)
    assert (again.again, again.id, again.removed) == (True, first.id, first.removed)

    other = redact(peopled, key="cerere-2")
    assert (other.status, other.removed) == ("completed", {})


def test_what_is_kept_of_it_is_not_personal(peopled: River) -> None:
    redact(peopled)

    status, subject, text = peopled.one("SELECT status, subject, to_jsonb(r)::text FROM pipeline.redactions r")
    assert (status, subject) == ("completed", None)
    assert not [mark for mark in MARKS if mark in text]


def test_killed_after_the_files_it_is_ended_by_the_next(peopled: River, monkeypatch: pytest.MonkeyPatch) -> None:
    from neanelu_pipelines.mirror.redaction import rows

    with monkeypatch.context() as patch:
        patch.setattr(rows, "empty", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            redact(peopled)
    assert peopled.one("SELECT status FROM pipeline.redactions") == "running"
    assert peopled.one("SELECT count(*) FROM shopify_customers") == 2

    assert redact(peopled).status == "completed"
    assert peopled.one("SELECT attempts FROM pipeline.redactions") == 2


def test_what_cannot_be_taken_out_is_said(peopled: River, monkeypatch: pytest.MonkeyPatch) -> None:
    from neanelu_pipelines.mirror.redaction import rows

    with monkeypatch.context() as patch:
        patch.setattr(rows, "empty", lambda *_: {})
        done = redact(peopled)
    assert done.status == "residue"
    assert done.proof["found"]["webhook_events.payload"] == 1
    assert peopled.one("SELECT count(*) FROM audit_logs WHERE action = 'REDACT'") == 0
    assert redact(peopled).status == "completed", "the same request may be tried again"


def test_staff_of_the_same_name_keep_their_accounts(peopled: River) -> None:
    peopled.do("INSERT INTO staff_users (shop_id, email) VALUES (%s, 'ana.popescu@example.ro')", peopled.shops[DOMAIN])

    done = redact(peopled)

    assert done.status == "completed"
    assert done.proof["accounts_of_staff"] == {"staff_users.email": 1}


def test_a_request_that_names_nobody_is_refused() -> None:
    payloads: tuple[Any, ...] = ({}, {"customer": {}}, {"customer": {"id": "x"}}, "nimic")
    for payload in payloads:
        with pytest.raises(SubjectError):
            Customer.of_payload(payload, orders="orders_to_redact")
    assert "ana" not in repr(ANA)


def test_the_customer_is_told_everything_in_a_file_that_is_theirs_alone(peopled: River) -> None:
    done = export_customer(
        peopled.database, peopled.settings, shop_domain=DOMAIN, customer=ANA, request_key="cerere-export"
    )

    path = Path(done.proof["file"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = json.loads(path.read_text())["tables"]
    assert [row["email"] for row in told["shopify_customers"]] == ["Ana.Popescu@example.ro"]
    assert sorted(row["legacy_resource_id"] for row in told["shopify_orders"]) == [550011, 550012, 550013]
    assert "diana" not in path.read_text()
    assert redact(peopled).status == "completed"
    assert not path.exists(), "a redaction takes the export with it"


# Shops ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def leaving(peopled: River) -> River:
    """A third shop, full of everything, that asked to be forgotten."""
    row = peopled.query(
        "INSERT INTO shops (shopify_domain, shopify_shop_id, access_token_ciphertext, access_token_iv,"
        " access_token_tag, scopes, installed_at) VALUES ('pleaca.myshopify.com', 778899001122, '', '', '', '{}',"
        " now() - interval '9 days') RETURNING id"
    )
    peopled.shops["pleaca.myshopify.com"] = row[0][0]
    spread(peopled, "pleaca.myshopify.com")
    peopled.do("INSERT INTO feature_flags (flag_key, allowed_shop_ids) VALUES ('pleaca', ARRAY[%s]::uuid[])", row[0][0])
    peopled.do(
        "INSERT INTO oauth_states (state, shop_domain, redirect_uri, nonce, expires_at)"
        " VALUES ('s', 'pleaca.myshopify.com', 'https://pleaca.myshopify.com/x', 'n', now())"
    )
    return peopled


def forget(river: River, key: str = "plecare", asked_at: datetime | None = None) -> Any:
    return redact_shop(
        river.database,
        river.settings,
        shop_domain="pleaca.myshopify.com",
        request_key=key,
        asked_at=asked_at or datetime.now(UTC),
    )


def test_nothing_of_the_shop_is_left_and_the_others_stay(leaving: River) -> None:
    shop = leaving.shops["pleaca.myshopify.com"]
    products = leaving.one("SELECT count(*) FROM shopify_products WHERE shop_id = %s", leaving.shops[DOMAIN])

    done = forget(leaving)

    assert done.status == "completed", done.proof
    text = "\n".join(everything(leaving, shop).values())
    assert not [mark for mark in (str(shop), "pleaca.myshopify.com", "778899001122") if mark in text]
    assert files(leaving, "pleaca.myshopify.com") == []
    assert leaving.one("SELECT count(*) FROM shops WHERE id = %s", shop) == 0
    assert leaving.one("SELECT count(*) FROM shopify_products WHERE shop_id = %s", leaving.shops[DOMAIN]) == products
    assert files(leaving) != []
    action, shop_id = leaving.one("SELECT action, shop_id FROM audit_logs WHERE action = 'REDACT'")
    assert (action, shop_id) == ("REDACT", None)
    assert forget(leaving).again


def test_a_shop_that_was_installed_again_is_kept(leaving: River) -> None:
    with pytest.raises(RedactionRefusedError, match="installed again"):
        forget(leaving, asked_at=datetime.now(UTC) - timedelta(days=10))
    assert leaving.one("SELECT count(*) FROM shops WHERE id = %s", leaving.shops["pleaca.myshopify.com"]) == 1


def test_killed_between_it_is_ended_by_the_next(leaving: River, monkeypatch: pytest.MonkeyPatch) -> None:
    from neanelu_pipelines.mirror.redaction import shops

    with monkeypatch.context() as patch:
        patch.setattr(shops, "_refresh_views", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            forget(leaving)
    assert leaving.one("SELECT status FROM pipeline.redactions") == "running"

    done = forget(leaving)

    assert (done.status, done.proof["found"]) == ("completed", {})
    assert leaving.query("SELECT of_shop, subject FROM pipeline.redactions") == [(None, None)]
