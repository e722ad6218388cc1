"""One GraphQL request answered: read, paid for, walked, with Shopify's words for what is refused.

Belongs here: from a request's body to an answer's body. Does not belong here: HTTP (`server`).
"""

from dataclasses import dataclass
from typing import Any

from neanelu_pipelines.sandbox.admin.answer import Walk
from neanelu_pipelines.sandbox.admin.api import Api
from neanelu_pipelines.sandbox.admin.cost import MAX_QUERY_COST, Bucket, requested_cost
from neanelu_pipelines.sandbox.admin.document import Operation, RequestError, read

_LIMITS = "https://shopify.dev/api/usage/rate-limits"


@dataclass(frozen=True)
class Answered:
    """An answer's body, and what was asked: for the log of requests."""

    body: dict[str, Any]
    operation: str | None = None
    cost: float = 0.0
    throttled: bool = False


def answer(api: Api, bucket: Bucket, payload: dict[str, Any], *, throttle: bool) -> Answered:
    """Answer a request; with `throttle` refuse it as throttled whatever the bucket holds."""
    try:
        operation = read(
            str(payload.get("query") or ""),
            payload.get("variables") or {},
            api.api_version,
            payload.get("operationName"),
        )
    except RequestError as error:
        return Answered({"errors": error.errors})
    requested = requested_cost(operation)
    if requested > MAX_QUERY_COST:
        return Answered(_too_dear(requested), operation.name)
    if throttle or not bucket.take(requested):
        return Answered(_throttled(requested, bucket), operation.name, throttled=True)
    return _run(api, bucket, operation, requested)


def _run(api: Api, bucket: Bucket, operation: Operation, requested: int) -> Answered:
    walk = Walk(api.scopes)
    if operation.kind == "mutation":
        data = walk.root(operation.selection, api.mutation)
        actual = requested
    else:
        data = walk.root(operation.selection, api.query)
        actual = max(1, min(requested, round(walk.cost)))
    bucket.give_back(requested - actual)
    extensions: dict[str, Any] = {"cost": _cost(requested, actual, bucket)}
    if walk.search:
        extensions["search"] = walk.search
    errors = {"errors": walk.errors} if walk.errors else {}
    return Answered({**errors, "data": data, "extensions": extensions}, operation.name, actual)


def _cost(requested: int, actual: int | None, bucket: Bucket) -> dict[str, Any]:
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": bucket.status()}


def _throttled(requested: int, bucket: Bucket) -> dict[str, Any]:
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": _LIMITS}}
    return {"errors": [error], "extensions": {"cost": _cost(requested, None, bucket)}}


def _too_dear(cost: int) -> dict[str, Any]:
    message = (
        f"Query cost is {cost}, which exceeds the single query max cost limit ({MAX_QUERY_COST}).\n\nSee "
        f"{_LIMITS} for more information on how the\ncost of a query is calculated.\n\nTo query larger amounts of data "
        "with fewer limits, bulk operations should be used instead."
    )
    extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": MAX_QUERY_COST, "documentation": _LIMITS}
    return {"errors": [{"message": message, "extensions": extensions}]}
