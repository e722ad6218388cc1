"""`neanelu removals look`: what whole exports do not hold any more goes from the mirror; also after each `sync`.

Belongs here: the command, and what became of an export in words. Does not belong here: what is gone
(`neanelu_pipelines.mirror.removals`), webhooks and Shopify's list of deletions.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.shops import require_shop
from neanelu_pipelines.cli.world import World, open_world
from neanelu_pipelines.errors import NeaneluError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neanelu_pipelines.mirror.reports import LoadRun

FAILED = "failed"

app = typer.Typer(no_args_is_help=True, help="What whole exports do not hold any more.")


class RemovalArgumentError(NeaneluError):
    """Options that do not belong together."""


@app.callback()
def removals() -> None:
    """What whole exports do not hold any more."""


@app.command()
def look(
    *,
    shop: Annotated[str | None, typer.Option(help="Only this shop's exports.")] = None,
    export: Annotated[
        UUID | None, typer.Option(help="This export, once more: its id, as its refusal names it.")
    ] = None,
    max_share: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="With --export: the share of a table's rows that may go."),
    ] = None,
    unconfirmed: Annotated[
        bool,
        typer.Option("--unconfirmed", help="With --export: it holds everything, though of some table no row at all."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at the newest whole exports of two days that nobody has looked at, and remove what is gone in Shopify."""
    output = Output(as_json=as_json)
    if export is None and (max_share is not None or unconfirmed):
        raise RemovalArgumentError("--max-share and --unconfirmed are of one export: name it with --export.")
    world = open_world()
    world.require_schema()
    done = []
    for load in _exports(world, shop, export):
        with output.progress(f"Looking at {load.resource} of {load.shop_domain}"):
            told = look_at_export(world, load.run_id, max_share=max_share, unconfirmed=unconfirmed)
        done.append({"shop": load.shop_domain, "resource": load.resource, "export": str(load.run_id), **told})
        print_removal(output, told, title=f"{load.resource} of {load.shop_domain}", quiet=False)
    failed = [told for told in done if told["outcome"] == FAILED]
    output.result({"status": FAILED if failed else "completed", "exports": done})
    if not done:
        output.say("Every whole export of the last two days was looked at; `neanelu doctor` lists those refused.")
    if failed:
        raise typer.Exit(1)


def _exports(world: World, shop: str | None, export: UUID | None) -> "Sequence[LoadRun]":
    from neanelu_pipelines.mirror.removals.work import export_of, snapshots_waiting

    domain = None if shop is None else require_shop(world, shop)
    found = snapshots_waiting(world.database) if export is None else [export_of(world.database, export)]
    chosen = [load for load in found if domain in (None, load.shop_domain)]
    if export is not None and not chosen:
        raise RemovalArgumentError(f"The export {export} is not {domain}'s but {found[0].shop_domain}'s.")
    return chosen


def look_at_export(
    world: World, export: UUID, *, max_share: float | None = None, unconfirmed: bool = False
) -> dict[str, Any]:
    """What became of the rows that an export does not hold; `failed`, with the reason, where nobody could look."""
    from neanelu_pipelines.mirror.removals.work import export_of, look_at

    try:
        load = export_of(world.database, export)
        done = look_at(world.database, world.settings, load, max_share=max_share, unconfirmed=unconfirmed)
    except NeaneluError as fault:
        return {"outcome": FAILED, "reason": f"It could not be looked at what is gone: {fault}"}
    return asdict(done)


def print_removal(output: Output, told: dict[str, Any], *, title: str, quiet: bool) -> None:
    """One line, and the reason if there is one; with `quiet` only where something was missing."""
    if told["outcome"] == FAILED:
        output.error(f"{title}: {told['reason']}")
    elif told["outcome"] in ("refused", "unfit"):
        output.say(f"{title}: removal {told['outcome']}. {told['reason']}")
    elif not quiet or told["missing"]:
        gone = ", ".join(f"{count:,} of {table}" for table, count in sorted(told["tables"].items()) if count)
        still = f"; {told['still_there']:,} rows that it lacks are in Shopify still" if told["still_there"] else ""
        output.say(f"{title}: removed what is gone in Shopify: {gone or 'nothing'}{still}")
