"""How long events are kept, and their keys.

Belongs here: purging both. Does not belong here: when that is done, and the loads that were made of events.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.partitions import drop_partitions
from neanelu_pipelines.database.statements import statement

KEYS_KEPT = timedelta(hours=72)
"""Shopify sends an event again for 48 hours; a day more, for clocks and queues."""


@dataclass(frozen=True)
class Purged:
    """What went."""

    keys: int
    events: int
    partitions: list[str]


def purge(database: Database, *, now: datetime, events_kept: timedelta) -> Purged:
    """Remove keys and events past their time. Events that still wait stay, with their keys, however old they are.

    Raises:
        psycopg.errors.LockNotAvailable: a long query holds a partition that is to go; all else is done.
    """
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        # Events first: their keys say which of them still wait.
        events = connection.execute(statement("webhooks/purge_events"), {"before": now - events_kept}).rowcount
        ends = {"before": now - KEYS_KEPT, "events_before": now - events_kept}
        keys = connection.execute(statement("webhooks/purge_keys"), ends).rowcount
        dropped = drop_partitions(connection, "webhook_events", now - events_kept)
    return Purged(keys, events, dropped)
