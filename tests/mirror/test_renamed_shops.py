"""A shop that was renamed in Shopify stays the same shop here, and goes as a whole: also what is named as it was."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest

from neanelu_pipelines.cli.shop import verified
from neanelu_pipelines.cli.shops import require_shop
from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.mirror.forgotten import ForgottenShopError
from neanelu_pipelines.mirror.redaction import redact_shop
from neanelu_pipelines.mirror.redaction import shops as of_shops
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.sandbox.admin.faults import Trouble
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, ShopAccess, ShopError, read_access
from neanelu_pipelines.shopify.bulk import exports, ledger
from neanelu_pipelines.shopify.faults import ShopMoved
from neanelu_pipelines.shopify.vault import Keyring
from neanelu_pipelines.shopify.webhooks import own_secrets
from tests.mirror.lines import River, moment, product
from tests.mirror.people import MARKS, PEOPLE, everything, files, redact
from tests.shopify.desks import SLOW
from tests.shopify.test_vault import key, ring
from tests.shopify.webhooks import event, posted

if TYPE_CHECKING:
    from neanelu_pipelines.cli.world import World

OLD, NEW, OTHER = "casa-veche.myshopify.com", "casa-noua.myshopify.com", "alta-casa.myshopify.com"
TOKEN = "shpat_0123456789abcdef"


@pytest.fixture(scope="module")
def street() -> Iterator[Sandbox]:
    """One shop under two names, and another."""
    same = [GeneratedShop(domain, seed=7, products=3, token=TOKEN) for domain in (OLD, NEW)]
    with Sandbox([*same, GeneratedShop(OTHER, seed=8, products=3, token=TOKEN)], bucket=(1e6, 1e6)) as sandbox:
        yield sandbox


class Town:
    """Shops are added as the command does it."""

    def __init__(self, river: River, sandbox: Sandbox, keyring: Keyring) -> None:
        self.river, self.sandbox, self.keyring = river, sandbox, keyring

    @property
    def database(self) -> Database:
        return self.river.database

    def add(self, domain: str, *, offline: bool = False) -> UUID:
        token = Secret(TOKEN)
        facts = None
        if not offline:
            facts = verified(ShopAccess(UUID(int=0), domain, "2025-10", token), self.sandbox.url_template)
        return shops.install(self.database, self.keyring, domain, token, facts=facts)

    def domains(self) -> list[str]:
        of_tests = {"unelte.myshopify.com", "gradina.myshopify.com"}
        return [one["domain"] for one in shops.listed(self.database) if one["domain"] not in of_tests]


@pytest.fixture
def town(swept: River, street: Sandbox) -> Iterator[Town]:
    yield Town(swept, street, ring(key()))
    street.faults.clear()
    swept.do("DELETE FROM pipeline.former_domains")


def rename(town: Town) -> UUID:
    """The merchant renames the shop; it is added under its new domain."""
    town.sandbox.faults.add(Trouble.RENAMED, shop=OLD, to=NEW, times=1000)
    with pytest.raises(ShopMoved, match="neanelu shop add"):
        town.add(OLD)
    return town.add(NEW)


def forget(town: Town, key: str, domain: str = NEW) -> Any:
    settings = town.river.settings
    return redact_shop(town.database, settings, shop_domain=domain, request_key=key, asked_at=datetime.now(UTC))


def test_it_keeps_its_rows_and_goes_with_what_lies_under_its_former_name(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = town.add(OLD)
    river = town.river
    river.shops[OLD] = river.shops[NEW] = shop
    river.load([product(1)], domain=OLD, as_of=moment(2))
    river.load(PEOPLE, resource="customers", domain=OLD, as_of=moment(2))
    inbox = Path(river.settings.artifact_root, "inbox", OLD, "products.jsonl")
    inbox.parent.mkdir(parents=True)
    inbox.write_text("{}")
    loaded = river.one("SELECT count(*) FROM shopify_products WHERE shop_id = %s", shop)

    assert rename(town) == shop

    assert town.domains() == [NEW]
    assert [one["formerly"] for one in shops.listed(town.database) if one["domain"] == NEW] == [[OLD]]
    assert read_access(town.database, town.keyring, NEW).token.get_secret_value() == TOKEN
    assert river.one("SELECT count(*) FROM shopify_products WHERE shop_id = %s", shop) == loaded
    assert [posted(town.database, event(), domain=domain) for domain in (NEW, OLD, OTHER)] == [[200], [200], [404]]
    assert river.one("SELECT count(*) FROM webhook_events WHERE shop_id = %s AND topic = 'products/update'", shop) == 2

    assert [one for one in files(river, OLD) if MARKS[1] in one.read_text().lower()]
    assert redact(river, domain=NEW).status == "completed"
    assert not [one for one in files(river, OLD) if MARKS[1] in one.read_text().lower()]
    river.load([product(9)], domain=NEW, as_of=moment(5))
    assert files(river, OLD)
    assert files(river, NEW)
    river.do("INSERT INTO feature_flags (flag_key, allowed_shop_ids, description) VALUES ('x', '{}', %s)", f"of {OLD}")
    assert shops.remove(town.database, NEW)

    with monkeypatch.context() as patch:
        patch.setattr(of_shops, "_refresh_views", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            forget(town, "plecare")
    assert not files(river, OLD)
    inbox.parent.mkdir(parents=True)
    inbox.write_text("{}")
    assert forget(town, "plecare").status == "completed", "the record knows the names when the rows are gone"

    assert not files(river, OLD)
    assert not files(river, NEW)
    assert not inbox.exists()
    text = "\n".join(everything(river, shop).values())
    assert not [name for name in (OLD, NEW, str(shop)) if name in text]
    town.add(OLD, offline=True)
    with pytest.raises(ForgottenShopError):
        river.load([product(1)], domain=OLD, as_of=moment(2))


def test_an_export_under_way_goes_on_where_its_pieces_lie(town: Town) -> None:
    shop, root = town.add(OLD), town.river.settings.artifact_root
    town.sandbox.bulk(OLD).pace = SLOW
    query = "{ products { edges { node { __typename id title } } } }"
    run = exports.begin(town.database, shop_id=shop, resource="products", query=query, dagster_run_id="")

    def target() -> str:
        with ledger.opened(town.database) as book:
            return exports._target_of(ledger.read_export(book, run), root)

    before = target()
    assert OLD in before
    rename(town)
    assert target() == before


def test_its_webhooks_bear_either_name_and_its_own_secret_holds_for_both(town: Town) -> None:
    town.add(OLD)
    own_secrets.keep(town.database, town.keyring, OLD, Secret("secretul-magazinului"))
    rename(town)
    known = own_secrets.OwnSecrets(town.database, town.keyring)
    known.load()
    assert known.of(OLD.encode())
    assert known.of(NEW.encode())
    assert not known.of(OTHER.encode())


def test_its_former_name_is_no_other_s_and_it_may_have_it_again(town: Town) -> None:
    shop = town.add(OLD)
    rename(town)
    with pytest.raises(ShopError, match=f"say {NEW}"):
        town.add(OLD, offline=True)
    with pytest.raises(ShopError, match=f"it is {NEW} here now"):
        require_shop(cast("World", SimpleNamespace(database=town.database)), OLD)
    town.sandbox.faults.clear()
    assert town.add(OLD) == shop
    assert town.domains() == [OLD]
    assert town.river.query("SELECT domain FROM pipeline.former_domains") == [(NEW,)]
    assert rename(town) == shop


def test_a_row_that_was_only_added_gives_way_and_one_with_rows_of_its_own_does_not(town: Town) -> None:
    shop = town.add(OLD)
    bare = town.add(NEW, offline=True)
    assert rename(town) == shop
    of_bare = "SELECT count(*) FROM audit_logs WHERE shop_id = %s"
    assert (town.river.one(of_bare, bare), town.domains()) == (0, [NEW])

    third = town.add(OTHER, offline=True)
    town.river.do("INSERT INTO bulk_runs (shop_id, operation_type, status) VALUES (%s, 'X', 'failed')", third)
    town.river.do("UPDATE shops SET shopify_shop_id = shopify_shop_id + 1 WHERE id = %s", shop)
    with pytest.raises(ShopError, match=f"which is here as {NEW}; but {OTHER} has rows"):
        town.add(OTHER)
    assert town.domains() == [OTHER, NEW]


def test_two_who_add_it_at_once_make_one_shop(town: Town) -> None:
    shop = town.add(OLD)
    town.sandbox.faults.add(Trouble.RENAMED, shop=OLD, to=NEW, times=1000)
    with ThreadPoolExecutor(4) as several:
        found = [one.result() for one in [several.submit(town.add, NEW) for _ in range(4)]]
    assert set(found) == {shop}
    assert town.domains() == [NEW]
