"""Working off the events that were kept: claimed in batches, in the order of the shop's time, written by the one way.

Belongs here: claiming, choosing the newest word on each row, what becomes of an event. Does not belong here: what the
topics and bodies mean (`subjects`), and writing and removing rows, which is handed in (`hands`).

A batch is one shop's and one transaction: whoever dies while working on it leaves it as it was. To write the same again
changes nothing, and what is newer than a removal stays: so no more is needed. Each event of an artifact
counts with its own moment, which its lines say (`toldAt`).

Events that are written together and fail are written in halves, until the one that is to blame stands alone: it is
tried again later, and the others are done. A fault of the server or of the artifact store blames none.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import fsspec
import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.faults import passes, without_values
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.bulk.ledger import hurry_export
from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError
from neanelu_pipelines.shopify.webhooks.bodies import BodyError, Node, Reading, decoded, encoded
from neanelu_pipelines.shopify.webhooks.envelope import BULK_FINISHED, UNINSTALLED
from neanelu_pipelines.shopify.webhooks.hands import BusyError, Gone, Hands, Lines
from neanelu_pipelines.shopify.webhooks.subjects import SUBJECTS, TOPICS, Subject

TRIES = 5
BATCH = 500
MOST_FAILED = 50
"""If so many events of a batch fail, all may: each takes its time to be found, and other shops wait meanwhile."""


class HinderedError(NeaneluError):
    """The events of a shop could not be processed, through no fault of theirs: they stay as they were."""

    def __init__(self, shop_id: UUID, domain: str, fault: Exception) -> None:
        super().__init__(f"The webhooks of {domain} were not processed: {without_values(fault)}")
        self.shop_id = shop_id
        self.transient = _passes(fault)


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

    shop_id: UUID
    domain: str
    done: int = 0
    again: int = 0
    """Failed, and tried again later."""
    aside: int = 0
    loads: int = 0
    busy: bool = False
    """Somebody else writes rows of the shop: some of the events stayed as they were."""
    stopped: bool = False
    """Too many events failed: the others stayed as they were."""

    @property
    def settled(self) -> int:
        """The events of which it is known what becomes of them."""
        return self.done + self.again + self.aside


@dataclass(frozen=True)
class _Piece:
    """The newest word on a row, with those that it makes void."""

    event: Event
    void: tuple[Event, ...]
    reading: Reading
    turn: int = 0
    """How many pieces about the same row are written before it."""
    last: bool = True
    """Whether the event is done with it."""

    @property
    def lines(self) -> list[Node]:
        return self.reading.lines


class _TooManyFailedError(Exception):
    """The batch is to end here."""


class _Outcomes:
    """What is to be written about the events, and the sums."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._rows: dict[str, tuple[str, str | None]] = {}
        self._failed = 0

    def __contains__(self, event: Event) -> bool:
        return event.key in self._rows

    def done(self, *events: Event) -> None:
        self._rows |= {event.key: ("done", None) for event in events}
        self.batch.done += len(events)

    def aside(self, event: Event, reason: str) -> None:
        self._rows[event.key] = ("aside", reason)
        self.batch.aside += 1

    def failed(self, event: Event, reason: str) -> None:
        if event.tries + 1 >= TRIES:
            self.aside(event, f"Set aside after {TRIES} tries: {reason}")
        else:
            self._rows[event.key] = ("new", reason)
            self.batch.again += 1
        self._failed += 1
        if self._failed >= MOST_FAILED:
            raise _TooManyFailedError

    def write(self, connection: Connection, job_id: str | None) -> None:
        if self._rows:
            states, reasons = (list(values) for values in zip(*self._rows.values(), strict=True))
            parameters = {"keys": list(self._rows), "states": states, "reasons": reasons, "job_id": job_id}
            connection.execute(statement("webhooks/settle_events"), parameters)


def process_batch(
    database: Database,
    hands: Hands,
    *,
    job_id: str | None = None,
    limit: int = BATCH,
    leave_out: Collection[UUID] = (),
) -> Batch | None:
    """Process the oldest new events of the shop that has waited longest; None if no event is new.

    Shops in `leave_out` have none. If rows of the shop are busy, what was done by then stands, and the rest waits.

    Raises:
        HinderedError: no event is to blame: the shop's batch stays as it was.
        psycopg.Error: the database is away, before any shop was found.
    """
    with database.connect(Role.PIPELINE) as connection:
        found = connection.execute(statement("webhooks/oldest_new"), {"leave_out": list(leave_out)}).fetchone()
        if found is None:
            return None
        batch = Batch(*found)
        outcomes = _Outcomes(batch)
        try:
            _claim_and_process(connection, hands, outcomes, limit)
            outcomes.write(connection, job_id)
        except Exception as fault:
            raise HinderedError(batch.shop_id, batch.domain, fault) from fault
    return batch


def _claim_and_process(connection: Connection, hands: Hands, outcomes: _Outcomes, limit: int) -> None:
    shop_id = outcomes.batch.shop_id
    rows = connection.execute(statement("webhooks/claim_events"), {"shop_id": shop_id, "limit": limit}).fetchall()
    try:
        _process(connection, shop_id, list(_readable(rows, outcomes)), hands, outcomes)
    except BusyError:
        # All later ones wait as well: what comes after may stand on what was not written.
        outcomes.batch.busy = True
    except _TooManyFailedError:
        outcomes.batch.stopped = True


def _readable(rows: Iterable[tuple[str, datetime, str, str, int]], outcomes: _Outcomes) -> Iterator[Event]:
    """The events claimed. Each body is decoded by itself: one that cannot be is set aside, and holds up no other."""
    for key, triggered_at, topic, text, tries in rows:
        event = Event(key, triggered_at, topic, None, tries)
        try:
            yield replace(event, payload=decoded(text))
        except BodyError as error:
            outcomes.aside(event, str(error))


def _process(connection: Connection, shop_id: UUID, events: Sequence[Event], hands: Hands, outcomes: _Outcomes) -> None:
    for subject in SUBJECTS:
        about = [event for event in events if event.topic in subject.changes]
        for group in _groups(_pieces(subject, about, outcomes)):
            _write_group(connection, subject, group, hands, outcomes)
    for subject in SUBJECTS:
        _remove_all(subject, [event for event in events if event.topic == subject.deletion], hands, outcomes)
    # Last: what they lock stays locked until the transaction ends, and the merges take their time.
    for event in events:
        if event.topic not in TOPICS:
            with _lasting() as reasons, connection.transaction():
                _take_note(connection, shop_id, event, outcomes)
            for reason in reasons:
                outcomes.failed(event, reason)


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
        newest, reading = max(versions, key=_age)
        void = tuple(event for event, _ in versions if event is not newest)
        parts = (reading, *reading.apart)
        for turn, part in enumerate(parts):
            yield _Piece(newest, void, part, turn, last=part is parts[-1])


def _age(version: tuple[Event, Reading]) -> tuple[datetime, datetime]:
    """What is newer is greater: by the row's own time of change, then by when the shop says that it happened."""
    event, reading = version
    return reading.version or event.triggered_at, event.triggered_at


def _groups(pieces: Iterable[_Piece]) -> list[list[_Piece]]:
    """Pieces that may share a file, turn by turn. One that has failed before is alone: it may be to blame."""
    groups: dict[tuple[int, object], list[_Piece]] = {}
    for piece in pieces:
        key = piece.event.key if piece.event.tries else piece.reading.shape
        groups.setdefault((piece.turn, key), []).append(piece)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


@contextmanager
def _lasting() -> Iterator[list[str]]:
    """Around what is done with events: why it fails for good stands in the list then; a fault that passes is raised."""
    reasons: list[str] = []
    try:
        yield reasons
    except Exception as fault:
        if _passes(fault):
            raise
        reasons.append(without_values(fault))


def _passes(fault: Exception) -> bool:
    """Whether the database or the artifact store is to blame, and no event."""
    if isinstance(fault, psycopg.Error):
        return passes(fault)
    if isinstance(fault, NeaneluError) and fault.transient:
        return True
    return isinstance(fault, (ArtifactUnreadableError, OSError))


def _remove_all(subject: Subject, events: Sequence[Event], hands: Hands, outcomes: _Outcomes) -> None:
    """Remove what is said to be gone: together, but by itself what has failed before."""
    told: list[tuple[Event, str]] = []
    for event in events:
        try:
            told.append((event, subject.gone(event.payload)))
        except BodyError as error:
            outcomes.aside(event, str(error))
    first = [one for one in told if not one[0].tries]
    for group in ([first] if first else []) + [[one] for one in told if one[0].tries]:
        _remove(subject, group, hands, outcomes)


def _remove(subject: Subject, group: Sequence[tuple[Event, str]], hands: Hands, outcomes: _Outcomes) -> None:
    # In the order of the shop's time: the last word on each.
    moments = {name: event.triggered_at for event, name in group}
    with _lasting() as reasons:
        hands.remove(Gone(outcomes.batch.domain, subject.resource, moments, str(subject.deletion)))
    if not reasons:
        outcomes.done(*(event for event, _ in group))
    elif len(group) == 1:
        outcomes.failed(group[0][0], reasons[0])
    else:
        middle = len(group) // 2
        for half in (group[:middle], group[middle:]):
            _remove(subject, half, hands, outcomes)


def _write_group(
    connection: Connection, subject: Subject, pieces: Sequence[_Piece], hands: Hands, outcomes: _Outcomes
) -> None:
    """Write the pieces; those of which lines are rejected are set aside, and the rest is written without them.

    A load that rejects lines keeps what the rows had before beside what the others say: children may have stood there.
    """
    # Of an event that failed in an earlier turn nothing more is written.
    group = good = [piece for piece in pieces if piece.event not in outcomes]
    if not group:
        return
    with _lasting() as reasons:
        load = _write(subject, group, hands, outcomes.batch.domain)
        outcomes.batch.loads += 1
        good = list(_accepted(connection, load, group, outcomes))
        if len(good) == len(group):
            _remove_others(connection, subject, good, hands, outcomes.batch.domain)
    if not reasons and len(good) == len(group):
        for piece in good:
            if piece.last:
                outcomes.done(piece.event, *piece.void)
    elif not reasons:
        _write_group(connection, subject, good, hands, outcomes)
    elif len(group) == 1:
        outcomes.failed(group[0].event, reasons[0])
    else:
        middle = len(group) // 2
        for half in (group[:middle], group[middle:]):
            _write_group(connection, subject, half, hands, outcomes)


def _remove_others(
    connection: Connection, subject: Subject, group: Sequence[_Piece], hands: Hands, domain: str
) -> None:
    """Remove what stood under the rows and is not among what stands there now; what is newer than that news stays."""
    named = {piece.reading.gid: piece for piece in group if piece.reading.parts}
    if not subject.others or not named:
        return
    there = Jsonb({gid: sorted(piece.reading.parts) for gid, piece in named.items()})
    with connection.transaction():
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
    # In memory: somebody's data would stay on the disk if this process is killed, where no redaction looks for it.
    memory = fsspec.filesystem("memory")
    path = f"/neanelu-webhooks/{uuid4()}/events.jsonl"
    memory.pipe_file(path, encoded(_agreed(group)))
    try:
        oldest = min(piece.event.triggered_at for piece in group)
        return hands.write(Lines(domain, subject.resource, f"memory:/{path}", oldest, group[0].reading.whole))
    finally:
        memory.rm_file(path)


def _agreed(group: Sequence[_Piece]) -> Iterator[Node]:
    """The lines of the group. Two products may show one picture: both say of it what the newer event says."""
    newest: dict[str, Node] = {}
    for piece in sorted(group, key=lambda piece: piece.event.triggered_at):
        moment = {"toldAt": piece.event.triggered_at.isoformat()}
        for line in piece.lines:
            newest[line["id"]] = {name: value for name, value in line.items() if name != "__parentId"} | moment
    for piece in group:
        for line in piece.lines:
            # Last, as Shopify writes it: the rest of a picture's line is the same under both.
            parent = {"__parentId": line["__parentId"]} if "__parentId" in line else {}
            yield {**newest[line["id"]], **parent}
