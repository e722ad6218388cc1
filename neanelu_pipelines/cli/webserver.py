"""Dagster's webserver on a socket that was open before it started.

Belongs here: giving it that socket, which its own command line cannot take. Does not belong here: opening the socket
(`services`), starting and ending the process (`guard`).

Run as `python -m neanelu_pipelines.cli.webserver SOCKET …`: the number of a listening socket that this process has
inherited, then the arguments of `dagster-webserver`. Whoever reaches that port reaches this webserver and no other.
"""

import runpy
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn


def main() -> None:
    """Serve until a signal."""
    listener = socket.socket(fileno=int(sys.argv.pop(1)))
    uvicorn.run = _serve_on(listener)
    runpy.run_module("dagster_webserver", run_name="__main__", alter_sys=True)


def _serve_on(listener: socket.socket) -> Callable[..., None]:
    """What stands in for `uvicorn.run`, whose own way to inherit a socket takes it for one that has no TCP_NODELAY."""

    def run(app: Any, **settings: Any) -> None:
        server = uvicorn.Server(uvicorn.Config(app, **settings))
        server.run(sockets=[listener])
        if not server.started:
            sys.exit("The webserver did not start.")

    return run


if __name__ == "__main__":
    main()
