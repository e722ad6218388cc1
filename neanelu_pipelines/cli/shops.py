"""Shops as a command needs them: does this one exist, and a placeholder for one that is not installed.

Belongs here: those two. Does not belong here: installing a shop, which takes its consent and a token.
"""

import re

from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError

_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")


class ShopError(NeaneluError):
    """A shop that is not there, or a domain that cannot be a shop's."""


def known_shops(world: World) -> list[str]:
    """The domains of installed shops, the newest first."""
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        return [row[0] for row in connection.execute(statement("cli/shop_domains"))]


def require_shop(world: World, domain: str) -> str:
    """The domain as the database has it.

    Raises:
        ShopError: no installed shop has it; the message says what to do.
    """
    known = known_shops(world)
    found = next((shop for shop in known if shop.casefold() == domain.casefold()), None)
    if found is None:
        some = ", ".join(known[:5]) or "none"
        raise ShopError(
            f"There is no shop {domain!r} here (known: {some}{', …' if len(known) > 5 else ''}). "  # noqa: PLR2004
            "Check the spelling, or make it with --create-shop: a shop without a token, for files from disk."
        )
    return found


def create_shop(world: World, domain: str) -> None:
    """Make a shop without a token, if it is not there.

    Raises:
        ShopError: the domain is not a shop's.
    """
    if not _DOMAIN.fullmatch(domain):
        raise ShopError(f"{domain!r} is not a shop's domain: it must look like my-shop.myshopify.com, in lower case.")
    with world.database.connect(Role.ADMIN) as connection:
        connection.execute(statement("cli/create_shop"), {"shop_domain": domain})
