"""Changing the key of all tokens and webhook secrets: in batches, resumable, beside everything else that goes on.

Belongs here: the rotation and its rows in `key_rotations`. Does not belong here: the keys (`vault`), when it runs
(`defs`).

Each batch is one transaction of at most `BATCH` short updates and the count in the rotation's row, so a rotation that
is killed goes on where it was; where nothing was left to do, the next closes its row. A token that changed meanwhile is
left alone: whoever changed it sealed it anew.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.shopify.vault import Keyring, KeyringError, SealedToken
from neanelu_pipelines.shopify.webhooks.own_secrets import seal, unseal

BATCH = 100
_NO_SHOP = UUID(int=0)
_NAMED = 5


@dataclass(frozen=True)
class Rotation:
    """What was done between two key versions. `failed`: domains of shops whose token did not open."""

    key_version_old: int
    key_version_new: int
    read: int
    rotated: int
    failed: tuple[str, ...]

    @property
    def unchanged(self) -> int:
        """Tokens that somebody else had changed first."""
        return self.read - self.rotated - len(self.failed)


def rotate(
    database: Database, keyring: Keyring, *, batch: int = BATCH, after_batch: Callable[[], None] = lambda: None
) -> list[Rotation]:
    """Put every token under the current key; one result for each old key version that there was.

    Args:
        database: where the shops are.
        keyring: the current key and the old ones.
        batch: tokens in one transaction.
        after_batch: called after each; a run that shall end raises here.

    Raises:
        KeyringError: tokens are sealed with a key that is not in the ring; nothing was changed.
    """
    with database.connect(Role.PIPELINE, autocommit=True) as connection:
        waiting: dict[int, int] = dict(
            connection.execute(statement("shopify/tokens_of_other_keys"), {"current": keyring.current}).fetchall()
        )
        _refuse_missing(keyring, waiting)
        connection.execute(statement("shopify/close_finished_rotations"), {"current": keyring.current})
        return [_rotate_from(connection, keyring, old, batch, after_batch) for old in waiting]


def _refuse_missing(keyring: Keyring, waiting: dict[int, int]) -> None:
    missing = sorted(set(waiting) - keyring.versions)
    if missing:
        many = sum(waiting[version] for version in missing)
        named = ", ".join(str(version) for version in missing)
        raise KeyringError(
            f"{many} tokens are sealed with key version {named}, which NEANELU_ENCRYPTION_KEYS does not have. "
            "Add it, rotate, and take it away afterwards."
        )


def _rotate_from(
    connection: psycopg.Connection, keyring: Keyring, old: int, batch: int, after_batch: Callable[[], None]
) -> Rotation:
    rotation_id = _open(connection, old, keyring.current)
    read = rotated = 0
    failed: list[str] = []
    for find, replace in (("shopify/next_tokens", _replace), ("shopify/next_webhook_secrets", _replace_webhook_secret)):
        for tokens in _batches(connection, find, old, batch):
            with connection.transaction():
                done = 0
                for token in tokens:
                    fate = replace(connection, keyring, token)
                    done += fate is True
                    if fate is None:
                        failed.append(token["domain"])
                connection.execute(statement("shopify/count_rotated"), {"rotation_id": rotation_id, "count": done})
            read += len(tokens)
            rotated += done
            after_batch()
    _close(connection, rotation_id, failed)
    return Rotation(old, keyring.current, read, rotated, tuple(failed))


def _open(connection: psycopg.Connection, old: int, new: int) -> UUID:
    with connection.transaction():
        connection.execute(statement("shopify/lock_rotation"))
        row = connection.execute(statement("shopify/open_rotation"), {"old": old, "new": new}).fetchone()
    if row is None:
        raise AssertionError("a rotation is either under way or opened")
    return UUID(str(row[0]))


def _batches(connection: psycopg.Connection, find: str, old: int, size: int) -> Iterator[list[dict[str, Any]]]:
    after = _NO_SHOP
    while True:
        with connection.cursor(row_factory=dict_row) as cursor:
            tokens = cursor.execute(statement(find), {"old": old, "after": after, "limit": size}).fetchall()
        if not tokens:
            return
        yield tokens
        after = tokens[-1]["id"]


def _replace(connection: psycopg.Connection, keyring: Keyring, token: dict[str, Any]) -> bool | None:
    """Whether the token is under the new key now; False: somebody else changed it; None: it does not open."""
    sealed = SealedToken(token["ciphertext"], token["nonce"], token["tag"], token["key_version"])
    try:
        fresh = keyring.seal(keyring.open(sealed, token["id"]), token["id"])
    except KeyringError:
        return None
    changed = connection.execute(
        statement("shopify/replace_token"),
        {
            "shop_id": token["id"],
            "ciphertext": fresh.ciphertext,
            "nonce": fresh.nonce,
            "tag": fresh.tag,
            "key_version": fresh.key_version,
            "old_version": sealed.key_version,
            "old_ciphertext": sealed.ciphertext,
            "old_nonce": sealed.nonce,
        },
    )
    return changed.rowcount == 1


def _replace_webhook_secret(connection: psycopg.Connection, keyring: Keyring, token: dict[str, Any]) -> bool | None:
    """The same of the secret that signs a shop's webhooks."""
    try:
        fresh = seal(keyring, unseal(keyring, token["sealed"], token["id"]), token["id"])
    except KeyringError:
        return None
    values = {"shop_id": token["id"], "fresh": fresh, "old": token["sealed"]}
    return connection.execute(statement("shopify/replace_webhook_secret"), values).rowcount == 1


def _close(connection: psycopg.Connection, rotation_id: UUID, failed: list[str]) -> None:
    error = None
    if failed:
        more = ", …" if len(failed) > _NAMED else ""
        error = f"{len(failed)} tokens did not open with their key: {', '.join(failed[:_NAMED])}{more}"
    connection.execute(statement("shopify/close_rotation"), {"rotation_id": rotation_id, "error": error})
