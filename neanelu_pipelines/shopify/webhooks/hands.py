"""What processing is handed of the mirror: webhooks are the wire, and the mirror is a later room.

Belongs here: the words in which rows are handed over. Does not belong here: the mirror.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from neanelu_pipelines.errors import NeaneluError


class BusyError(NeaneluError):
    """Somebody else writes these rows of the shop now. Webhooks do not wait for that: other shops have some, too."""

    transient = True


@dataclass(frozen=True)
class Lines:
    """Lines made of events, to be loaded as any file is."""

    domain: str
    resource: str
    source: str
    """An fsspec URL."""
    as_of: datetime
    """The moment of the oldest of the events. Each line says its own."""
    whole: frozenset[tuple[str, str]]
    """(Parent's node type, node type) of the lines of which there are none where the file holds none."""


@dataclass(frozen=True)
class Gone:
    """Rows that a shop has no more."""

    domain: str
    resource: str
    moments: Mapping[str, datetime]
    """GID, or the GIDs that Shopify names the row by instead with a blank between; and when it was gone, by the shop's
    time."""
    topic: str


@dataclass(frozen=True)
class Hands:
    """The one way of writing, and the one of removing. Both raise BusyError, and have done nothing then."""

    write: Callable[[Lines], UUID]
    """Merge a file of lines; the id of the load. Lines it rejects stand in the ledger; it does not fail for them."""
    remove: Callable[[Gone], None]
    """Remove rows; those of which the mirror has newer news stay."""
