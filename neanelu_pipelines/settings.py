"""Every setting of the product, typed, read from the environment (`NEANELU_…`).

Belongs here: names, types, defaults and bounds of settings. Does not belong here: anything that acts on them, and
what is kept per shop or in `system_config`. `.env.example` lists every one of them; a test keeps it so.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from neanelu_pipelines.errors import NeaneluError

_PREFIX = "NEANELU_"
_LOGIN = re.compile(r"://[^/?#]*@")


class SettingsError(NeaneluError):
    """A setting that cannot be used."""


def _begun(month: str) -> str:
    if month > f"{datetime.now(UTC):%Y-%m}":
        raise ValueError("that month has not begun, so there would be no month at all; choose one up to the present")
    return month


def _without_login(url: str | None) -> str | None:
    if url is not None and _LOGIN.search(url):
        raise ValueError(
            "a login in it would be shown with every artifact; take user:password@ out and give it to the store's "
            "driver by its own variables or files (for s3 AWS_…, for gs GOOGLE_APPLICATION_CREDENTIALS)"
        )
    return url


class Settings(BaseSettings):
    """The settings of this process. Secrets are `SecretStr`: they do not show in a repr, a log or an error."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_file=".env", extra="ignore")

    home: Annotated[Path, Field(description="Where the embedded server, its data and the artifacts live.")] = Path(
        ".neanelu"
    )
    database_url: Annotated[
        SecretStr | None,
        Field(description="A PostgreSQL 18 to use instead of the embedded one (its admin's or owner's login)."),
    ] = None
    pipeline_database_url: Annotated[
        SecretStr | None,
        Field(description="With `database_url`: the pipeline role's own login, or a member's. Default: SET ROLE."),
    ] = None
    tenant_database_url: Annotated[
        SecretStr | None,
        Field(description="With `database_url`: the tenant role's own login, or a member's. Default: SET ROLE."),
    ] = None
    dagster_database_url: Annotated[
        SecretStr | None,
        Field(description="Where Dagster keeps its own storage. Default: the database `dagster` beside the other one."),
    ] = None
    database_port: Annotated[
        int, Field(ge=1024, le=65535, description="The embedded server's port; a free one if it is taken.")
    ] = 54318
    artifact_url: Annotated[
        str | None,
        Field(description="Where artifacts are kept: any fsspec URL (s3://bucket/prefix). Default: in the home."),
        AfterValidator(_without_login),
    ] = None
    max_reject_share: Annotated[
        float, Field(ge=0, le=1, description="Above this share of rejected lines nothing of a file is merged.")
    ] = 0.05
    max_removal_share: Annotated[
        float,
        Field(ge=0, le=1, description="If a whole export lacks more than this share of a table, nothing is removed."),
    ] = 0.1
    max_line_bytes: Annotated[
        int, Field(ge=1024, description="A longer JSONL line is rejected, unread, so that memory stays bounded.")
    ] = 64 * 1024 * 1024
    lock_wait: Annotated[
        float, Field(gt=0, description="Seconds that a load waits for another one of the same shop and resource.")
    ] = 600.0
    merge_workers: Annotated[
        int, Field(ge=1, le=32, description="Connections that merge a big load side by side; as many as cores pay.")
    ] = 2
    block_bytes: Annotated[int, Field(ge=64 * 1024, description="How many bytes of JSONL are parsed at a time.")] = (
        6 * 1024 * 1024
    )
    encryption_keys: Annotated[
        SecretStr | None,
        Field(description="Keys of the shops' access tokens: version:base64 of 32 bytes, comma-separated."),
    ] = None
    encryption_key_current: Annotated[
        int | None, Field(ge=1, description="Which of the keys encrypts. Default: the highest version.")
    ] = None
    shopify_url: Annotated[
        str,
        Field(description="The Admin API's address, with {domain} and {version}; plain http on this machine only."),
    ] = "https://{domain}/admin/api/{version}/graphql.json"
    shopify_tries: Annotated[
        int, Field(ge=1, le=50, description="How often a request to Shopify is sent at most, the first time included.")
    ] = 6
    shopify_max_wait: Annotated[
        float, Field(gt=0, description="Seconds that a request waits at most, in all tries, for points or recovery.")
    ] = 120.0
    shopify_timeout: Annotated[
        float, Field(gt=0, description="Seconds that one try of a request may take, from sending to the last byte.")
    ] = 60.0
    shopify_max_reply_bytes: Annotated[
        int, Field(ge=1024, description="A larger reply is not read to its end. Bulk results do not come this way.")
    ] = 64 * 1024 * 1024
    export_wait: Annotated[
        float,
        Field(ge=0, description="Seconds that a run waits for a bulk operation; a minute if others need its place."),
    ] = 600.0
    export_first_poll: Annotated[
        float, Field(gt=0, description="Seconds until a bulk operation is first asked about; the pauses grow.")
    ] = 1.0
    export_longest_poll: Annotated[
        float, Field(gt=0, description="Seconds between two questions about a bulk operation, at most.")
    ] = 30.0
    months_from: Annotated[
        str,
        Field(
            pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
            description="The first month of orders and customers as a partition; what is older belongs to it.",
        ),
        AfterValidator(_begun),
    ] = "2015-01"
    months_wait: Annotated[
        float,
        Field(ge=0, description="The same for a run of months: years take longer. A backfill's run keeps its place."),
    ] = 3600.0
    sync_overlap: Annotated[
        float,
        Field(ge=0, description="Seconds before a window that are asked for too: Shopify's search finds changes late."),
    ] = 600.0

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
    webhook_retention_days: Annotated[
        int, Field(ge=3, description="Days for which webhooks are kept after they came, if nothing is left to do.")
    ] = 30
    artifact_days: Annotated[
        int, Field(ge=3, description="Days for which files that were loaded are kept; the newest whole ones stay.")
    ] = 14
    ledger_days: Annotated[
        int, Field(ge=3, description="Days for which the ledger says what was loaded; the last complete loads stay.")
    ] = 400

    @property
    def artifact_root(self) -> str:
        """The URL under which artifacts are written."""
        return self.artifact_url or str(self.home.absolute() / "artifacts")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings, read once per process.

    Raises:
        SettingsError: one is out of its bounds or of another type; its value is not said, which may be a secret.
    """
    try:
        return Settings()
    except ValidationError as fault:
        wrong = "; ".join(f"{_PREFIX}{str(error['loc'][0]).upper()}: {error['msg']}" for error in fault.errors())
    # Outside of the handler: the fault holds the values, and would be shown as the context.
    raise SettingsError(f"{wrong}. It is read from the environment or from .env; .env.example says what it is for.")
