"""`neanelu sync`: what a shop has in Shopify into the mirror, through Dagster's assets.

Belongs here: the command. Does not belong here: running it (`orchestra`), the export (`neanelu_pipelines.shopify`).
"""

from typing import Annotated

import typer

from neanelu_pipelines.cli.outcome import print_outcome
from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.shops import require_shop
from neanelu_pipelines.cli.world import open_world
from neanelu_pipelines.mirror.resources import resource_named
from neanelu_pipelines.shopify.access import read_access
from neanelu_pipelines.shopify.vault import Keyring

WAITING = "waiting"


def sync(
    *,
    shop: Annotated[str, typer.Option(help="The shop's domain, e.g. my-shop.myshopify.com.")],
    resource: Annotated[str, typer.Option(help="What to fetch.")] = "products",
    since_last: Annotated[
        bool, typer.Option("--since-last", help="Only what changed since the last complete sync.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Export one resource of a shop from Shopify and merge it, through the same assets that the Dagster UI shows."""
    output = Output(as_json=as_json)
    resource_named(resource)
    world = open_world()
    with output.progress(f"Syncing {resource} of {shop}") as progress:
        world.require_schema()
        domain = require_shop(world, shop)
        # Without a token the assets would look for a file: here that would not be what was asked for.
        read_access(world.database, Keyring.from_settings(world.settings), domain)
        from neanelu_pipelines.cli.orchestra import run_load

        outcome = run_load(
            world,
            shop=domain,
            resource=resource,
            source=None,
            as_of=None,
            say=progress.update,
            since_last=since_last,
        )
    output.result(outcome.as_object())
    print_outcome(output, outcome)
    if not outcome.succeeded:
        output.error(outcome.error or "the sync failed; the run in the Dagster UI says why")
        if outcome.status == WAITING:
            output.say("Where no `neanelu dev` runs, run this command again: it goes on with the same export.")
        raise typer.Exit(1)
