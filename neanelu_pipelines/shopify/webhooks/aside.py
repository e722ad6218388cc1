"""Events that were set aside: putting them back to those that wait, when what hindered them is mended.

Belongs here: that. Does not belong here: why events are set aside (`processing`).
"""

from collections.abc import Sequence

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.shopify.webhooks.envelope import PRIVACY, PROCESSED


def put_back(database: Database, *, domain: str | None = None, ids: Sequence[str] = ()) -> dict[str, int]:
    """Have events that were set aside tried again, from their first try; how many, by topic.

    Args:
        database: where they are kept.
        domain: of this shop only.
        ids: only those of these X-Shopify-Webhook-Ids.
    """
    asked = {
        "domain": domain,
        "keys": list(ids) or None,
        "processed": sorted(PROCESSED),
        "privacy": sorted(PRIVACY),
    }
    with database.connect(Role.PIPELINE) as connection:
        return dict(connection.execute(statement("webhooks/put_back_aside"), asked).fetchall())
