"""Keeping events: what several requests bring at the same time is written and committed together.

Belongs here: the queue in memory, its bound, and the writers with their connections. Does not belong here: HTTP, and
what events mean.

An event is stored when the transaction with it and its key has committed, not before. The writers do not wait for a
batch to fill: what arrives while one is being written is the next one.
"""

import asyncio
import base64
import enum
import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import AsyncConnection

from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.webhooks.envelope import PRIVACY, Envelope

_LOG = logging.getLogger(__name__)

_BATCH_EVENTS = 100
_BATCH_BYTES = 4 * 1024 * 1024
_WRITERS = 2
_PATIENCE = 4.0
"""Seconds until an answer: Shopify gives up after five."""
_CONNECT_SECONDS = 3


class Kept(enum.Enum):
    """What became of an event that was brought."""

    STORED = enum.auto()
    KNOWN = enum.auto()
    """It was stored before, under the same key."""
    NO_SUCH_SHOP = enum.auto()
    NOTHING_HERE = enum.auto()
    """A privacy request about a shop of which nothing is here, neither by its name nor by its number."""


class InboxError(NeaneluError):
    """The event could not be stored now. Shopify sends it again."""

    transient = True


@dataclass
class Room:
    """Bytes that may be held in memory, counted; whoever takes some gives them back."""

    free: int

    def take(self, size: int) -> bool:
        """Take that many bytes; False if there is not that much room."""
        if size > self.free:
            return False
        self.free -= size
        return True

    def give(self, size: int) -> None:
        """Give back what was taken."""
        self.free += size


@dataclass(eq=False)
class _Waiting:
    envelope: Envelope
    answer: "asyncio.Future[Kept]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def say(self, kept: Kept) -> None:
        if not self.answer.done():
            self.answer.set_result(kept)

    def fail(self, error: InboxError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Inbox:
    """Where the endpoint keeps events. `start` and `close` belong to one event loop."""

    def __init__(self, url: str, *, max_waiting_bytes: int) -> None:
        """Write through `url`, the pipeline role's login, and hold that many bytes of events at most."""
        self._url = url
        self.room = Room(max_waiting_bytes)
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._writers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to write."""
        self._writers = [asyncio.create_task(self._write_for_ever()) for _ in range(_WRITERS)]

    async def close(self) -> None:
        """Stop writing. Events that were not answered are sent again by Shopify."""
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)

    async def keep(self, envelope: Envelope) -> Kept:
        """Store an event; returns after the commit. The room of its body is the caller's to take and ours to give back.

        Raises:
            InboxError: the database is away or too slow.
        """
        waiting = _Waiting(envelope)
        self._queue.put_nowait(waiting)
        try:
            return await asyncio.wait_for(waiting.answer, _PATIENCE)
        except TimeoutError:
            raise InboxError("The database did not store the event in time.") from None

    async def _write_for_ever(self) -> None:
        connection: AsyncConnection | None = None
        try:
            while True:
                batch = await self._batch()
                try:
                    async with asyncio.timeout(_PATIENCE):
                        connection = connection or await self._connect()
                        await _store(connection, batch)
                except Exception as error:  # noqa: BLE001 - a writer that ends leaves every later event unanswered
                    # Without its words: PostgreSQL's quote the values, which are people's data.
                    name = type(error).__name__
                    _LOG.warning("A batch of %d webhooks was not stored: %s.", len(batch), name)
                    for one in batch:
                        one.fail(InboxError(f"The database did not store the event: {name}."))
                    # The connection's state is unknown: the next batch gets a fresh one.
                    await _closed(connection)
                    connection = None
                finally:
                    self.room.give(sum(len(one.envelope.body) for one in batch))
        finally:
            await _closed(connection)

    async def _connect(self) -> AsyncConnection:
        return await AsyncConnection.connect(
            self._url, autocommit=True, application_name="neanelu webhooks", connect_timeout=_CONNECT_SECONDS
        )

    async def _batch(self) -> list[_Waiting]:
        """What waits now; the first one is waited for."""
        batch = [await self._queue.get()]
        size = len(batch[0].envelope.body)
        while len(batch) < _BATCH_EVENTS and size < _BATCH_BYTES and not self._queue.empty():
            batch.append(self._queue.get_nowait())
            size += len(batch[-1].envelope.body)
        return batch


async def _closed(connection: AsyncConnection | None) -> None:
    if connection is not None:
        await connection.close()


async def _store(connection: AsyncConnection, batch: Sequence[_Waiting]) -> None:
    """Write the batch and answer. If PostgreSQL refuses a value in it, each event is written by itself."""
    # Whoever gave up waiting was told so: Shopify sends the event again.
    asked = [one for one in batch if not one.answer.done()]
    if not asked:
        return
    try:
        answers = await _insert(connection, [_row(one.envelope) for one in asked])
    except _REFUSED:
        answers = [answer for one in asked for answer in await _insert_alone(connection, one.envelope)]
    for one, kept in zip(asked, answers, strict=True):
        one.say(await _looked_closer(connection, one.envelope) if kept is Kept.NO_SUCH_SHOP else kept)


async def _looked_closer(connection: AsyncConnection, envelope: Envelope) -> Kept:
    """What becomes of an event of no known shop. Its signed body tells the shop's number, its headers only the name."""
    if envelope.topic not in PRIVACY or (number := _number_of_shop(envelope.body)) is None:
        return Kept.NO_SUCH_SHOP
    cursor = await connection.execute(statement("webhooks/is_shop_of_number"), {"number": number})
    return Kept.NOTHING_HERE if await cursor.fetchone() == (False,) else Kept.NO_SUCH_SHOP


def _number_of_shop(body: bytes) -> int | None:
    try:
        said = json.loads(body)
    except (RecursionError, ValueError):
        return None
    number = said.get("shop_id") if isinstance(said, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


_REFUSED = (
    psycopg.DataError,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    UnicodeDecodeError,
)
"""What is said of a value that PostgreSQL cannot hold."""


async def _insert_alone(connection: AsyncConnection, envelope: Envelope) -> list[Kept]:
    """One event; a body that PostgreSQL cannot hold as JSON (NUL, lists in lists) is kept as its bytes, set aside."""
    try:
        return await _insert(connection, [_row(envelope)])
    except _REFUSED:
        return await _insert(connection, [_as_bytes(envelope)])


_EXPONENT = re.compile(rb"[eE](?<=[0-9].)[+-]?[0-9]{3,}(?=[\s,}\]]|$)")
_LARGEST_EXPONENT = 99


def _swells(body: bytes) -> bool:
    """Whether a number in it would have very many digits (`1e100000`): PostgreSQL writes them out when it is read.

    A small body of such fills the memory of the server and of whoever reads it; no batch with it could be claimed.
    """
    if not _EXPONENT.search(body):
        return False
    try:
        json.loads(body, parse_float=_bounded)
    except (RecursionError, ValueError):
        return True
    return False


def _bounded(number: str) -> None:
    exponent = number.lower().partition("e")[2]
    if exponent and abs(int(exponent)) > _LARGEST_EXPONENT:
        raise ValueError


_NAMES = ("keys", "domains", "topics", "versions", "moments", "states", "reasons", "payloads")
_Row = tuple[object, ...]


def _about(envelope: Envelope) -> _Row:
    one = envelope
    return (one.webhook_id, one.domain, one.topic, one.api_version, one.triggered_at)


def _as_bytes(envelope: Envelope) -> _Row:
    kept = json.dumps({"base64": base64.b64encode(envelope.body).decode()})
    reason = "The body is no JSON that can be kept as such; its bytes stand in the payload, in base64."
    return (*_about(envelope), "aside", reason, kept)


def _row(envelope: Envelope) -> _Row:
    if _swells(envelope.body):
        return _as_bytes(envelope)
    return (*_about(envelope), *envelope.fate, envelope.body.decode())


async def _insert(connection: AsyncConnection, rows: Sequence[_Row]) -> list[Kept]:
    columns = dict(zip(_NAMES, (list(values) for values in zip(*rows, strict=True)), strict=True))
    cursor = await connection.execute(statement("webhooks/store_events"), columns)
    return list(_kept(await cursor.fetchall()))


def _kept(answers: Sequence[tuple[bool, bool]]) -> Iterator[Kept]:
    for is_shop, is_new in answers:
        yield (Kept.STORED if is_new else Kept.KNOWN) if is_shop else Kept.NO_SUCH_SHOP
