"""Subscribing to the topics that are processed here, at one address; as often as one likes.

Belongs here: which topics, and asking Shopify. Does not belong here: receiving (`endpoint`). The privacy topics cannot
be subscribed to: the app's own configuration names their address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
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


class ElsewhereError(NeaneluError):
    """The app has topics posted to another address, and nobody said what is to become of that."""


@dataclass(frozen=True)
class _Subscription:
    id: str
    uri: str


@dataclass
class Subscribed:
    """What became of the topics."""

    created: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    """Posted to other addresses before."""
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
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressError("That is no address: its host or its port cannot be one. Give https://…/webhooks.") from None
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or parts.fragment or port == 0:
        raise AddressError(
            f"Shopify does not post webhooks to {parts.scheme or 'nothing'}://{parts.hostname or ''}…: give the "
            "address of a proxy that speaks TLS in front of `neanelu webhooks`, https://…/webhooks, without a login."
        )
    return url


def subscribe(client: AdminClient, url: str, others: Literal["move", "keep"] | None = None) -> Subscribed:
    """Subscribe a shop to every topic that is processed here and that it is not subscribed to yet.

    `others` says what becomes of subscriptions of the same app to the same topics at other addresses.

    Raises:
        AddressError: Shopify does not post to such an address.
        ElsewhereError: there are others, and it is not said what becomes of them; nothing was changed.
        ShopifyFault: as the client's; what was subscribed to by then stays, and the next time goes on.
    """
    require_address(url)
    known = _known(client)
    elsewhere = {
        topic: [one for one in known.get(name_of(topic), ()) if one.uri != url] for topic in WANTED if others != "keep"
    }
    if others is None:
        _refuse(elsewhere)
    done = Subscribed()
    for topic in WANTED:
        here = any(one.uri == url for one in known.get(name_of(topic), ()))
        _settle(client, topic, url, elsewhere.get(topic, []), done, here=here)
    return done


def _refuse(elsewhere: Mapping[str, Sequence[_Subscription]]) -> None:
    topics = [topic for topic, found in elsewhere.items() if found]
    if topics:
        where = sorted({_shown(one.uri) for topic in topics for one in elsewhere[topic]})
        raise ElsewhereError(
            f"Shopify posts {len(topics)} of the topics to {where[0]}{' and others' if where[1:] else ''} "
            f"({', '.join(topics[:3])}{', …' if topics[3:] else ''}): say --others move to have them posted to the new "
            "address instead, or --others keep to have them posted to both, as to another receiver of the same app."
        )


def _shown(uri: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.hostname or '…'}{parts.path}"


def _settle(
    client: AdminClient, topic: str, url: str, elsewhere: Sequence[_Subscription], done: Subscribed, *, here: bool
) -> None:
    """Have a topic posted to the address, and nowhere else."""
    first, rest = (None, elsewhere) if here else (next(iter(elsewhere), None), elsewhere[1:])
    reasons: list[str | None] = []
    if first is not None:
        reasons.append(_ask(client, "move_subscription", {"id": first.id, "uri": url}))
    elif not here:
        reasons.append(_ask(client, "subscribe", {"topic": name_of(topic), "uri": url}))
    reasons += [_ask(client, "unsubscribe", {"id": one.id}) for one in rest]
    refused = "; ".join(reason for reason in reasons if reason)
    if "already been taken" in refused:
        # By somebody else, since the list was asked for.
        done.there.append(topic)
    elif refused:
        done.refused[topic] = refused
    else:
        (done.moved if elsewhere else done.there if here else done.created).append(topic)


def _known(client: AdminClient) -> dict[str, list[_Subscription]]:
    """The app's subscriptions, by GraphQL's name of the topic."""
    known: dict[str, list[_Subscription]] = {}
    after: str | None = None
    while True:
        found = client.execute(document("operations/subscriptions"), {"after": after}).data["webhookSubscriptions"]
        for edge in found["edges"]:
            node = edge["node"]
            known.setdefault(node["topic"], []).append(_Subscription(node["id"], node["uri"]))
        if not found["pageInfo"]["hasNextPage"]:
            return known
        after = found["pageInfo"]["endCursor"]


def _ask(client: AdminClient, operation: str, variables: Mapping[str, str]) -> str | None:
    """Why a mutation was refused; None if it was not."""
    try:
        reply = client.execute(document(f"operations/{operation}"), dict(variables))
    except AccessDenied as denied:
        return str(denied)
    (answer,) = reply.data.values()
    return "; ".join(str(error["message"]) for error in answer["userErrors"]) or None
