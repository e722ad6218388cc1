"""Tokens at rest: sealed, bound to their shop and key, and readable by nobody else."""

import base64
import os
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, ShopError, read_access
from neanelu_pipelines.shopify.shops import ShopFacts
from neanelu_pipelines.shopify.vault import Keyring, KeyringError
from tests.shopify.conftest import DOMAIN, TOKEN, make_shop

OTHER = "gradina.myshopify.com"


def key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def ring(*keys: str, current: int | None = None) -> Keyring:
    return Keyring.parse(Secret(",".join(f"{n}:{text}" for n, text in enumerate(keys, start=1))), current)


def test_a_token_comes_back() -> None:
    keyring, shop = ring(key()), uuid4()
    sealed = keyring.seal(Secret(TOKEN), shop)
    assert keyring.open(sealed, shop).get_secret_value() == TOKEN
    assert TOKEN.encode() not in sealed.ciphertext
    assert keyring.seal(Secret(TOKEN), shop).nonce != sealed.nonce


def test_a_token_is_bound_to_its_shop_and_key_version() -> None:
    same = key()
    keyring, shop = ring(same, same), uuid4()
    sealed = keyring.seal(Secret(TOKEN), shop)
    for wrong, whose in (
        (sealed, uuid4()),
        (replace(sealed, key_version=1), shop),
        (replace(sealed, tag=bytes(16)), shop),
        (replace(sealed, ciphertext=sealed.ciphertext[:-1]), shop),
        (replace(sealed, nonce=b""), shop),
    ):
        with pytest.raises(KeyringError, match="does not open") as caught:
            keyring.open(wrong, whose)
        assert TOKEN not in str(caught.value)
        assert caught.value.__context__ is None


def test_the_highest_version_seals_unless_another_is_chosen() -> None:
    keys = [key(), key()]
    assert ring(*keys).seal(Secret(TOKEN), uuid4()).key_version == 2
    assert ring(*keys, current=1).seal(Secret(TOKEN), uuid4()).key_version == 1


@pytest.mark.parametrize(
    "text",
    ["", "1", "1:", ":{key}", "0:{key}", "one:{key}", "1:{key}x", "1:{short}", "1:{key},1:{key}", "1:{key},", "{key}",
     "99999999999:{key}", "²:{key}"],
)  # fmt: skip
def test_a_malformed_key_is_refused_and_not_shown(text: str) -> None:
    good, short = key(), base64.b64encode(b"too short").decode()
    with pytest.raises(KeyringError) as caught:
        Keyring.parse(Secret(text.format(key=good, short=short)))
    assert good not in str(caught.value)
    assert short not in str(caught.value)


def test_a_missing_key_says_what_to_do() -> None:
    with pytest.raises(KeyringError, match="openssl rand"):
        Keyring.from_settings(Settings(_env_file=None, encryption_keys=None))
    with pytest.raises(KeyringError, match="NEANELU_ENCRYPTION_KEY_CURRENT is 3"):
        ring(key(), current=3)
    only = ring(key())
    sealed = ring(key(), key()).seal(Secret(TOKEN), uuid4())
    with pytest.raises(KeyringError, match="key version 2"):
        only.open(sealed, uuid4())


def test_keys_do_not_show() -> None:
    text = key()
    keyring = ring(text)
    raw = base64.b64decode(text)
    settings = Settings(_env_file=None, encryption_keys=Secret(f"1:{text}"))
    shown = repr(keyring) + str(keyring) + repr(settings)
    assert text not in shown
    assert repr(raw) not in shown


def test_a_shop_is_given_a_token_and_it_is_read_back(database: Database) -> None:
    keyring = ring(key())
    facts = ShopFacts("Casa Verde", 4711, "EUR", "Europe/Berlin", "Basic", ("read_orders", "read_products"))
    shop = shops.install(database, keyring, DOMAIN, Secret(TOKEN), facts=facts)
    for name in (DOMAIN, DOMAIN.upper(), shop):
        found = read_access(database, keyring, name)
        assert (found.shop_id, found.domain, found.api_version) == (shop, DOMAIN, "2025-10")
        assert found.token.get_secret_value() == TOKEN
        assert TOKEN not in repr(found)
    [row] = shops.listed(database)
    assert (row["currency"], row["shopify_id"], row["scopes"]) == ("EUR", 4711, ["read_orders", "read_products"])
    with database.connect(Role.ADMIN) as connection:
        dump = connection.execute("SELECT string_agg(to_jsonb(s)::text, '') FROM shops s").fetchone()
        audit = connection.execute("SELECT string_agg(to_jsonb(a)::text, '') FROM audit_logs a").fetchone()
    assert dump
    assert audit
    assert TOKEN.encode().hex() not in dump[0]
    assert "access_token" not in (audit[0] or "")


def test_a_ciphertext_copied_to_another_shop_does_not_open(database: Database) -> None:
    keyring = ring(key())
    shops.install(database, keyring, DOMAIN, Secret(TOKEN))
    make_shop(database, OTHER)
    with database.connect(Role.PIPELINE) as connection:
        connection.execute(
            "UPDATE shops SET (access_token_ciphertext, access_token_iv, access_token_tag, key_version) ="
            " (SELECT access_token_ciphertext, access_token_iv, access_token_tag, key_version FROM shops"
            " WHERE shopify_domain = %s) WHERE shopify_domain = %s",
            [DOMAIN, OTHER],
        )
    assert read_access(database, keyring, DOMAIN).token.get_secret_value() == TOKEN
    with pytest.raises(KeyringError, match="tampered"):
        read_access(database, keyring, OTHER)


def test_a_tenant_cannot_read_a_sealed_token(database: Database) -> None:
    shop = shops.install(database, ring(key()), DOMAIN, Secret(TOKEN))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.tenant(shop) as connection:
        connection.execute("SELECT access_token_ciphertext FROM shops")


def test_shops_without_access_say_why(database: Database) -> None:
    keyring = ring(key())
    make_shop(database, OTHER)
    with pytest.raises(ShopError, match="no access token"):
        read_access(database, keyring, OTHER)
    for nobody in (DOMAIN, uuid4()):
        with pytest.raises(ShopError, match="There is no shop"):
            read_access(database, keyring, nobody)
    shops.install(database, keyring, DOMAIN, Secret(TOKEN))
    assert shops.remove(database, DOMAIN)
    assert not shops.remove(database, DOMAIN)
    with pytest.raises(ShopError, match="was removed"):
        read_access(database, keyring, DOMAIN)


def test_a_removed_shop_forgets_its_token_and_may_come_back(database: Database) -> None:
    keyring = ring(key())
    before = shops.install(database, keyring, DOMAIN, Secret(TOKEN))
    shops.remove(database, DOMAIN)
    with database.connect(Role.PIPELINE) as connection:
        row = connection.execute(
            "SELECT access_token_ciphertext || access_token_iv || access_token_tag FROM shops"
        ).fetchone()
    assert row == (b"",)
    again = shops.install(database, keyring, DOMAIN, Secret(TOKEN + "2"))
    assert again == before
    assert read_access(database, keyring, DOMAIN).token.get_secret_value() == TOKEN + "2"


def test_one_shop_under_another_domain_is_renamed(database: Database) -> None:
    keyring = ring(key())
    facts = ShopFacts("Casa Verde", 4711, "RON", "Europe/Bucharest", "Basic", ())
    shop = shops.install(database, keyring, DOMAIN, Secret(TOKEN), facts=facts)
    assert shops.install(database, keyring, OTHER, Secret(TOKEN + "2"), facts=facts) == shop
    assert [(row["domain"], row["formerly"]) for row in shops.listed(database)] == [(OTHER, [DOMAIN])]
    assert read_access(database, keyring, OTHER).token.get_secret_value() == TOKEN + "2"
