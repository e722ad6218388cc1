"""Shops as this installation knows them: made, given a token, removed.

Belongs here: the rows of `shops`. Does not belong here: asking Shopify about a shop (`identity`), reading a token to
use it (`access`), talking to a person (`cli`).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.shopify.access import Secret, ShopError, require_domain, require_token
from neanelu_pipelines.shopify.vault import Keyring


@dataclass(frozen=True)
class ShopFacts:
    """What Shopify says of a shop and of what the token may do."""

    name: str
    number: int
    currency: str
    timezone: str
    plan: str
    scopes: tuple[str, ...]


def register(connection: psycopg.Connection, domain: str) -> UUID:
    """Make a shop without a token, if it is not there; its id. Its row is locked until the transaction ends.

    Raises:
        ShopError: the domain is not a shop's.
    """
    where = {"shop_domain": require_domain(domain)}
    connection.execute(statement("shopify/register_shop"), where)
    row = connection.execute(statement("shopify/lock_shop"), where).fetchone()
    if row is None:
        raise ShopError(f"{domain} was deleted while it was being added. Try again.")
    return UUID(str(row[0]))


def install(
    database: Database,
    keyring: Keyring,
    domain: str,
    token: Secret,
    *,
    facts: ShopFacts | None = None,
    api_version: str | None = None,
) -> UUID:
    """Give a shop its token, sealed, and make the shop if it is new. One transaction.

    Args:
        database: where the shops are.
        keyring: its current key seals the token.
        domain: the shop's.
        token: what Shopify gave for it.
        facts: what Shopify says of the shop, if it was asked.
        api_version: the version to speak with it; None keeps what is there.

    Raises:
        ShopError: the domain or the token cannot be one, or the shop is here already under another domain.
    """
    require_token(token)
    try:
        with database.connect(Role.PIPELINE) as connection:
            shop_id = register(connection, domain)
            sealed = keyring.seal(token, shop_id)
            connection.execute(
                statement("shopify/install_shop"),
                {
                    "shop_id": shop_id,
                    "ciphertext": sealed.ciphertext,
                    "nonce": sealed.nonce,
                    "tag": sealed.tag,
                    "key_version": sealed.key_version,
                    "scopes": list(facts.scopes) if facts else None,
                    "number": facts.number if facts else None,
                    "currency": facts.currency if facts else None,
                    "timezone": facts.timezone if facts else None,
                    "api_version": api_version,
                },
            )
    except psycopg.errors.UniqueViolation:
        raise ShopError(
            f"The shop of {domain} is here already under another domain: `neanelu shop list` shows it by its Shopify "
            f"number{f' {facts.number}' if facts else ''}."
        ) from None
    return shop_id


def remove(database: Database, domain: str) -> bool:
    """Forget a shop's token and mark it as uninstalled; False if no installed shop has the domain. Its data stays."""
    with database.connect(Role.PIPELINE) as connection:
        return connection.execute(statement("shopify/remove_shop"), {"shop_domain": domain}).fetchone() is not None


def listed(database: Database) -> list[dict[str, Any]]:
    """All shops, without their secrets."""
    with (
        database.connect(Role.PIPELINE, autocommit=True) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        return cursor.execute(statement("shopify/list_shops")).fetchall()
