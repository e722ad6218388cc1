"""Points shared through PostgreSQL: many workers, one bucket; and a row for each request."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.partitions import default_partition_rows
from neanelu_pipelines.shopify.client import AdminClient, Patience
from neanelu_pipelines.shopify.faults import AccessDenied, Cost, ShopClosed, Throttled, Unavailable
from neanelu_pipelines.shopify.pacing import NoSuchBucketError, Pacer
from neanelu_pipelines.shopify.queries import parsed
from tests.shopify.conftest import QUICK, ClientOf, access, make_shop
from tests.shopify.scripted import Answer, Points, bad, good, scripted

QUERY = "query Shop { shop { name } }"


def bucket(database: Database, shop: UUID) -> Mapping[str, Any]:
    return rows(database, "SELECT * FROM rate_limit_buckets WHERE shop_id = %s", shop)[0]


def costs(database: Database, shop: UUID) -> list[dict[str, Any]]:
    return rows(database, "SELECT * FROM api_cost_tracking WHERE shop_id = %s ORDER BY id", shop)


def rows(database: Database, query: str, shop: UUID) -> list[dict[str, Any]]:
    with database.connect(Role.PIPELINE) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, [shop]).fetchall()


def fill(database: Database, shop: UUID, tokens: float, *, maximum: float = 1000, rate: float = 100) -> None:
    with database.connect(Role.PIPELINE) as connection:
        connection.execute(
            "INSERT INTO rate_limit_buckets (shop_id, tokens_remaining, max_tokens, refill_rate, last_refill_at)"
            " VALUES (%s, %s, %s, %s, clock_timestamp())"
            " ON CONFLICT (shop_id) DO UPDATE SET tokens_remaining = excluded.tokens_remaining,"
            " max_tokens = excluded.max_tokens, refill_rate = excluded.refill_rate, locked_until = NULL,"
            " last_refill_at = excluded.last_refill_at",
            [shop, tokens, maximum, rate],
        )


def test_ten_workers_share_a_bucket_without_being_throttled(database: Database) -> None:
    """The bucket is empty after a moment; from then on its rate is all there is, and it is used."""
    shop = make_shop(database)
    points = Points(maximum=200, rate=400, price=20)  # 20 requests a second: a busy machine makes 30
    patience = Patience(tries=5, max_wait=30, timeout=10, max_reply_bytes=10_000)
    end = time.monotonic() + 3.0
    faults: list[BaseException] = []

    def work(template: str) -> None:
        try:
            with AdminClient(access(shop), database=database, endpoint=template, patience=patience) as client:
                while time.monotonic() < end:
                    client.execute(QUERY, cost=20)
        except Exception as fault:  # noqa: BLE001 - the test looks at them
            faults.append(fault)

    with scripted(handler=points) as server:
        workers = [threading.Thread(target=work, args=(server.template,)) for _ in range(10)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert faults == []
    assert points.throttled == 0
    busy = [price for moment, price in points.spent if end - 2.0 <= moment < end]
    assert sum(busy) / 2.0 > 0.9 * points.rate
    assert len(costs(database, shop)) == len(points.spent)


def test_a_queue_moves_by_the_rate_and_nobody_asks_twice(database: Database) -> None:
    shop = make_shop(database)
    fill(database, shop, 0)
    with Pacer(database, shop) as pacer:
        waits = [pacer.reserve(50, max_wait=100).wait for _ in range(4)]
    assert waits == pytest.approx([0.6, 1.1, 1.6, 2.1], abs=0.1)


def test_reservations_at_once_are_all_counted(database: Database) -> None:
    shop = make_shop(database)
    fill(database, shop, 1000, rate=0.001)

    def work() -> None:
        with Pacer(database, shop) as pacer:
            for _ in range(25):
                assert pacer.reserve(1, max_wait=1).granted

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    after = bucket(database, shop)
    assert after["tokens_remaining"] == pytest.approx(800, abs=0.1)
    assert after["points_reserved"] == 200


def test_a_wait_that_is_too_long_takes_nothing(database: Database, client_of: ClientOf) -> None:
    shop = make_shop(database)
    fill(database, shop, -1000)
    with Pacer(database, shop) as pacer:
        refused = pacer.reserve(100, max_wait=5)
        assert not refused.granted
        assert refused.wait == pytest.approx(11.1, abs=0.2)
        assert pacer.reserve(100, max_wait=20).wait == pytest.approx(11.1, abs=0.2)
    with scripted(good()) as server, pytest.raises(Throttled, match="no points left") as caught:
        client_of(server, access=access(shop), database=database).execute(QUERY)
    assert server.requests == []
    assert caught.value.retry_after is not None


def test_what_was_not_spent_comes_back(database: Database, client_of: ClientOf) -> None:
    shop = make_shop(database)
    fill(database, shop, 900)
    with scripted(good(requested=200, actual=12, available=990, maximum=1000, rate=100)) as server:
        client_of(server, access=access(shop), database=database).execute(QUERY, cost=200)
    assert 888 <= bucket(database, shop)["tokens_remaining"] < 950


def test_shopify_knows_better(database: Database, client_of: ClientOf) -> None:
    """Somebody else spends the same points; and the shop's plan has changed."""
    shop = make_shop(database)
    fill(database, shop, 1000)
    with scripted(good(requested=10, actual=10, available=50, maximum=4000, rate=200)) as server:
        client_of(server, access=access(shop), database=database).execute(QUERY)
    after = bucket(database, shop)
    assert after["tokens_remaining"] <= 50
    assert (after["max_tokens"], after["refill_rate"]) == (4000, 200)


def test_what_others_reserved_since_is_not_there_twice(database: Database) -> None:
    """A reply says 500; 300 of them are somebody else's already, who has not asked yet."""
    shop = make_shop(database)
    fill(database, shop, 2000, maximum=2000, rate=1)
    with Pacer(database, shop) as pacer, Pacer(database, shop) as other:
        mine = pacer.reserve(100, max_wait=10)
        other.reserve(300, max_wait=10)
        pacer.settle(mine, parsed(QUERY), 0.1, Cost(100, 100, 500, 2000, 1))
    assert bucket(database, shop)["tokens_remaining"] == pytest.approx(200, abs=1)


def test_throttled_waits_for_what_is_missing_and_moves_the_queue(database: Database, client_of: ClientOf) -> None:
    shop = make_shop(database)
    naps: list[float] = []
    throttled = bad("THROTTLED", "Throttled", requested=100, available=40, maximum=1000, rate=100)
    with scripted(throttled, good(requested=100, actual=100, available=0, maximum=1000)) as server:
        client_of(server, naps, access=access(shop), database=database).execute(QUERY, cost=100)
    waited = [nap for nap in naps if nap > 0]
    assert len(waited) == 1
    assert 0.6 <= waited[0] < 1.0
    statuses = [(row["throttle_status"], row["actual_cost"]) for row in costs(database, shop)]
    assert statuses == [("THROTTLED", 0), (None, 100)]
    assert bucket(database, shop)["consecutive_429_count"] == 0


def test_a_throttled_request_moves_those_behind_it(database: Database) -> None:
    """The balance was wrong by what was missing: whoever comes next waits that much longer."""
    shop = make_shop(database)
    fill(database, shop, -500)
    with Pacer(database, shop) as pacer, Pacer(database, shop) as other:
        mine = pacer.reserve(100, max_wait=100)
        fault = Throttled("Throttled")
        pacer.settle(mine, parsed(QUERY), 0.1, Cost(100, None, 40, 1000, 100), fault)
        assert other.reserve(100, max_wait=100).wait == pytest.approx(6.0 + 0.6 + 0.1, abs=0.2)


def test_a_429_holds_everybody_back(database: Database, client_of: ClientOf) -> None:
    shop = make_shop(database)
    naps: list[float] = []
    with scripted(Answer(429, b"", {"Retry-After": "1.5"}), good()) as server:
        client_of(server, naps, access=access(shop), database=database).execute(QUERY)
        with Pacer(database, shop) as other:
            assert 1.0 < other.reserve(1, max_wait=10).wait <= 1.5
    assert 1.4 < max(naps) < 1.7


def test_a_cost_is_learned(database: Database, client_of: ClientOf) -> None:
    shop = make_shop(database)
    fill(database, shop, 1000, rate=0.01)
    with scripted(good(requested=300, actual=300, available=700, maximum=1000, rate=0.01)) as server:
        once = replace(QUICK, tries=1)
        client = client_of(server, access=access(shop), database=database, patience=once)
        client.execute(QUERY)
        before = bucket(database, shop)["tokens_remaining"]
        server.answers[:] = [Answer(404)]
        with pytest.raises(ShopClosed):
            client.execute(QUERY)
        server.answers[:] = [Answer(500)]
        with pytest.raises(Unavailable):
            client.execute(QUERY)
    assert before == pytest.approx(700, abs=1)
    # A refused request costs nothing; one whose fate is unknown counts as if it had been carried out.
    assert bucket(database, shop)["tokens_remaining"] == pytest.approx(before - 300, abs=1)


def test_each_request_leaves_a_row(database: Database, client_of: ClientOf) -> None:
    shop = make_shop(database)
    denied = bad("ACCESS_DENIED", "no", requested=5, actual=None)
    with scripted(good(requested=12, actual=7.5, available=1992.5), denied) as server:
        client = client_of(server, access=access(shop), database=database)
        client.execute(QUERY)
        with pytest.raises(AccessDenied):
            client.execute("{ orders(first: 1) { nodes { id } } }")
    first, second = costs(database, shop)
    assert first["operation_type"] == "Shop"
    assert len(first["query_hash"]) == 64
    assert (first["actual_cost"], first["available_cost"], first["restore_rate"]) == (8, 1992, 100)
    assert first["throttle_status"] is None
    assert 0 <= first["response_time_ms"] < 5000
    assert first["requested_at"] <= first["created_at"]
    assert second["operation_type"] == "orders"
    assert second["actual_cost"] == 0


def test_a_day_without_a_partition_gets_one(database: Database, client_of: ClientOf) -> None:
    shop = make_shop(database)
    with database.connect(Role.ADMIN) as admin:
        admin.execute(f"DROP TABLE api_cost_tracking_{datetime.now(UTC):%Y_%m_%d}")
    with scripted(good()) as server:
        client_of(server, access=access(shop), database=database).execute(QUERY)
    with database.connect(Role.PIPELINE) as connection:
        assert default_partition_rows(connection)["api_cost_tracking"] == 0
    assert len(costs(database, shop)) == 1


def test_a_lost_database_connection_is_made_again(database: Database, client_of: ClientOf) -> None:
    shop = make_shop(database)
    with scripted(good()) as server:
        client = client_of(server, access=access(shop), database=database)
        client.execute(QUERY)
        with database.connect(Role.ADMIN, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(psycopg.OperationalError):
            client.execute(QUERY)
        assert client.execute(QUERY).data


def test_a_shop_that_is_not_there(database: Database) -> None:
    with Pacer(database, uuid4()) as pacer, pytest.raises((psycopg.Error, NoSuchBucketError)):
        pacer.reserve(1, max_wait=QUICK.max_wait)


def test_nothing_is_locked_while_a_worker_waits_or_is_on_the_network(database: Database, client_of: ClientOf) -> None:
    shop = make_shop(database)
    seen: list[int] = []

    def look(request: object) -> Answer:
        with database.connect(Role.PIPELINE, autocommit=True) as other:
            other.execute("SET lock_timeout = '1s'")
            seen.append(len(other.execute("SELECT FROM rate_limit_buckets FOR UPDATE").fetchall()))
        return good()

    with scripted(handler=look) as server:
        client_of(server, access=access(shop), database=database).execute(QUERY)
    assert seen == [1]
