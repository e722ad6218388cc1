"""When what depends on the inventory ledger is due.

Belongs here: that one condition. Does not belong here: what is then done.
"""

from typing import Any

import dagster as dg

from neanelu_pipelines.defs.catalogue.specs import key_of


def ledger_has_changed() -> dg.AutomationCondition[Any]:
    """After loads, as soon as none is under way; after webhooks, every half hour.

    Not `eager()`: it waits for every shop's partition to exist, and a shop without inventory never has one.
    """
    ledger = dg.AssetSelection.assets(key_of("inventory_ledger"))
    events = dg.AssetSelection.assets(key_of("webhook_events"))
    condition = dg.AutomationCondition
    loaded = condition.any_deps_updated().allow(ledger).since_last_handled()
    loading = condition.any_deps_in_progress().allow(ledger)
    told = condition.any_deps_updated().allow(events).since_last_handled()
    return ((loaded & ~loading) | (told & condition.cron_tick_passed("*/30 * * * *"))) & ~condition.in_progress()
