"""Connections that bring no request are closed, and those that do are not, however slow their bodies are."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from neanelu_pipelines.shopify.webhooks import connections

HEAD = b"POST /webhooks HTTP/1.1\r\nHost: aici\r\n"


async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"OK"})


async def ends(reader: asyncio.StreamReader) -> bool:
    """Whether the connection is closed within a time in which an idle one has to be."""
    try:
        async with asyncio.timeout(3 * connections.HEAD_SECONDS):
            return await reader.read(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_a_head_has_to_come_in_time_and_a_body_may_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)

    async def whole() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            config = uvicorn.Config(
                app, http=connections.in_time(), log_level="error", lifespan="off", timeout_keep_alive=60
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                await _talk(listener.getsockname()[1])
            finally:
                server.should_exit = True
                await serving

    asyncio.run(whole())


async def _talk(port: int) -> None:
    nothing, _ = await asyncio.open_connection("127.0.0.1", port)
    half, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD)
    slow, slow_writer = await asyncio.open_connection("127.0.0.1", port)
    slow_writer.write(HEAD + b"Content-Length: 4\r\n\r\nab")
    closed = await asyncio.gather(ends(nothing), ends(half), ends(slow))
    assert [*closed] == [True, True, False]
    slow_writer.write(b"cd")
    assert (await slow.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
    await slow.readuntil(b"OK")
    # The same connection, half a second head.
    slow_writer.write(HEAD)
    assert await ends(slow)
