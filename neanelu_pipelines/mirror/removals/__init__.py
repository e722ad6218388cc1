"""What is gone in a shop goes from its mirror, with a record of why, and does not come back with older news.

Belongs here: deciding what is gone (`told`: an event says so; `snapshots`: a whole export does not hold it), asking
Shopify once more (`confirm`), and taking rows out with all that stands under them (`rows`). Does not belong here:
persons' and shops' right to be forgotten (`redaction`).
"""

from neanelu_pipelines.mirror.removals.rows import Reason
from neanelu_pipelines.mirror.removals.told import RemovalCounts, RemovalError, remove

__all__ = ["Reason", "RemovalCounts", "RemovalError", "remove"]
