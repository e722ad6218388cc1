"""A shop with a token, a client of it that is in a hurry, and desks that export from it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.sandbox.admin.bulk import Pace as SandboxPace
from neanelu_pipelines.sandbox.admin.server import Sandbox
from neanelu_pipelines.sandbox.shop.generated import GeneratedShop
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.access import Secret, ShopAccess
from neanelu_pipelines.shopify.client import AdminClient, Patience
from tests.shopify.bulk import Desk
from tests.shopify.desks import MakeDesk
from tests.shopify.scripted import Scripted

TOKEN = "shpat_5ecret0123456789abcdefabcdefab"
DOMAIN = "casa-verde.myshopify.com"
QUICK = Patience(tries=4, max_wait=5.0, timeout=5.0, max_reply_bytes=1_000_000)


def access(shop_id: UUID | None = None, token: str = TOKEN) -> ShopAccess:
    return ShopAccess(shop_id or uuid4(), DOMAIN, "2025-10", Secret(token))


def make_shop(database: Database, domain: str = DOMAIN) -> UUID:
    """A shop without a token."""
    with database.connect(Role.PIPELINE) as connection:
        row = connection.execute(
            "INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes)"
            " VALUES (%s, '', '', '', '{}') RETURNING id",
            [domain],
        ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


@pytest.fixture
def obeyed(tmp_path: Path) -> Settings:
    """Settings that hold whatever the environment says."""
    return Settings(home=tmp_path, artifact_url=str(tmp_path / "artifacts"), _env_file=None)


ClientOf = Callable[..., AdminClient]


@pytest.fixture
def client_of() -> Iterator[ClientOf]:
    """Makes clients of a scripted server; `naps` collects how long they would have slept."""
    with ExitStack() as stack:

        def make(server: Scripted, naps: list[float] | None = None, **given: Any) -> AdminClient:
            arguments: dict[str, Any] = {
                "database": None,
                "endpoint": server.template,
                "patience": QUICK,
                "sleep": (naps if naps is not None else []).append,
                **given,
            }
            return stack.enter_context(AdminClient(arguments.pop("access", None) or access(), **arguments))

        yield make


@pytest.fixture(scope="session")
def _ledger_database(server: EmbeddedServer, _template: str) -> str:
    """One database for all these tests: to clone one costs more than most of them."""
    name = f"{_template}_bulk"
    with server.database("postgres").connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_template))
        )
    return name


@pytest.fixture(scope="session")
def _street() -> Iterator[tuple[Sandbox, Iterator[str]]]:
    """One server with a shop for each test: to start and end one costs more than most of them."""
    shops = [GeneratedShop(f"gradina-{number}.myshopify.com", seed=number, products=20) for number in range(80)]
    with Sandbox(shops, bucket=(1e6, 1e6)) as sandbox:
        yield sandbox, iter(sandbox.domains)


@pytest.fixture
def desk_of(
    server: EmbeddedServer, _ledger_database: str, _street: tuple[Sandbox, Iterator[str]], tmp_path: Path
) -> Iterator[MakeDesk]:
    """Makes a desk, with a sandbox in which its shop is, and a ledger in which nothing stands yet."""
    server.start()  # A test may have left it dead.
    database = server.database(_ledger_database)
    with ExitStack() as stack:

        def make(*, pace: SandboxPace | None = None, **spec: Any) -> tuple[Desk, Sandbox]:
            sandbox, unused = _street
            domain = next(unused)
            if spec:
                shop = GeneratedShop(domain, seed=7, **spec)
                sandbox = stack.enter_context(Sandbox([shop], bucket=(1e6, 1e6)))
            sandbox._shops[domain].bulk.pace = pace or SandboxPace()
            shop_id = make_shop(database, domain)
            root = tmp_path / "artifacts"
            return Desk(database.urls, sandbox.url_template, sandbox.token(domain), shop_id, root, domain), sandbox

        yield make
    _street[0].faults.clear()
    with database.connect(Role.ADMIN) as connection:
        for table in ("bulk_artifacts", "bulk_steps", "bulk_errors", "bulk_runs", "sync_checkpoints", "shops"):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


@pytest.fixture
def desk(desk_of: MakeDesk) -> Desk:
    return desk_of()[0]
