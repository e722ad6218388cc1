"""`neanelu shop`: a shop with a token, from the command line to the database, and nothing of the token in between."""

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.home import COMMAND, Home
from tests.shopify.scripted import Answer, good, scripted

SHOP = "casa-verde.myshopify.com"
TOKEN = "shpat_5ecret0123456789abcdefabcdefab"
KEYS = "1:" + base64.b64encode(os.urandom(32)).decode()
FACTS: dict[str, Any] = {
    "shop": {
        "id": "gid://shopify/Shop/4711",
        "name": "Casa Verde",
        "myshopifyDomain": SHOP,
        "currencyCode": "RON",
        "ianaTimezone": "Europe/Bucharest",
        "plan": {"publicDisplayName": "Basic"},
    },
    "currentAppInstallation": {"accessScopes": [{"handle": "read_products"}, {"handle": "read_orders"}]},
}


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n", encoding="utf-8")
    return str(path)


def test_a_shop_comes_is_shown_and_goes(home: Home, token_file: str) -> None:
    with scripted(good(FACTS)) as server:
        environment = {"NEANELU_ENCRYPTION_KEYS": KEYS, "NEANELU_SHOPIFY_URL": server.template}
        added = home.run("shop", "add", SHOP, "--token-file", token_file, "--json", **environment)
        assert added.returncode == 0, added.stderr
        assert server.requests[0].headers["X-Shopify-Access-Token"] == TOKEN
    found = json.loads(added.stdout)
    assert (found["verified"], found["name"], found["scopes"]) == (True, "Casa Verde", ["read_orders", "read_products"])
    assert found["shows_part"] == {"orders": "read_all_orders"}
    listed = home.json("shop", "list")
    assert [shop["domain"] for shop in listed["shops"]] == [SHOP]
    assert listed["shops"][0]["token"] is True
    assert listed["shops"][0]["shopify_id"] == 4711
    words = home.run("shop", "list")
    assert SHOP in words.stdout
    assert TOKEN not in added.stdout + added.stderr + json.dumps(listed) + words.stdout

    refused = home.json("shop", "remove", SHOP)
    assert refused["exit"] == 1
    assert "--yes" in refused["error"]
    assert home.json("shop", "remove", SHOP, "--yes")["data_kept"] is True
    gone = home.json("shop", "list")["shops"][0]
    assert (gone["installed"], gone["token"]) == (False, False)

    new = "casa-noua.myshopify.com"
    with scripted(good({**FACTS, "shop": {**FACTS["shop"], "myshopifyDomain": new}})) as server:
        environment = {"NEANELU_ENCRYPTION_KEYS": KEYS, "NEANELU_SHOPIFY_URL": server.template}
        renamed = home.run("shop", "add", new, "--token-file", token_file, **environment)
    assert f"{new} is the shop that was here as {SHOP}: renamed" in " ".join(renamed.stdout.split())
    (listed,) = home.json("shop", "list")["shops"]
    assert (listed["domain"], listed["formerly"]) == (new, [SHOP])
    assert "4711" in home.run("shop", "list").stdout


def test_a_token_may_come_through_a_pipe(home: Home) -> None:
    done = subprocess.run(
        [*COMMAND, "shop", "add", "teava.myshopify.com", "--offline"],
        input=TOKEN,
        env={**home.environment, "NEANELU_ENCRYPTION_KEYS": KEYS},
        cwd=home.path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "was not asked" in done.stdout
    assert TOKEN not in done.stdout + done.stderr


def test_a_token_that_does_not_open_the_shop_is_not_kept(home: Home, token_file: str) -> None:
    other = good({**FACTS, "shop": {**FACTS["shop"], "myshopifyDomain": "alta.myshopify.com"}})
    unknown = Answer(401, b'{"errors":"[API] Invalid API key or access token"}')
    new = "nou.myshopify.com"
    for answer, says in (
        (unknown, "does not accept the token"),
        (other, "is that of alta"),
        (good(), "does not describe"),
    ):
        with scripted(answer) as server:
            environment = {"NEANELU_ENCRYPTION_KEYS": KEYS, "NEANELU_SHOPIFY_URL": server.template}
            done = home.json("shop", "add", new, "--token-file", token_file, **environment)
        assert done["exit"] == 1
        assert says in done["error"]
        assert TOKEN not in json.dumps(done)
    assert new not in [shop["domain"] for shop in home.json("shop", "list")["shops"]]


def test_what_a_user_gets_wrong_is_words(home: Home, token_file: str, tmp_path: Path) -> None:
    bad_token = tmp_path / "bad"
    bad_token.write_text("my token is shpat_x", encoding="utf-8")
    for arguments, environment, says in (
        (("add", "Casa Verde", "--token-file", token_file), {"NEANELU_ENCRYPTION_KEYS": KEYS}, "must look like"),
        (("add", SHOP, "--token-file", str(bad_token)), {"NEANELU_ENCRYPTION_KEYS": KEYS}, "not an access token"),
        (("add", SHOP, "--token-file", token_file), {}, "NEANELU_ENCRYPTION_KEYS is not set"),
        (
            ("add", SHOP, "--token-file", token_file),
            {"NEANELU_ENCRYPTION_KEYS": KEYS, "NEANELU_SHOPIFY_URL": "http://example.com/{domain}"},
            "https only",
        ),
    ):
        done = home.run("shop", *arguments, **environment)
        assert done.returncode == 1, arguments
        assert says in done.stderr
        assert "Traceback" not in done.stderr
        assert "shpat_x" not in done.stdout + done.stderr
