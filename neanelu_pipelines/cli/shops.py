"""Shops as a command needs them: does this one exist, and a placeholder for one that is not installed.

Belongs here: those two. Does not belong here: giving a shop a token (`shop`), the rows (`neanelu_pipelines.shopify`).
"""

from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.shopify.access import ShopError
from neanelu_pipelines.shopify.shops import listed, register


def known_shops(world: World) -> list[str]:
    """The domains of installed shops, the newest first."""
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        return [row[0] for row in connection.execute(statement("cli/shop_domains"))]


def require_shop(world: World, domain: str, *, or_else: str = "") -> str:
    """The domain as the database has it. `or_else`: another remedy of the command's, beside giving a shop its token.

    Raises:
        ShopError: no installed shop has it; the message says what to do, or what a shop is called now that had it.
    """
    known = known_shops(world)
    found = next((shop for shop in known if shop.casefold() == domain.casefold()), None)
    if found is None:
        for shop in listed(world.database):
            if domain.casefold() in shop["formerly"]:
                raise ShopError(f"{domain} was renamed: it is {shop['domain']} here now.")
        some = ", ".join(known[:5]) or "none"
        raise ShopError(
            f"There is no shop {domain!r} here (known: {some}{', …' if len(known) > 5 else ''}). "  # noqa: PLR2004
            f"Check the spelling, or add it with its token: `neanelu shop add {domain}`{or_else}."
        )
    return found


def create_shop(world: World, domain: str) -> None:
    """Make a shop without a token, if it is not there.

    Raises:
        ShopError: the domain is not a shop's.
    """
    with world.database.connect(Role.PIPELINE) as connection:
        register(connection, domain)
