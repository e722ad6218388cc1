"""The queue of runs, which writes on each run whose it is: dagster.yaml names this class.

Belongs here: that tag. Does not belong here: the limits (dagster.yaml), what a run does.

Dagster can limit runs by their tags only, and a run of neighbouring partitions (a shop's months) has but its two ends.
Wherever Dagster's webserver and daemon run, this package is installed with them.
"""

import dagster as dg

from neanelu_pipelines.defs.shops.sensor import shops_of

SHOP_TAG = "neanelu/shop"
"""On runs of one shop only."""


class ShopQueue(dg.QueuedRunCoordinator):
    """Dagster's own queue."""

    def submit_run(self, context: dg.SubmitRunContext) -> dg.DagsterRun:
        """Put a run into the queue, with its shop's tag."""
        run = context.dagster_run
        shops = shops_of(run.tags, ())
        if len(shops) == 1:
            self._instance.add_run_tags(run.run_id, {SHOP_TAG: next(iter(shops))})
        return super().submit_run(context)
