"""`neanelu webhooks` as a person runs it: a process of its own, that may die at any moment."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.sandbox.shop.hooks import Event, headers_of
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.webhooks.processing import process_batch
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import DOMAIN, SECRET, event, events_of, posted, rows

COMMAND = [sys.executable, "-m", "neanelu_pipelines.cli.main", "webhooks", "--json"]


def environment(database: Database | None, tmp_path: Path, secret: str = SECRET) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEANELU_")}
    url = database.urls[Role.ADMIN] if database else "postgresql://nobody@127.0.0.1:1/nothing"
    return {
        **kept,
        "NEANELU_HOME": str(tmp_path / "home"),
        "NEANELU_DATABASE_URL": url,
        "NEANELU_WEBHOOK_SECRETS": secret,
    }


@contextmanager
def serving(database: Database, tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    command = [*COMMAND, "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(database, tmp_path), cwd=tmp_path
    ) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())["url"], process
        finally:
            process.kill()


def test_it_serves_until_it_is_told_to_stop(database: Database, tmp_path: Path) -> None:
    make_shop(database)
    one = event()
    with serving(database, tmp_path) as (url, process):
        assert httpx.post(url, content=one.body, headers=headers_of(one, DOMAIN, SECRET), timeout=20).status_code == 200
        assert httpx.post(url, content=one.body, headers=headers_of(one, DOMAIN, "x"), timeout=20).status_code == 401
        assert httpx.get(url, timeout=20).status_code == 405
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) in {0, -signal.SIGTERM}
    assert rows(database, "SELECT count(*) FROM webhook_events") == [(1,)]


def test_killed_under_load_it_has_stored_all_that_it_answered_200_and_nothing_twice(
    database: Database, tmp_path: Path
) -> None:
    make_shop(database)
    answered: set[str] = set()
    sent: dict[str, Event] = {}

    async def load(url: str, process: "subprocess.Popen[str]") -> None:
        async with httpx.AsyncClient(timeout=10) as client:

            async def post_until_it_dies() -> None:
                while True:
                    one = event()
                    sent[one.webhook_id] = one
                    try:
                        answer = await client.post(url, content=one.body, headers=headers_of(one, DOMAIN, SECRET))
                    except httpx.TransportError:
                        return
                    if answer.status_code == 200:
                        answered.add(one.webhook_id)

            posting = [asyncio.create_task(post_until_it_dies()) for _ in range(16)]
            while len(answered) < 100:  # noqa: ASYNC110 - the load itself is what is waited for
                await asyncio.sleep(0.01)
            # It dies while events wait to be written: none of these may have been answered.
            with database.connect(Role.ADMIN) as blocker:
                blocker.execute("LOCK TABLE pipeline.webhook_keys IN ACCESS EXCLUSIVE MODE")
                await asyncio.sleep(0.5)
                process.kill()
                await asyncio.gather(*posting)

    with serving(database, tmp_path) as (url, process):
        asyncio.run(load(url, process))
    alive = "SELECT FROM pg_stat_activity WHERE application_name = 'neanelu webhooks' AND datname = current_database()"
    while rows(database, alive):
        time.sleep(0.05)
    stored = [key for (key,) in rows(database, "SELECT shopify_webhook_id FROM webhook_events")]
    assert answered <= set(stored)
    assert len(stored) == len(set(stored))
    assert sorted(stored) == sorted(
        key for (key,) in rows(database, "SELECT idempotency_key FROM pipeline.webhook_keys")
    )

    # What was not answered is sent again, and so is all the rest: each is there once.
    async def again(url: str) -> set[int]:
        async with httpx.AsyncClient(timeout=10) as client:
            answers = [
                await client.post(url, content=e.body, headers=headers_of(e, DOMAIN, SECRET)) for e in sent.values()
            ]
        return {answer.status_code for answer in answers}

    with serving(database, tmp_path) as (url, _):
        assert asyncio.run(again(url)) == {200}
    assert rows(database, "SELECT count(*), count(DISTINCT shopify_webhook_id) FROM webhook_events") == [
        (len(sent), len(sent))
    ]


@pytest.mark.parametrize("secret", ["", "a,b,c"])
def test_without_a_secret_it_says_what_to_set(tmp_path: Path, secret: str) -> None:
    ended = subprocess.run(
        COMMAND,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(None, tmp_path, secret),
        cwd=tmp_path,
    )
    assert ended.returncode == 1
    assert "NEANELU_WEBHOOK_SECRETS" in json.loads(ended.stdout)["error"]
    assert "Traceback" not in ended.stderr


def test_what_happens_in_a_shop_arrives_in_its_mirror(database: Database, tmp_path: Path) -> None:
    make_shop(database)
    spec = GeneratedShop(DOMAIN, seed=5, products=5, orders=0, customers=0)
    with Sandbox([spec]) as sandbox, serving(database, tmp_path) as (url, _):
        shop = sandbox.shop(DOMAIN)
        hooks = shop.webhooks_to(url, SECRET)
        product = shop.products.table.node(2)
        shop.update(product["id"], title="Sapă & lopată", tags=["unelte", "grădină"])
        shop.update(product["variants"][0]["id"], price="1.50")
        shop.delete(shop.products.table.node(0)["id"])
        assert hooks.drain(20)
        assert not hooks.given_up
    settings = Settings(home=tmp_path, artifact_url=str(tmp_path / "artifacts"), _env_file=None)
    batch = process_batch(database, into_mirror(database, settings))
    assert batch is not None
    assert (batch.done, batch.aside, batch.loads) == (3, 0, 1), events_of(database)
    assert process_batch(database, into_mirror(database, settings)) is None
    assert rows(database, "SELECT title, tags FROM shopify_products") == [("Sapă & lopată", ["unelte", "grădină"])]
    prices = dict(rows(database, "SELECT shopify_gid, price::text FROM shopify_variants"))
    assert len(prices) == len(product["variants"])
    assert prices[product["variants"][0]["id"]] == "1.50"
    pictures = [one for one in product["media"] if one["__typename"] == "MediaImage"]
    assert rows(database, "SELECT count(*) FROM shopify_media") == [
        (len(pictures) if len(pictures) == len(product["media"]) else 0,)
    ]
    assert ("products/delete", "done") in {(topic, state) for topic, state, _, _ in events_of(database)}


def test_every_published_example_is_received(database: Database, shared: Path) -> None:
    make_shop(database)
    files = sorted((shared / "data/shopify/webhooks/metadatas/2025-10").glob("*/*.json"))
    examples = [json.loads(file.read_text()) for file in files]
    said = [event(one["response"], one["name"]) for one in examples]
    assert len(said) > 20
    assert set(posted(database, *said)) == {200}
    kept = dict(rows(database, "SELECT topic, payload FROM webhook_events"))
    assert kept == {one["name"]: one["response"] for one in examples}
