"""From an HTTP answer of the Admin API to data, or to the fault it stands for.

Belongs here: reading status, headers and body; pure functions. Does not belong here: the network and trying again
(`client`).
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from neanelu_pipelines.shopify.faults import (
    AccessDenied,
    Cost,
    Refused,
    SearchIgnored,
    ShopClosed,
    ShopifyFault,
    ShopMoved,
    Throttled,
    TokenRefused,
    TooCostly,
    TooManyRequests,
    Unavailable,
)

_OK = 200
_UNAUTHORIZED = 401
_TOO_MANY = 429
_SERVER_ERRORS = 500
_REDIRECTS = range(300, 400)
_CLOSED = {
    402: "is frozen: its owner has not paid",
    403: "refuses access: it was closed, or Shopify holds it back",
    404: "does not exist",
    423: "is locked by Shopify",
}
_TRY_LATER = {408, 425}
_LONGEST_QUOTE = 300
_LONGEST_RETRY_AFTER = 3600.0
_SCOPE = re.compile(r"`?((?:unauthenticated_|customer_)?(?:read|write)_[a-z_]+)`?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Reply:
    """What Shopify answered. `warnings` are for whoever maintains the query: it works, but not for ever."""

    data: Mapping[str, Any]
    cost: Cost | None
    warnings: tuple[str, ...] = ()


def read_reply(status: int, headers: Mapping[str, str], body: bytes, *, api_version: str) -> Reply:
    """The reply of a request.

    Args:
        status: HTTP's.
        headers: with any case, as httpx gives them.
        body: decoded from its transfer and content encoding.
        api_version: the version asked for; a reply of another one is warned of.

    Raises:
        ShopifyFault: as its types say; its `cost` is what Shopify said of it. Data beside errors is never returned.
    """
    if status != _OK:
        raise _http_fault(status, headers, body)
    answer = _json(body)
    if answer is None:
        raise Unavailable("Shopify's reply is not JSON: it was cut off, or something in between answered.")
    cost = read_cost(answer)
    fault = _graphql_fault(answer, cost) or _search_fault(answer)
    if fault is None and not isinstance(answer.get("data"), dict):
        fault = Unavailable("Shopify's reply holds neither data nor errors.")
    if fault is not None:
        fault.cost = cost
        raise fault
    return Reply(answer["data"], cost, tuple(_warnings(headers, api_version)))


def read_cost(answer: Mapping[str, Any]) -> Cost | None:
    """`extensions.cost`, or None where it is not."""
    found = _at(answer, "extensions", "cost")
    if not isinstance(found, dict):
        return None
    status = found.get("throttleStatus")
    status = status if isinstance(status, dict) else {}
    return Cost(
        requested=_number(found.get("requestedQueryCost")),
        actual=_number(found.get("actualQueryCost")),
        available=_number(status.get("currentlyAvailable")),
        maximum=_number(status.get("maximumAvailable")),
        restore_rate=_number(status.get("restoreRate")),
    )


def _http_fault(status: int, headers: Mapping[str, str], body: bytes) -> ShopifyFault:
    said = _said(body)
    if status in _REDIRECTS:
        host = _host(headers.get("location", ""))
        return ShopMoved(
            f"Shopify answered with a redirect to {host or 'nowhere'}; the token was not sent there. If the shop was "
            "renamed, add it under its new *.myshopify.com domain (`neanelu shop add`): it stays the same shop here.",
            location=host,
        )
    if status == _UNAUTHORIZED:
        return TokenRefused(
            f"Shopify does not accept the token (401){said}. Give the shop a new one: `neanelu shop add`."
        )
    if status in _CLOSED:
        return ShopClosed(f"The shop {_CLOSED[status]} ({status}){said}.")
    if status == _TOO_MANY:
        return TooManyRequests(f"Too many requests (429){said}.", retry_after=_retry_after(headers))
    if status >= _SERVER_ERRORS or status in _TRY_LATER:
        return Unavailable(f"Shopify does not work just now ({status}){said}.", retry_after=_retry_after(headers))
    return Refused(f"Shopify refused the request ({status}){said}.")


def _graphql_fault(answer: Mapping[str, Any], cost: Cost | None) -> ShopifyFault | None:
    errors = answer.get("errors")
    if not errors:
        return None
    found = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    if not found:
        return Refused(f"Shopify refused the request: {_quote(errors)}")
    words = "; ".join(_quote(error.get("message")) for error in found[:3])
    codes = [str(_at(error, "extensions", "code")) for error in found]
    for code, fault in _FAULTS.items():
        if code in codes:
            return fault(words, found[codes.index(code)], cost)
    return Refused(f"Shopify refused the query: {words}")


def _throttled(words: str, _error: Mapping[str, Any], cost: Cost | None) -> Throttled:
    return Throttled(f"Shopify throttled the request: {words}", retry_after=_until_affordable(cost))


def _too_costly(words: str, _error: Mapping[str, Any], _cost: Cost | None) -> TooCostly:
    return TooCostly(f"The query costs more than one query may: {words} Ask for less at a time.")


def _inactive(words: str, _error: Mapping[str, Any], _cost: Cost | None) -> ShopClosed:
    return ShopClosed(f"The shop is not active: {words}")


def _failed_inside(words: str, error: Mapping[str, Any], _cost: Cost | None) -> Unavailable:
    request = _at(error, "extensions", "requestId")
    return Unavailable(f"Shopify failed inside: {words}" + (f" (request {_quote(request)})" if request else ""))


def _access_denied(_words: str, error: Mapping[str, Any], _cost: Cost | None) -> AccessDenied:
    words = _quote(error.get("message"))
    required = _at(error, "extensions", "requiredAccess")
    named = _SCOPE.search(str(required or "")) or _SCOPE.search(words)
    scope = named.group(1) if named else None
    path = error.get("path")
    place = ".".join(str(part) for part in path[:10]) if isinstance(path, list) else ""
    return AccessDenied(
        f"The token may not read {place or 'this'}: "
        + (f"it lacks the scope {scope}. " if scope else "")
        + f"Shopify says: {words}",
        scope=scope,
    )


_FAULTS: Mapping[str, Callable[[str, Mapping[str, Any], Cost | None], ShopifyFault]] = {
    "MAX_COST_EXCEEDED": _too_costly,
    "THROTTLED": _throttled,
    "SHOP_INACTIVE": _inactive,
    "ACCESS_DENIED": _access_denied,
    "INTERNAL_SERVER_ERROR": _failed_inside,
}
"""By code; of several errors in one reply the first of these decides."""


def _search_fault(answer: Mapping[str, Any]) -> SearchIgnored | None:
    """A filter that Shopify does not understand returns everything, with no more than a warning."""
    searches = _at(answer, "extensions", "search")
    for search in searches if isinstance(searches, list) else []:
        warnings = search.get("warnings") if isinstance(search, dict) else None
        if warnings:
            said = "; ".join(
                f"{_quote(warning.get('field'))}: {_quote(warning.get('message'))}"
                for warning in warnings[:3]
                if isinstance(warning, dict)
            )
            return SearchIgnored(
                f"Shopify did not understand the filter {_quote(search.get('query'))!r} and returned everything: {said}"
            )
    return None


def _warnings(headers: Mapping[str, str], api_version: str) -> Iterator[str]:
    reason = headers.get("x-shopify-api-deprecated-reason")
    if reason:
        yield f"The query uses what Shopify will take away: {_quote(reason)}"
    served = headers.get("x-shopify-api-version")
    if served and served != api_version:
        yield f"Shopify answered with API version {_quote(served)} instead of {api_version}, which it no longer has."


def _until_affordable(cost: Cost | None) -> float | None:
    if cost is None or not cost.restore_rate or cost.requested is None or cost.available is None:
        return None
    return max(0.0, cost.requested - cost.available) / cost.restore_rate


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, with decimals as Shopify sends them; None for anything else."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, _LONGEST_RETRY_AFTER) if math.isfinite(seconds) and seconds >= 0 else None


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _said(body: bytes) -> str:
    """What the body says for itself, as the end of a sentence."""
    answer = _json(body)
    return f": {_quote(answer['errors'])}" if answer and answer.get("errors") else ""


def _quote(words: object) -> str:
    """Somebody else's words: one line, not too long."""
    text = words if isinstance(words, str) else json.dumps(words, ensure_ascii=False)
    text = _UNPRINTABLE.sub(" ", text).strip()
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"


def _host(location: str) -> str | None:
    try:
        return urlsplit(location).hostname
    except ValueError:
        return None


def _at(found: object, *path: str) -> Any:
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _number(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return float(found) if math.isfinite(found) else None
