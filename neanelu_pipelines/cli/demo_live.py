"""The demo's live part: a shop behind a local Admin API is added, synced, and tells of a change by a webhook.

Belongs here: that story. Does not belong here: the shops that are loaded from files, the summary (`demo`).

The API lives as long as this part. Its token is sealed with a key that is then thrown away, so it is forgotten at the
end, whatever happens; the shop stays, as one without a token.
"""

import asyncio
import base64
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import SecretStr

from neanelu_pipelines.cli.outcome import LoadOutcome
from neanelu_pipelines.cli.shop import verified
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, ShopAccess
from neanelu_pipelines.shopify.vault import Keyring

# The Admin API takes a while to import, and every command's help names this one.
if TYPE_CHECKING:
    from neanelu_pipelines.sandbox.admin import Sandbox
    from neanelu_pipelines.sandbox.shop.hooks import Event
    from neanelu_pipelines.sandbox.shop.world import Shop

DOMAIN = "unelte-si-flori.myshopify.com"
NAME = "Unelte și Flori, Iași"
_SEED = 77
_API_VERSION = "2025-10"
_RESOURCES = ("locations", "products")
_SHARE = 0.1
_FEWEST = 20
_REDUCED_TO = Decimal("0.9")
_PATIENCE_SECONDS = 60.0


class DemoFailedError(NeaneluError):
    """A part of the demo did not end as it must."""


@dataclass
class Change:
    """A price that was changed in the shop, and reached the mirror by a webhook."""

    product: str
    before: str
    after: str
    seconds: float
    """From the webhook's arrival to the row."""


@dataclass
class Live:
    """What happened with the live shop."""

    syncs: list[LoadOutcome] = field(default_factory=list)
    change: Change | None = None
    products_file: str = ""
    """Where the bytes of the exported products are kept."""


def tell_live(world: World, products: int, say: Callable[[str], None]) -> Live:
    """Sync a shop from a local Admin API and let it send a webhook. `products` is what the demo's largest shop has.

    Raises:
        DemoFailedError: something did not end as it must.
    """
    from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox

    say(f"Opening the Admin API of {NAME}")
    spec = GeneratedShop(DOMAIN, seed=_SEED, products=max(_FEWEST, int(products * _SHARE)))
    with Sandbox([spec]) as sandbox:
        connected = _connected(world, sandbox)
        try:
            _add(connected, sandbox)
            live = Live([_sync(connected, resource, say) for resource in _RESOURCES])
            live.products_file = _artifact(connected, live.syncs[-1])
            say(f"Changing a price in {NAME}")
            live.change = _change_a_price(connected, sandbox.shop(DOMAIN))
        finally:
            _forget_token(world)
    return live


def _connected(world: World, sandbox: "Sandbox") -> World:
    """The same installation, with the sandbox as Shopify, a key and an app's secret of this run alone."""
    key = base64.b64encode(os.urandom(32)).decode()
    return World(
        world.settings.model_copy(
            update={
                "shopify_url": sandbox.url_template,
                "encryption_keys": SecretStr(f"1:{key}"),
                "encryption_key_current": None,
                "export_first_poll": 0.2,
                "webhook_secrets": SecretStr(secrets.token_hex(16)),
            }
        )
    )


def _add(world: World, sandbox: "Sandbox") -> None:
    token = Secret(sandbox.token(DOMAIN))
    facts = verified(ShopAccess(UUID(int=0), DOMAIN, _API_VERSION, token), world.settings.shopify_url)
    shops.install(
        world.database, Keyring.from_settings(world.settings), DOMAIN, token, facts=facts, api_version=_API_VERSION
    )


def _sync(world: World, resource: str, say: Callable[[str], None]) -> LoadOutcome:
    from neanelu_pipelines.cli.orchestra import run_load

    outcome = run_load(
        world,
        shop=DOMAIN,
        resource=resource,
        source=None,
        as_of=None,
        say=lambda step: say(f"{NAME}, {resource}: {step}"),
    )
    if not outcome.succeeded:
        raise DemoFailedError(f"Syncing {resource} of {DOMAIN} failed: {outcome.error} `neanelu doctor` may say more.")
    return outcome


def _change_a_price(world: World, shop: "Shop") -> Change:
    """A merchant changes a price; Shopify posts the product; it is verified, kept, and merged."""
    from neanelu_pipelines.sandbox.shop.hooks import event_about

    product = shop.products.table.node(0)
    variant = product["variants"][0]
    before = _price(world, variant["id"])
    wanted = (before * _REDUCED_TO).quantize(Decimal("0.01"))
    shop.update(variant["id"], price=str(wanted))
    one = event_about("update", product["id"], shop.node(product["id"]))
    started = time.perf_counter()
    status = asyncio.run(_post(world, one)) if one else 0
    work_off_own(world.database, world.settings)
    after = _price(world, variant["id"])
    if after != wanted:
        raise DemoFailedError(f"The new price of {product['title']} did not arrive: it was answered {status}.")
    return Change(product["title"], str(before), str(after), time.perf_counter() - started)


def work_off_own(database: Database, chosen: Settings) -> None:
    """Merge what the demo's shop sent. Other shops' events wait for whoever has their tokens."""
    from neanelu_pipelines.defs.webhooks.writing import into_mirror
    from neanelu_pipelines.shopify.webhooks.rounds import work_off

    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        others = [row[0] for row in connection.execute(statement("cli/other_shops"), {"shop": DOMAIN})]
    for _ in work_off(database, into_mirror(database, chosen), seconds=_PATIENCE_SECONDS, leave_out=others):
        pass


async def _post(world: World, one: "Event") -> int:
    """Hand a signed webhook to the endpoint of `neanelu webhooks`; its answer's status."""
    import httpx

    from neanelu_pipelines.sandbox.shop.hooks import headers_of
    from neanelu_pipelines.shopify.webhooks.endpoint import PATH, Endpoint
    from neanelu_pipelines.shopify.webhooks.inbox import Inbox
    from neanelu_pipelines.shopify.webhooks.signature import Secrets

    chosen = world.settings
    inbox = Inbox(world.database.urls[Role.PIPELINE], max_waiting_bytes=chosen.webhook_max_waiting_bytes)
    endpoint = Endpoint(inbox, Secrets(chosen.webhook_secrets), max_body_bytes=chosen.webhook_max_body_bytes)
    secret = chosen.webhook_secrets.get_secret_value() if chosen.webhook_secrets else ""
    inbox.start()
    try:
        transport = httpx.ASGITransport(app=endpoint)
        async with httpx.AsyncClient(transport=transport, base_url="http://demo") as client:
            return (await client.post(PATH, content=one.body, headers=headers_of(one, DOMAIN, secret))).status_code
    finally:
        await inbox.close()


def _price(world: World, variant: str) -> Decimal:
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        row = connection.execute(statement("cli/variant_price"), {"shop": DOMAIN, "variant": variant}).fetchone()
    if row is None or row[0] is None:
        raise DemoFailedError(f"The mirror has no price of {variant} of {DOMAIN}, though it was synced.")
    return Decimal(row[0])


def _artifact(world: World, outcome: LoadOutcome) -> str:
    """Where the export's bytes are kept."""
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        row = connection.execute(statement("cli/artifact_of_run"), {"run_id": outcome.run_id}).fetchone()
    return str(row[0]) if row else ""


def _forget_token(world: World) -> None:
    with world.database.connect(Role.PIPELINE) as connection:
        connection.execute(statement("cli/forget_token"), {"shop": DOMAIN})
