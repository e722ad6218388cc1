"""A whole shop is forgotten: its rows in every table, its files, and its name wherever it stands.

Belongs here: the order of the act. Does not belong here: customers (`acts`).

Rows go in the order of the foreign keys, as the catalog has them; what is made of them (materialized views) is made
anew. The audit goes last, because whatever is deleted is written down there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

from psycopg import Connection, sql

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.ledger import UnknownShopError
from neanelu_pipelines.mirror.redaction import record, rows
from neanelu_pipelines.mirror.redaction.files import Store
from neanelu_pipelines.mirror.redaction.record import Outcome, Request
from neanelu_pipelines.mirror.redaction.rows import Sought
from neanelu_pipelines.mirror.redaction.subjects import hashed, shop_patterns
from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.settings import Settings


class RedactionRefusedError(NeaneluError):
    """The shop is installed, or another one has its name since its redaction was begun."""


def redact_shop(
    database: Database, settings: Settings, *, shop_domain: str, request_key: str, asked_at: datetime
) -> Outcome:
    """Delete everything of a shop, the shop itself included; and prove it.

    Args:
        database: the mirror's.
        settings: where artifacts are.
        shop_domain: which shop.
        request_key: what asked for it; the same request again does nothing, or ends what was begun.
        asked_at: when. Shopify asks two days after a shop left, whatever became of it since: one that has a token, or
            was added after that moment, is not redacted.

    Raises:
        RedactionRefusedError: it is installed.
        UnknownShopError: there is no such shop, and none was begun to be redacted by this request.
        ResourceBusyError: a load did not end in time (transient).
    """
    try:
        return _redact(database, settings, shop_domain, request_key, asked_at)
    except RedactionRefusedError as refused:
        with record.pipeline(database) as connection:
            connection.execute(statement("redaction/refuse"), {"request_key": request_key, "error": str(refused)})
        raise


def _redact(database: Database, settings: Settings, shop_domain: str, request_key: str, asked_at: datetime) -> Outcome:
    request = _request(database, shop_domain, request_key, asked_at)
    outcome = record.begin(database, request)
    if outcome.again:
        return outcome
    former: list[str] = request.subject["former"]
    names = [shop_domain, *former]
    store = Store(settings.artifact_root, names)
    patterns = shop_patterns(request.shop_id, names, request.subject["number"])
    sought = Sought(request.shop_id, outcome.id, patterns, [request.shop_id])
    with record.locked(database, request.shop_id, shop_domain, tuple(RESOURCES)):
        with record.pipeline(database) as connection:
            # Once more, and for as long as it is being deleted: somebody may give it a token meanwhile.
            _require_left(_find(connection, asked_at, shop_id=request.shop_id), shop_domain)
            outcome.removed = {**outcome.removed, "files": store.delete_all() or outcome.removed.get("files", 0)}
            outcome.removed |= _delete(connection, request.shop_id)
            values = {"id": outcome.id, **sought.parameters}
            connection.execute(statement("redaction/forget_subjects"), values)
            outcome.removed |= {f"{name} (mentions)": count for name, count in rows.empty(connection, sought).items()}
            connection.execute(
                statement("redaction/delete_of_shop").format(table=table_identifier("audit_logs")),
                {"shop_id": request.shop_id},
            )
        with record.pipeline(database) as connection:
            _refresh_views(connection)
        with record.pipeline(database) as connection:
            found, searched = rows.search(connection, sought)
            files = len(store.paths())
            outcome.proof = {
                "searched": searched,
                "found": {**found[rows.OWN], **({"files": files} if files else {})},
                "hashes": {
                    "domain": hashed(request_key, shop_domain),
                    "former": [hashed(request_key, name.lower()) for name in former],
                },
            }
            outcome.status = "residue" if outcome.proof["found"] else "completed"
            record.end(connection, outcome, request)
    return outcome


def _request(database: Database, domain: str, key: str, asked_at: datetime) -> Request:
    with record.pipeline(database) as connection:
        begun = connection.execute(statement("redaction/read_running"), {"request_key": key}).fetchone()
        shop = _find(connection, asked_at, domain=domain)
        names = record.domains(connection, shop.id) if shop else []
    if shop is None and begun is None:
        done = _done(database, key)
        if done is None:
            raise UnknownShopError(f"There is no shop {domain!r}: nothing of it is here to be redacted.")
        return Request(key, "shop", UUID(int=0), {"domain": "", "number": None}, "")
    if shop and begun and begun[0] not in (None, shop.id):
        raise RedactionRefusedError(f"{domain} was added anew since the redaction of it was begun: it is kept.")
    _require_left(shop, domain)
    subject: dict[str, Any] = begun[1] if begun and begun[1] else {}
    number = shop.number if shop else subject.get("number")
    former = [name for name in names if name.lower() != domain.lower()] if shop else subject.get("former", [])
    said = {"domain": domain, "former": former, "number": number, "asked_at": asked_at.isoformat()}
    return Request(key, "shop", shop.id if shop else begun[0], said, hashed(key, domain.lower()))  # type: ignore[index]


@dataclass(frozen=True)
class _Shop:
    """A shop as its redaction finds it."""

    id: UUID
    number: int | None
    installed_at: datetime | None
    installed: bool


def _find(
    connection: Connection, asked_at: datetime, *, shop_id: UUID | None = None, domain: str | None = None
) -> _Shop | None:
    values = {"shop_id": shop_id, "shop_domain": domain, "asked_at": asked_at}
    row = connection.execute(statement("redaction/find_shop"), values).fetchone()
    return _Shop(*row) if row else None


def _require_left(shop: _Shop | None, domain: str) -> None:
    if shop is not None and shop.installed:
        since = f" (since {shop.installed_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC)" if shop.installed_at else ""
        raise RedactionRefusedError(
            f"{domain} is installed here and kept. If it is to be erased: `neanelu shop remove` it, then `neanelu "
            f"webhooks retry`{since}."
        )


def _done(database: Database, key: str) -> Any:
    with record.pipeline(database) as connection:
        return connection.execute(statement("redaction/is_done"), {"request_key": key}).fetchone()


def _delete(connection: Connection, shop_id: UUID) -> dict[str, int]:
    """Every row of the shop, whatever refers going before what it refers to."""
    values = {"shop_id": shop_id}
    connection.execute(statement("redaction/say_so"))
    for table, column, refers_to, key in connection.execute(statement("redaction/mentions_of_shop_rows")).fetchall():
        names = {
            "table": table_identifier(table),
            "column": sql.Identifier(column),
            "refers_to": table_identifier(refers_to),
            "key": sql.Identifier(key),
        }
        connection.execute(statement("redaction/unset_mentions").format(**names), values)
    refers: dict[str, list[str]] = dict(connection.execute(statement("redaction/shop_tables")).fetchall())
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(refers, ()))
    for table, others in refers.items():
        for other in others:
            if other in refers:
                sorter.add(other, table)
    removed: dict[str, int] = {}
    for table in sorter.static_order():
        query = statement("redaction/delete_of_shop").format(table=table_identifier(table))
        if count := connection.execute(query, values).rowcount:
            removed[table] = count
    removed["shops"] = connection.execute(statement("redaction/delete_shop"), values).rowcount
    return removed


def _refresh_views(connection: Connection) -> None:
    """What was made of the shop's rows is made anew without them."""
    for view in dict.fromkeys(table.name for table in rows.tables(connection) if table.columns[0].is_view):
        connection.execute(statement("redaction/refresh_view").format(view=table_identifier(view)))
