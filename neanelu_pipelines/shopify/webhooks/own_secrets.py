"""Shops whose webhooks are signed with a secret of their own: those of an app that was made for one shop only.

Belongs here: keeping these secrets, sealed, and having them at hand while webhooks come. Does not belong here: the
signature (`signature`), keys (`vault`) and changing them (`rotation`).

For such a shop its own secret holds and no other: whoever knows the app's cannot speak for it. The shop is the one that
the request names, in a header that is not signed; so another shop's secret does not help either.
"""

import asyncio
import logging
from contextlib import suppress
from uuid import UUID

import psycopg
from pydantic import SecretStr

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.shopify.access import ShopError
from neanelu_pipelines.shopify.vault import Keyring, KeyringError, SealedToken
from neanelu_pipelines.shopify.webhooks.signature import Secrets, WebhookSecretError

_LOG = logging.getLogger(__name__)

REFRESHED = 30.0
"""Seconds until a running endpoint knows of a new secret; Shopify sends again what was refused by then."""
_PURPOSE = b"neanelu webhook secret 1"
_VERSION, _NONCE, _TAG = 4, 12, 16


def keep(database: Database, keyring: Keyring, domain: str, secret: SecretStr | None) -> None:
    """Give a shop a secret of its own, or `new,old`; None: the app's holds again.

    Raises:
        WebhookSecretError: it cannot be one.
        ShopError: there is no such shop.
    """
    try:
        if secret is not None:
            Secrets(secret)
    except WebhookSecretError:
        raise WebhookSecretError(
            "This is no webhook secret: it must be the app's client secret, or, while that is being rotated, the new "
            "and the old one with a comma in between."
        ) from None
    with database.connect(Role.PIPELINE) as connection:
        row = connection.execute(statement("shopify/lock_shop"), {"shop_domain": domain}).fetchone()
        if row is None:
            raise ShopError(f"There is no shop {domain} here. `neanelu shop add` adds one.")
        sealed = None if secret is None else seal(keyring, secret, row[0])
        connection.execute(statement("webhooks/keep_secret"), {"shop_id": row[0], "sealed": sealed})


def seal(keyring: Keyring, secret: SecretStr, shop_id: UUID) -> bytes:
    """A secret as the column of `shops` holds it: the key's version, nonce, tag and ciphertext."""
    sealed = keyring.seal(secret, shop_id, _PURPOSE)
    return sealed.key_version.to_bytes(_VERSION, "big") + sealed.nonce + sealed.tag + sealed.ciphertext


def unseal(keyring: Keyring, kept: bytes, shop_id: UUID) -> SecretStr:
    """What `seal` sealed.

    Raises:
        KeyringError: its key is not here, or it was not sealed with that key for that shop.
    """
    rest = kept[_VERSION:]
    nonce, tag, ciphertext = rest[:_NONCE], rest[_NONCE : _NONCE + _TAG], rest[_NONCE + _TAG :]
    return keyring.open(SealedToken(ciphertext, nonce, tag, version_of(kept)), shop_id, _PURPOSE)


def version_of(kept: bytes) -> int:
    """The version of the key that a secret is sealed with."""
    return int.from_bytes(kept[:_VERSION], "big")


def opens(keyring: Keyring, kept: bytes, shop_id: UUID) -> bool:
    """Whether a shop's secret was sealed with one of these keys."""
    try:
        unseal(keyring, kept, shop_id)
    except KeyringError:
        return False
    return True


class OwnSecrets:
    """The secrets of all shops that have one, in memory. `refresh_for_ever` belongs to the endpoint's event loop."""

    def __init__(self, database: Database, keyring: Keyring | None) -> None:
        """With no keyring none opens: the webhooks of shops with a secret of their own are refused then."""
        self._database = database
        self._keyring = keyring
        self._kept: dict[UUID, bytes] = {}
        self._secrets: dict[bytes, Secrets] = {}

    def __len__(self) -> int:
        return len(self._secrets)

    def of(self, domain: bytes) -> Secrets | None:
        """The secrets of the shop that a request names; None if it has none of its own."""
        return self._secrets.get(domain.lower()) if self._secrets else None

    def load(self) -> None:
        """Read what changed.

        Raises:
            psycopg.Error: the database is away; what was known holds on.
        """
        with self._database.connect(Role.PIPELINE, autocommit=True) as connection:
            rows = connection.execute(statement("webhooks/own_secrets")).fetchall()
        known, before = self._secrets, self._kept
        self._secrets = {
            domain.encode(): known[domain.encode()]
            if before.get(shop_id) == kept and domain.encode() in known
            else self._opened(shop_id, domain, kept, known.get(domain.encode()) if shop_id in before else None)
            for shop_id, domain, kept in rows
        }
        self._kept = {shop_id: kept for shop_id, _, kept in rows}

    def _opened(self, shop_id: UUID, domain: str, kept: bytes, known: Secrets | None) -> Secrets:
        """The secret; where it does not open, the one that is known: a rotation seals the same one with a new key."""
        with suppress(KeyringError, WebhookSecretError):
            if self._keyring is not None:
                return Secrets(unseal(self._keyring, kept, shop_id))
        if known:
            _LOG.warning(
                "The webhook secret of %s was sealed anew with a key that this process does not have: the one it knows "
                "holds on. Start it again with all of NEANELU_ENCRYPTION_KEYS.",
                domain,
            )
            return known
        _LOG.warning(
            "The webhook secret of %s does not open with NEANELU_ENCRYPTION_KEYS: its webhooks are refused. Put the "
            "key back, or give the secret again with `neanelu webhooks secret`.",
            domain,
        )
        return Secrets.none()

    async def refresh_for_ever(self) -> None:
        """Read what changed, again and again."""
        while True:
            await asyncio.sleep(REFRESHED)
            try:
                await asyncio.to_thread(self.load)
            except psycopg.Error as error:
                _LOG.warning("The shops' own webhook secrets were not read again: %s.", type(error).__name__)
