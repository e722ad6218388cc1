"""Subscribing to the topics that are processed here, at one address; as often as one likes.

Belongs here: which topics, and asking Shopify. Does not belong here: receiving (`endpoint`). The privacy topics cannot
be subscribed to: the app's own configuration names their address.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.client import AdminClient
from neanelu_pipelines.shopify.documents import document
from neanelu_pipelines.shopify.faults import AccessDenied
from neanelu_pipelines.shopify.webhooks.envelope import PROCESSED

_SAID_TWICE = frozenset(
    {"orders/paid", "orders/cancelled", "orders/fulfilled", "orders/partially_fulfilled"}
    | {"locations/activate", "locations/deactivate"}
)
"""Processed where they come; but an update of the same row comes with each."""

WANTED = tuple(sorted(PROCESSED - _SAID_TWICE))
"""The topics to subscribe to."""


class AddressError(NeaneluError):
    """An address that Shopify does not post to."""


@dataclass
class Subscribed:
    """What became of the topics."""

    created: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    """Subscribed to before."""
    refused: dict[str, str] = field(default_factory=dict)
    """Topic and Shopify's reason: most often a scope that the token lacks."""


def name_of(topic: str) -> str:
    """GraphQL's name of a topic: `orders/create` is ORDERS_CREATE."""
    return topic.replace("/", "_").upper()


def require_address(url: str) -> str:
    """The address, if Shopify posts to such ones.

    Raises:
        AddressError: it does not.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or parts.fragment:
        raise AddressError(
            f"Shopify does not post webhooks to {parts.scheme or 'nothing'}://{parts.hostname or ''}…: give the "
            "address of a proxy that speaks TLS in front of `neanelu webhooks`, https://…/webhooks, without a login."
        )
    return url


def subscribe(client: AdminClient, url: str) -> Subscribed:
    """Subscribe a shop to every topic that is processed here and that it is not subscribed to yet.

    Raises:
        AddressError: Shopify does not post to such an address.
        ShopifyFault: as the client's; what was subscribed to by then stays, and the next time goes on.
    """
    require_address(url)
    there = _there(client, url)
    done = Subscribed(there=[topic for topic in WANTED if name_of(topic) in there])
    for topic in WANTED:
        if topic in done.there:
            continue
        reason = _subscribe(client, topic, url)
        if reason is None:
            done.created.append(topic)
        elif "already been taken" in reason:
            # By somebody else, since the list was asked for.
            done.there.append(topic)
        else:
            done.refused[topic] = reason
    return done


def _there(client: AdminClient, url: str) -> set[str]:
    topics: set[str] = set()
    after: str | None = None
    while True:
        asked = {"uri": url, "after": after}
        found = client.execute(document("operations/subscriptions"), asked).data["webhookSubscriptions"]
        topics |= {edge["node"]["topic"] for edge in found["edges"] if edge["node"]["uri"] == url}
        if not found["pageInfo"]["hasNextPage"]:
            return topics
        after = found["pageInfo"]["endCursor"]


def _subscribe(client: AdminClient, topic: str, url: str) -> str | None:
    """Why it was refused; None if it was not."""
    try:
        reply = client.execute(document("operations/subscribe"), {"topic": name_of(topic), "uri": url})
    except AccessDenied as denied:
        return str(denied)
    errors = reply.data["webhookSubscriptionCreate"]["userErrors"]
    return "; ".join(str(error["message"]) for error in errors) or None
