"""Shops as this installation knows them: made, given a token, removed.

Belongs here: the rows of `shops`. Does not belong here: asking Shopify about a shop (`identity`), reading a token to
use it (`access`), talking to a person (`cli`).
"""

from collections.abc import Sequence
from contextlib import suppress
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
        ShopError: the domain is not a shop's, or was that of one that was renamed: its files lie below that name.
    """
    where = {"shop_domain": require_domain(domain)}
    connection.execute(statement("shopify/register_shop"), where)
    row = connection.execute(statement("shopify/lock_shop"), where).fetchone()
    if row is None:
        raise ShopError(f"{domain} was deleted while it was being added. Try again.")
    # Looked at when the row stands: whoever renames the shop meanwhile was waited for.
    renamed = connection.execute(statement("shopify/name_after_rename"), where).fetchone()
    if renamed is not None:
        raise ShopError(f"{domain} is what the shop {renamed[0]} was called before it was renamed: say {renamed[0]}.")
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

    If Shopify says that it is one that is here under another domain, that one is renamed: it keeps its id and its rows,
    and what comes under its former name, or lies below it, is still its own.

    Args:
        database: where the shops are.
        keyring: its current key seals the token.
        domain: the shop's.
        token: what Shopify gave for it.
        facts: what Shopify says of the shop, if it was asked.
        api_version: the version to speak with it; None keeps what is there.

    Raises:
        ShopError: the domain or the token cannot be one, or the domain is that of another shop with rows of its own.
    """
    require_token(token)
    try:
        with database.connect(Role.PIPELINE) as connection:
            if facts is not None:
                _rename(connection, facts.number, require_domain(domain))
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
            f"The shop of {domain} is just being added under another domain as well"
            f"{f' (its Shopify number is {facts.number})' if facts else ''}. Try again."
        ) from None
    return shop_id


def _rename(connection: psycopg.Connection, number: int, domain: str) -> None:
    """If the shop of this number is here under another domain, it has this one from now on."""
    row = connection.execute(statement("shopify/lock_numbered_shop"), {"number": number}).fetchone()
    if row is None or row[1] == domain:
        return
    where = {"shop_id": row[0], "shop_domain": domain, "former": row[1]}
    with suppress(psycopg.errors.ForeignKeyViolation), connection.transaction():
        bare = connection.execute(statement("shopify/delete_bare_shop"), where).fetchone()
        if bare is not None:
            connection.execute(statement("shopify/adopt_audit"), {"shop_id": row[0], "bare": bare[0]})
    if connection.execute(statement("shopify/lock_shop"), where).fetchone():
        raise ShopError(
            f"Shopify says that {domain} is the shop of the number {number}, which is here as {row[1]}; but {domain} "
            "has rows, or a webhook secret, of its own here, and the two cannot be put together: nothing was done. "
            f"Whoever looks after the database has to delete what is there of {domain} (a sync brings it again); then "
            "add it again."
        )
    connection.execute(statement("shopify/rename_shop"), where)
    connection.execute(statement("shopify/remember_domain"), where)
    connection.execute(statement("shopify/keep_folders"), where)


def domain_of(database: Database, number: int) -> str | None:
    """The domain under which the shop that Shopify knows by this number is here; None if it is not."""
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        row = connection.execute(statement("shopify/domain_of_number"), {"number": number}).fetchone()
    return str(row[0]) if row else None


def keep_scopes(database: Database, shop_id: UUID, scopes: Sequence[str]) -> None:
    """Write down what the shop's token may do, if that is something else than before."""
    with database.connect(Role.PIPELINE) as connection:
        connection.execute(statement("shopify/keep_scopes"), {"shop_id": shop_id, "scopes": list(scopes)})


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
