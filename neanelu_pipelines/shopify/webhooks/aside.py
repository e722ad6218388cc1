"""Events that were set aside: which they are, putting them back to those that wait, and closing them for good.

Belongs here: that. Does not belong here: why events are set aside (`processing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import Connection

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.webhooks.envelope import PRIVACY, PROCESSED

LONGEST_REASON = 1000
"""Characters that a person may write about a dismissal."""

_STATES = {
    "new": "waits to be processed: there is nothing to dismiss",
    "waiting": "waits to be answered, and is tried again by itself",
    "done": "is done",
    "dismissed": "was dismissed before: `neanelu webhooks list --dismissed` says why",
}


class DismissalError(NeaneluError):
    """Nothing was dismissed: there is no reason, or one of the events is not among those that were set aside."""


@dataclass(frozen=True)
class Aside:
    """An event that was set aside. `shop` is its domain."""

    id: str
    """X-Shopify-Webhook-Id."""
    shop: str | None
    topic: str
    received_at: datetime
    tries: int
    reason: str | None


@dataclass(frozen=True)
class Dismissal:
    """An event that a person has closed, and in which words."""

    id: str
    shop: str | None
    topic: str
    received_at: datetime
    dismissed_at: datetime
    because: str


@dataclass(frozen=True)
class Dismissed:
    """An event that has just been closed; with what was begun about it before, if it is a privacy request."""

    id: str
    shop: str | None
    topic: str
    redaction: UUID | None
    """Its row in pipeline.redactions."""
    redaction_status: str | None

    @property
    def is_privacy(self) -> bool:
        """Whether the law asks for an answer to it."""
        return self.topic in PRIVACY


def list_aside(database: Database, *, domain: str | None = None, most: int) -> tuple[list[Aside], int]:
    """At most that many events that are set aside, privacy requests first; and how many there are."""
    asked = {"domain": domain, "most": most, "privacy": sorted(PRIVACY)}
    with database.connect(Role.PIPELINE) as connection:
        rows = connection.execute(statement("webhooks/list_aside"), asked).fetchall()
    return [Aside(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def list_dismissed(database: Database, *, domain: str | None = None, most: int) -> tuple[list[Dismissal], int]:
    """At most that many events that were dismissed, the last one first; and how many there are."""
    with database.connect(Role.PIPELINE) as connection:
        rows = connection.execute(statement("webhooks/list_dismissed"), {"domain": domain, "most": most}).fetchall()
    return [Dismissal(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def put_back(database: Database, *, domain: str | None = None, ids: Sequence[str] = ()) -> dict[str, int]:
    """Have events that were set aside tried again, from their first try; how many, by topic.

    Args:
        database: where they are kept.
        domain: of this shop only.
        ids: only those of these X-Shopify-Webhook-Ids, or of these ids in webhook_events.
    """
    asked = {
        "domain": domain,
        "ids": list(ids) or None,
        "processed": sorted(PROCESSED),
        "privacy": sorted(PRIVACY),
    }
    with database.connect(Role.PIPELINE) as connection:
        return dict(connection.execute(statement("webhooks/put_back_aside"), asked).fetchall())


def dismiss(database: Database, events: Sequence[str], *, because: str) -> list[Dismissed]:
    """Close events that were set aside, all of them or none: they are counted no more, and never tried again.

    Nothing else is done: what a privacy request asks for is not.

    Args:
        database: where they are kept.
        events: their X-Shopify-Webhook-Ids, or their ids in webhook_events.
        because: why, in a person's words. It is kept as it is.

    Raises:
        DismissalError: there is no reason, or it is longer than `LONGEST_REASON`; or an event was not set aside.
    """
    reason = because.strip()
    if not reason or len(reason) > LONGEST_REASON or "\0" in reason:
        raise DismissalError(
            f"Say why with --because, in 1 to {LONGEST_REASON} characters: it is kept as the record of the dismissal. "
            "Nothing was dismissed."
        )
    asked = {"events": list(events), "because": reason}
    with database.connect(Role.PIPELINE) as connection:
        rows = connection.execute(statement("webhooks/dismiss_aside"), asked).fetchall()
        missing = set(events) - {name for key, event, *_ in rows for name in (key, event)}
        if missing:
            raise DismissalError(_why_not(connection, sorted(missing)))
    return [Dismissed(key, *others) for key, _, *others in rows]


def _why_not(connection: Connection, events: Sequence[str]) -> str:
    states: dict[str, str] = {}
    for key, event, state in connection.execute(statement("webhooks/states_of"), {"events": events}).fetchall():
        states |= {key: state, event: state}
    told = [f"{event} {_STATES.get(states.get(event, ''), 'is no event that is here')}" for event in events]
    return f"Nothing was dismissed: {'; '.join(told)}. `neanelu webhooks list` shows those that were set aside."
