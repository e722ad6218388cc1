"""A local stand-in for Shopify's Admin API: GraphQL with its costs, bulk operations, downloads, and faults on command.

Belongs here: how the API behaves on the wire. Does not belong here: what is in a shop (`sandbox.shop`).
"""

from neanelu_pipelines.sandbox.admin.bulk import Pace
from neanelu_pipelines.sandbox.admin.faults import Trouble
from neanelu_pipelines.sandbox.admin.server import Sandbox
from neanelu_pipelines.sandbox.shop.generated import GeneratedShop

__all__ = ["GeneratedShop", "Pace", "Sandbox", "Trouble"]
