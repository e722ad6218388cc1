"""The privacy requests that wait among the webhooks, worked off one by one.

Belongs here: from an event to the act, and what becomes of the event. Does not belong here: the acts, and when it is
done (`defs`).

An act takes its own event's payload away. So whoever follows one that died half-way reads in its record whom it was
about; and a shop's event goes with the shop: what was begun of it is found by its record alone. Only the body is
signed: a request that was not begun is answered if its body names the shop that its header names.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.faults import without_values
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.redaction import record
from neanelu_pipelines.mirror.redaction.acts import export_customer, redact_customer
from neanelu_pipelines.mirror.redaction.record import Outcome
from neanelu_pipelines.mirror.redaction.shops import redact_shop
from neanelu_pipelines.mirror.redaction.subjects import Customer, SubjectError
from neanelu_pipelines.settings import Settings

_MOST = 100
_TRIES = 3
"""In vain; from then on a person should look at it."""
_CUSTOMER, _SHOP, _EXPORT = "customers/redact", "shop/redact", "customers/data_request"
_ORDERS = {_CUSTOMER: "orders_to_redact", _EXPORT: "orders_requested"}


class OtherShopError(NeaneluError):
    """A request whose signed body does not name the shop that it came for."""


class _GoneError(Exception):
    """The request went with its shop, or a person has closed it: nothing is left to do."""


@dataclass(frozen=True)
class Waiting:
    """A privacy request."""

    key: str
    domain: str
    topic: str
    asked_at: datetime


@dataclass(frozen=True)
class Answered:
    """What became of a request; `error` where it was set aside or, `hindered`, is tried again later."""

    key: str
    topic: str
    outcome: Outcome | None
    error: str | None = None
    hindered: bool = False


@dataclass(frozen=True)
class Unanswered:
    """A request that is not answered: set aside, hindered, or done with something left."""

    kind: str
    status: str
    attempts: int
    asked_at: datetime
    reason: str | None
    place: str

    def __str__(self) -> str:
        return (
            f"{self.kind} of {self.asked_at:%Y-%m-%d %H:%M} UTC, {self.status}, tried {self.attempts} times "
            f"({self.place}): {self.reason}"
        )

    @property
    def for_good(self) -> bool:
        """Whether nobody should wait for it to mend itself."""
        return self.status != "hindered" or self.attempts >= _TRIES


def any_waiting(database: Database) -> bool:
    """Whether a privacy request is to be answered now, or one about a shop was begun and not ended."""
    return bool(_waiting(database, 1))


def unanswered(database: Database) -> list[Unanswered]:
    """The requests that were tried and are not answered, the oldest first."""
    with record.pipeline(database) as connection:
        return [Unanswered(*row) for row in connection.execute(statement("redaction/unanswered")).fetchall()]


def work_off(
    database: Database, settings: Settings, *, job_id: str | None = None, also: Mapping[str, str] | None = None
) -> Iterator[Answered]:
    """Answer every request that waits; what cannot be answered at all is set aside with the reason.

    One that fails, whatever it fails of, keeps no other waiting: its record says why, and it is tried again, later and
    later, for as long as it fails. `also`: databases that the proofs about customers search, too.

    Raises:
        Exception: a request failed before it had a record; when all were tried.
        psycopg.OperationalError: the database is away; at once.
    """
    unrecorded: Exception | None = None
    for request in _waiting(database, _MOST):
        try:
            answered = _answer(database, settings, request, job_id, also)
        except _GoneError:
            continue
        except Exception as error:  # noqa: BLE001 - a law's days run for the others too
            reason = without_values(error)
            if not _hinder(database, request, reason):
                unrecorded = unrecorded or error
            answered = Answered(request.key, request.topic, None, reason, hindered=True)
        yield answered
    if unrecorded is not None:
        raise unrecorded


def _hinder(database: Database, request: Waiting, reason: str) -> bool:
    with record.pipeline(database) as connection:
        values = {"request_key": request.key, "error": reason}
        return bool(connection.execute(statement("redaction/hinder"), values).rowcount)


def _waiting(database: Database, most: int) -> list[Waiting]:
    with record.pipeline(database) as connection:
        return [Waiting(*row) for row in connection.execute(statement("redaction/waiting"), {"most": most}).fetchall()]


def _answer(
    database: Database, settings: Settings, request: Waiting, job_id: str | None, also: Mapping[str, str] | None
) -> Answered:
    try:
        outcome = _act(database, settings, request, also)
    except NeaneluError as error:
        if error.transient:
            raise
        _settle(database, request, "aside", str(error), job_id)
        return Answered(request.key, request.topic, None, str(error))
    residue = None
    if outcome.status == "residue":
        places = ", ".join(f"{place}: {times}" for place, times in outcome.proof["found"].items())
        residue = f"Something is still there ({places}): pipeline.redactions {outcome.id} says more."
    _settle(database, request, "aside" if residue else "done", residue, job_id)
    return Answered(request.key, request.topic, outcome, residue)


def _act(database: Database, settings: Settings, request: Waiting, also: Mapping[str, str] | None) -> Outcome:
    begun, subject = _begun(database, request.key)
    body = None if begun else _body(database, request)
    about = {"shop_domain": request.domain, "request_key": request.key}
    if request.topic == _SHOP:
        return redact_shop(database, settings, asked_at=request.asked_at, **about)
    if begun:
        # Of one that was answered already only its key matters.
        customer = Customer.of_json(subject) if subject else Customer(None)
    else:
        customer = Customer.of_payload(body, orders=_ORDERS[request.topic])
    if request.topic == _EXPORT:
        return export_customer(database, settings, customer=customer, **about)
    return redact_customer(database, settings, customer=customer, also=also, **about)


def _begun(database: Database, key: str) -> tuple[bool, dict[str, Any] | None]:
    """Whether an act was begun or even ended, and whom it is about, if that is still to be known."""
    with record.pipeline(database) as connection:
        running = connection.execute(statement("redaction/read_running"), {"request_key": key}).fetchone()
        done = connection.execute(statement("redaction/is_done"), {"request_key": key}).fetchone()
    if running and running[1]:
        return True, running[1]
    return done is not None, None


def _body(database: Database, request: Waiting) -> Any:
    """What a request says.

    Raises:
        SubjectError: nobody can decode it.
        OtherShopError: it does not name its shop.
        _GoneError: it went with the shop, or a person has closed it.
    """
    with record.pipeline(database) as connection:
        row = connection.execute(statement("redaction/read_request"), {"request_key": request.key}).fetchone()
    if row is None:
        raise _GoneError
    try:
        body = json.loads(row[0])
    except (ValueError, RecursionError) as error:
        raise SubjectError(f"What the request says cannot be decoded ({type(error).__name__}).") from error
    said = body if isinstance(body, dict) else {}
    domain, number = said.get("shop_domain"), said.get("shop_id")
    same_domain = isinstance(domain, str) and domain.strip().lower() == request.domain.lower()
    if not same_domain and not (row[1] is not None and str(number) == str(row[1])):
        raise OtherShopError(
            f"It came as one of {request.domain}, and its signed body (shop_domain, shop_id) does not name that shop: "
            "nothing was done. If it is genuine, Shopify sends it again as that of the shop it names."
        )
    return body


def _settle(database: Database, request: Waiting, state: str, reason: str | None, job_id: str | None) -> None:
    with record.pipeline(database) as connection:
        values = {"keys": [request.key], "states": [state], "reasons": [reason], "job_id": job_id}
        connection.execute(statement("webhooks/settle_events"), values)
        if state == "done":
            connection.execute(statement("redaction/empty_request"), {"request_key": request.key})
