"""Rounds over all shops: what hinders one shop's events holds up no other's."""

import random
import string
from typing import Any
from uuid import UUID

import psycopg
import pytest

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.mirror import ledger
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.sandbox.shop.hooks import Event
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.webhooks import processing
from neanelu_pipelines.shopify.webhooks.hands import Hands, Lines
from neanelu_pipelines.shopify.webhooks.processing import Batch, HinderedError
from neanelu_pipelines.shopify.webhooks.rounds import work_off
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import DOMAIN, at, event, events_of, posted, rows

OTHER = "alt-magazin.myshopify.com"


def product(number: int, hour: int = 10) -> Event:
    body = {"id": number, "title": "Sapă", "handle": f"sapa-{number}", "status": "active", "updated_at": at(hour)}
    return event(body, "products/update", triggered_at=at(hour))


def customer(number: int, hour: int, **fields: Any) -> Event:
    body = {"id": number, "first_name": "Ana", "state": "enabled", "created_at": at(1), "updated_at": at(hour)}
    return event(body | fields, "customers/update", triggered_at=at(hour))


def states_of(database: Database, shop: UUID) -> list[str]:
    return [state for _, state, _, _ in events_of(database, shop)]


def round_of(database: Database, hands: Hands) -> list[Batch]:
    return list(work_off(database, hands, seconds=60))


def test_an_event_that_postgresql_cannot_hold_stops_nobody(database: Database, obeyed: Settings) -> None:
    first, second = make_shop(database), make_shop(database, OTHER)
    letters = random.Random(7).choices(string.ascii_letters, k=10_000)
    posted(database, customer(1, 8), customer(2, 9, email=f"{''.join(letters)}@exemplu.ro"), customer(3, 10))
    posted(database, product(8, 12), domain=OTHER)
    batches = round_of(database, into_mirror(database, obeyed))
    assert [batch.domain for batch in batches] == [DOMAIN, OTHER]
    assert "done" in states_of(database, first)
    assert states_of(database, first).count("done") == 2
    assert states_of(database, second) == ["done"]
    assert rows(database, "SELECT count(*) FROM shopify_customers") == [(2,)]


def test_a_shop_that_is_hindered_is_left_out_and_said_at_the_end(database: Database, obeyed: Settings) -> None:
    first, second = make_shop(database), make_shop(database, OTHER)
    posted(database, product(7, 9))
    posted(database, product(8, 12), domain=OTHER)
    good = into_mirror(database, obeyed)

    def write(lines: Lines) -> UUID:
        if lines.domain == DOMAIN:
            raise psycopg.errors.DeadlockDetected("again")
        return good.write(lines)

    with pytest.raises(HinderedError, match=DOMAIN):
        round_of(database, Hands(write, good.remove))
    assert (states_of(database, first), states_of(database, second)) == (["new"], ["done"])
    (batch,) = round_of(database, good)
    assert (batch.domain, batch.done) == (DOMAIN, 1)


def test_rows_that_are_busy_keep_their_shop_s_events_until_the_next_round(database: Database, obeyed: Settings) -> None:
    first, second = make_shop(database), make_shop(database, OTHER)
    posted(database, product(7, 9), customer(1, 9), event({"id": 5}, "customers/delete", triggered_at=at(10)))
    posted(database, product(8, 12), domain=OTHER)
    load = LoadRun(first, first, DOMAIN, "customers", "", 0, "")
    good = into_mirror(database, obeyed)
    with ledger.opened(database) as book, ledger.resource_lock(book, load):
        batches = round_of(database, good)
    assert [(batch.domain, batch.done, batch.busy) for batch in batches] == [(DOMAIN, 1, True), (OTHER, 1, False)]
    assert sorted(states_of(database, first)) == ["done", "new", "new"]
    assert states_of(database, second) == ["done"]
    # Nothing was begun that had to be given up.
    assert rows(database, "SELECT DISTINCT status FROM bulk_runs") == [("completed",)]
    assert round_of(database, good)[0].done == 2


def test_a_shop_whose_events_all_fail_takes_no_more_time_than_a_few(
    database: Database, obeyed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_shop(database), make_shop(database, OTHER)
    monkeypatch.setattr(processing, "MOST_FAILED", 2)
    posted(database, *(product(number, 9) for number in range(1, 9)))
    posted(database, product(8, 12), domain=OTHER)
    good = into_mirror(database, obeyed)

    def write(lines: Lines) -> UUID:
        if lines.domain == DOMAIN:
            raise RuntimeError("nu merge")
        return good.write(lines)

    batches = round_of(database, Hands(write, good.remove))
    assert [(batch.again, batch.stopped) for batch in batches] == [(2, True), (0, False)]
    assert states_of(database, second) == ["done"]
    # The others were not tried, and the next round takes them.
    assert states_of(database, first) == ["new"] * 8
    assert [batch.done for batch in round_of(database, good)] == [6]
