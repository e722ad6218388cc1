"""The four ways in which taking an export further ends.

Belongs here: plain data. Does not belong here: how it comes to that (`bring`), how it is shown (`reports`).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from neanelu_pipelines.mirror.reports import LoadRun


@dataclass(frozen=True)
class Brought:
    """The whole result is in the artifact store, as a load of this run."""

    load: LoadRun
    operation_id: str | None
    created_at: datetime | None
    """When Shopify began: the moment whose state of the shop the result shows."""
    objects: int
    requests: int
    """How many requests were sent for it since it was last waited for."""
    points: float
    """What these cost."""
    lacks: str | None = None
    """The scope without which Shopify shows a part of the rows only, and which the token is known to lack."""


@dataclass(frozen=True)
class Waits:
    """Shopify is not ready, and the run waits no longer."""

    export: UUID
    operation_id: str | None
    due: datetime | None
    message: str | None
    requests: int
    """How many requests were sent for it this time."""
    points: float
    gave_way: bool = False
    """It has waited for less, because others wait for its place."""


@dataclass(frozen=True)
class Denied:
    """The token may not read this resource."""

    export: UUID
    scope: str | None
    """As Shopify named it; None if it named none."""
    message: str


@dataclass(frozen=True)
class LoadedElsewhere:
    """The export that was to be taken further was brought in by another run meanwhile."""

    export: UUID


Share = Brought | Waits | Denied | LoadedElsewhere
