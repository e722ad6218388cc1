"""The settings of the webhook endpoint, beside those of the whole product (`NEANELU_…`).

Belongs here: what only the endpoint reads. Does not belong here: anything that acts on it.
"""

from typing import Annotated

from pydantic import Field, SecretStr

from neanelu_pipelines.settings import Settings


class WebhookSettings(Settings):
    """What `neanelu webhooks` obeys."""

    webhook_secrets: Annotated[
        SecretStr | None,
        Field(description="The app's client secret that signs webhooks; during a rotation new,old."),
    ] = None
    webhook_max_body_bytes: Annotated[
        int, Field(ge=1024, description="A larger webhook is refused (413) before it is read to its end.")
    ] = 8 * 1024 * 1024
    webhook_max_waiting_bytes: Annotated[
        int, Field(ge=1024 * 1024, description="Bytes of webhooks held in memory at most; above it the answer is 503.")
    ] = 64 * 1024 * 1024
