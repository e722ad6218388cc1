"""The ASGI app that receives webhooks: POST /webhooks, verified, stored, answered.

Belongs here: HTTP and its statuses. Does not belong here: storing (`inbox`), processing.

200 is said after the commit, to a replay as well, and to a privacy request about a shop of which nothing is here (it
left, and was forgotten): nothing is left to do, and Shopify counts refusals of these. 401 is said to a signature that
is not Shopify's, with nothing parsed; 503 where the event cannot be stored now. Whatever is not 200 Shopify sends again
for hours. Bare ASGI: a framework would cost more than all the rest of a request. Nothing of a body is ever logged: it
holds people's data.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from neanelu_pipelines.shopify.webhooks.envelope import NoWebhookError, read_envelope
from neanelu_pipelines.shopify.webhooks.inbox import Inbox, InboxError, Kept
from neanelu_pipelines.shopify.webhooks.own_secrets import OwnSecrets
from neanelu_pipelines.shopify.webhooks.signature import Secrets

PATH = "/webhooks"
_READ_SECONDS = 5.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ANSWERS = {
    Kept.STORED: (200, b""),
    Kept.KNOWN: (200, b""),
    Kept.NOTHING_HERE: (200, b""),
    Kept.NO_SUCH_SHOP: (404, b"This shop is not known here."),
}


class _RefusedError(Exception):
    """A request that ends before anything is stored."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words.encode()


class Endpoint:
    """The app. Its lifespan is the inbox's."""

    def __init__(
        self, inbox: Inbox, secrets: Secrets, *, max_body_bytes: int, own_secrets: OwnSecrets | None = None
    ) -> None:
        self._inbox = inbox
        self._secrets = secrets
        self._own = own_secrets
        self._refreshing: asyncio.Task[None] | None = None
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the app's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            try:
                status, words = await self._answer(scope, receive)
            except _RefusedError as refused:
                status, words = refused.status, refused.words
            await _send(send, status, words)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._inbox.start()
                if self._own is not None:
                    self._refreshing = asyncio.create_task(self._own.refresh_for_ever())
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._refreshing is not None:
                    self._refreshing.cancel()
                await self._inbox.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        if scope["path"] != PATH:
            raise _RefusedError(404, f"Webhooks are received at {PATH}.")
        if scope["method"] != "POST":
            raise _RefusedError(405, "Webhooks are posted.")
        headers: dict[bytes, bytes] = dict(scope["headers"])
        body = await self._body(headers, receive)
        handed_over = False
        try:
            if not self._secrets_of(headers).verify(body, headers.get(b"x-shopify-hmac-sha256", b"")):
                raise _RefusedError(401, "The signature is not that of the body.")
            try:
                envelope = read_envelope(headers, body)
            except NoWebhookError as error:
                raise _RefusedError(400, str(error)) from error
            handed_over = True
            return _ANSWERS[await self._inbox.keep(envelope)]
        except InboxError as error:
            raise _RefusedError(503, str(error)) from error
        finally:
            if not handed_over:
                self._inbox.room.give(len(body))

    def _secrets_of(self, headers: Mapping[bytes, bytes]) -> Secrets:
        own = None if self._own is None else self._own.of(headers.get(b"x-shopify-shop-domain", b""))
        return self._secrets if own is None else own

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The raw body. Its room is taken as it comes: what is announced and never sent holds none."""
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._max_body_bytes:
            raise _RefusedError(413, "The body is too large.")
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(_READ_SECONDS):
                await self._read(receive, parts)
        except BaseException as error:
            self._inbox.room.give(sum(map(len, parts)))
            if isinstance(error, TimeoutError):
                raise _RefusedError(408, "The body did not come in time.") from error
            raise
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _read(self, receive: Receive, parts: list[bytes]) -> None:
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _RefusedError(400, "The connection was closed.")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_body_bytes:
                raise _RefusedError(413, "The body is too large.")
            if not self._inbox.room.take(len(chunk)):
                raise _RefusedError(503, "Too much waits to be stored.")
            parts.append(chunk)
            if not message.get("more_body", False):
                return


async def _send(send: Send, status: int, words: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(words)).encode())]
    if status == 503:  # noqa: PLR2004 - as the docstring says
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words})
