"""What waits to be looked at: whole exports that were merged, and Shopify's own list of deletions.

Belongs here: finding that work and doing it with the shop's own token. Does not belong here: when it is done (`defs`).
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import ledger
from neanelu_pipelines.mirror.ledger import NoLoadError
from neanelu_pipelines.mirror.removals.confirm import CANNOT_ASK
from neanelu_pipelines.mirror.removals.rows import Reason
from neanelu_pipelines.mirror.removals.snapshots import Removal, remove_missing
from neanelu_pipelines.mirror.removals.told import RemovalCounts, remove
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.access import read_access
from neanelu_pipelines.shopify.bulk.exports import Asks
from neanelu_pipelines.shopify.client import AdminClient, Patience
from neanelu_pipelines.shopify.documents import between, document
from neanelu_pipelines.shopify.nodes import gid_type
from neanelu_pipelines.shopify.vault import Keyring

_OVERLAP = timedelta(minutes=10)


@dataclass
class Told:
    """What Shopify's deletion events came to."""

    events: int = 0
    counts: list[RemovalCounts] = field(default_factory=list)
    refused: str = ""
    """Why Shopify does not tell of this shop's deletions, until a person does something; `refused` says it, too."""


@contextmanager
def client_of(database: Database, settings: Settings, domain: str) -> Iterator[AdminClient]:
    """The shop's client.

    Raises:
        ShopError, KeyringError: the shop is not there, was removed, or its token does not open.
    """
    access = read_access(database, Keyring.from_settings(settings), domain)
    patience = Patience.from_settings(settings)
    with AdminClient(access, database=database, endpoint=settings.shopify_url, patience=patience) as client:
        yield client


def snapshots_waiting(database: Database) -> list[LoadRun]:
    """The newest whole export of each shop's resources, where nobody has looked yet at what it does not hold."""
    with ledger.opened(database) as book:
        rows = book.execute(statement("removals/snapshots_waiting")).fetchall()
    found = [LoadRun(run_id, shop_id, domain, resource, "", 0, "") for run_id, shop_id, domain, resource in rows]
    return [load for load in found if load.resource in RESOURCES]


def refused(database: Database) -> list[str]:
    """What waits for a person: shops' newest exports that were refused, and shops that do not tell what was deleted."""
    with ledger.opened(database) as book:
        return [reason for (reason,) in book.execute(statement("removals/refused")).fetchall()]


def export_of(database: Database, run_id: UUID) -> LoadRun:
    """A whole export that somebody wishes to have looked at again.

    Raises:
        NoLoadError: there is none of that id.
    """
    with ledger.opened(database) as book:
        row = book.execute(statement("removals/export_of"), {"run_id": run_id}).fetchone()
    if row is None or row[2] not in RESOURCES:
        raise NoLoadError(f"There is no export {run_id}: take its id from what was said when it was refused.")
    shop_id, domain, resource = row
    return LoadRun(run_id, shop_id, domain, resource, "", 0, "")


def look_at(
    database: Database,
    settings: Settings,
    load: LoadRun,
    *,
    max_share: float | None = None,
    unconfirmed: bool = False,
) -> Removal:
    """Remove what a whole export does not hold any more and Shopify confirms; options as `remove_missing` has them.

    Raises:
        As `remove_missing` and `client_of`.
    """
    with client_of(database, settings, load.shop_domain) as client:
        return remove_missing(database, settings, load, client, max_share=max_share, unconfirmed=unconfirmed)


def look_at_deletion_events(database: Database, client: Asks, shop_domain: str) -> Told:
    """Remove the products and collections that Shopify lists as deleted since the last time.

    A little of what was seen before is asked for again: the list may lag behind. Killed half-way, the next time begins
    where this one did.

    Raises:
        ShopifyFault: Shopify cannot be asked now; nothing is forgotten.
        UnknownShopError: there is no such shop.
    """
    with ledger.opened(database) as book:
        shop = ledger.find_shop(book, shop_domain)
        row = book.execute(statement("removals/read_checkpoint"), {"shop_domain": shop_domain}).fetchone()
        since: datetime = row[1] if row else datetime.now(UTC)
        told, through = Told(), since
        gone: dict[str, dict[str, datetime]] = defaultdict(dict)
        try:
            for gid, moment in _events(client, since - _OVERLAP):
                told.events += 1
                through = max(through, moment)
                if resource := _resource_of(gid):
                    gone[resource][gid] = max(moment, gone[resource].get(gid, moment))
        except CANNOT_ASK as refusal:
            denied = {"shop_id": shop.shop_id, "since": since, "error": str(refusal)}
            book.execute(statement("removals/deny_checkpoint"), denied)
            return Told(refused=str(refusal))
        for resource, moments in gone.items():
            told.counts.append(
                remove(
                    database,
                    shop_domain=shop_domain,
                    resource=resource,
                    gone=moments,
                    reason=Reason.DELETION_EVENT,
                    told_by="Shopify's deletion events",
                )
            )
        values = {"shop_id": shop.shop_id, "through": through, "events": told.events}
        book.execute(statement("removals/keep_checkpoint"), values)
    return told


def _events(client: Asks, since: datetime) -> Iterator[tuple[str, datetime]]:
    after: str | None = None
    search = between("occurred_at", since, None)
    while True:
        reply = client.execute(document("operations/deletion_events"), {"search": search, "after": after})
        page = reply.data["deletionEvents"]
        for edge in page["edges"]:
            yield edge["node"]["subjectId"], datetime.fromisoformat(edge["node"]["occurredAt"])
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _resource_of(gid: str) -> str | None:
    """The resource whose rows are of that kind; None where the mirror has none."""
    kind = gid_type(gid)
    for resource in RESOURCES.values():
        if any(entity.parent_node is None and kind in entity.node_types for entity in resource.entities):
            return resource.name
    return None
