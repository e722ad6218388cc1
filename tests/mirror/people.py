"""A person who stands wherever one may stand in a shop's rows and files, and requests to forget them.

Belongs here: what several files of tests of redaction look at. Does not belong here: what is expected of it.
"""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.mirror.redaction import Customer, redact_customer
from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import DOMAIN, River, catalogue, gid, moment
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
