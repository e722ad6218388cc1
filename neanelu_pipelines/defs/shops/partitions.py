"""The partitions definition that every shop-wise asset shares.

Belongs here: its name, what its keys mean, and which of them go into one run. Does not belong here: who keeps it in
step (`sensor`).
"""

from collections.abc import Collection, Sequence

import dagster as dg

SHOPS = dg.DynamicPartitionsDefinition(name="shops")
"""One partition per installed shop; the key is its *.myshopify.com domain, as `shops.shopify_domain` has it."""

SHOPS_A_RUN = 25
"""At most, of a backfill or a schedule. A run's own start costs some ten seconds, a small shop one or two; a run that
dies loses what the shop under way had done, and the rest of its shops are launched again."""


def neighbours(wanted: Collection[str], known: Sequence[str]) -> list[tuple[str, ...]]:
    """Those of the wanted shops that Dagster knows, in groups for one run each: a run's shops stand side by side."""
    groups: list[list[str]] = [[]]
    for shop in known:
        if shop not in wanted:
            groups.append([])
        elif len(groups[-1]) == SHOPS_A_RUN:
            groups.append([shop])
        else:
            groups[-1].append(shop)
    return [tuple(group) for group in groups if group]
