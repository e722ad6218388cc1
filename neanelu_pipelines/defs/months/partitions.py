"""Shop × month of `updated_at`: the partitions, and the windows of Shopify that they stand for.

Belongs here: the definition, and the way from keys to windows and back. Does not belong here: who loads them (`asset`).

Months are UTC's, from NEANELU_MONTHS_FROM to the present one. The first holds what last changed before it, too, so that
all months of a shop together are all of it. From 2015-01 these are 144 by the end of 2026 and 12 more every year:
Dagster advises at most 100,000 partitions, which are some 690 shops. With more shops, begin later.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.defs.shops.partitions import SHOPS

if TYPE_CHECKING:
    from neanelu_pipelines.mirror.asking import Reach
    from neanelu_pipelines.shopify.windows import Window

SHOP, MONTH = "shop", "updated_at"
"""The dimensions. Dagster sorts them by name and makes ranges of neighbours: months of one shop stand side by side."""

_FORMAT = "%Y-%m"


def months_definition(first: str) -> dg.MultiPartitionsDefinition:
    """Every shop's months from `first` (2015-01) to the present one."""
    # The present month is a partition before it has ended: its window is cut at the moment of asking.
    months = dg.MonthlyPartitionsDefinition(start_date=first, fmt=_FORMAT, end_offset=1)
    return dg.MultiPartitionsDefinition({SHOP: SHOPS, MONTH: months})


def months_by_shop(keys: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The months of each shop, from the partitions' keys, both in the keys' order."""
    found: dict[str, list[str]] = {}
    for key in keys:
        shop, _, month = key.rpartition("|")
        found.setdefault(shop, []).append(month)
    return {shop: tuple(months) for shop, months in found.items()}


def partition(shop: str, month: str) -> str:
    """The partition's key."""
    return str(dg.MultiPartitionKey({SHOP: shop, MONTH: month}))


def windows_of(months: Sequence[str], *, first: str) -> "tuple[Window, ...]":
    """What to ask Shopify for: consecutive months are one window.

    Raises:
        WindowError: one of them is no month, or has not begun.
    """
    from neanelu_pipelines.shopify import windows

    found = {key: windows.month(key) for key in months}
    now = datetime.now(UTC)
    if ahead := [key for key, window in found.items() if window.cut(now) is None]:
        words = f"{', '.join(ahead)} has not begun: nothing can have changed in it yet."
        raise windows.WindowError(f"{words} Choose months up to {now:{_FORMAT}}.")
    return windows.joined(windows.Window(None, one.until) if key <= first else one for key, one in found.items())


def months_of(reach: "Reach", *, first: str) -> tuple[str, str] | None:
    """The first and the last month of what an export was begun for; None if it was not for neighbouring months."""
    if len(reach.windows) != 1:
        return None
    [window] = reach.windows
    if window.until is None or not _begins_a_month(window.until):
        return None
    if window.since is not None and not _begins_a_month(window.since):
        return None
    year, month = window.until.year, window.until.month
    last = f"{year}-{month - 1:02}" if month > 1 else f"{year - 1}-12"
    begin = first if window.since is None else f"{window.since:{_FORMAT}}"
    return (begin, last) if first <= begin <= last else None


def _begins_a_month(moment: datetime) -> bool:
    return moment == moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0)
