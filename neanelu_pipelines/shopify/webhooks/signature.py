"""Whether a webhook comes from Shopify: HMAC-SHA256 over the raw body, in base64, with the app's secret.

Belongs here: the secrets and the comparison. Does not belong here: headers other than the signature.

The secret is the app's: from the environment, and the same for all its shops; but a shop may have an app of its own
(`own_secrets`). At most two hold at a time, the new and the old one of a rotation: with the secrets of several apps in
one list, whoever knows one app's could speak for another's shops.
"""

import base64
import binascii
import hashlib
import hmac

from pydantic import SecretStr

from neanelu_pipelines.errors import NeaneluError

_MOST = 2
_DIGEST_BYTES = 32


class WebhookSecretError(NeaneluError):
    """The secret that signs webhooks is missing or cannot be one. Never shows it."""


class Secrets:
    """The secrets that hold now. The repr shows how many they are."""

    def __init__(self, text: SecretStr | None) -> None:
        """Secrets as NEANELU_WEBHOOK_SECRETS writes them: one, or `new,old` during a rotation.

        Raises:
            WebhookSecretError: there is none, an empty one, or more than two.
        """
        entries = [entry.strip() for entry in text.get_secret_value().split(",")] if text else []
        if not entries or not all(entries) or len(entries) > _MOST:
            raise WebhookSecretError(
                "NEANELU_WEBHOOK_SECRETS must hold the app's client secret (Shopify's developer dashboard shows it), "
                "or, while it is being rotated, the new and the old one with a comma in between."
            )
        self._keys: list[bytes] = [entry.encode() for entry in entries]

    @classmethod
    def none(cls) -> "Secrets":
        """No secret: nothing is verified by it."""
        found = cls.__new__(cls)
        found._keys = []
        return found

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Secrets({len(self._keys)})"

    def verify(self, body: bytes, signature: bytes) -> bool:
        """Whether one of the secrets signed these bytes. Every secret is tried, each in constant time."""
        try:
            given = base64.b64decode(signature, validate=True)
        except binascii.Error:
            return False
        if len(given) != _DIGEST_BYTES:
            return False
        answers = [hmac.compare_digest(hmac.digest(key, body, hashlib.sha256), given) for key in self._keys]
        return any(answers)
