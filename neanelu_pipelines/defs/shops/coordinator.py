"""The queue of runs, which writes on each run whose it is and lets files in first: dagster.yaml names this class.

Belongs here: these tags. Does not belong here: the limits (dagster.yaml), what a run does.

Dagster can limit runs by their tags only, and a run of neighbouring partitions (a shop's months) has but its two ends.
Wherever Dagster's webserver and daemon run, this package is installed with them.
"""

from collections.abc import Mapping

import dagster as dg

from neanelu_pipelines.defs.shops.sensor import shops_of

SHOP_TAG = "neanelu/shop"
"""On runs of one shop only."""

_PRIORITY_TAG = "dagster/priority"
_FILES_FIRST = "1"
"""A file is loaded in seconds. Behind runs that wait for Shopify it would wait at least a minute for each."""


class ShopQueue(dg.QueuedRunCoordinator):
    """Dagster's own queue."""

    def submit_run(self, context: dg.SubmitRunContext) -> dg.DagsterRun:
        """Put a run into the queue, with its shop's tag, and before the others if it loads a file."""
        run = context.dagster_run
        shops = shops_of(run.tags, ())
        if len(shops) == 1:
            self._instance.add_run_tags(run.run_id, {SHOP_TAG: next(iter(shops))})
        if takes_a_file(run) and _PRIORITY_TAG not in run.tags:
            self._instance.add_run_tags(run.run_id, {_PRIORITY_TAG: _FILES_FIRST})
        return super().submit_run(context)


def takes_a_file(run: dg.DagsterRun) -> bool:
    """Whether a run's configuration names a file to load, or says of one from when it is."""
    steps = run.run_config.get("ops")
    configs = [step.get("config") for step in steps.values() if step] if isinstance(steps, Mapping) else []
    return any(one.get(name) for one in configs if isinstance(one, Mapping) for name in ("source", "as_of"))
