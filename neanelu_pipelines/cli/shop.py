"""`neanelu shop add|list|remove`: the shops and their access tokens.

Belongs here: the commands. Does not belong here: what is kept of a shop (`neanelu_pipelines.shopify`).

A token comes from a file, from a pipe or is typed unseen; never from an argument, which every process may read.
"""

import getpass
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.world import open_world
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, ShopAccess, ShopError, require_domain
from neanelu_pipelines.shopify.shops import ShopFacts
from neanelu_pipelines.shopify.vault import Keyring

app = typer.Typer(help="Shops and their access tokens.", no_args_is_help=True)

_LONGEST_FILE = 10_000
_DEFAULT_VERSION = "2025-10"

Domain = Annotated[str, typer.Argument(help="The shop's domain, e.g. my-shop.myshopify.com.")]


class ShopArgumentError(NeaneluError):
    """An argument of `shop` that cannot be meant."""


@app.command("add")
def add(
    domain: Domain,
    *,
    token_file: Annotated[
        Path | None,
        typer.Option(help="The file with the access token. Without it: from a pipe, or typed unseen."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask Shopify whether the token is good.")] = False,
    api_version: Annotated[
        str | None,
        typer.Option(help=f"The Admin API's version. Default: what the shop has, {_DEFAULT_VERSION} at first."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a shop with its access token, or give one that is here a new token.

    A shop that was renamed in Shopify is added under its new domain: it is recognized, and stays the same shop.
    """
    output = Output(as_json=as_json)
    require_domain(domain)
    world = open_world()
    keyring = Keyring.from_settings(world.settings)
    access = ShopAccess(UUID(int=0), domain, api_version or _DEFAULT_VERSION, read_token(domain, token_file))
    world.require_schema()
    with output.progress(f"Adding {domain}"):
        facts = None if offline else verified(access, world.settings.shopify_url)
        before = shops.domain_of(world.database, facts.number) if facts else None
        shop_id = shops.install(world.database, keyring, domain, access.token, facts=facts, api_version=api_version)
    former = before if before != domain else None
    output.result(
        {
            "status": "completed",
            "shop_id": shop_id,
            "shop": domain,
            "renamed_from": former,
            "verified": facts is not None,
            "name": facts.name if facts else None,
            "plan": facts.plan if facts else None,
            "scopes": list(facts.scopes) if facts else None,
            "shows_part": shows_part(facts) if facts else None,
        }
    )
    if former:
        output.say(
            f"{domain} is the shop that was here as {former}: renamed. Its rows, loads, checkpoints and settings stay, "
            f"and webhooks may bear either name. In Dagster its partition is {domain} from now on: what was "
            f"materialized as {former} stays in the history of the runs, and the new partition begins without any."
        )
    if facts is None:
        output.say(f"{domain} has its token. Shopify was not asked whether it is good.")
    else:
        output.say(f"{domain} is {facts.name}, {facts.plan}, in {facts.currency}.")
        output.say(f"The token has {len(facts.scopes)} scopes: {', '.join(facts.scopes) or 'none'}.")
        for resource, scope in shows_part(facts).items():
            output.say(
                f"It lacks {scope}: of {resource} Shopify shows it a part only (orders: the last 60 days). Give the "
                "app that scope and the shop the new token to have the rest, which the next sync then asks for."
            )


@app.command("list")
def list_shops(*, as_json: JsonOption = False) -> None:
    """Show the shops; no secrets."""
    output = Output(as_json=as_json)
    world = open_world()
    world.require_schema()
    found = shops.listed(world.database)
    output.result({"status": "completed", "shops": found})
    if not found:
        output.say("none yet; `neanelu shop add DOMAIN` adds one")
        return
    columns = ("domain", "shopify_id", "installed", "token", "api_version", "currency", "scopes", "formerly")
    output.table(columns, [[_in_words(shop)[name] for name in columns] for shop in found])


@app.command("remove")
def remove(
    domain: Domain,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Forget a shop's token and stop keeping it in step. Its data stays."""
    output = Output(as_json=as_json)
    world = open_world()
    world.require_schema()
    if not yes and not _agreed(domain, as_json=as_json):
        raise ShopArgumentError(f"Nothing was done: {domain} is removed with --yes.")
    if not shops.remove(world.database, domain):
        raise ShopError(f"There is no installed shop {domain!r} here. `neanelu shop list` shows them.")
    output.result({"status": "completed", "shop": domain, "data_kept": True})
    output.say(f"{domain} is removed: its token is forgotten and nothing is fetched any more. Its data stays.")


def verified(access: ShopAccess, endpoint: str) -> ShopFacts:
    """What Shopify says of the shop; raises if the token does not open it."""
    from neanelu_pipelines.shopify.client import AdminClient
    from neanelu_pipelines.shopify.identity import ask

    with AdminClient(access, database=None, endpoint=endpoint) as client:
        return ask(client, access.domain)


def shows_part(facts: ShopFacts) -> dict[str, str]:
    """The resources of which Shopify shows a part only, with the scope that lacks; not those it shows nothing of."""
    from neanelu_pipelines.mirror.resources import RESOURCES

    lacking = {name: one.whole_with for name, one in RESOURCES.items() if one.whole_with not in {None, *facts.scopes}}
    return {name: str(scope) for name, scope in lacking.items() if f"read_{name}" in facts.scopes}


def read_token(domain: str, file: Path | None, what: str = "Access token") -> Secret:
    """The token, or another secret, from the file, from a pipe, or typed.

    Raises:
        ShopArgumentError: the file cannot be read.
    """
    if file is not None:
        try:
            with file.open(encoding="utf-8") as opened:
                return Secret(opened.read(_LONGEST_FILE).strip())
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ShopArgumentError(f"The token file {file} cannot be read: {reason}.") from None
    if sys.stdin.isatty():
        return Secret(getpass.getpass(f"{what} of {domain}: ").strip())
    return Secret(sys.stdin.readline(_LONGEST_FILE).strip())


def _in_words(shop: dict[str, Any]) -> dict[str, Any]:
    """A shop for the table: a number that is a name is no amount, of scopes it is told how many there are."""
    number, formerly = shop["shopify_id"], ", ".join(shop["formerly"])
    return {**shop, "shopify_id": number and str(number), "scopes": len(shop["scopes"]), "formerly": formerly or None}


def _agreed(domain: str, *, as_json: bool) -> bool:
    if as_json or not sys.stdin.isatty():
        return False
    return typer.confirm(f"Forget the token of {domain}? Its data stays.")
