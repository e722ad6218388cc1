"""The mirror as webhooks use it: a file of lines made of events becomes a load like any other; what is gone, a removal.

Belongs here: joining `shopify.webhooks` with `mirror`. Does not belong here: Dagster.
"""

from uuid import UUID

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.mirror import river
from neanelu_pipelines.mirror.removals import Reason, remove
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.webhooks.hands import Gone, Hands, Lines


def into_mirror(database: Database, settings: Settings) -> Hands:
    """Merges a file of events. What it rejects is said of each event, so no share of rejected lines stops the rest."""
    tolerant = settings.model_copy(update={"max_reject_share": 1.0})

    def write(lines: Lines) -> UUID:
        done = river.load_file(
            database,
            tolerant,
            shop_domain=lines.domain,
            resource=lines.resource,
            source=str(lines.file),
            as_of=lines.as_of,
            snapshot=False,
            whole=lines.whole,
        )
        return done.run_id

    def take_out(gone: Gone) -> None:
        remove(
            database,
            shop_domain=gone.domain,
            resource=gone.resource,
            gone=gone.moments,
            reason=Reason.WEBHOOK,
            told_by=f"webhook {gone.topic}",
        )

    return Hands(write, take_out)
