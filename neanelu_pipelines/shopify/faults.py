"""Shopify's failures as types: what may be tried again, and what only a person can change.

Belongs here: the types, and the cost that some of them report. Does not belong here: recognizing them in an answer
(`replies`), trying again (`client`).
"""

from dataclasses import dataclass

from neanelu_pipelines.errors import NeaneluError


@dataclass(frozen=True)
class Cost:
    """What Shopify says that a request costs, in points, and of the shop's bucket. None: it does not say."""

    requested: float | None
    actual: float | None
    available: float | None
    maximum: float | None
    restore_rate: float | None
    """Points per second."""


class ShopifyFault(NeaneluError):  # noqa: N818 - most of them are nobody's error
    """A request that Shopify did not answer with what was asked. Its message never holds the token."""

    cost: Cost | None = None
    """What Shopify said of the refused request's cost."""


class Transient(ShopifyFault):
    """The same request may work later.

    `retry_after`: seconds until trying again makes sense, where something is known of it.
    """

    transient = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Permanent(ShopifyFault):
    """The same request will not work, however often it is sent."""


class Throttled(Transient):
    """The shop's points are used up, and waiting for them would take longer than allowed."""


class Unavailable(Transient):
    """No answer, or not one of Shopify's: 5xx, 429, INTERNAL_SERVER_ERROR, a lost connection, a broken reply.

    `sent` tells whether the request may have been carried out all the same. A mutation is then not sent again.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, sent: bool = True) -> None:
        super().__init__(message, retry_after=retry_after)
        self.sent = sent


class TooManyRequests(Unavailable):
    """HTTP 429: refused before it was carried out."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after, sent=False)


class TooCostly(Permanent):
    """The query costs more than one query may (MAX_COST_EXCEEDED): ask for less at a time."""


class ShopClosed(Permanent):
    """The shop is frozen, refused, gone or locked (402, 403, 404, 423)."""


class TokenRefused(Permanent):
    """Shopify does not know the token (401): the app was uninstalled or the token was revoked."""


class AccessDenied(Permanent):
    """The token lacks a scope: this resource cannot be read, others can.

    `scope`: the scope that Shopify named, e.g. `read_orders`, or None if it named none.
    """

    def __init__(self, message: str, *, scope: str | None = None) -> None:
        super().__init__(message)
        self.scope = scope


class ShopMoved(Permanent):
    """The answer points to another host; the token was not sent there.

    `location`: that host, or None if the answer named none.
    """

    def __init__(self, message: str, *, location: str | None = None) -> None:
        super().__init__(message)
        self.location = location


class SearchIgnored(Permanent):
    """Shopify did not understand a search filter and would have returned everything."""


class ReplyTooLarge(Permanent):
    """The reply is larger than a reply may be; it was not read to its end."""


class Refused(Permanent):
    """Shopify refused the request for another reason, in its own words."""
