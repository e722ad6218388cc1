"""The declared resources, by name. One module each; a new resource is a new module and a line here.

Belongs here: which resources there are. Does not belong here: how a declaration is read.
"""

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.resources.collections import COLLECTIONS
from neanelu_pipelines.mirror.resources.customers import CUSTOMERS
from neanelu_pipelines.mirror.resources.files import FILES
from neanelu_pipelines.mirror.resources.inventory import INVENTORY
from neanelu_pipelines.mirror.resources.locations import LOCATIONS
from neanelu_pipelines.mirror.resources.menus import MENUS
from neanelu_pipelines.mirror.resources.metaobjects import METAOBJECTS
from neanelu_pipelines.mirror.resources.orders import ORDERS
from neanelu_pipelines.mirror.resources.product_publications import PRODUCT_PUBLICATIONS
from neanelu_pipelines.mirror.resources.products import PRODUCTS
from neanelu_pipelines.mirror.resources.publications import PUBLICATIONS
from neanelu_pipelines.mirror.resources.variant_media import VARIANT_MEDIA
from neanelu_pipelines.mirror.resources.webhook_subscriptions import WEBHOOK_SUBSCRIPTIONS

RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (
        PRODUCTS,
        VARIANT_MEDIA,
        COLLECTIONS,
        CUSTOMERS,
        ORDERS,
        LOCATIONS,
        INVENTORY,
        METAOBJECTS,
        PUBLICATIONS,
        PRODUCT_PUBLICATIONS,
        MENUS,
        FILES,
        WEBHOOK_SUBSCRIPTIONS,
    )
}


class UnknownResourceError(NeaneluError):
    """A name that no declaration has."""


def resource_named(name: str) -> Resource:
    """The resource of that name.

    Raises:
        UnknownResourceError: there is none; the message lists those there are.
    """
    if name not in RESOURCES:
        raise UnknownResourceError(f"There is no resource {name!r}; known are: {', '.join(sorted(RESOURCES))}.")
    return RESOURCES[name]
