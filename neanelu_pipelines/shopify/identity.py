"""What Shopify says of a shop: that the token opens it, and what the token may do.

Belongs here: the questions and reading their answers. Does not belong here: keeping it (`shops`).
"""

from collections.abc import Mapping
from typing import Any

from neanelu_pipelines.shopify.bulk.pages import Asks
from neanelu_pipelines.shopify.client import AdminClient
from neanelu_pipelines.shopify.documents import document
from neanelu_pipelines.shopify.faults import ShopMoved, Unavailable
from neanelu_pipelines.shopify.shops import ShopFacts


def ask(client: AdminClient, domain: str) -> ShopFacts:
    """Ask Shopify what shop this is and what the token may do: one cheap query.

    Raises:
        ShopMoved: the token opens another shop than that of the domain.
        ShopifyFault: as the client's.
    """
    data = client.execute(document("operations/shop")).data
    try:
        shop = data["shop"]
        facts = ShopFacts(
            name=str(shop["name"]),
            number=int(str(shop["id"]).rpartition("/")[2]),
            currency=str(shop["currencyCode"]),
            timezone=str(shop["ianaTimezone"]),
            plan=str(shop["plan"]["publicDisplayName"]),
            scopes=_scopes(data),
        )
        answered = str(shop["myshopifyDomain"])
    except (KeyError, TypeError, ValueError):
        raise Unavailable(f"What answers at {domain} does not describe a shop as Shopify does.") from None
    if answered.lower() != domain:
        raise ShopMoved(
            f"The token is that of {answered}, not of {domain}. Add the shop under its own domain.", location=answered
        )
    return facts


def scopes(client: Asks) -> tuple[str, ...]:
    """What the token may do now.

    Raises:
        ShopifyFault: as the client's.
    """
    try:
        return _scopes(client.execute(document("operations/shop")).data)
    except (KeyError, TypeError):
        raise Unavailable("What answers does not say which scopes the token has, as Shopify does.") from None


def _scopes(data: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(str(scope["handle"]) for scope in data["currentAppInstallation"]["accessScopes"]))
