"""`neanelu webhooks`: the endpoint that Shopify posts webhooks to, until Ctrl-C.

Belongs here: the command. Does not belong here: the endpoint (`neanelu_pipelines.shopify.webhooks`), processing.
"""

import socket
from typing import Annotated

import typer

from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.settings import Settings

DEFAULT_PORT = 54390
_CONNECTIONS = 2000
_WAITING_CONNECTIONS = 2048
_LAST_ANSWERS_SECONDS = 5


class WebhooksArgumentError(NeaneluError):
    """An address that cannot be listened on."""


def webhooks(
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


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=_WAITING_CONNECTIONS)
    except OSError as error:
        raise WebhooksArgumentError(
            f"Port {port} of {host} is not to be had ({error.strerror}): choose another with --port, or 0."
        ) from error
