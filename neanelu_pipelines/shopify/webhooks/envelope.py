"""What a webhook's headers say of it, and what is to become of it by its topic.

Belongs here: reading and bounding the headers. They are not signed: only the body is. Does not belong here: bodies.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.access import ShopError, require_domain
from neanelu_pipelines.shopify.webhooks.subjects import TOPICS

UNINSTALLED = "app/uninstalled"
BULK_FINISHED = "bulk_operations/finish"
PROCESSED = TOPICS | {UNINSTALLED, BULK_FINISHED}

_WAITING = {
    "customers/redact": "Waits for the redaction of a customer.",
    "shop/redact": "Waits for the redaction of a shop.",
    "customers/data_request": "Waits for the export of a customer's data.",
}
PRIVACY = frozenset(_WAITING)
"""The topics of privacy requests, which are answered elsewhere."""

_TOPIC = re.compile(r"[a-z0-9_]{1,50}/[a-z0-9_]{1,49}")
_ID = re.compile(r"[\x21-\x7e]{1,100}")
_VERSION = re.compile(r"[\x21-\x7e]{0,20}")


_FIRST_YEAR = 2000


class NoWebhookError(NeaneluError):
    """A request without the headers that every webhook of Shopify has."""


@dataclass(frozen=True)
class Envelope:
    """A verified webhook as it is kept."""

    webhook_id: str
    """X-Shopify-Webhook-Id: stable across retries."""
    domain: str
    topic: str
    api_version: str | None
    triggered_at: datetime
    body: bytes

    @property
    def fate(self) -> tuple[str, str | None]:
        """The state in which it is kept, and why that is not `new`."""
        if self.topic in PROCESSED:
            return "new", None
        reason = _WAITING.get(self.topic)
        return ("waiting", reason) if reason else ("aside", f"Nothing here processes the topic {self.topic}.")


def read_envelope(headers: Mapping[bytes, bytes], body: bytes) -> Envelope:
    """The webhook of these headers (names in lower case).

    Raises:
        NoWebhookError: a header is missing or cannot be what Shopify sends.
    """
    topic = _checked(headers, b"x-shopify-topic", _TOPIC)
    webhook_id = _checked(headers, b"x-shopify-webhook-id", _ID)
    version = _checked(headers, b"x-shopify-api-version", _VERSION)
    try:
        domain = require_domain(_text(headers, b"x-shopify-shop-domain").lower())
    except ShopError as error:
        raise NoWebhookError(f"X-Shopify-Shop-Domain: {error}") from error
    return Envelope(webhook_id, domain, topic, version or None, _moment(headers), body)


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _checked(headers: Mapping[bytes, bytes], name: bytes, pattern: re.Pattern[str]) -> str:
    value = _text(headers, name)
    if not pattern.fullmatch(value):
        raise NoWebhookError(f"The header {name.decode()} is missing or is not what Shopify sends.")
    return value


def _moment(headers: Mapping[bytes, bytes]) -> datetime:
    """When it happened in the shop; now, if that is not said or cannot be.

    A future would win for ever; a moment before there were shops is no moment, and some cannot be read back.
    """
    now = datetime.now(UTC)
    try:
        said = datetime.fromisoformat(_text(headers, b"x-shopify-triggered-at"))
    except ValueError:
        return now
    return min(said, now) if said.tzinfo and said.year >= _FIRST_YEAR else now
