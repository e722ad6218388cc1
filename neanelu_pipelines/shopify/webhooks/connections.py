"""Connections that bring nothing: closed, because they take the place of others.

Belongs here: how long a request's head may take. Does not belong here: its body, which the endpoint reads in time.

Uvicorn holds a number of connections and waits for a head for ever: whoever opens that many and sends half a line each
would keep everybody out, without any secret.
"""

import asyncio
from typing import Any

HEAD_SECONDS = 10.0
"""Seconds until a connection is looked at; one that has brought no request since the last look is closed."""


class _InTime(asyncio.Protocol):
    """In front of one of uvicorn's protocols, which makes a `cycle` of each request whose head is whole."""

    cycle: Any
    transport: asyncio.Transport
    _seen: object = None
    _look: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        self._look.cancel()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        self._look = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if self.cycle is self._seen and not answering:
            self.transport.abort()
            return
        self._seen = self.cycle
        self._look_later()


def in_time() -> type[asyncio.Protocol]:
    """Uvicorn's own HTTP protocol, whichever it would take, in time."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    return type("InTime", (_InTime, AutoHTTPProtocol), {})
