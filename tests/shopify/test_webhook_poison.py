"""Events that nobody can read or write: each is set aside by itself, and the shop's others go on."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.webhooks.bodies import BodyError, amount
from neanelu_pipelines.shopify.webhooks.orders import read_order
from neanelu_pipelines.shopify.webhooks.products import read_product
from neanelu_pipelines.shopify.webhooks.subjects import SUBJECTS
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import Poster, event, rows, with_endpoint, work_off

MOMENT = "2026-11-01T10:00:00+02:00"
GOOD = {"id": 7, "title": "Sapă", "handle": "sapa", "status": "active", "updated_at": MOMENT}


def nested(depth: int) -> bytes:
    return b'{"id": 5, "x": ' + b"[" * depth + b"]" * depth + b"}"


def money(text: str) -> dict[str, Any]:
    said = {"amount": text, "currency_code": "RON"}
    return {"shop_money": said, "presentment_money": said}


def test_poison_is_set_aside_alone_whatever_it_is_and_no_batch_is_hindered(
    database: Database, obeyed: Settings
) -> None:
    make_shop(database)
    endless = {"id": 1, "quantity": 1, "price_set": money("Infinity"), "total_discount_set": money("Infinity")}
    poison = [
        event(b'{"id": 5, "title": "t", "x": 1e5000}', webhook_id="long-number"),
        event(b'{"id": 5, "x": [' + b"1e131071," * 10_000 + b"0]}", webhook_id="swelling"),
        event(nested(1_500), webhook_id="nested"),
        event(nested(5_000), webhook_id="nested-deeper"),
        event(nested(20_000), webhook_id="too-deep-for-PostgreSQL"),
        event(b'{"id": 1e5000}', "products/delete", webhook_id="long-id"),
        event({"id": 9, "cost": "1e9999999", "updated_at": MOMENT}, "inventory_items/update", webhook_id="cost"),
        event({"id": 8, "updated_at": MOMENT, "line_items": [endless]}, "orders/updated", webhook_id="endless"),
    ]
    good = [
        event(GOOD, triggered_at="0001-01-01T00:00:00+14:00", webhook_id="before-all-shops"),
        event(b'{"note": " 1e500 ",' + json.dumps(GOOD).encode()[1:], webhook_id="only-a-text"),
        event(GOOD | {"id": 8, "handle": "sapa-8"}, triggered_at="9999-12-31T23:59:59-14:00", webhook_id="far-away"),
    ]

    async def at_once(poster: Poster) -> list[int]:
        return list(await asyncio.gather(*map(poster.post, [*poison, *good])))

    assert set(with_endpoint(database.urls[Role.PIPELINE], at_once)) == {200}
    work_off(database, into_mirror(database, obeyed))
    found: dict[str, tuple[str, str]] = {
        key: (state, reason)
        for key, state, reason in rows(
            database,
            "SELECT k.idempotency_key, state, processing_error FROM pipeline.webhook_keys k"
            " JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at",
        )
    }
    assert {key for key, (state, _) in found.items() if state == "done"} == {one.webhook_id for one in good}
    assert {key for key, (state, _) in found.items() if state == "aside"} == {one.webhook_id for one in poison}
    assert "nested too deeply" in found["nested"][1]
    assert rows(database, "SELECT count(*) FROM shopify_products") == [(2,)]
    # A moment that cannot be is that of its coming.
    within = "SELECT count(*) FROM pipeline.webhook_keys WHERE triggered_at NOT BETWEEN '2000-01-01' AND now()"
    assert rows(database, within) == [(0,)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"id": "secretul lui Ion"}, "not a number or text of the kind"),
        ({}, "it has no 'id'"),
        ({"id": 1, "title": "t", "tags": 4}, "not of the shape"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_words_that_quote_nothing_of_it(body: Any, words: str) -> None:
    with pytest.raises(BodyError, match=words) as said:
        read_product(body)
    assert "Ion" not in str(said.value)
    assert "Error" not in str(said.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("gid://shopify/Product/7", "has gid://shopify/Product/7 where the id of its Order has to be"),
        ("ana.popescu@example.ro", "has something else where"),
        ("gid://shopify/Ana/ana.popescu@example.ro", "has something else where"),
        ("gid://shopify/Order/ana.popescu@example.ro", "has something else where"),
        ("gid://shopify/Order/Ana 7", "has something else where"),
        (["ana.popescu@example.ro"], "has something else where"),
    ],
)
def test_what_a_body_has_for_an_id_is_quoted_only_if_it_is_one(said: Any, words: str) -> None:
    body = {"id": 7, "admin_graphql_api_id": said}
    [orders] = [subject for subject in SUBJECTS if subject.resource == "orders"]
    for read in (orders.read, orders.gone):
        with pytest.raises(BodyError, match=words) as found:
            read(body)
        assert "ana" not in str(found.value).lower()


def test_a_picture_whose_id_is_none_is_refused_without_it() -> None:
    picture = {"admin_graphql_api_id": "gid://shopify/AnaPopescu/7", "alt": None, "position": 1, "status": "READY"}
    shown = {"media_content_type": "IMAGE", "preview_image": {"src": "https://cdn.example/a.jpg"}}
    with pytest.raises(BodyError, match="MediaImage"):
        read_product(GOOD | {"media": [picture | shown]})


def test_an_amount_that_would_fill_the_memory_is_not_written_out() -> None:
    assert [amount(text) for text in ("1e999999", "1e9999999", "1e-999999")] == ["1e999999", "1e9999999", "1e-999999"]
    assert amount("1e3") == "1000.0"
    huge = {"id": 1, "line_items": [{"id": 2, "quantity": 9, "price_set": money("9e999999")}]}
    huge["line_items"][0]["total_discount_set"] = money(str(Decimal(0)))  # type: ignore[index]
    with pytest.raises(BodyError, match="reckoned"):
        read_order(huge)
