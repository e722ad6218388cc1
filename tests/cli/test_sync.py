"""`neanelu sync` as a person runs it: against a sandbox, from a token to rows; what waits, what is refused."""

import base64
import json
import os
from collections.abc import Iterator

import pytest
import typer

from neanelu_pipelines.cli import orchestra, sync
from neanelu_pipelines.cli.outcome import LoadOutcome
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.sandbox.admin import GeneratedShop, Pace, Sandbox
from neanelu_pipelines.settings import Settings
from tests.cli.home import Home

SLOW, DENIED = "incet.myshopify.com", "fara-drept.myshopify.com"
PRODUCTS = ("--resource", "products")
KEYS = "1:" + base64.b64encode(os.urandom(32)).decode()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    shops = [
        GeneratedShop(SLOW, seed=2, products=15),
        GeneratedShop(DENIED, seed=3, products=5, scopes=("read_locations",)),
    ]
    with Sandbox(shops) as served:
        served.bulk(SLOW).pace = Pace(running=2.0)
        yield served


@pytest.fixture(scope="module")
def environment(home: Home, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings that make `home` talk to the sandbox; its shops have their tokens."""
    settings = {
        "NEANELU_ENCRYPTION_KEYS": KEYS,
        "NEANELU_SHOPIFY_URL": sandbox.url_template,
        "NEANELU_EXPORT_FIRST_POLL": "0.1",
    }
    file = tmp_path_factory.mktemp("tokens") / "token"
    for domain in (SLOW, DENIED):
        file.write_text(sandbox.token(domain), encoding="utf-8")
        added = home.run("shop", "add", domain, "--token-file", str(file), "--offline", **settings)
        assert added.returncode == 0, added.stderr
    return settings


def test_sync_waits_goes_on_and_says_what_is_missing(home: Home, sandbox: Sandbox, environment: dict[str, str]) -> None:
    waiting = home.json("sync", "--shop", SLOW, *PRODUCTS, **environment, NEANELU_EXPORT_WAIT="0.2")
    assert (waiting["exit"], waiting["status"]) == (1, "waiting"), waiting["stderr"]
    assert "exports_due" in waiting["error"]
    shown = home.run("status", **environment)
    assert "waits for Shopify" in shown.stdout

    done = home.json("sync", "--shop", SLOW, *PRODUCTS, **environment)
    assert done["exit"] == 0, done["stderr"]
    assert (done["status"], done["source"]) == ("completed", "Shopify")
    assert done["run_id"] == waiting["run_id"], "the same export"
    assert done["table_rows"]["shopify_products"] == 15
    assert done["shopify"]["object_count"] == done["rows"]["read"] > 15
    assert done["shopify"]["operation_id"].startswith("gid://shopify/BulkOperation/")

    since = home.json("sync", "--shop", SLOW, *PRODUCTS, "--since-last", **environment)
    assert (since["exit"], since["rows"]["read"]) == (0, 0), "nothing changed meanwhile"
    assert (done["asked_for"], since["asked_for"]) == ("all", "changes")

    denied = home.json("sync", "--shop", DENIED, *PRODUCTS, **environment)
    assert (denied["exit"], denied["status"]) == (1, "denied")
    assert "read_products" in denied["error"]

    said = json.dumps([waiting, done, denied]) + shown.stdout
    assert not [domain for domain in (SLOW, DENIED) if sandbox.token(domain) in said]


def test_a_sync_removes_what_is_gone_or_says_why_not(home: Home, sandbox: Sandbox, environment: dict[str, str]) -> None:
    first = home.run("sync", "--shop", SLOW, *PRODUCTS, **environment)
    assert first.returncode == 0, first.stderr
    shop = sandbox.shop(SLOW)
    gids = [str(shop.products.table.node(place)["id"]) for place in range(13)]
    shop.delete(gids[0])
    said = home.run("sync", "--shop", SLOW, *PRODUCTS, **environment)
    assert said.returncode == 0, said.stderr
    assert "removed what is gone in Shopify" in said.stdout
    assert "1 of shopify_products" in said.stdout

    for one in gids[1:]:
        shop.delete(one)
    refused = home.json("sync", "--shop", SLOW, *PRODUCTS, **environment)
    assert (refused["exit"], refused["removal"]["outcome"]) == (0, "refused")
    wish = f"`neanelu removals look --export {refused['run_id']} --max-share X`"
    assert wish in refused["removal"]["reason"]
    look = ("removals", "look", "--shop", SLOW)
    assert home.json(*look, **environment)["exports"] == [], "by itself nothing is looked at again"
    [done] = home.json(*look, "--export", refused["run_id"], "--max-share", "1", **environment)["exports"]
    assert done["tables"]["shopify_products"] == 12
    assert home.json(*look, "--max-share", "1", **environment)["exit"] == 1


def test_several_resources_are_reported_one_by_one_and_a_missing_scope_stops_no_other(
    home: Home, environment: dict[str, str]
) -> None:
    done = home.run("sync", "--shop", DENIED, "--since-last", *PRODUCTS, "--resource", "locations", **environment)
    assert done.returncode == 1
    assert done.stdout.index("locations ") < done.stdout.index("products ")
    assert "locations  completed" in done.stdout
    assert "All of locations was asked for, not only what changed: the mirror has no moment" in done.stdout
    assert "1 of 2 resources synced" in done.stdout
    assert "denied: products" in done.stdout
    assert "read_products" in done.stderr


def test_without_a_resource_all_are_synced_and_one_object_tells_of_them(
    home: Home, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(world: World, *, shop: str, resource: str, **_: object) -> LoadOutcome:
        status = {"customers": "denied", "orders": "failed"}.get(resource, "completed")
        return LoadOutcome(shop, resource, "Shopify", "run", status, 1.0, interrupted=resource == "orders")

    given = {name.removeprefix("NEANELU_").lower(): value for name, value in environment.items()}
    world = World(Settings(home=home.path, **given))  # type: ignore[arg-type]
    monkeypatch.setattr(sync, "open_world", lambda: world)
    monkeypatch.setattr(orchestra, "run_load", load)
    with pytest.raises(typer.Exit) as ended:
        sync.sync(shop=DENIED, as_json=True)
    assert ended.value.exit_code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["shop"]) == ("partial", DENIED)
    begun = [outcome["resource"] for outcome in told["resources"]]
    assert begun[-1] == "orders", "broken off by a person: nothing more is begun"
    assert [*begun, *told["not_begun"]] == list(sync.ORDER)
    assert set(sync.ORDER) == set(RESOURCES)


def test_doctor_tries_every_token_and_sync_says_what_it_lacks(home: Home, environment: dict[str, str]) -> None:
    def verdict(keys: str) -> tuple[str, str]:
        found = home.json("doctor", **{**environment, "NEANELU_ENCRYPTION_KEYS": keys})
        assert "webhook secrets" in {finding["what"] for finding in found["findings"]}
        [tokens] = [finding for finding in found["findings"] if finding["what"] == "access tokens"]
        return tokens["verdict"], tokens["found"]

    other = base64.b64encode(os.urandom(32)).decode()
    assert verdict(KEYS) == ("good", "all 2 open")
    assert verdict(f"{KEYS},2:{other}")[0] == "doubtful"
    wrong, words = verdict(f"1:{other}")
    assert wrong == "wrong"
    assert SLOW in words
    assert other not in words

    keyless = home.json("sync", "--shop", SLOW, *PRODUCTS, **{**environment, "NEANELU_ENCRYPTION_KEYS": ""})
    assert keyless["exit"] == 1
    assert "NEANELU_ENCRYPTION_KEYS" in keyless["error"]
    assert home.json("shop", "remove", SLOW, "--yes")["exit"] == 0
    gone = home.json("sync", "--shop", SLOW, *PRODUCTS, **environment)
    assert gone["exit"] == 1
    assert "shop add" in gone["error"]
