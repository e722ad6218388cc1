"""The right to be forgotten, and to be told: a customer's or a whole shop's data out of everything we keep, with proof.

Belongs here: whom it is about (`subjects`), the rows (`rows`), the files (`files`), and the act from its record to its
proof (`acts`, `shops`). Does not belong here: rows that are gone in Shopify (`removals`), and when it is done (`defs`).
"""

from neanelu_pipelines.mirror.redaction.acts import export_customer, redact_customer
from neanelu_pipelines.mirror.redaction.record import Outcome
from neanelu_pipelines.mirror.redaction.shops import RedactionRefusedError, redact_shop
from neanelu_pipelines.mirror.redaction.subjects import Customer, SubjectError

__all__ = [
    "Customer",
    "Outcome",
    "RedactionRefusedError",
    "SubjectError",
    "export_customer",
    "redact_customer",
    "redact_shop",
]
