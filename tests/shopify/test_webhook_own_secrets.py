"""Shops with an app of their own: their secret alone signs their webhooks, is kept sealed and gets the new keys."""

import asyncio
import json
import os
from base64 import b64encode
from pathlib import Path

import pytest
from typer.testing import CliRunner

from neanelu_pipelines.cli import webhooks as command
from neanelu_pipelines.cli.doctor import Verdict, webhook_secrets
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.mirror.redaction import work as redaction
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, ShopError
from neanelu_pipelines.shopify.rotation import rotate
from neanelu_pipelines.shopify.vault import Keyring, KeyringError
from neanelu_pipelines.shopify.webhooks import own_secrets
from neanelu_pipelines.shopify.webhooks.own_secrets import OwnSecrets, keep, unseal
from neanelu_pipelines.shopify.webhooks.signature import WebhookSecretError
from tests.shopify.conftest import make_shop
from tests.shopify.test_vault import key, ring
from tests.shopify.webhooks import DOMAIN, SECRET, Poster, event, rows, with_endpoint

OTHER = "alt-magazin.myshopify.com"
OWN = "secretul-magazinului"


def kept(database: Database) -> list[tuple[bytes]]:
    return rows(database, "SELECT webhook_secret FROM shops WHERE webhook_secret IS NOT NULL")


def loaded(database: Database, keyring: Keyring | None) -> OwnSecrets:
    own = OwnSecrets(database, keyring)
    own.load()
    return own


def test_a_shop_s_own_secret_signs_its_webhooks_and_no_other_shop_s(database: Database) -> None:
    make_shop(database)
    make_shop(database, OTHER)
    keyring = ring(key())
    keep(database, keyring, DOMAIN, Secret(f"{OWN},mai-vechi"))

    async def post(poster: Poster) -> list[int]:
        return [
            await poster.post(event(), secret=secret, domain=domain)
            for domain, secret in (
                (DOMAIN, OWN),
                (DOMAIN, "mai-vechi"),
                (DOMAIN.upper(), OWN),
                (DOMAIN, SECRET),
                (OTHER, SECRET),
                (OTHER, OWN),
                ("altcineva.myshopify.com", OWN),
            )
        ]

    url = database.urls[Role.PIPELINE]
    assert with_endpoint(url, post, own=loaded(database, keyring)) == [200, 200, 200, 401, 200, 401, 401]
    keep(database, keyring, DOMAIN, None)
    assert with_endpoint(url, post, own=loaded(database, keyring)) == [401, 401, 401, 200, 200, 401, 401]


def test_a_secret_that_does_not_open_lets_nobody_in(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    make_shop(database)
    keep(database, ring(key()), DOMAIN, Secret(OWN))

    async def post(poster: Poster) -> list[int]:
        return [await poster.post(event(), secret=secret) for secret in (OWN, SECRET, "")]

    for keyring in (ring(key()), None):
        own = loaded(database, keyring)
        assert with_endpoint(database.urls[Role.PIPELINE], post, own=own) == [401, 401, 401]
        assert DOMAIN in caplog.text
        assert OWN not in caplog.text
        caplog.clear()


def test_it_is_sealed_for_its_shop_and_forgotten_with_it(database: Database, obeyed: Settings) -> None:
    make_shop(database)
    other = make_shop(database, OTHER)
    keyring = ring(key())
    keep(database, keyring, DOMAIN, Secret(OWN))
    ((sealed,),) = kept(database)
    assert OWN.encode() not in sealed
    with pytest.raises(KeyringError):
        unseal(keyring, sealed, other)
    for wrong in ("", "a,b,c"):
        with pytest.raises(WebhookSecretError, match="no webhook secret"):
            keep(database, keyring, DOMAIN, Secret(wrong))
    with pytest.raises(ShopError):
        keep(database, keyring, "nimeni.myshopify.com", Secret(OWN))
    assert kept(database) == [(sealed,)]
    # Shopify asks for the redaction two days after the shop left, signed with the same secret.
    assert shops.remove(database, DOMAIN)
    asked = event({"shop_domain": DOMAIN}, "shop/redact", triggered_at="acum")

    async def post(poster: Poster) -> int:
        return await poster.post(asked, secret=OWN)

    assert with_endpoint(database.urls[Role.PIPELINE], post, own=loaded(database, keyring)) == 200
    (answered,) = redaction.work_off(database, obeyed)
    assert (answered.topic, answered.error) == ("shop/redact", None)
    assert kept(database) == []


def test_it_gets_the_new_key_with_the_tokens(database: Database) -> None:
    old, new = key(), key()
    first, second = ring(old), ring(old, new)
    shops.install(database, first, DOMAIN, Secret("shpat_0123456789"))
    make_shop(database, OTHER)
    for domain in (DOMAIN, OTHER):
        keep(database, first, domain, Secret(OWN))
    with pytest.raises(KeyringError, match="3 tokens are sealed with key version 1"):
        rotate(database, Keyring.parse(Secret(f"2:{new}")))
    (done,) = rotate(database, second)
    assert (done.read, done.rotated, done.failed) == (3, 3, ())
    assert rotate(database, second) == []
    assert {sealed[:4] for (sealed,) in kept(database)} == {b"\0\0\0\2"}
    own = loaded(database, Keyring.parse(Secret(f"2:{new}")))
    found = own.of(DOMAIN.encode())
    assert found is not None
    assert repr(found) == "Secrets(1)"


def test_an_endpoint_with_the_old_keys_goes_on_after_a_rotation(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    make_shop(database)
    old, new = key(), key()
    keep(database, ring(old), DOMAIN, Secret(OWN))
    own = loaded(database, ring(old))
    rotate(database, ring(old, new))
    own.load()
    own.load()

    async def post(poster: Poster) -> list[int]:
        return [await poster.post(event(), secret=secret) for secret in (OWN, SECRET)]

    assert with_endpoint(database.urls[Role.PIPELINE], post, own=own) == [200, 401]
    assert caplog.text.count(DOMAIN) == 1
    assert "Start it again" in caplog.text
    assert OWN not in caplog.text
    # Of a shop that was made anew under the same name nothing is known.
    with database.connect(Role.ADMIN) as connection:
        for table in ("pipeline.webhook_keys", "webhook_events", "shops"):
            connection.execute(f"DELETE FROM {table}")
    make_shop(database)
    keep(database, ring(old, new), DOMAIN, Secret("alt-secret"))
    own.load()
    assert with_endpoint(database.urls[Role.PIPELINE], post, own=own) == [401, 401]


def test_the_doctor_tries_every_webhook_secret(database: Database, tmp_path: Path) -> None:
    class Here(World):
        @property
        def database(self) -> Database:
            return database

    def found(keys: str | None) -> tuple[Verdict, str]:
        finding = webhook_secrets(Here(Settings(home=tmp_path, encryption_keys=keys, _env_file=None)))
        return finding.verdict, finding.found

    assert found(None)[0] is Verdict.GOOD
    make_shop(database)
    old, new = key(), key()
    keep(database, ring(old), DOMAIN, Secret(OWN))
    assert found(f"1:{old}") == (Verdict.GOOD, "all 1 open")
    assert found(f"1:{old},2:{new}")[0] is Verdict.DOUBTFUL
    wrong, words = found(f"2:{new}")
    assert wrong is Verdict.WRONG
    assert DOMAIN in words
    assert new not in words


def test_a_running_endpoint_learns_of_it_and_forgets_nothing_while_the_database_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shop(database)
    keyring = ring(key())
    own = loaded(database, keyring)
    assert own.of(DOMAIN.encode()) is None
    monkeypatch.setattr(own_secrets, "REFRESHED", 0.02)

    async def learn() -> None:
        refreshing = asyncio.create_task(own.refresh_for_ever())
        keep(database, keyring, DOMAIN, Secret(OWN))
        async with asyncio.timeout(20):
            while own.of(DOMAIN.encode()) is None:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
        monkeypatch.setattr(own, "_database", Database({Role.PIPELINE: "postgresql://nobody@127.0.0.1:1/nothing"}))
        await asyncio.sleep(0.2)
        assert not refreshing.done()
        refreshing.cancel()

    asyncio.run(learn())
    assert own.of(DOMAIN.encode()) is not None


def test_the_command_takes_it_from_a_pipe(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Here(World):
        @property
        def database(self) -> Database:
            return database

    keys = f"1:{b64encode(os.urandom(32)).decode()}"
    chosen = Settings(home=tmp_path, encryption_keys=keys, _env_file=None)
    monkeypatch.setattr(command, "open_world", lambda: Here(chosen))
    make_shop(database)
    asked = ["secret", "--shop", DOMAIN, "--json"]
    done = CliRunner().invoke(command.app, asked, input=f"{OWN}\n", catch_exceptions=False)
    assert (done.exit_code, json.loads(done.stdout)["own_secret"]) == (0, True)
    assert OWN not in done.output
    assert len(loaded(database, Keyring.from_settings(chosen))) == 1
    done = CliRunner().invoke(command.app, [*asked, "--forget"], catch_exceptions=False)
    assert (done.exit_code, kept(database)) == (0, [])
