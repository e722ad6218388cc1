"""`neanelu sync`: what a shop has in Shopify into the mirror, through Dagster's assets.

Belongs here: the command, and the order of resources. Does not belong here: running a load (`orchestra`), the export
(`neanelu_pipelines.shopify`).
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer

from neanelu_pipelines.cli.outcome import LoadOutcome, print_briefly, print_outcome
from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.removals import FAILED, look_at_export, print_removal
from neanelu_pipelines.cli.shops import require_shop
from neanelu_pipelines.cli.world import World, open_world
from neanelu_pipelines.mirror.resources import resource_named
from neanelu_pipelines.shopify.access import read_access
from neanelu_pipelines.shopify.vault import Keyring

WAITING = "waiting"

ORDER = (
    "locations",
    "products",
    "variant_media",
    "metaobjects",
    "customers",
    "collections",
    "inventory",
    "orders",
    "publications",
    "product_publications",
    "menus",
    "files",
    "webhook_subscriptions",
)
"""What refers to rows of another resource comes after it, so that one sync completes it."""


def sync(
    *,
    shop: Annotated[str, typer.Option(help="The shop's domain, e.g. my-shop.myshopify.com.")],
    resource: Annotated[
        list[str] | None,
        typer.Option(help="What to fetch, e.g. products; may be given several times. Default: everything."),
    ] = None,
    since_last: Annotated[
        bool,
        typer.Option(
            "--since-last",
            help="Only what changed since the last complete sync; all of it where that cannot be asked for.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Export a shop's resources from Shopify and merge them, through the same assets that the Dagster UI shows.

    What a whole export does not hold any more, and Shopify says is gone, goes from the mirror.
    """
    output = Output(as_json=as_json)
    wanted = in_order(resource) if resource else list(ORDER)
    world = open_world()
    world.require_schema()
    domain = require_shop(world, shop)
    # Without a token the assets would look for a file: here that would not be what was asked for.
    read_access(world.database, Keyring.from_settings(world.settings), domain)
    if len(wanted) == 1:
        outcomes = [_sync_one(output, world, domain, wanted[0], since_last=since_last)]
        output.result(outcomes[0].as_object())
        print_outcome(output, outcomes[0])
        _print_removal(output, outcomes[0])
        _print_troubles(output, outcomes)
    else:
        outcomes = _sync_several(output, world, domain, wanted, since_last=since_last)
        output.result(_as_object(domain, wanted, outcomes))
        _print_end(output, domain, wanted, outcomes)
    unseen = any(outcome.removal is not None and outcome.removal["outcome"] == FAILED for outcome in outcomes)
    if unseen or sum(outcome.succeeded for outcome in outcomes) < len(wanted):
        raise typer.Exit(1)


def in_order(names: Sequence[str]) -> list[str]:
    """These resources in the order that completes them at once, each once.

    Raises:
        UnknownResourceError: there is none of that name.
    """
    known = {resource_named(name).name for name in names}
    return [*(name for name in ORDER if name in known), *sorted(known.difference(ORDER))]


def _sync_several(
    output: Output, world: World, domain: str, wanted: Sequence[str], *, since_last: bool
) -> list[LoadOutcome]:
    """One after the other, each reported at once; one that fails, or that the token may not read, stops no other."""
    outcomes: list[LoadOutcome] = []
    for name in wanted:
        outcome = _sync_one(output, world, domain, name, since_last=since_last)
        outcomes.append(outcome)
        print_briefly(output, outcome, width=max(map(len, wanted)))
        _print_removal(output, outcome)
        _print_troubles(output, [outcome])
        if outcome.interrupted:
            break
    return outcomes


def _sync_one(output: Output, world: World, domain: str, name: str, *, since_last: bool) -> LoadOutcome:
    from neanelu_pipelines.cli.orchestra import run_load

    with output.progress(f"Syncing {name} of {domain}") as progress:
        outcome = run_load(
            world,
            shop=domain,
            resource=name,
            source=None,
            as_of=None,
            say=progress.update,
            since_last=since_last,
        )
        if outcome.succeeded and outcome.run_id and outcome.asked_for == "all":
            progress.update("Looking at what is gone")
            # Where `neanelu dev` runs its sensor may do the same: done once it is not done again.
            outcome.removal = look_at_export(world, UUID(outcome.run_id))
    return outcome


def _print_removal(output: Output, outcome: LoadOutcome) -> None:
    if outcome.removal is not None:
        print_removal(output, outcome.removal, title=outcome.resource, quiet=True)


def _print_troubles(output: Output, outcomes: Sequence[LoadOutcome]) -> None:
    for outcome in outcomes:
        if not outcome.succeeded:
            output.error(outcome.error or "the sync failed; the run in the Dagster UI says why")
        if outcome.status == WAITING:
            output.say("Where no `neanelu dev` runs, run this command again: it goes on with the same export.")


def _as_object(domain: str, wanted: Sequence[str], outcomes: Sequence[LoadOutcome]) -> dict[str, object]:
    worked = sum(outcome.succeeded for outcome in outcomes)
    return {
        "status": "completed" if worked == len(wanted) else "partial" if worked else "failed",
        "shop": domain,
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
        "resources": [outcome.as_object() for outcome in outcomes],
        "not_begun": list(wanted[len(outcomes) :]),
    }


def _print_end(output: Output, domain: str, wanted: Sequence[str], outcomes: Sequence[LoadOutcome]) -> None:
    worked = sum(outcome.succeeded for outcome in outcomes)
    output.heading(
        f"{domain}: {worked} of {len(wanted)} resources synced in {sum(outcome.seconds for outcome in outcomes):.0f} s"
    )
    for status in sorted({outcome.status for outcome in outcomes if not outcome.succeeded}):
        output.say(f"{status}: {', '.join(outcome.resource for outcome in outcomes if outcome.status == status)}")
    if len(outcomes) < len(wanted):
        output.say(f"not begun: {', '.join(wanted[len(outcomes) :])}")
