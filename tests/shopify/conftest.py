"""A shop with a token, and a client of it that is in a hurry."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.access import Secret, ShopAccess
from neanelu_pipelines.shopify.client import AdminClient, Patience
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
    return Settings(home=tmp_path, artifact_url=str(tmp_path / "artifacts"), _env_file=None)  # type: ignore[call-arg]


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
