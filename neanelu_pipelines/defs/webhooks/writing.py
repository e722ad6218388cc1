"""The river as webhooks use it: a file of lines made of events becomes a load like any other.

Belongs here: joining `shopify.webhooks` with `mirror`. Does not belong here: Dagster.
"""

from uuid import UUID

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.mirror import river
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.webhooks.processing import Lines, Write


def into_mirror(database: Database, settings: Settings) -> Write:
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

    return write
