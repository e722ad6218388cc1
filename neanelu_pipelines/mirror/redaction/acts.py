"""What is done with a customer's data: redacted, or exported for the customer to read.

Belongs here: the order of the act. Does not belong here: whole shops (`shops`), searching and emptying.

Files first, then rows, under the locks of every load: a load that had read a file cannot stage from it in between.
Only that: the proof searches the state of the moment at which they are let go, and what comes in afterwards was either
read later, and is the shop's to have, or it is not let in (`forgotten`) and its file is not kept: it goes with the
load that reads it, or in the night if none does (`expiry`).
Every step may be repeated: whoever dies half-way is followed by one who does it all again, and finds less to do. What
the act leaves is its record: counts, and no names. What the rows that go say of the person (an order may have another
address than its customer) is sought as well, but not what another customer has, too. Accounts of a shop's staff, rows
about goods and rows of no shop are not a shop's customer's data, and another request about the same person needs to
know whom it is about: they are left alone, searched, and told of apart (a barcode may hold the digits of a telephone).
What cannot be an email address is not sought as one, and the proof says so.

What is searched: every column in which a text, a JSON value, a uuid or a number of 64 bits can stand, in every table
and materialized view, the records of the acts among them, and every file in the shop's folders of the artifact store,
plain or gzip; and the databases that the caller names (Dagster's own storage), in which nothing is emptied: what is
found there is a person's to delete. Not searched are vectors, columns of bytes (a shop's encrypted tokens and our
digests are the only ones), what is in base64 or compressed inside a column (bodies of events that could only be kept so
are emptied whichever they are; nothing else here writes that), and files elsewhere, such as those that an import came
from.
"""

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from psycopg import Connection
from psycopg.types.json import Jsonb

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import forgotten, ledger
from neanelu_pipelines.mirror.leftovers import ANSWERS
from neanelu_pipelines.mirror.redaction import record, rows
from neanelu_pipelines.mirror.redaction.files import Store
from neanelu_pipelines.mirror.redaction.record import Outcome, Request
from neanelu_pipelines.mirror.redaction.rows import OF_STAFF, Sought
from neanelu_pipelines.mirror.redaction.subjects import Customer, hashed
from neanelu_pipelines.mirror.removals.rows import Gone, remove_rows
from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.store import make_folder

_REACHED_BY = ("email", "phone")
_MOST_ADDRESSES = 20
"""More are no person's: an account through which others sell. And each makes the expression larger that is sought."""
_ASKED = "pipeline.redactions.subject"
_TABLES_OF_NUMBERS = frozenset({"shopify_customers", "shopify_orders", "staging_customers", "staging_orders"})


def redact_customer(
    database: Database,
    settings: Settings,
    *,
    shop_domain: str,
    customer: Customer,
    request_key: str,
    also: Mapping[str, str] | None = None,
) -> Outcome:
    """Delete everything of a customer of a shop: rows, staging, files, events, audited values; and prove it.

    Args:
        database: the mirror's.
        settings: where artifacts are.
        shop_domain: whose customer; the same person as another shop's customer is that shop's.
        customer: as the request names them.
        request_key: what asked for it; the same request again does nothing.
        also: databases that are searched too, and not emptied: PostgreSQL's URL by a name for the proof.

    Raises:
        UnknownShopError: there is no such shop.
        ResourceBusyError, UnreadableFileError: it cannot be done now (transient).
    """
    request = _request(database, "customer", shop_domain, customer, request_key)
    outcome = record.begin(database, request)
    if outcome.again:
        return outcome
    store = _store(database, settings, request.shop_id)
    before = _look_ahead(database, store, request.shop_id, outcome.id, customer)
    with ExitStack() as open_:
        # Every resource: whoever stages now could bring in what is being taken out.
        with record.locked(database, request.shop_id, shop_domain, tuple(RESOURCES)):
            store = _store(database, settings, request.shop_id)  # It may have been renamed since.
            removed, sought = _redact(database, store, request.shop_id, outcome.id, customer, before)
            after, paths = open_.enter_context(record.as_of_now(database)), store.paths()
        outcome.removed = {**outcome.removed, **{name: count for name, count in removed.items() if count}}
        outcome.proof = _prove(after, store, paths, sought, also or {})
    if not_sought := _not_sought(customer, sought):
        outcome.proof["not_sought"] = not_sought
    outcome.status = "residue" if outcome.proof["found"] else "completed"
    with record.pipeline(database) as connection:
        record.end(connection, outcome, request)
    return outcome


def export_customer(
    database: Database, settings: Settings, *, shop_domain: str, customer: Customer, request_key: str
) -> Outcome:
    """Write a customer's row, their orders and the events about either into one JSON file of the artifact store.

    Only those: it is handed to the person, and other rows that mention the person tell of others too. The file is
    `<store>/<shop>/privacy/<id of the request>.json`; `proof` says where. On a local disk nobody else may read it; an
    object store has rules of its own. A redaction deletes it, and `expiry` when the merchant's time to hand it over is
    past. (The record says where under the shop's folder: the
    record outlives the shop, whose name the folder is.)

    Raises:
        As `redact_customer`.
    """
    request = _request(database, "export", shop_domain, customer, request_key)
    outcome = record.begin(database, request)
    if outcome.again:
        return outcome
    with record.pipeline(database) as connection:
        customers = _customers(connection, request.shop_id, customer)
        orders = _orders(connection, request.shop_id, customer, customers)
        found = rows.export(connection, request.shop_id, customers, orders, customer)
    _write(settings, shop_domain, outcome.id, {"shop": shop_domain, "tables": found})
    outcome.status = "completed"
    outcome.proof = {
        "file": f"{ANSWERS}/{outcome.id}.json",
        "rows": {table: len(items) for table, items in found.items()},
    }
    with record.pipeline(database) as connection:
        record.end(connection, outcome, request)
    return outcome


def _store(database: Database, settings: Settings, shop_id: UUID) -> Store:
    with record.pipeline(database) as connection:
        return Store(settings.artifact_root, record.domains(connection, shop_id))


def _request(database: Database, kind: str, domain: str, customer: Customer, key: str) -> Request:
    with ledger.opened(database) as book:
        shop_id = ledger.find_shop(book, domain).shop_id
    named = hashed(key, customer.id, customer.email)
    return Request(key, kind, shop_id, customer.as_json(), named)


def _not_sought(customer: Customer, sought: Sought) -> dict[str, str]:
    found = {}
    if customer.email and not customer.address:
        found["email"] = "it is no address"
    if sought.left_out:
        found["of_orders"] = (
            f"{sought.left_out} addresses or telephones: another customer has them, or they are too many"
        )
    return found


def _sought(shop_id: UUID, request: UUID, customer: Customer, orders: set[int], left_out: int) -> Sought:
    return Sought(
        shop_id,
        request,
        customer.patterns(),
        numbers=[*([customer.id] if customer.id is not None else []), *sorted(orders | set(customer.orders))],
        number_tables=_TABLES_OF_NUMBERS,
        orders=frozenset(orders | set(customer.orders)),
        of_customer=True,
        left_out=left_out,
    )


@dataclass(frozen=True)
class _Ahead:
    """What was found before anything was locked."""

    sought: Sought
    states: dict[str, str]
    holding: list[str]

    def still_to_search(self, states: dict[str, str], sought: Sought) -> list[str]:
        """The files that were written since; all of them if something else is sought."""
        known = self.states if self.sought == sought else {}
        return [path for path, state in states.items() if known.get(path) != state]


def _look_ahead(database: Database, store: Store, shop_id: UUID, request: UUID, customer: Customer) -> _Ahead:
    """Search the files while loads go on: under the locks only those remain that are written meanwhile."""
    sought = _whom(database, shop_id, request, customer)[2]
    states = store.states()
    return _Ahead(sought, states, store.holding(sought.patterns, sought.orders, states))


def _whom(
    database: Database, shop_id: UUID, request: UUID, customer: Customer
) -> tuple[list[tuple[UUID, str]], list[tuple[UUID, int]], Sought]:
    with record.pipeline(database) as connection:
        customers = _customers(connection, shop_id, customer)
        orders = _orders(connection, shop_id, customer, customers)
        going = {"shop_id": shop_id, "customers": [key for key, _ in customers], "orders": [key for key, _ in orders]}
        named = {"email": customer.address, "phone": customer.phone}
        customer, left_out = _with_addresses(connection, request, customer, {**going, **named})
    return customers, orders, _sought(shop_id, request, customer, {number for _, number in orders}, left_out)


def _with_addresses(
    connection: Connection, request: UUID, customer: Customer, going: dict[str, Any]
) -> tuple[Customer, int]:
    """The customer with what the rows that go say of them, and how much of that is not sought."""
    said = connection.execute(statement("redaction/reached_by"), going).fetchall()
    own = {kind: Jsonb([value for of, value, shared in said if of == kind and not shared]) for kind in _REACHED_BY}
    values = {"request": request, "emails": own["email"], "phones": own["phone"]}
    row = connection.execute(statement("redaction/seek_also"), values).fetchone()
    emails, phones = row or ([], [])
    shared = sum(is_shared for _, _, is_shared in said)
    too_many = sum(max(len(values) - _MOST_ADDRESSES, 0) for values in (emails, phones))
    sought = replace(customer, emails=tuple(emails[:_MOST_ADDRESSES]), phones=tuple(phones[:_MOST_ADDRESSES]))
    return sought, shared + too_many


def _redact(
    database: Database, store: Store, shop_id: UUID, request: UUID, customer: Customer, ahead: _Ahead
) -> tuple[dict[str, int], Sought]:
    customers, orders, sought = _whom(database, shop_id, request, customer)
    states = store.states()
    found = store.holding(sought.patterns, sought.orders, ahead.still_to_search(states, sought))
    holding = sorted({*found, *(set(ahead.holding) & set(states))})
    with record.pipeline(database) as connection:
        paths = {"paths": store.as_in_ledger(holding)}
        connection.execute(statement("redaction/end_loads"), paths)
        connection.execute(statement("redaction/files_deleted"), paths)
    store.delete(holding)
    with record.pipeline(database) as connection:
        connection.execute(statement("redaction/say_so"))
        moment = _now(connection)
        counts = remove_rows(connection, "shopify_orders", "id", [Gone(key, "", moment) for key, _ in orders], why=None)
        counts += remove_rows(
            connection, "shopify_customers", "id", [Gone(key, "", moment) for key, _ in customers], why=None
        )
        numbers = {number for _, number in orders} | set(customer.orders)
        gids = {gid for _, gid in customers} | {f"gid://shopify/Order/{number}" for number in numbers}
        named = gids | ({customer.gid} if customer.gid else set())
        forgotten.remember(connection, shop_id, gids=named, email=customer.address)
        connection.execute(statement("redaction/empty_undecoded"), sought.parameters)
        counts.update(rows.empty(connection, sought))
    return {**counts, "files": len(holding)}, sought


def _now(connection: Connection) -> Any:
    row = connection.execute(statement("redaction/now")).fetchone()
    return row[0] if row else None


def _customers(connection: Connection, shop_id: UUID, customer: Customer) -> list[tuple[UUID, str]]:
    values = {"shop_id": shop_id, "gid": customer.gid, "email": customer.address}
    return connection.execute(statement("redaction/find_customers"), values).fetchall()


def _orders(
    connection: Connection, shop_id: UUID, customer: Customer, customers: list[tuple[UUID, str]]
) -> list[tuple[UUID, int]]:
    values = {
        "shop_id": shop_id,
        "orders": list(customer.orders),
        "customers": [key for key, _ in customers],
        "gids": [*(gid for _, gid in customers), *filter(None, [customer.gid])],
        "email": customer.address,
    }
    return connection.execute(statement("redaction/find_orders"), values).fetchall()


def _prove(
    connection: Connection, store: Store, files: list[str], sought: Sought, also: Mapping[str, str]
) -> dict[str, Any]:
    """Search everything once more, and say what was searched and what was found."""
    by_owner, searched = rows.search(connection, sought)
    found = by_owner[rows.OWN]
    not_searched: dict[str, str] = {}
    for name, url in also.items():
        try:
            with psycopg.connect(url) as other:
                there, seen = rows.search(other, sought, elsewhere=True)
        except psycopg.Error as error:
            not_searched[name] = type(error).__name__
        else:
            found |= {f"{name}.{place}": times for place, times in there[rows.OWN].items()}
            searched = {kind: count + seen[kind] for kind, count in searched.items()}
    holding = store.holding(sought.patterns, sought.orders, files)
    apart: dict[str, dict[str, Any]] = {
        "accounts_of_staff": {place: times for place, times in found.items() if place.partition(".")[0] in OF_STAFF},
        "goods": {place: times for told in by_owner.values() for place, times in told.items() if rows.of_goods(place)},
        rows.REQUESTS: by_owner[rows.REQUESTS] | {place: found[place] for place in (_ASKED,) if place in found},
    }
    mine = {*apart["accounts_of_staff"], *apart["goods"], _ASKED}
    found = {place: times for place, times in found.items() if place not in mine}
    apart[rows.NOBODYS] = {place: times for place, times in by_owner[rows.NOBODYS].items() if not rows.of_goods(place)}
    if holding:
        found["files"] = len(holding)
    proof: dict[str, Any] = {"searched": {**searched, "files": len(files), "bytes": store.bytes_of(files)}}
    apart["not_searched"] = not_searched
    return {**proof, "found": found, **{name: places for name, places in apart.items() if places}}


def _write(settings: Settings, domain: str, request: UUID, content: dict[str, Any]) -> None:
    """The file gets its name when it is whole, and is nobody else's to read from its first byte on."""
    url = f"{settings.artifact_root.rstrip('/')}/{domain}/{ANSWERS}/{request}.json"
    text = json.dumps(content, ensure_ascii=False, indent=1).encode()
    files, path = url_to_fs(url)
    make_folder(files, path.rsplit("/", 1)[0])
    if not isinstance(files, LocalFileSystem):
        files.pipe_file(path, text)
        return
    partial = Path(f"{path}.partial")
    with suppress(FileNotFoundError):
        partial.unlink()
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    partial.rename(path)
