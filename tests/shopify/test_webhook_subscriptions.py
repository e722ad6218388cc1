"""Subscribing to webhooks: every topic that is processed, once, and what Shopify refuses is said."""

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate
from typer.testing import CliRunner

from neanelu_pipelines.cli import webhooks as command
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox, Trouble
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, ShopError
from neanelu_pipelines.shopify.client import AdminClient
from neanelu_pipelines.shopify.documents import document
from neanelu_pipelines.shopify.faults import Transient
from neanelu_pipelines.shopify.vault import Keyring
from neanelu_pipelines.shopify.webhooks.envelope import PROCESSED
from neanelu_pipelines.shopify.webhooks.subscriptions import WANTED, AddressError, ElsewhereError, name_of, subscribe
from tests.shopify.conftest import DOMAIN, QUICK, access, make_shop
from tests.shopify.scripted import good, scripted
from tests.shopify.webhooks import event, events_of, posted, work_off

URL = "https://neanelu.example/webhooks"
FIRST = ("bulk_operations/finish", "orders/updated", "products/delete", "products/update")
"""Topics that a shop of the sandbox has posted elsewhere."""
SPEC = GeneratedShop(DOMAIN, products=1, orders=0, customers=0)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([SPEC]) as running:
        yield running


def client_of(template: str) -> AdminClient:
    mine = replace(access(), token=Secret(SPEC.token))
    return AdminClient(mine, database=None, endpoint=template, patience=QUICK, sleep=lambda _: None)


def topics(sandbox: Sandbox) -> list[str]:
    """Of all subscriptions, wherever they lead."""
    return [one["topic"] for one in sandbox.shop(DOMAIN).webhooks.nodes]


def subscribed(sandbox: Sandbox) -> list[str]:
    return [one["topic"] for one in sandbox.shop(DOMAIN).webhooks.nodes if one["uri"] == URL]


def test_what_is_processed_is_subscribed_to_once(sandbox: Sandbox) -> None:
    with client_of(sandbox.url_template) as client:
        first = subscribe(client, URL, "move")
        again = subscribe(client, URL)
    assert sorted(first.created + first.moved) == again.there == list(WANTED)
    assert first.there == again.created == again.moved == []
    assert sorted(first.moved) == sorted(FIRST)
    assert sorted(topics(sandbox)) == sorted(name_of(topic) for topic in WANTED)


def test_topics_at_another_address_are_moved_or_kept_only_if_that_is_said(sandbox: Sandbox) -> None:
    """Otherwise every event would come twice."""
    other = "https://altul.example/webhooks?cheie=secretul"
    with client_of(sandbox.url_template) as client:
        subscribe(client, other, "move")
        with pytest.raises(ElsewhereError, match=r"to https://altul\.example/webhooks \(") as refused:
            subscribe(client, URL)
        assert subscribed(sandbox) == []
        assert "secretul" not in str(refused.value)
        assert subscribe(client, URL, "keep").created == list(WANTED)
        assert len(topics(sandbox)) == 2 * len(WANTED)
        # Those that are at both stay at the new one only.
        assert subscribe(client, URL, "move").moved == list(WANTED)
        assert sorted(topics(sandbox)) == sorted(subscribed(sandbox)) == sorted(name_of(topic) for topic in WANTED)


def test_a_topic_that_cannot_be_moved_stays_where_it_is() -> None:
    def answer(*messages: str) -> Any:
        errors = [{"field": ["id"], "message": message} for message in messages]
        return good({"webhookSubscriptionUpdate": {"webhookSubscription": None, "userErrors": errors}})

    edges = [
        {
            "node": {
                "id": f"gid://shopify/WebhookSubscription/{place}",
                "topic": name_of(topic),
                "uri": "arn:aws:events:x",
            }
        }
        for place, topic in enumerate(WANTED)
    ]
    there = good({"webhookSubscriptions": {"edges": edges, "pageInfo": {"hasNextPage": False, "endCursor": None}}})
    with (
        scripted(there, answer("You need read_orders"), *(answer() for _ in WANTED[1:])) as server,
        client_of(server.template) as client,
    ):
        done = subscribe(client, URL, "move")
    assert done.refused == {WANTED[0]: "You need read_orders"}
    assert done.moved == list(WANTED[1:])


def test_one_that_breaks_off_is_gone_on_with(sandbox: Sandbox) -> None:
    """The answer to a mutation is lost: it was carried out, and is not sent again by the client."""
    with client_of(sandbox.url_template) as client:
        sandbox.faults.add(Trouble.DROP, matching="webhookSubscriptionCreate")
        with pytest.raises(Transient):
            subscribe(client, URL, "keep")
        done = subscribe(client, URL, "keep")
    assert len(done.there) == 1
    assert sorted(subscribed(sandbox)) == sorted(name_of(topic) for topic in WANTED)


def test_a_topic_that_is_refused_stands_beside_those_that_are_not() -> None:
    nothing = good({"webhookSubscriptions": {"edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}})

    def answer(*messages: str) -> Any:
        errors = [{"field": ["topic"], "message": message} for message in messages]
        return good({"webhookSubscriptionCreate": {"webhookSubscription": None, "userErrors": errors}})

    taken = answer("Address for this topic has already been taken")
    rest = [answer() for _ in WANTED[2:]]
    with (
        scripted(nothing, answer("You need read_orders"), taken, *rest) as server,
        client_of(server.template) as client,
    ):
        done = subscribe(client, URL)
    assert done.refused == {WANTED[0]: "You need read_orders"}
    assert done.there == [WANTED[1]]
    assert done.created == list(WANTED[2:])


@pytest.mark.parametrize(
    "url",
    ["http://neanelu.example/webhooks", "neanelu.example", "https://a:b@x.example/", "", "https://x.example:99999/",
     "https://[x/", "https://x.example:0/"],
)  # fmt: skip
def test_an_address_that_shopify_does_not_post_to_is_refused(sandbox: Sandbox, url: str) -> None:
    with client_of(sandbox.url_template) as client, pytest.raises(AddressError):
        subscribe(client, url)


def test_topics_and_documents_are_the_api_s(shared: Path) -> None:
    schema = build_schema((shared / "data/shopify/admin_2025-10.graphql").read_text(), assume_valid=True)
    topics = schema.get_type("WebhookSubscriptionTopic")
    assert {name_of(topic) for topic in PROCESSED} <= set(topics.values)  # type: ignore[union-attr]
    for name in ("subscriptions", "subscribe", "move_subscription", "unsubscribe"):
        assert validate(schema, parse(document(f"operations/{name}"))) == []


def test_the_command(database: Database, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys = f"1:{b64encode(os.urandom(32)).decode()}"
    shops.install(database, Keyring.parse(Secret(keys)), DOMAIN, Secret(SPEC.token))
    given: dict[str, Any] = {"home": tmp_path, "encryption_keys": keys, "shopify_url": sandbox.url_template}
    chosen = Settings(**given, _env_file=None)

    class Here(World):
        @property
        def database(self) -> Database:
            return database

    monkeypatch.setattr(command, "open_world", lambda: Here(chosen))
    asked = ["subscribe", "--shop", DOMAIN, "--url", URL, "--json"]
    with pytest.raises(ElsewhereError, match="--others"):
        CliRunner().invoke(command.app, asked, catch_exceptions=False)
    done = CliRunner().invoke(command.app, [*asked, "--others", "move"], catch_exceptions=False)
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert (found["status"], sorted(found["created"] + found["moved"])) == ("completed", list(WANTED))
    assert SPEC.token not in done.output


def test_retry_puts_back_what_was_set_aside(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Here(World):
        @property
        def database(self) -> Database:
            return database

    make_shop(database)
    mended, later = event({"title": "fără id"}), event({"title": "nici el"})
    posted(database, mended, later)
    work_off(database, into_mirror(database, Settings(home=tmp_path, _env_file=None)))
    monkeypatch.setattr(command, "open_world", lambda: Here(Settings(home=tmp_path, _env_file=None)))

    def retried(*asked: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(command.app, ["retry", *asked, "--json"], catch_exceptions=False)
        return done.exit_code, json.loads(done.stdout)

    one = {"status": "partial", "put_back": 1, "topics": {"products/update": 1}}
    assert retried("--id", mended.webhook_id, "--id", "nimic") == (1, one)
    # Of a shop that has left as well: what it sent before may be its redaction.
    assert shops.remove(database, DOMAIN)
    assert retried("--shop", DOMAIN.upper()) == (0, one | {"status": "completed"})
    with pytest.raises(ShopError, match="shop list"):
        retried("--shop", "nimeni.myshopify.com")
    assert retried() == (0, {"status": "completed", "put_back": 0, "topics": {}})
    assert {state for _, state, *_ in events_of(database)} == {"new"}
