"""Fixtures of the mirror's tests: a database with two shops, and the river in it."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from psycopg import sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.settings import Settings
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River
from tests.mirror.office import NOW, OVERLAP, Clock, MakeOffice, Office
from tests.mirror.people import spread
from tests.shopify.bulk import Desk
from tests.shopify.conftest import make_shop


@pytest.fixture
def mirror_settings(tmp_path: Path) -> Settings:
    """Small blocks, so that a small file is several; all lines may be bad, so that a test needs few good ones."""
    return Settings(
        home=tmp_path / "home",
        artifact_url=str(tmp_path / "artifacts"),
        block_bytes=64 * 1024,
        max_reject_share=1.0,
        _env_file=None,
    )


@pytest.fixture(scope="session")
def _mirror_database(server: EmbeddedServer, _template: str) -> str:
    """One database for all tests of the river: to clone one costs more than most of them."""
    name = f"{_template}_mirror"
    with server.database("postgres").connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_template))
        )
    return name


@pytest.fixture
def river(server: EmbeddedServer, _mirror_database: str, mirror_settings: Settings, tmp_path: Path) -> Iterator[River]:
    """The river of two shops, of which nothing was loaded yet; both keep accounts in lei."""
    server.start()  # A test may have left it dead.
    database = server.database(_mirror_database)
    shops = {domain: _add_shop(database, domain) for domain in (DOMAIN, OTHER_DOMAIN)}
    made = River(database, mirror_settings, tmp_path, shops)
    yield made
    server.start()
    made.clear(also=["shops"])


def _add_shop(database: Database, domain: str) -> UUID:
    with database.connect(Role.ADMIN) as connection:
        row = connection.execute(
            "INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes)"
            " VALUES (%s, '', '', '', '{read_products}') RETURNING id",
            [domain],
        ).fetchone()
    assert row
    return UUID(str(row[0]))


@pytest.fixture(scope="session")
def _street() -> Iterator[tuple[Sandbox, Clock, Iterator[str]]]:
    """One server with a shop for each test, or example of one."""
    clock = Clock()
    shops = [
        GeneratedShop(f"comenzi-{number}.myshopify.com", seed=number, products=4, orders=24, customers=4)
        for number in range(60)
    ]
    with Sandbox(shops, bucket=(1e6, 1e6), clock=clock) as sandbox:
        yield sandbox, clock, iter(sandbox.domains)


@pytest.fixture
def new_office(river: River, _street: tuple[Sandbox, Clock, Iterator[str]]) -> MakeOffice:
    sandbox, clock, domains = _street
    own = river.settings.model_copy(update={"sync_overlap": OVERLAP})

    def make() -> Office:
        clock.now = NOW
        domain = next(domains)
        shop_id = make_shop(river.database, domain)
        root = Path(own.artifact_root)
        desk = Desk(river.database.urls, sandbox.url_template, sandbox.token(domain), shop_id, root, domain)
        return Office(river, sandbox, desk, clock, own)

    return make


@pytest.fixture
def office(new_office: MakeOffice) -> Office:
    return new_office()


@pytest.fixture
def swept(river: River) -> Iterator[River]:
    """Nothing of a test is left to the next."""
    yield river
    for table in (
        "pipeline.redactions",
        "pipeline.forgotten",
        "webhook_events",
        "feature_flags",
        "oauth_states",
        "staff_users",
    ):
        river.do(f"DELETE FROM {table}")


@pytest.fixture
def peopled(swept: River) -> River:
    spread(swept, DOMAIN)
    return swept
