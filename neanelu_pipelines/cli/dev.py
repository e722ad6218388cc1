"""`neanelu dev`: the server and the Dagster UI, until Ctrl-C.

Belongs here: the command. Does not belong here: the processes (`services`, `guard`).
"""

import gc
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import FrameType
from typing import Annotated

import psycopg
import typer

from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.services import DEFAULT_PORT, Services, ServicesError, running_services, why_ended
from neanelu_pipelines.cli.world import World, open_world
from neanelu_pipelines.database.account import EmbeddedServerError
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.database.migrations import migrate
from neanelu_pipelines.errors import NeaneluError

_LOOK_SECONDS = 3.0
"""Between two looks at the embedded server, which nobody else would start again while the services need it."""

_START_TRIES = 5
"""It may be killed again while it recovers."""

_SWEEP_SECONDS = 60.0
"""Between two looks for runs whose command was killed: what a look costs is not felt then, nor is the wait."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AskedToStopError(BaseException):
    """A signal asked this process to end. No `Exception`: it comes anywhere, and nobody may take it for a fault."""


def dev(
    *,
    port: Annotated[
        int | None,
        typer.Option(
            min=1024, max=65535, help=f"The UI's port. Default: {DEFAULT_PORT}, or a free one if it is taken."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start the server and the Dagster UI; everything ends with this command."""
    serve(Output(as_json=as_json), open_world(), port=port)


def serve(output: Output, world: World, *, port: int | None) -> None:
    """Run the services until a signal. An embedded server that was not running before ends with them.

    Raises:
        ServicesError: a service ended by itself.
    """
    for number in _SIGNALS:
        signal.signal(number, _stop)
    try:
        with ExitStack() as stack:
            with output.progress("Starting the server") as progress:
                started = _start_server(world, stack, progress.update)
                progress.update("Starting the Dagster UI")
                services = stack.enter_context(running_services(world, port=port, stop_server=started))
            output.result({"status": "serving", "address": services.address, "logs": services.logs})
            output.say(f"The Dagster UI is at {services.address}; its logs are in {services.logs}. Ctrl-C ends it.")
            _watch(output, world, services)
            raise ServicesError(why_ended(services))
    except AskedToStopError:
        output.say("Stopped.")


def _start_server(world: World, stack: ExitStack, say: Callable[[str], None]) -> bool:
    """Start or adopt the server, with the schema; whether it is ours to stop, which `stack` then does."""
    server = world.embedded
    if server is None:
        world.require_schema()
        return False
    ours = not server.status().running
    if ours:
        stack.callback(server.stop)
    migrate(world.database, say)
    return ours


def _watch(output: Output, world: World, services: Services) -> None:
    """Wait for the guard's end. Meanwhile an embedded server that is gone is started again, and dead runs are ended."""
    server = world.embedded
    due = time.monotonic() + _SWEEP_SECONDS
    failed = 0
    while True:
        with suppress(subprocess.TimeoutExpired):
            services.guard.wait(_LOOK_SECONDS)
            return
        if server is not None and not server.status().running:
            failed = _start_again(output, server, failed)
        if time.monotonic() >= due:
            _sweep(output, world)
            due = time.monotonic() + _SWEEP_SECONDS


def _start_again(output: Output, server: EmbeddedServer, failed: int) -> int:
    """Start a server that is gone; how often that has failed in a row.

    Raises:
        EmbeddedServerError: it has failed too often.
    """
    try:
        server.start()
    except EmbeddedServerError as fault:
        if failed + 1 >= _START_TRIES:
            raise
        output.say(f"The server is gone and did not start: {fault} It is tried again.")
        return failed + 1
    output.say(f"The server was gone; it is started again. Its log is in {server.status().log}.")
    return 0


def _sweep(output: Output, world: World) -> None:
    """End runs whose command was killed. A storage that is away is asked again in a minute."""
    from neanelu_pipelines.cli.orchestra import dagster_instance, end_dead_runs

    with suppress(NeaneluError, psycopg.Error), dagster_instance(world) as instance:
        for run_id in end_dead_runs(instance, world.database, shared=world.embedded is None):
            output.say(f"Run {run_id}: the command that ran it was killed. It is ended, and its places are free.")
    gc.collect()  # To it Dagster leaves its connections; by itself it may not come for hours in a process so idle.


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not break off the ending.
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise AskedToStopError
