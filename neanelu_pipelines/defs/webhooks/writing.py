"""The mirror as webhooks use it: a file of lines made of events becomes a load like any other; what is gone, a removal.

Belongs here: joining `shopify.webhooks` with `mirror`. Does not belong here: Dagster.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.mirror import ledger, river
from neanelu_pipelines.mirror.removals import Reason, remove
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.webhooks.hands import BusyError, Gone, Hands, Lines

_LOCK_WAIT = 1.0
"""Seconds: a load of the shop may take an hour, and the events of every shop stand behind this one."""


def into_mirror(database: Database, settings: Settings) -> Hands:
    """Merges a file of events. What it rejects is said of each event, so no share of rejected lines stops the rest."""
    chosen = settings.model_copy(update={"max_reject_share": 1.0, "lock_wait": _LOCK_WAIT})

    def write(lines: Lines) -> UUID:
        with _unless_busy(database, lines.domain, lines.resource):
            done = river.load_file(
                database,
                chosen,
                shop_domain=lines.domain,
                resource=lines.resource,
                source=lines.source,
                as_of=lines.as_of,
                snapshot=False,
                whole=lines.whole,
            )
        return done.run_id

    def take_out(gone: Gone) -> None:
        with _unless_busy(database, gone.domain, gone.resource):
            remove(
                database,
                shop_domain=gone.domain,
                resource=gone.resource,
                gone=gone.moments,
                reason=Reason.WEBHOOK,
                told_by=f"webhook {gone.topic}",
                lock_wait=_LOCK_WAIT,
            )

    return Hands(write, take_out)


@contextmanager
def _unless_busy(database: Database, domain: str, resource: str) -> Iterator[None]:
    """Look at the lock first: a load that is begun and gives up stands in the ledger as a failed one."""
    try:
        with ledger.opened(database) as book:
            shop = ledger.find_shop(book, domain)
            nobody = LoadRun(shop.shop_id, shop.shop_id, domain, resource, "", 0, "")
            with ledger.resource_lock(book, nobody, _LOCK_WAIT):
                pass
        yield
    except ledger.ResourceBusyError as busy:
        raise BusyError(str(busy)) from busy
