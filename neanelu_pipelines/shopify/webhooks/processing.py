"""Working off the events that were kept: claimed in batches, in the order of the shop's time, written by the one way.

Belongs here: claiming, choosing the newest word on each row, what becomes of an event. Does not belong here: what the
topics and bodies mean (`subjects`), and writing and removing rows, which is handed in (`hands`).

A batch is one shop's and one transaction: whoever dies while working on it leaves it as it was. To write the same again
changes nothing, and what is newer than a removal stays: so no more is needed. Events of one artifact are as new as the
oldest of them: an event that is merged as older than it is can be passed over, never the other way round.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.bulk.ledger import hurry_export
from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError
from neanelu_pipelines.shopify.webhooks.bodies import BodyError, Node, Reading, encoded
from neanelu_pipelines.shopify.webhooks.envelope import BULK_FINISHED, UNINSTALLED
from neanelu_pipelines.shopify.webhooks.hands import Gone, Hands, Lines
from neanelu_pipelines.shopify.webhooks.subjects import SUBJECTS, TOPICS, Find, Subject

TRIES = 3
BATCH = 500


@dataclass(frozen=True)
class Event:
    """A kept event, claimed."""

    key: str
    triggered_at: datetime
    topic: str
    payload: Any
    tries: int


@dataclass
class Batch:
    """What became of the events of one batch."""

    domain: str
    done: int = 0
    again: int = 0
    """Failed, and tried again by a later batch."""
    aside: int = 0
    loads: int = 0


@dataclass(frozen=True)
class _Piece:
    """The newest word on a row, with those that it makes void."""

    event: Event
    void: tuple[Event, ...]
    reading: Reading
    turn: int = 0
    """How many pieces about the same row are written before it."""

    @property
    def lines(self) -> list[Node]:
        return self.reading.lines


class _Outcomes:
    """What is to be written about the events, and the sums."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._rows: list[tuple[str, str, str | None]] = []

    def done(self, *events: Event) -> None:
        self._rows += [(event.key, "done", None) for event in events]
        self.batch.done += len(events)

    def aside(self, event: Event, reason: str) -> None:
        self._rows.append((event.key, "aside", reason))
        self.batch.aside += 1

    def failed(self, event: Event, reason: str) -> None:
        if event.tries + 1 >= TRIES:
            self.aside(event, f"Set aside after {TRIES} tries: {reason}")
        else:
            self._rows.append((event.key, "new", reason))
            self.batch.again += 1

    def write(self, connection: Connection, job_id: str | None) -> None:
        if self._rows:
            keys, states, reasons = (list(values) for values in zip(*self._rows, strict=True))
            parameters = {"keys": keys, "states": states, "reasons": reasons, "job_id": job_id}
            connection.execute(statement("webhooks/settle_events"), parameters)


def process_batch(database: Database, hands: Hands, *, job_id: str | None = None, limit: int = BATCH) -> Batch | None:
    """Process the oldest new events of the shop that has waited longest; None if no event is new.

    Raises:
        psycopg.OperationalError, ArtifactUnreadableError, OSError, NeaneluError (transient): the database or the
            artifact store is away. No event is to blame: the batch stays as it was.
    """
    with database.connect(Role.PIPELINE) as connection:
        found = connection.execute(statement("webhooks/oldest_new")).fetchone()
        if found is None:
            return None
        shop_id, domain = found
        parameters = {"shop_id": shop_id, "limit": limit}
        rows = connection.execute(statement("webhooks/claim_events"), parameters).fetchall()
        outcomes = _Outcomes(Batch(domain))
        _process(connection, shop_id, [Event(*row) for row in rows], hands, outcomes)
        outcomes.write(connection, job_id)
    return outcomes.batch


def _process(connection: Connection, shop_id: UUID, events: Sequence[Event], hands: Hands, outcomes: _Outcomes) -> None:
    def find(name: str, place: Mapping[str, str]) -> str | None:
        row = connection.execute(statement(name), {**place, "shop_id": shop_id}).fetchone()
        return row[0] if row else None

    for subject in SUBJECTS:
        about = [event for event in events if event.topic in subject.changes]
        for group in _groups(subject, _pieces(subject, about, outcomes)):
            _write_group(connection, subject, group, hands, outcomes)
    for subject in SUBJECTS:
        _remove(subject, [event for event in events if event.topic == subject.deletion], find, hands, outcomes)
    # Last: what they lock stays locked until the transaction ends, and the merges take their time.
    for event in events:
        if event.topic not in TOPICS:
            _take_note(connection, shop_id, event, outcomes)


def _take_note(connection: Connection, shop_id: UUID, event: Event, outcomes: _Outcomes) -> None:
    """An event that is not about a row of the mirror."""
    if event.topic == UNINSTALLED:
        connection.execute(statement("webhooks/mark_uninstalled"), {"shop_id": shop_id, "moment": event.triggered_at})
        outcomes.done(event)
    elif event.topic == BULK_FINISHED and isinstance(event.payload, dict):
        hurry_export(connection, shop_id, str(event.payload.get("admin_graphql_api_id")))
        outcomes.done(event)
    else:
        outcomes.aside(event, f"Nothing here processes this event of the topic {event.topic}.")


def _pieces(subject: Subject, events: Iterable[Event], outcomes: _Outcomes) -> Iterator[_Piece]:
    """The newest readable event on each row, or all of them where each counts; unreadable ones are set aside."""
    read: dict[str, list[tuple[Event, Reading]]] = {}
    for event in events:
        try:
            reading = subject.read(event.payload)
        except BodyError as error:
            outcomes.aside(event, str(error))
        else:
            read.setdefault(reading.gid, []).append((event, reading))
    for versions in read.values():
        if subject.every_event_counts:
            for turn, (event, reading) in enumerate(versions):
                yield _Piece(event, (), reading.named(event.key), turn)
            continue
        newest = max(versions, key=_age)
        yield _Piece(newest[0], tuple(event for event, _ in versions if event is not newest[0]), newest[1])


def _age(version: tuple[Event, Reading]) -> tuple[datetime, datetime]:
    """What is newer is greater: by the row's own time of change, then by when the shop says that it happened."""
    event, reading = version
    return reading.version or event.triggered_at, event.triggered_at


def _groups(subject: Subject, pieces: Iterable[_Piece]) -> list[list[_Piece]]:
    """Pieces that may share a file, turn by turn. One that has failed before is alone: it may be to blame."""
    groups: dict[tuple[int, object], list[_Piece]] = {}
    for piece in pieces:
        moment = None if subject.has_versions else piece.event.triggered_at
        key = piece.event.key if piece.event.tries else (moment, piece.reading.shape)
        groups.setdefault((piece.turn, key), []).append(piece)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


@contextmanager
def _blamed(events: Sequence[Event], outcomes: _Outcomes) -> Iterator[list[Event]]:
    """Around what is done with events: what fails for good has failed for them, and they stand in the list then."""
    blamed: list[Event] = []

    def blame(error: Exception) -> None:
        blamed.extend(events)
        for event in events:
            outcomes.failed(event, f"{type(error).__name__}: {error}")

    try:
        yield blamed
    except psycopg.errors.ProgramLimitExceeded as error:
        blame(error)  # psycopg counts it among the operational faults, but a value that is too large stays so
    except (psycopg.OperationalError, ArtifactUnreadableError, OSError):
        raise
    except Exception as error:
        if isinstance(error, NeaneluError) and error.transient:
            raise
        blame(error)


def _remove(subject: Subject, events: Sequence[Event], find: Find, hands: Hands, outcomes: _Outcomes) -> None:
    """Remove what is said to be gone: together, but by itself what has failed before."""
    first = [event for event in events if not event.tries]
    for group in ([first] if first else []) + [[event] for event in events if event.tries]:
        moments: dict[str, datetime] = {}
        read = []
        for event in group:
            try:
                gid = subject.gone(event.payload, find)
            except BodyError as error:
                outcomes.aside(event, str(error))
            else:
                read.append(event)
                # In the order of the shop's time: the last word on each.
                moments |= {gid: event.triggered_at} if gid else {}
        with _blamed(read, outcomes) as blamed:
            if moments:
                hands.remove(Gone(outcomes.batch.domain, subject.resource, moments, str(subject.deletion)))
        if not blamed:
            outcomes.done(*read)


def _write_group(
    connection: Connection, subject: Subject, group: Sequence[_Piece], hands: Hands, outcomes: _Outcomes
) -> None:
    """Write the pieces; those of which lines are rejected are set aside, and the rest is written without them.

    A load that rejects lines keeps what the rows had before beside what the others say: children may have stood there.
    """
    with _blamed([piece.event for piece in group], outcomes) as blamed:
        load = _write(subject, group, hands, outcomes.batch.domain)
    if blamed:
        return
    outcomes.batch.loads += 1
    good = list(_accepted(connection, load, group, outcomes))
    if len(good) == len(group):
        with _blamed([piece.event for piece in good], outcomes) as blamed:
            _remove_others(connection, subject, good, hands, outcomes.batch.domain)
        if not blamed:
            for piece in good:
                outcomes.done(piece.event, *piece.void)
    elif good:
        _write_group(connection, subject, good, hands, outcomes)


def _remove_others(
    connection: Connection, subject: Subject, group: Sequence[_Piece], hands: Hands, domain: str
) -> None:
    """Remove what stood under the rows and is not among what stands there now; what is newer than that news stays."""
    named = {piece.reading.gid: piece for piece in group if piece.reading.parts}
    if not subject.others or not named:
        return
    there = Jsonb({gid: sorted(piece.reading.parts) for gid, piece in named.items()})
    found = connection.execute(statement(subject.others), {"there": there, "domain": domain}).fetchall()
    if found:
        moments = {part: named[gid].event.triggered_at for gid, part in found}
        hands.remove(Gone(domain, subject.resource, moments, group[0].event.topic))


def _accepted(connection: Connection, load: UUID, group: Sequence[_Piece], outcomes: _Outcomes) -> Iterator[_Piece]:
    """The pieces of which no line was rejected; the others are set aside with the reason."""
    rejections = connection.execute(statement("webhooks/rejected_lines"), {"run_id": load}).fetchall()
    reasons: dict[int, str] = dict(rejections)
    last = 0
    for piece in group:
        first, last = last + 1, last + len(piece.lines)
        rejected = [reasons[line] for line in range(first, last + 1) if line in reasons]
        if rejected:
            outcomes.aside(piece.event, f"{len(rejected)} of its {len(piece.lines)} lines were rejected: {rejected[0]}")
        else:
            yield piece


def _write(subject: Subject, group: Sequence[_Piece], hands: Hands, domain: str) -> UUID:
    with tempfile.TemporaryDirectory(prefix="neanelu-webhooks-") as folder:
        file = Path(folder) / "events.jsonl"
        file.write_bytes(encoded(_agreed(group)))
        oldest = min(piece.event.triggered_at for piece in group)
        return hands.write(Lines(domain, subject.resource, file, oldest, group[0].reading.whole))


def _agreed(group: Sequence[_Piece]) -> Iterator[Node]:
    """The lines of the group. Two products may show one picture: both say of it what the newer event says."""
    newest: dict[str, Node] = {}
    for piece in sorted(group, key=lambda piece: piece.event.triggered_at):
        newest |= {line["id"]: line for line in piece.lines}
    for piece in group:
        for line in piece.lines:
            parent = {"__parentId": line["__parentId"]} if "__parentId" in line else {}
            yield {**newest[line["id"]], **parent}
