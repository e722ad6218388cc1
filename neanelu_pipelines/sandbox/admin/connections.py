"""Connections that can be cut on purpose.

Belongs here: knowing the transport behind a request. Does not belong here: when to cut (`faults`).
"""

import asyncio
from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

_OPEN: dict[tuple[Any, ...], asyncio.Transport] = {}
"""By the client's address and the server's."""


class CuttableProtocol(H11Protocol):
    """uvicorn's protocol, whose transports can be found by a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the transport."""
        super().connection_made(transport)
        _OPEN[self.client, self.server] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        _OPEN.pop((self.client, self.server), None)
        super().connection_lost(exc)


def cut_connection(request: Request) -> None:
    """Reset the connection: what is not sent yet is lost."""
    transport = _transport(request)
    if transport is not None:
        transport.abort()


def close_connection(request: Request) -> None:
    """End the connection once what was written has left."""
    transport = _transport(request)
    if transport is not None:
        transport.close()


def _transport(request: Request) -> asyncio.Transport | None:
    client, server = request.scope.get("client"), request.scope.get("server")
    return _OPEN.get((tuple(client) if client else None, tuple(server) if server else None))
