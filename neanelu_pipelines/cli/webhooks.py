"""`neanelu webhooks`: the endpoint that Shopify posts webhooks to, until Ctrl-C; `subscribe`, `retry`.

Belongs here: the commands. Does not belong here: the endpoint (`neanelu_pipelines.shopify.webhooks`), processing.
"""

import dataclasses
import socket
from typing import Annotated, Literal

import typer

from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.shops import require_shop
from neanelu_pipelines.cli.world import World, open_world
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.access import read_access
from neanelu_pipelines.shopify.vault import Keyring

app = typer.Typer(invoke_without_command=True)

DEFAULT_PORT = 54390
_CONNECTIONS = 2000
_WAITING_CONNECTIONS = 2048
_LAST_ANSWERS_SECONDS = 5


class WebhooksArgumentError(NeaneluError):
    """An address that cannot be listened on."""


@app.callback()
def webhooks(
    context: typer.Context,
    *,
    host: Annotated[
        str, typer.Option(help="The address to listen on; a proxy in front of it speaks TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = DEFAULT_PORT,
    as_json: JsonOption = False,
) -> None:
    """Receive webhooks at /webhooks and keep them; NEANELU_WEBHOOK_SECRETS holds the app's secret (or new,old).

    Also: NEANELU_WEBHOOK_MAX_BODY_BYTES (default 8 MiB) and NEANELU_WEBHOOK_MAX_WAITING_BYTES (64 MiB).
    """
    if context.invoked_subcommand is not None:
        return
    import uvicorn

    from neanelu_pipelines.shopify.webhooks.endpoint import PATH, Endpoint
    from neanelu_pipelines.shopify.webhooks.inbox import Inbox
    from neanelu_pipelines.shopify.webhooks.signature import Secrets

    output = Output(as_json=as_json)
    chosen = Settings()
    secrets = Secrets(chosen.webhook_secrets)
    world = World(chosen)
    world.require_schema()
    inbox = Inbox(world.database.urls[Role.PIPELINE], max_waiting_bytes=chosen.webhook_max_waiting_bytes)
    app = Endpoint(inbox, secrets, max_body_bytes=chosen.webhook_max_body_bytes)
    with _listening(host, port) as listener:
        url = f"http://{host}:{listener.getsockname()[1]}{PATH}"
        output.result({"status": "serving", "url": url})
        output.say(f"Receiving webhooks at {url}; Ctrl-C ends it.")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            backlog=_WAITING_CONNECTIONS,
            timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
        )
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            output.say("Stopped.")


@app.command("subscribe")
def subscribe(
    *,
    shop: Annotated[str, typer.Option(help="The shop's domain, e.g. my-shop.myshopify.com.")],
    url: Annotated[str, typer.Option(help="Where Shopify reaches the endpoint: https://…/webhooks.")],
    others: Annotated[
        Literal["move", "keep"] | None,
        typer.Option(help="Topics that the app has posted to another address: move them, or keep that beside."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Have Shopify post a shop's webhooks to an address; what it does already stays.

    A topic that goes to another address comes twice if both lead here, so it has to be said what becomes of that.
    The privacy topics stand in the app's configuration: Shopify takes no subscriptions to them.
    """
    from neanelu_pipelines.shopify.client import AdminClient
    from neanelu_pipelines.shopify.webhooks.subscriptions import require_address
    from neanelu_pipelines.shopify.webhooks.subscriptions import subscribe as subscribe_to_all

    output = Output(as_json=as_json)
    require_address(url)
    world = open_world()
    world.require_schema()
    domain = require_shop(world, shop)
    access = read_access(world.database, Keyring.from_settings(world.settings), domain)
    with (
        output.progress(f"Subscribing {domain}"),
        AdminClient(access, database=world.database, endpoint=world.settings.shopify_url) as client,
    ):
        done = subscribe_to_all(client, url, others)
    status = "partial" if done.refused else "completed"
    output.result({"status": status, "shop": domain, "url": url, **dataclasses.asdict(done)})
    output.say(
        f"{domain}: {len(done.created)} topics subscribed to, {len(done.moved)} moved, {len(done.there)} were before."
    )
    for topic, reason in done.refused.items():
        output.error(f"{topic}: {reason}")
    if done.refused:
        raise typer.Exit(1)


@app.command("retry")
def retry(
    *,
    shop: Annotated[str | None, typer.Option(help="Of this shop only.")] = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="Only the one of this X-Shopify-Webhook-Id; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put events that were set aside back to those that wait: the next run processes them."""
    from neanelu_pipelines.shopify.webhooks.aside import put_back

    output = Output(as_json=as_json)
    world = open_world()
    world.require_schema()
    asked = set(ids or ())
    topics = put_back(world.database, domain=require_shop(world, shop) if shop else None, ids=sorted(asked))
    back = sum(topics.values())
    missing = len(asked) - back if asked else 0
    status = "partial" if missing else "completed"
    output.result({"status": status, "put_back": back, "topics": topics})
    output.say(f"{back} {'event waits' if back == 1 else 'events wait'} again.")
    for topic, count in topics.items():
        output.say(f"  {topic}: {count}")
    if missing:
        output.error(f"{missing} of the {len(asked)} ids name no event that was set aside here and could be processed.")
        raise typer.Exit(1)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=_WAITING_CONNECTIONS)
    except OSError as error:
        raise WebhooksArgumentError(
            f"Port {port} of {host} is not to be had ({error.strerror}): choose another with --port, or 0."
        ) from error
