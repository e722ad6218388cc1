"""Where the demo does not write: another server, a real shop under one of its domains, other shops' events."""

import base64
import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from neanelu_pipelines.cli.demo import SHOPS, DemoRefusedError, refuse_elsewhere, refuse_real_shops
from neanelu_pipelines.cli.demo_live import DOMAIN, work_off_own
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.access import Secret
from neanelu_pipelines.shopify.shops import install
from neanelu_pipelines.shopify.vault import Keyring
from tests.cli.home import Home
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import event, events_of, posted

TOKEN = Secret("shpat_5ecret0123456789abcdefabcdefab")


def settings_of(home: Path, **given: object) -> Settings:
    key = base64.b64encode(os.urandom(32)).decode()
    return Settings(home=home, encryption_keys=SecretStr(f"1:{key}"), _env_file=None, **given)  # type: ignore[arg-type]


def world_of(database: Database, home: Path) -> World:
    world = World(settings_of(home))
    world.__dict__["database"] = database  # as if it had been opened
    return world


def test_the_demo_command_refuses_a_database_that_is_named_before_it_looks_at_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    url = "postgresql://nobody:geheim@127.0.0.1:1/production"
    done = home.run("demo", NEANELU_DATABASE_URL=url)
    assert done.returncode == 1
    assert "unset NEANELU_DATABASE_URL" in done.stderr
    assert "neanelu sandbox" in done.stderr
    assert "geheim" not in done.stderr
    assert not home.path.exists()


@pytest.mark.parametrize("name", ["database_url", "dagster_database_url"])
def test_every_database_that_is_named_is_refused(name: str, tmp_path: Path) -> None:
    refuse_elsewhere(World(settings_of(tmp_path)))
    with pytest.raises(DemoRefusedError, match=f"unset NEANELU_{name.upper()} "):
        refuse_elsewhere(World(settings_of(tmp_path, **{name: SecretStr("postgresql://u:geheim@h/d")})))


@pytest.mark.parametrize("domain", [DOMAIN, SHOPS[0].domain])
def test_a_real_shop_of_the_demos_name_is_refused(database: Database, tmp_path: Path, domain: str) -> None:
    world = world_of(database, tmp_path)
    install(database, Keyring.from_settings(world.settings), "casa-verde.myshopify.com", TOKEN)
    refuse_real_shops(world)
    install(database, Keyring.from_settings(world.settings), domain, TOKEN)
    with pytest.raises(DemoRefusedError, match=domain):
        refuse_real_shops(world)


def test_a_token_of_a_demo_that_was_killed_is_no_real_shops(database: Database, tmp_path: Path) -> None:
    thrown_away = Keyring.from_settings(settings_of(tmp_path))
    install(database, thrown_away, DOMAIN, TOKEN)
    refuse_real_shops(world_of(database, tmp_path))


def test_the_demo_works_off_its_own_events_only(database: Database, tmp_path: Path) -> None:
    real, own = make_shop(database), make_shop(database, DOMAIN)
    posted(database, event())
    posted(database, event(), domain=DOMAIN)
    work_off_own(database, settings_of(tmp_path, artifact_url=str(tmp_path / "artifacts")))
    assert [state for _, state, _, _ in events_of(database, real)] == ["new"]
    assert [state for _, state, _, _ in events_of(database, own)] != ["new"]
    with database.connect(Role.PIPELINE) as connection:
        rows = connection.execute("SELECT shop_id FROM bulk_runs WHERE shop_id = %s", [real]).fetchall()
    assert rows == []
