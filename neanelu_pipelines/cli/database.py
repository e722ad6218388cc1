"""`neanelu database …`: connection strings, and the embedded server's life.

Belongs here: the commands. Does not belong here: the server (`neanelu_pipelines.database.embedded`).
"""

from typing import Annotated

import typer

from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.world import open_world
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.server import login_setting, own_logins
from neanelu_pipelines.errors import NeaneluError

app = typer.Typer(help="Connection strings and the embedded server.", no_args_is_help=True)


class ExternalServerError(NeaneluError):
    """Something was asked of the embedded server where another one is used."""


@app.command("url")
def url(
    *,
    role: Annotated[
        Role | None,
        typer.Option(help="Who to log in as. Default: admin on the embedded server, pipeline elsewhere."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a connection string, for psql and for tests. It holds a password."""
    output = Output(as_json=as_json)
    world = open_world()
    external = world.settings.database_url is not None
    if external and role is Role.ADMIN:
        raise ExternalServerError(
            "The admin's connection string of an external server is NEANELU_DATABASE_URL itself, and is not printed."
        )
    chosen = role or (Role.PIPELINE if external else Role.ADMIN)
    if external and chosen not in own_logins(world.settings):
        raise ExternalServerError(
            f"The {chosen} role has no login of its own, and the admin's is not printed: set {login_setting(chosen)}."
        )
    found = world.database.urls[chosen]
    output.result({"status": "completed", "role": chosen.value, "url": found})
    output.say(found)


@app.command("stop")
def stop(*, as_json: JsonOption = False) -> None:
    """Stop the embedded server. Whatever needs it next starts it again."""
    output = Output(as_json=as_json)
    server = open_world().embedded
    if server is None:
        raise ExternalServerError("NEANELU_DATABASE_URL is set: that server is not this command's to start or stop.")
    running = server.status().running
    server.stop()
    output.result({"status": "completed", "was_running": running})
    output.say("Stopped." if running else "It was not running.")
