"""Access tokens, and the like, at rest: AES-256-GCM, with keys of several versions.

Belongs here: the keys, sealing and opening. Does not belong here: where sealed tokens are kept (`access`), changing
the key of many (`rotation`).

The ciphertext is bound to its shop and key version (associated data): copied into another shop's row, or relabelled,
it does not open.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.settings import Settings

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
ACCESS_TOKEN = b"neanelu access token 1"
_HIGHEST_VERSION = 2**31 - 1

HOW_TO_MAKE_A_KEY = "`openssl rand -base64 32` makes one, to be set as NEANELU_ENCRYPTION_KEYS=1:<that>"


class KeyringError(NeaneluError):
    """A key that is missing, malformed or not the one that a token was sealed with. Never shows a key."""


@dataclass(frozen=True)
class SealedToken:
    """An encrypted token, as the columns of `shops` hold it."""

    ciphertext: bytes
    nonce: bytes
    tag: bytes
    key_version: int


@dataclass(frozen=True)
class Keyring:
    """Keys by version, and the version that seals. The repr shows versions only."""

    current: int
    _keys: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Keyring":
        """The keys of NEANELU_ENCRYPTION_KEYS.

        Raises:
            KeyringError: there are none, one cannot be read, or the current one is not among them.
        """
        if settings.encryption_keys is None or not settings.encryption_keys.get_secret_value().strip():
            raise KeyringError(f"No key for access tokens: NEANELU_ENCRYPTION_KEYS is not set. {HOW_TO_MAKE_A_KEY}.")
        return cls.parse(settings.encryption_keys, settings.encryption_key_current)

    @classmethod
    def parse(cls, text: SecretStr, current: int | None = None) -> "Keyring":
        """Keys written as `version:base64,version:base64`; without `current` the highest version seals.

        Raises:
            KeyringError: a key cannot be read, stands there twice, or the current one is missing.
        """
        keys: dict[int, bytes] = {}
        for place, entry in enumerate(text.get_secret_value().split(","), start=1):
            version, key = _parse_entry(place, entry.strip())
            if version in keys:
                raise KeyringError(f"NEANELU_ENCRYPTION_KEYS has two keys of version {version}.")
            keys[version] = key
        chosen = max(keys) if current is None else current
        if chosen not in keys:
            raise KeyringError(
                f"NEANELU_ENCRYPTION_KEY_CURRENT is {chosen}, but NEANELU_ENCRYPTION_KEYS has {_versions(keys)} only."
            )
        return cls(chosen, keys)

    @property
    def versions(self) -> frozenset[int]:
        """The versions that can be opened."""
        return frozenset(self._keys)

    def seal(self, token: SecretStr, shop_id: UUID, purpose: bytes = ACCESS_TOKEN) -> SealedToken:
        """Encrypt a shop's token with the current key; what is sealed for one purpose does not open for another."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(self._keys[self.current])
        sealed = cipher.encrypt(nonce, token.get_secret_value().encode(), _bound_to(purpose, shop_id, self.current))
        return SealedToken(sealed[:-_TAG_BYTES], nonce, sealed[-_TAG_BYTES:], self.current)

    def open(self, sealed: SealedToken, shop_id: UUID, purpose: bytes = ACCESS_TOKEN) -> SecretStr:
        """Decrypt a shop's token.

        Raises:
            KeyringError: its key is not here, or it was not sealed with that key for that shop.
        """
        key = self._keys.get(sealed.key_version)
        if key is None:
            raise KeyringError(
                f"The token of shop {shop_id} was sealed with key version {sealed.key_version}; "
                f"NEANELU_ENCRYPTION_KEYS has {_versions(self._keys)}. Add the missing key."
            )
        token: bytes | None = None
        with suppress(InvalidTag, ValueError):
            token = AESGCM(key).decrypt(
                sealed.nonce, sealed.ciphertext + sealed.tag, _bound_to(purpose, shop_id, sealed.key_version)
            )
        if token is None:
            raise KeyringError(
                f"The token of shop {shop_id} does not open with key version {sealed.key_version}: the key of that "
                "version is not the one it was sealed with, or the row was tampered with. Put the right key back, or "
                "give the shop a token again with `neanelu shop add`."
            )
        return SecretStr(token.decode())

    def opens(self, sealed: SealedToken, shop_id: UUID) -> bool:
        """Whether a shop's token was sealed with one of these keys."""
        try:
            self.open(sealed, shop_id)
        except KeyringError:
            return False
        return True


def _parse_entry(place: int, entry: str) -> tuple[int, bytes]:
    """One `version:base64`. The entry itself is never shown: it may be the key."""
    version, colon, encoded = entry.partition(":")
    key: bytes | None = None
    if colon and version.isascii() and version.isdigit() and 0 < int(version) <= _HIGHEST_VERSION:
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = None
    if key is None or len(key) != _KEY_BYTES:
        raise KeyringError(
            f"Entry {place} of NEANELU_ENCRYPTION_KEYS is not version:key with {_KEY_BYTES} bytes in base64. "
            f"{HOW_TO_MAKE_A_KEY}."
        )
    return int(version), key


def _bound_to(purpose: bytes, shop_id: UUID, key_version: int) -> bytes:
    return purpose + shop_id.bytes + key_version.to_bytes(4, "big")


def _versions(keys: Mapping[int, bytes]) -> str:
    return "version " + ", ".join(str(version) for version in sorted(keys))
