"""The endpoint: what it lets in, what it answers, and that 200 means stored."""

import asyncio

import pytest
from pydantic import SecretStr

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.shopify.webhooks.signature import Secrets, WebhookSecretError
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import BODY, OLD_SECRET, Poster, event, events_of, posted, rows, with_endpoint

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def count(database: Database) -> tuple[int, int]:
    ((events, keys),) = rows(
        database, "SELECT (SELECT count(*) FROM webhook_events), (SELECT count(*) FROM pipeline.webhook_keys)"
    )
    return events, keys


def test_a_signed_webhook_is_stored_as_it_came(database: Database) -> None:
    shop = make_shop(database)
    one = event({"id": 1, "title": "Sapă & lopată"})
    assert posted(database, one) == [200]
    ((found,),) = rows(database, "SELECT to_jsonb(e) FROM webhook_events e")
    assert found["shop_id"] == str(shop)
    assert found["payload"] == {"id": 1, "title": "Sapă & lopată"}
    assert (found["topic"], found["api_version"], found["hmac_verified"]) == ("products/update", "2025-10", True)
    assert found["shopify_webhook_id"] == found["idempotency_key"] == one.webhook_id
    assert (found["processed_at"], found["processing_error"]) == (None, None)
    ((moment,),) = rows(database, "SELECT triggered_at::text FROM pipeline.webhook_keys")
    assert moment.startswith("2026-11-01 10:00:00.123456")


def test_a_replay_is_answered_200_and_makes_no_second_row(database: Database) -> None:
    make_shop(database)
    one = event()

    async def at_once(poster: Poster) -> list[int]:
        return list(await asyncio.gather(*(poster.post(one) for _ in range(20))))

    assert set(with_endpoint(database.urls[Role.PIPELINE], at_once)) == {200}
    assert posted(database, one) == [200]
    assert count(database) == (1, 1)


def test_a_bad_signature_is_refused_and_nothing_is_stored(database: Database) -> None:
    make_shop(database)

    async def work(poster: Poster) -> list[int]:
        return [
            await poster.post(event(), secret="al altcuiva"),
            await poster.post(event(), X_Shopify_Hmac_Sha256="nu e base64 ăî"),
            await poster.post(event(), X_Shopify_Hmac_Sha256=""),
            await poster.post(event(b"no json"), secret="al altcuiva"),
            await poster.post(event(), secret=OLD_SECRET),
        ]

    assert with_endpoint(database.urls[Role.PIPELINE], work) == [401, 401, 401, 401, 200]
    assert count(database) == (1, 1)


def test_only_known_shops_small_bodies_and_whole_headers_are_let_in(database: Database) -> None:
    make_shop(database)

    async def work(poster: Poster) -> list[int]:
        return [
            await poster.post(event(), domain="alta.myshopify.com"),
            await poster.post(event(b"x" * 200_000)),
            await poster.post(event(), X_Shopify_Topic="../x"),
            await poster.post(event(), X_Shopify_Webhook_Id=""),
            await poster.post(event(), domain="casa-verde.example"),
            await poster.post(event(), domain="Casa-Verde.myshopify.com"),
        ]

    assert with_endpoint(database.urls[Role.PIPELINE], work) == [404, 413, 400, 400, 400, 200]
    assert count(database) == (1, 1)


def test_a_privacy_request_about_a_shop_of_which_nothing_is_here_is_answered(database: Database) -> None:
    """Shopify repeats what is refused, and counts it; but one about a shop with a new name is to come again."""
    make_shop(database)
    rows(database, "UPDATE shops SET shopify_shop_id = 77 RETURNING id")

    async def work(poster: Poster) -> list[int]:
        topics = ("shop/redact", "customers/redact", "customers/data_request", "app/uninstalled")
        gone = [event({"shop_id": 78, "shop_domain": "alta.myshopify.com"}, topic=topic) for topic in topics]
        bodies: tuple[object, ...] = ({"shop_id": 77}, {"shop_id": "78"}, {"shop_id": True}, {}, [], b"nimic")
        others = [event(body, topic="shop/redact") for body in bodies]
        said = [await poster.post(one, domain="alta.myshopify.com") for one in (*gone, *others)]
        forged = await poster.post(gone[0], domain="alta.myshopify.com", secret="al altcuiva")
        huge = event({"shop_id": 10**50}, topic="shop/redact")
        return [*said, forged, await poster.post(huge, domain="alta.myshopify.com")]

    statuses = with_endpoint(database.urls[Role.PIPELINE], work)
    assert statuses == [200, 200, 200, 404, *[404] * 6, 401, 200]
    assert count(database) == (0, 0)


def test_topics_that_nothing_processes_are_kept_and_say_so(database: Database) -> None:
    make_shop(database)
    topics = ("orders/edited", "refunds/create", "customers/redact", "shop/redact", "customers/data_request")
    days = range(1, 6)
    said = [
        event(topic=topic, triggered_at=f"2026-11-0{day}T00:00:00Z") for day, topic in zip(days, topics, strict=True)
    ]
    assert posted(database, *said) == [200] * 5
    found = events_of(database)
    assert [(topic, state) for topic, state, _, _ in found] == [
        ("orders/edited", "aside"),
        ("refunds/create", "aside"),
        *((topic, "waiting") for topic in topics[2:]),
    ]
    assert all(reason for _, _, reason, _ in found)


@pytest.mark.parametrize("body", [b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b"\xff\xfe", b"no json", b""])
def test_a_body_that_cannot_be_json_is_kept_as_bytes_beside_good_ones(database: Database, body: bytes) -> None:
    make_shop(database)
    said = [event(), event(body), event()]

    async def at_once(poster: Poster) -> list[int]:
        return list(await asyncio.gather(*map(poster.post, said)))

    assert with_endpoint(database.urls[Role.PIPELINE], at_once) == [200, 200, 200]
    states = sorted(state for _, state, _, _ in events_of(database))
    assert states == ["aside", "new", "new"]
    ((kept,),) = rows(
        database, "SELECT decode(payload->>'base64', 'base64') FROM webhook_events WHERE payload ? 'base64'"
    )
    assert bytes(kept) == body


def test_without_a_database_the_answer_is_503_and_with_one_again_200(database: Database) -> None:
    make_shop(database)

    async def work(poster: Poster) -> int:
        return await poster.post(event())

    assert with_endpoint(NOWHERE, work) == 503

    async def cut(poster: Poster) -> list[int]:
        before = await poster.post(event())
        # The writer's connection is cut: the event that finds out is refused, the next one has a fresh connection.
        rows(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'neanelu webhooks' AND datname = current_database()",
        )
        return [before, *[await poster.post(event()) for _ in range(4)]]

    statuses = with_endpoint(database.urls[Role.PIPELINE], cut)
    assert (statuses[0], statuses[-1]) == (200, 200)
    assert set(statuses) <= {200, 503}
    assert count(database) == (statuses.count(200),) * 2


def test_what_waits_in_memory_is_bounded(database: Database) -> None:
    make_shop(database)
    body = {**BODY, "filling": "x" * 10_000}

    async def work(poster: Poster) -> list[int]:
        with database.connect(Role.ADMIN) as blocker:
            blocker.execute("LOCK TABLE pipeline.webhook_keys IN ACCESS EXCLUSIVE MODE")
            posting = [asyncio.create_task(poster.post(event(body))) for _ in range(30)]
            await asyncio.sleep(0.3)
            refused = [task.result() for task in posting if task.done()]
            assert set(refused) == {503}
            # The rest fits, and is stored as soon as it can be.
            assert 30 - len(refused) == 100_000 // len(event(body).body)
            blocker.rollback()
        return list(await asyncio.gather(*posting))

    statuses = with_endpoint(database.urls[Role.PIPELINE], work, max_waiting=100_000)
    assert count(database) == (statuses.count(200),) * 2


def test_room_is_given_back_whatever_the_answer(database: Database) -> None:
    make_shop(database)

    async def work(poster: Poster) -> int:
        full: int = poster.inbox.room.free
        await poster.post(event())
        await poster.post(event(), secret="x")
        await poster.post(event(), domain="alta.myshopify.com")
        await poster.post(event(), X_Shopify_Topic="x")
        await poster.post(event(b"x" * 200_000))
        await poster.post(event(b"\xff"))
        return full - poster.inbox.room.free

    assert with_endpoint(database.urls[Role.PIPELINE], work) == 0
    assert with_endpoint(NOWHERE, work) == 0


def test_secrets_are_one_or_two_and_do_not_show() -> None:
    for text in ("", " ", "a,", "a,b,c"):
        with pytest.raises(WebhookSecretError):
            Secrets(SecretStr(text))
    with pytest.raises(WebhookSecretError):
        Secrets(None)
    assert "geheim" not in repr(Secrets(SecretStr("geheim,altul")))
