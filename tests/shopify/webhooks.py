"""An endpoint in this process and signed webhooks to post to it.

Belongs here: what the tests of webhooks share. Does not belong here: what is expected.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
from pydantic import SecretStr

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.sandbox.shop.hooks import Event, headers_of
from neanelu_pipelines.shopify.webhooks.endpoint import Endpoint
from neanelu_pipelines.shopify.webhooks.hands import Hands
from neanelu_pipelines.shopify.webhooks.inbox import Inbox
from neanelu_pipelines.shopify.webhooks.own_secrets import OwnSecrets
from neanelu_pipelines.shopify.webhooks.processing import Batch, process_batch
from neanelu_pipelines.shopify.webhooks.signature import Secrets

DOMAIN = "casa-verde.myshopify.com"
SECRET = "secretul-aplicatiei"
OLD_SECRET = "secretul-de-ieri"
BODY = {"id": 7, "title": "Sapă"}


def event(body: Any = BODY, topic: str = "products/update", **given: str) -> Event:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = {"webhook_id": str(uuid4()), "triggered_at": "2026-11-01T10:00:00.123456789Z", **given}
    return Event(topic, raw, **said)


class Poster:
    """Posts to an endpoint without a socket."""

    def __init__(self, client: httpx.AsyncClient, inbox: Inbox) -> None:
        self._client = client
        self.inbox = inbox

    async def post(self, one: Event, *, secret: str = SECRET, domain: str = DOMAIN, **headers: str) -> int:
        sent = headers_of(one, domain, secret) | {name.replace("_", "-"): value for name, value in headers.items()}
        raw = {name.encode(): value.encode() for name, value in sent.items()}
        answer = await self._client.post("/webhooks", content=one.body, headers=raw)
        return answer.status_code


def with_endpoint(
    url: str,
    work: Callable[[Poster], Awaitable[Any]],
    *,
    max_body: int = 100_000,
    max_waiting: int = 10_000_000,
    own: OwnSecrets | None = None,
) -> Any:
    """Run `work` with an endpoint that keeps events at `url`."""

    async def run() -> Any:
        inbox = Inbox(url, max_waiting_bytes=max_waiting)
        secrets = Secrets(SecretStr(f"{SECRET},{OLD_SECRET}"))
        app = Endpoint(inbox, secrets, max_body_bytes=max_body, own_secrets=own)
        inbox.start()
        transport = httpx.ASGITransport(app=app)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://here", timeout=30) as client:
                return await work(Poster(client, inbox))
        finally:
            await inbox.close()

    return asyncio.run(run())


def posted(database: Database, *events: Event, domain: str = DOMAIN) -> list[int]:
    """Post events one after the other; the statuses."""

    async def work(poster: Poster) -> list[int]:
        return [await poster.post(one, domain=domain) for one in events]

    statuses: list[int] = with_endpoint(database.urls[Role.PIPELINE], work)
    return statuses


def rows(database: Database, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.connect(Role.ADMIN) as connection:
        return connection.execute(query, values).fetchall()


def events_of(database: Database, shop: UUID | None = None) -> list[tuple[Any, ...]]:
    """(topic, state, reason, tries) of all events, in the order of the shop's time."""
    return rows(
        database,
        "SELECT topic, state, processing_error, retry_count FROM pipeline.webhook_keys k"
        " JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at"
        " WHERE %s::uuid IS NULL OR k.shop_id = %s ORDER BY triggered_at, k.idempotency_key",
        shop,
        shop,
    )


def at(hour: int) -> str:
    """That hour of a day, by the shop's clock."""
    return f"2026-11-01T{hour:02}:00:00+02:00"


def pass_time(database: Database) -> None:
    """What was put off is due."""
    with database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE pipeline.webhook_keys SET not_before = now() WHERE state = 'new'")


def work_off(database: Database, hands: Hands) -> list[Batch]:
    """Process batch after batch until nothing is new, without the pauses between two tries of an event."""
    done = []
    while batch := process_batch(database, hands):
        done.append(batch)
        pass_time(database)
    return done
