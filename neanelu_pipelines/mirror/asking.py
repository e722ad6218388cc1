"""What to ask Shopify for: a resource as a whole, what changed in given windows, or what changed since the checkpoint.

Belongs here: the query of each of these, and beginning its export. Does not belong here: how far a resource has come
(`checkpoints`), taking an export further (`shopify.bulk`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.mirror import checkpoints, ledger
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.resources import resource_named
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import windows as time
from neanelu_pipelines.shopify.bulk import exports
from neanelu_pipelines.shopify.bulk.ledger import DueExport, Export
from neanelu_pipelines.shopify.documents import by_kind, document, inlined, paged
from neanelu_pipelines.shopify.windows import Window, WindowError


@dataclass(frozen=True)
class Reach:
    """How much of a resource is asked for; without more, all of it: a full snapshot."""

    windows: tuple[Window, ...] = ()
    """Only what changed in these."""
    since_last: bool = False
    """What changed since the checkpoint, and what is owed. All of it where there is no checkpoint, or where the
    resource has no window. Only a full snapshot shows what is gone, and completes rows that refer to rows of other
    resources which came later."""

    def as_json(self) -> dict[str, Any]:
        """What is asked for, for the ledger."""
        return {"since_last": self.since_last, "windows": [window.as_json() for window in time.joined(self.windows)]}

    @classmethod
    def of(cls, export: Export | DueExport) -> "Reach":
        """What an export was begun for, so that the same can be asked for again.

        One that an earlier release began does not say it; then it is what its query asks for.
        """
        if export.reach is not None:
            return cls(tuple(map(Window.of_json, export.reach["windows"])), bool(export.reach["since_last"]))
        return cls(export.windows if isinstance(export, Export) else ())


WHOLE = Reach()


def begin_export(
    database: Database,
    settings: Settings,
    *,
    shop_id: UUID,
    resource: str,
    reach: Reach = WHOLE,
    dagster_run_id: str = "",
    first_run_id: str = "",
    now: datetime | None = None,
) -> UUID:
    """A new export, or the one under way that is for the same, though it was asked for at another moment.

    `now` is where windows that reach into the future are cut; by default this process's clock says it.

    Raises:
        WindowError: the resource is only loaded as a whole, or the windows lie in the future.
        NoExportError: there is no such shop.
    """
    declared = resource_named(resource)
    windows = _windows(database, settings, shop_id, declared, reach, now or datetime.now(UTC))
    search = time.search(declared.window, windows) if declared.window and windows else None
    return exports.begin(
        database,
        shop_id=shop_id,
        resource=resource,
        query=export_query(resource, search=search),
        dagster_run_id=dagster_run_id,
        first_run_id=first_run_id,
        name=resource,
        windows=windows,
        sought=f"{_what_for(reach)} {document(resource)}" if windows else None,
        reach=reach.as_json(),
        whole_with=declared.whole_with,
    )


def why_whole(resource: Resource) -> str:
    """Why a resource without a window is asked for as a whole, as the end of a sentence."""
    if resource.root.version is None:
        return "the mirror has no moment of change to order its rows by"
    if resource.name in by_kind():
        return "each of its types takes a bulk operation, whether anything of it changed or not"
    return "a row's moment of change does not tell of what stands under it"


def export_query(resource: str, *, search: str | None = None) -> str:
    """The resource's query with this search; what Shopify does not let anybody search is asked for whole.

    One that is asked page by page, or once for each kind, keeps its variables.
    """
    if resource in paged():
        return document(f"paged/{resource}")
    text = document(resource)
    if resource in by_kind():
        return text
    return inlined(text, {"search": search} if "$search" in text else {})


def _windows(
    database: Database, settings: Settings, shop_id: UUID, resource: Resource, reach: Reach, now: datetime
) -> tuple[Window, ...]:
    """What to ask for now; () is everything."""
    overlap = timedelta(seconds=settings.sync_overlap)
    if reach.windows and resource.window is None:
        raise WindowError(f"{resource.name} cannot be loaded by time, only as a whole: {why_whole(resource)}.")
    if reach.windows:
        return time.wanted(reach.windows, overlap=overlap, now=now)
    if not reach.since_last or resource.window is None:
        return ()
    with ledger.opened(database) as book:
        return checkpoints.since_last(book, shop_id, resource.name, overlap=overlap, now=now)


def _what_for(reach: Reach) -> str:
    """The same whenever it is asked: the present does not count."""
    return "since the last" if not reach.windows else " ".join(map(str, time.joined(reach.windows)))
