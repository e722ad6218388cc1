"""What a run of the ledger is called by what it does (`bulk_runs.operation_type`).

Belongs here: those names. Does not belong here: which operations of Shopify's there are (`bulk.operation`).
"""


def export_of(resource: str) -> str:
    """Of a load, whether Shopify was asked for its lines or a file holds them."""
    return f"{resource.upper()}_EXPORT"


def removal_of(resource: str) -> str:
    """Of a removal of rows that somebody told of."""
    return f"{resource.upper()}_REMOVAL"
