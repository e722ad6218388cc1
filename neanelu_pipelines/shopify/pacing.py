"""A shop's points, shared by all workers through PostgreSQL, and what each request cost.

Belongs here: reserving points before a request and settling after it. Does not belong here: sending, trying again
(`client`).

Each is one short statement, by the database's clock; nothing is locked while a worker waits or is on the network. A
worker that dies with a reservation costs the others the time of those points, once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self
from uuid import UUID

import psycopg

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.partitions import ensure_partitions
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.shopify.faults import Cost, Permanent, ShopifyFault, Throttled, TooManyRequests, Unavailable
from neanelu_pipelines.shopify.queries import Query

PUSH_BACK = 2.0
"""Seconds that a shop is left alone after a 429 that does not say how long."""

_AHEAD = timedelta(days=1)


class NoSuchBucketError(Permanent):
    """The shop of the bucket is not in the database."""


@dataclass(frozen=True)
class Reservation:
    """Points taken for one request, and the seconds until they may be used."""

    points: float
    wait: float
    granted: bool
    """False: the wait would be too long; nothing was taken."""
    mark: Decimal = Decimal(0)
    """All points that were reserved of this bucket up to this one."""


class Pacer:
    """The bucket of one shop, over a connection of its own. For one thread."""

    def __init__(self, database: Database, shop_id: UUID) -> None:
        self._database = database
        self._shop_id = shop_id
        self._connection: psycopg.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def reserve(self, cost: float, *, max_wait: float) -> Reservation:
        """Take the points of a request, if their wait is not longer than `max_wait` seconds.

        Raises:
            psycopg.OperationalError: the database cannot be reached.
        """
        row = (
            self._opened()
            .execute(
                statement("shopify/reserve_points"), {"shop_id": self._shop_id, "cost": cost, "max_wait": max_wait}
            )
            .fetchone()
        )
        if row is None:
            # The shop went away with its bucket; a bucket without a shop cannot be.
            raise NoSuchBucketError(f"The shop {self._shop_id} is not in the database any more.")
        return Reservation(*row)

    def settle(
        self,
        reservation: Reservation,
        query: Query,
        seconds: float,
        cost: Cost | None,
        fault: ShopifyFault | None = None,
    ) -> None:
        """Record what a request cost and give back what it did not.

        Args:
            reservation: what was taken for it.
            query: what was asked.
            seconds: from sending to the last byte.
            cost: what Shopify said of it, if it said anything.
            fault: what came instead of data, if it did.
        """
        charged = _charged(cost, fault)
        # Nobody knows whether a request whose answer is lost was carried out: it counts as if it was.
        kept = reservation.points if charged is None else charged
        throttled = isinstance(fault, Throttled)
        self._opened().execute(
            statement("shopify/settle_points"),
            {
                "shop_id": self._shop_id,
                "operation_type": query.name,
                "query_hash": query.fingerprint,
                "charged": charged or 0.0,
                "throttle_status": "THROTTLED" if throttled else None,
                "mark": reservation.mark,
                "available": cost.available if cost else None,
                "maximum": cost.maximum if cost else None,
                "restore_rate": (cost.restore_rate or None) if cost else None,
                "seconds": seconds,
                "returned": reservation.points - kept,
                "shortfall": _shortfall(cost) if throttled else 0.0,
                "lock": _lock(fault),
                "pushed_back": throttled or isinstance(fault, TooManyRequests),
            },
        )

    def _opened(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = connection = self._database.connect(Role.PIPELINE, autocommit=True)
            # A balance that a crash of the server sets back by a moment is put right by Shopify's next reply.
            connection.execute("SET synchronous_commit = off")
            connection.execute(statement("shopify/open_bucket"), {"shop_id": self._shop_id})
            now = datetime.now(UTC)
            ensure_partitions(connection, "api_cost_tracking", now, now + _AHEAD)
        return self._connection


def _charged(cost: Cost | None, fault: ShopifyFault | None) -> float | None:
    """The points that Shopify kept, or None if that is unknown."""
    if fault is None:
        return cost.actual if cost else None
    if isinstance(fault, Unavailable):
        return None if fault.sent else 0.0
    return cost.actual if cost and cost.actual is not None else 0.0


def _shortfall(cost: Cost | None) -> float:
    if cost is None or cost.requested is None or cost.available is None:
        return 0.0
    return max(0.0, cost.requested - cost.available)


def _lock(fault: ShopifyFault | None) -> float:
    if isinstance(fault, TooManyRequests):
        return PUSH_BACK if fault.retry_after is None else fault.retry_after
    return 0.0
