"""What a made-up shop says of itself.

Belongs here: the fields of `shop`. Does not belong here: anything in the shop.
"""

from neanelu_pipelines.sandbox.shop.generated import GeneratedShop
from neanelu_pipelines.sandbox.shop.overlay import Node

_FIRST_SHOP = 92_891_250_994


def about(spec: GeneratedShop) -> Node:
    """The shop itself."""
    domain = spec.domain
    name = domain.partition(".")[0]
    email = f"contact@{name}.example"
    number = _FIRST_SHOP + spec.seed
    plan = {"displayName": "Basic", "publicDisplayName": "Basic", "partnerDevelopment": False, "shopifyPlus": False}
    return {
        "id": f"gid://shopify/Shop/{number}",
        "name": name.replace("-", " ").title(),
        "email": email,
        "contactEmail": email,
        "myshopifyDomain": domain,
        "currencyCode": "RON",
        "ianaTimezone": "Europe/Bucharest",
        "timezoneOffset": "+0200",
        "weightUnit": "KILOGRAMS",
        "createdAt": "2021-01-15T08:00:00Z",
        "updatedAt": "2025-10-01T08:00:00Z",
        "taxesIncluded": True,
        "url": f"https://{domain}",
        "plan": plan,
        "primaryDomain": {
            "id": f"gid://shopify/Domain/{number}",
            "host": domain,
            "url": f"https://{domain}",
            "sslEnabled": True,
        },
    }
