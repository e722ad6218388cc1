"""`neanelu webhooks`: the endpoint that Shopify posts webhooks to, until Ctrl-C; what to do about it, and about events.

Belongs here: the commands. Does not belong here: the endpoint (`neanelu_pipelines.shopify.webhooks`), processing.
"""

import dataclasses
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.shop import read_token
from neanelu_pipelines.cli.shops import require_shop
from neanelu_pipelines.cli.world import World, open_world
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.access import ShopError, read_access
from neanelu_pipelines.shopify.shops import listed
from neanelu_pipelines.shopify.vault import Keyring

if TYPE_CHECKING:
    from neanelu_pipelines.shopify.webhooks.aside import Aside, Dismissal, Dismissed

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

    A shop with an app of its own: see `neanelu webhooks secret`.
    Put a proxy in front that speaks TLS and buffers requests: 2000 connections are held at once, whoever makes them;
    one that has not sent a whole head in ten seconds is closed.
    Also: NEANELU_WEBHOOK_MAX_BODY_BYTES (default 8 MiB) and NEANELU_WEBHOOK_MAX_WAITING_BYTES (64 MiB).
    """
    if context.invoked_subcommand is not None:
        return
    import uvicorn

    from neanelu_pipelines.shopify.webhooks.connections import in_time
    from neanelu_pipelines.shopify.webhooks.endpoint import PATH, Endpoint
    from neanelu_pipelines.shopify.webhooks.inbox import Inbox
    from neanelu_pipelines.shopify.webhooks.own_secrets import OwnSecrets
    from neanelu_pipelines.shopify.webhooks.signature import Secrets

    output = Output(as_json=as_json)
    chosen = Settings()
    world = World(chosen)
    secrets = Secrets.none() if chosen.webhook_secrets is None else Secrets(chosen.webhook_secrets)
    world.require_schema()
    own = OwnSecrets(world.database, Keyring.from_settings(chosen) if chosen.encryption_keys else None)
    own.load()
    if chosen.webhook_secrets is None and not len(own):
        Secrets(None)  # Raises, and says what to set: nothing could be received.
    inbox = Inbox(world.database.urls[Role.PIPELINE], max_waiting_bytes=chosen.webhook_max_waiting_bytes)
    app = Endpoint(inbox, secrets, max_body_bytes=chosen.webhook_max_body_bytes, own_secrets=own)
    with _listening(host, port) as listener:
        url = f"http://{host}:{listener.getsockname()[1]}{PATH}"
        output.result({"status": "serving", "url": url})
        output.say(f"Receiving webhooks at {url}; Ctrl-C ends it.")
        config = uvicorn.Config(
            app,
            http=in_time(),
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


@app.command("secret")
def secret(
    *,
    shop: Annotated[str, typer.Option(help="The shop's domain, e.g. my-shop.myshopify.com.")],
    secret_file: Annotated[
        Path | None, typer.Option(help="The file with the secret. Without it: from a pipe, or typed unseen.")
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="The secret in NEANELU_WEBHOOK_SECRETS holds again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Give a shop the client secret (or new,old) of an app of its own: it alone signs the shop's webhooks then.

    It is kept sealed with NEANELU_ENCRYPTION_KEYS until the shop is redacted; a running endpoint knows of it half a
    minute later.
    """
    from neanelu_pipelines.shopify.webhooks.own_secrets import keep

    output = Output(as_json=as_json)
    world = open_world()
    keyring = Keyring.from_settings(world.settings)
    world.require_schema()
    domain = _shop_here(world, shop)
    given = None if forget else read_token(domain, secret_file, what="Webhook secret")
    keep(world.database, keyring, domain, given)
    output.result({"status": "completed", "shop": domain, "own_secret": given is not None})
    whose = "the app's" if given is None else "its own"
    output.say(f"The webhooks of {domain} are verified with {whose} secret.")


@app.command("list")
def list_events(
    *,
    shop: Annotated[str | None, typer.Option(help="Of this shop only.")] = None,
    dismissed: Annotated[
        bool, typer.Option("--dismissed", help="Those that somebody has dismissed, and why, instead.")
    ] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="So many; how many there are is said.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """The events that were set aside, each with its id and the reason: privacy requests first, then the newest."""
    from neanelu_pipelines.shopify.webhooks.aside import list_aside, list_dismissed

    output = Output(as_json=as_json)
    world = open_world()
    world.require_schema()
    domain = _shop_here(world, shop) if shop else None
    found: list[tuple[Aside | Dismissal, str]]
    if dismissed:
        closed, total = list_dismissed(world.database, domain=domain, most=most)
        found = [(one, f"dismissed {_minute(one.dismissed_at)}: {one.because}") for one in closed]
    else:
        aside, total = list_aside(world.database, domain=domain, most=most)
        found = [(one, f"tried {one.tries} times: {one.reason}") for one in aside]
    output.result({"status": "completed", "events": [dataclasses.asdict(one) for one, _ in found], "total": total})
    for one, told in found:
        output.say(f"{one.id}  {one.topic} of {one.shop}, received {_minute(one.received_at)}")
        output.say(f"    {told}")
    what = "dismissed" if dismissed else "set aside"
    output.say(f"Events {what}: {total}{f', of which {len(found)} are shown' if len(found) < total else ''}.")


@app.command("retry")
def retry(
    *,
    shop: Annotated[str | None, typer.Option(help="Of this shop only.")] = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="Only this one, as `list` or a check names it; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put events that were set aside back to those that wait: the next run processes them."""
    from neanelu_pipelines.shopify.webhooks.aside import put_back

    output = Output(as_json=as_json)
    world = open_world()
    world.require_schema()
    asked = set(ids or ())
    topics = put_back(world.database, domain=_shop_here(world, shop) if shop else None, ids=sorted(asked))
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


@app.command("dismiss")
def dismiss(
    events: Annotated[list[str], typer.Argument(metavar="EVENT", help="The ids that `neanelu webhooks list` shows.")],
    *,
    because: Annotated[str, typer.Option(help="Why. It is kept as the record of this: write no customer's name.")],
    as_json: JsonOption = False,
) -> None:
    """Close events that were set aside, for good: they are counted no more and never tried again.

    Nothing else is done: what a privacy request asks for is not, and it is you who says that it need not be.
    """
    from neanelu_pipelines.shopify.webhooks.aside import dismiss as dismiss_all

    output = Output(as_json=as_json)
    world = open_world()
    world.require_schema()
    closed = dismiss_all(world.database, events, because=because)
    told = [{**dataclasses.asdict(one), "not_done": _not_done(one)} for one in closed]
    output.result({"status": "completed", "dismissed": told})
    for one in closed:
        output.say(f"{one.id}: {one.topic} of {one.shop} is dismissed. {_not_done(one)}")
    if any(one.is_privacy for one in closed):
        output.say(
            "The check requests_answered says so after its next run: the job answer_privacy_requests, or materialize "
            "the asset redactions."
        )


def _not_done(one: "Dismissed") -> str:
    """What dismissing has left undone; of a privacy request in words that can be shown."""
    if not one.is_privacy:
        return f"It was not processed: {_told_otherwise(one.topic)}."
    what = "exported" if one.topic == "customers/data_request" else "deleted"
    before = (
        f" What was done about it before that stands in pipeline.redactions {one.redaction} ({one.redaction_status})."
        if one.redaction
        else ""
    )
    return f"Nothing was {what}: the request stays unanswered.{before}"


def _told_otherwise(topic: str) -> str:
    """What becomes of that which an event of the topic told, without it."""
    from neanelu_pipelines.shopify.webhooks.envelope import BULK_FINISHED, UNINSTALLED
    from neanelu_pipelines.shopify.webhooks.subjects import SUBJECTS

    if topic == UNINSTALLED:
        return "nothing else marks the shop as one that left; if it did, run `neanelu shop remove`"
    if topic == BULK_FINISHED:
        return "the export that it was about is looked at in its turn all the same"
    subject = next((one for one in SUBJECTS if topic == one.deletion or topic in one.changes), None)
    if subject is None:
        return "nothing here processes its topic; a whole sync brings of it what the mirror has tables for, and no more"
    if topic == subject.deletion:
        scope = ", which takes a token with read_all_orders" if subject.resource == "orders" else ""
        return f"what it says is gone stays in the mirror until a whole sync, at the latest, finds it gone{scope}"
    scope = (
        " (of one older than 60 days, with a token that has read_all_orders)" if subject.resource == "orders" else ""
    )
    return f"the row, as it is by then, comes with the next whole sync of the shop{scope}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _shop_here(world: World, domain: str) -> str:
    """The domain as the database has it, of a shop that was removed or took the app away as well.

    What such a shop still sends (shop/redact) has to be received, and to give it a token would have that refused.

    Raises:
        ShopError: no shop has it.
    """
    found = next((str(one["domain"]) for one in listed(world.database) if one["domain"] == domain.lower()), None)
    if found is None:
        raise ShopError(f"There is no shop {domain!r} here. `neanelu shop list` shows all, those that left as well.")
    return found


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=_WAITING_CONNECTIONS)
    except OSError as error:
        raise WebhooksArgumentError(
            f"Port {port} of {host} is not to be had ({error.strerror}): choose another with --port, or 0."
        ) from error
