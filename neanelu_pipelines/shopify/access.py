"""Access to one shop: its domain, its API version and its token.

Belongs here: what a domain and a token look like, keeping a shop's token in `shops` and reading it back. Does not
belong here: encryption (`vault`), requests (`client`).
"""

import re
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from pydantic import SecretStr

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.vault import Keyring, SealedToken

Secret = SecretStr
"""A value that neither repr, str nor a log shows; `get_secret_value()` gives it."""

_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
_VERSION = re.compile(r"20\d\d-(01|04|07|10)|unstable")
# What may stand in a header and in no log: a stray newline or a letter with a diacritic is a mistake of copying.
_TOKEN = re.compile(r"[\x21-\x7e]{8,255}")


class ShopError(NeaneluError):
    """A shop that is not there, has no token, or has a domain or token that cannot be one."""


@dataclass(frozen=True)
class ShopAccess:
    """What a request to a shop needs. The repr hides the token."""

    shop_id: UUID
    domain: str
    api_version: str
    token: Secret

    def __post_init__(self) -> None:
        """Refuse what must not become part of a URL or a header."""
        require_domain(self.domain)
        require_token(self.token)
        if not _VERSION.fullmatch(self.api_version):
            raise ShopError(f"{self.api_version!r} is not a version of the Admin API: it must look like 2025-10.")


def require_domain(domain: str) -> str:
    """The domain, if it can be a shop's.

    Raises:
        ShopError: it cannot.
    """
    if not _DOMAIN.fullmatch(domain):
        raise ShopError(f"{domain!r} is not a shop's domain: it must look like my-shop.myshopify.com, in lower case.")
    return domain


def require_token(token: Secret) -> Secret:
    """The token, if it can be one.

    Raises:
        ShopError: it cannot; the message does not show it.
    """
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise ShopError(
            "This is not an access token: it must be 8 to 255 printable characters without spaces, such as shpat_…"
        )
    return token


def read_access(database: Database, keyring: Keyring, shop: str | UUID) -> ShopAccess:
    """The access to a shop, by its domain or its id.

    Raises:
        ShopError: there is no such shop, it was removed, or it has no token.
        KeyringError: the token does not open with the keys that there are.
    """
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        return _read(connection, keyring, shop)


def _read(connection: psycopg.Connection, keyring: Keyring, shop: str | UUID) -> ShopAccess:
    by_id = isinstance(shop, UUID)
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            statement("shopify/read_access"),
            {"shop_id": shop if by_id else None, "shop_domain": None if by_id else shop},
        ).fetchone()
    if row is None:
        raise ShopError(f"There is no shop {shop} here. `neanelu shop add` adds one.")
    domain = row["domain"]
    if row["uninstalled_at"] is not None:
        raise ShopError(f"{domain} was removed. `neanelu shop add {domain}` brings it back.")
    if not row["ciphertext"]:
        raise ShopError(f"{domain} has no access token. `neanelu shop add {domain}` gives it one.")
    sealed = SealedToken(row["ciphertext"], row["nonce"], row["tag"], row["key_version"])
    return ShopAccess(row["id"], domain, row["api_version"], keyring.open(sealed, row["id"]))
