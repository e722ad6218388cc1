"""One run's share of an export: begun or gone on with, and handed over as a load.

Belongs here: which export, with whose token, and the four ways in which a run's share of it ends. Does not belong here:
how Dagster shows them (`reports`). Imports no Dagster.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.exports.shares import Brought, Denied, LoadedElsewhere, Share, Waits
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror import river
from neanelu_pipelines.mirror.asking import WHOLE, Reach, begin_export
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.resources import resource_named
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import identity, shops
from neanelu_pipelines.shopify.access import ShopAccess, ShopError, read_access
from neanelu_pipelines.shopify.bulk import exports, ledger
from neanelu_pipelines.shopify.bulk.states import Pace, Phase
from neanelu_pipelines.shopify.client import AdminClient, Patience
from neanelu_pipelines.shopify.documents import one_of_each, one_row
from neanelu_pipelines.shopify.endpoint import is_this_machine
from neanelu_pipelines.shopify.faults import AccessDenied, ShopifyFault
from neanelu_pipelines.shopify.replies import Reply
from neanelu_pipelines.shopify.vault import Keyring
from neanelu_pipelines.shopify.windows import joined

_ACCESS_DENIED = "ACCESS_DENIED"


class ExportFailedError(NeaneluError):
    """Shopify's operation came to nothing that can be merged."""

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


class ExportTakenError(NeaneluError):
    """Another run took the result of the export that this one had joined: a new one begins when this is tried again."""

    transient = True


class OtherExportError(NeaneluError):
    """The export that is to be taken further is not for what is asked."""


@dataclass(frozen=True)
class Asked:
    """What a run asks for, and as whom."""

    shop_domain: str
    resource: str
    dagster_run_id: str
    first_run_id: str
    """The Dagster run that this one repeats, or itself."""
    export: UUID | None = None
    """An export under way that is to be taken further; None begins one, or joins the one that seeks the same."""
    reach: Reach = WHOLE
    """How much of the resource to ask for, where an export is begun."""
    again: bool = False
    """Whether this is tried again: then for an export that has failed another begins, which seeks the same."""


def comes_from_shopify(database: Database, shop_domain: str) -> bool:
    """Whether a load of this shop that names no file is an export from Shopify: if the shop has a token.

    Raises:
        ShopError: the shop was removed.
    """
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        row = connection.execute(statement("defs/shop_source"), {"shop_domain": shop_domain}).fetchone()
    if row is None:
        return False  # Whoever opens the load says that there is no such shop.
    installed, has_token = row
    if not installed:
        raise ShopError(f"{shop_domain} was removed. `neanelu shop add {shop_domain}` brings it back.")
    return bool(has_token)


def bring(
    database: Database, settings: Settings, asked: Asked, begun: Callable[[UUID], None] = lambda _export: None
) -> Share:
    """Take an export as far as it goes now; what waits for Shopify is called again when it is due.

    `begun` hears which export it is, before anything can go wrong with it.

    Raises:
        ExportFailedError: Shopify's operation failed; transient if a new one may do better.
        ExportTakenError: another run was quicker; try again.
        ShopifyFault: Shopify cannot be reached (transient), or refuses.
        ShopError, KeyringError: the shop is not there, was removed, or its token does not open.
        WindowError: Shopify cannot be asked for these windows.
    """
    access = _access(database, settings, asked)
    asked = _renewed(database, asked)
    patience = Patience.from_settings(settings)
    with AdminClient(access, database=database, endpoint=settings.shopify_url, patience=patience) as client:
        metered = _Metered(client)
        export = asked.export or _begin(database, settings, access, asked, metered)
        begun(export)
        try:
            outcome = exports.advance(
                database,
                metered,
                export,
                artifact_root=settings.artifact_root,
                this_machine=is_this_machine(settings.shopify_url),
                pace=Pace(first_poll=settings.export_first_poll, longest_poll=settings.export_longest_poll),
            )
        except AccessDenied as fault:
            return Denied(export, fault.scope, str(fault))
        if outcome.reason == _ACCESS_DENIED:
            return Denied(export, _lacking_scope(database, client, export), outcome.message or "")
    if outcome.status == "waiting":
        return Waits(export, outcome.operation_id, outcome.due, outcome.message, metered.requests, metered.points)
    if outcome.status == "failed":
        words = outcome.message or f"The export {export} failed."
        raise ExportFailedError(words, transient=outcome.transient)
    return _hand_over(database, asked, export, metered)


def _begin(database: Database, settings: Settings, access: ShopAccess, asked: Asked, client: exports.Asks) -> UUID:
    """A new export, or the one under way.

    Where a token without some scope sees a part only, it is asked for its scopes first: a merchant may have given or
    taken one since the shop was added, and nothing in the result would say so.
    """
    if resource_named(asked.resource).whole_with:
        shops.keep_scopes(database, access.shop_id, identity.scopes(client))
    return begin_export(
        database,
        settings,
        shop_id=access.shop_id,
        resource=asked.resource,
        reach=asked.reach,
        dagster_run_id=asked.dagster_run_id,
        first_run_id=asked.first_run_id,
    )


def partial_result(database: Database, export: UUID) -> str | None:
    """Where the part is that came of an export that failed; None if nothing of it was kept."""
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        row = connection.execute(statement("defs/partial_result"), {"export": export}).fetchone()
    return None if row is None else str(row[0])


def _renewed(database: Database, asked: Asked) -> Asked:
    """What to ask for now: a given export as long as it has not failed, and then what that one was begun for.

    A failed one stays failed. Any other is gone on with, however often: a second one beside it would compete with it.

    Raises:
        OtherExportError: the given export was begun for other windows than those that are asked for.
    """
    if asked.export is None:
        return asked
    with ledger.opened(database) as book:
        given = ledger.read_export(book, asked.export)
    reach = Reach.of(given)
    if asked.reach.windows and reach.windows != joined(asked.reach.windows):
        windows = ", ".join(map(str, reach.windows)) or "everything"
        raise OtherExportError(
            f"The export {asked.export} was begun for {windows}, not for these partitions: leave `export` away."
        )
    if asked.again and given.state.phase is Phase.FAILED:
        return replace(asked, export=None, reach=reach)
    return asked


def _lacking_scope(database: Database, client: AdminClient, export: UUID) -> str | None:
    """The scope that an operation ended for want of: it does not say, but a question for one row does.

    Asked for the list itself first, which costs next to nothing; then for all that was asked of a row.
    """
    with ledger.opened(database) as book:
        asked = ledger.read_export(book, export).asked
    try:
        client.execute(one_row(asked))
        client.execute(one_of_each(asked))
    except AccessDenied as fault:
        return fault.scope
    except ShopifyFault:
        return None  # What is known already is worth more than why this could not be asked.
    return None


def _access(database: Database, settings: Settings, asked: Asked) -> ShopAccess:
    """The shop's token. Without one nothing can come of an export that is under way: it is closed, not left to wait."""
    keyring = Keyring.from_settings(settings)
    try:
        return read_access(database, keyring, asked.shop_domain)
    except ShopError as error:
        if asked.export is not None:
            with ledger.opened(database) as book:
                shop_id = ledger.read_export(book, asked.export).shop_id
            load = LoadRun(asked.export, shop_id, asked.shop_domain, asked.resource, "", 0, "")
            river.fail(database, load, str(error))
        raise


def _hand_over(database: Database, asked: Asked, export: UUID, metered: "_Metered") -> Share:
    load = river.take_load(database, export, dagster_run_id=asked.dagster_run_id, first_run_id=asked.first_run_id)
    if load is None and asked.export is not None:
        return LoadedElsewhere(export)
    if load is None:
        raise ExportTakenError(f"Another run of {asked.shop_domain} took the result of the export {export}.")
    with ledger.opened(database) as book:
        brought = ledger.read_export(book, export)
    state = brought.state
    return Brought(
        load=load,
        operation_id=state.operation_id,
        created_at=state.created_at,
        objects=state.objects,
        requests=metered.requests,
        points=metered.points,
        lacks=brought.lacks,
    )


class _Metered:
    """A client whose requests are counted, and their points."""

    def __init__(self, client: AdminClient) -> None:
        self._client = client
        self.requests = 0
        self.points = 0.0

    def execute(self, document: str, variables: Mapping[str, Any] | None = None, *, cost: float | None = None) -> Reply:
        """As the client's."""
        reply = self._client.execute(document, variables, cost=cost)
        self.requests += 1
        self.points += (reply.cost.actual or 0.0) if reply.cost else 0.0
        return reply
