"""The place that a run holds in the pool of loads, and whether somebody waits for it who could work at once.

Belongs here: what Dagster's storage says of that. Does not belong here: when it is asked, and how a run stops waiting
(`shop_load`).

What keeps two waiting runs from displacing each other again and again: a run that goes on with an export displaces
nobody, and neither does one that would but wait for the same shop's operation; no run is ended before it has waited for
AT_LEAST; and the queue lets files in first (`shops.coordinator`), so that a place given up for one is not taken by the
next run that waits.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.dagster_run import ACTIVE_RUN_STATUSES
from dagster._utils.tags import TagConcurrencyLimitsCounter

from neanelu_pipelines.defs.exports.reports import EXPORT_TAG
from neanelu_pipelines.defs.shops.coordinator import takes_a_file
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.shops.sensor import IN_FLIGHT, shops_of

if TYPE_CHECKING:
    from dagster._utils.concurrency import ConcurrencyKeyInfo

POOL = "loads"
"""Every load, from asking Shopify to merging; its places are in dagster.yaml."""

AT_LEAST = 60.0
"""Seconds for which Shopify is waited for before anybody is let in.

Going on in a new run costs Dagster about 2.5 s of work: after a minute that is 4 % of the place's time, and what small
exports take is over.
"""

_BACKFILL_TAG = "dagster/backfill"
_LOOKED_AT = 100
"""How many runs of the queue are looked at, the oldest first; it may hold thousands."""


class Place:
    """The place of one run."""

    def __init__(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
        self._instance = instance
        self._run = run

    def is_wanted(self) -> bool:
        """Whether this run holds a place, none is free, and somebody waits who would do more with it than wait."""
        storage = self._instance.event_log_storage
        if self._is_kept() or not storage.supports_global_concurrency_limits:
            return False
        pool = storage.get_concurrency_info(POOL)
        # With fewer places than are taken (the limit was lowered), nobody would get this one.
        if self._run.run_id not in pool.active_run_ids or len(_taken(pool)) != pool.slot_count:
            return False
        return any(self._could_work(run) for run in self._those_who_wait(pool))

    def _is_kept(self) -> bool:
        """Whether ending costs more than a new run.

        Of a backfill Dagster counts what its own runs did not bring as failed. And a command's run (no code location
        told of it) answers a person, perhaps where no sensor is at work that would go on.
        """
        return self._run.remote_job_origin is None or _BACKFILL_TAG in self._run.tags

    def _those_who_wait(self, pool: "ConcurrencyKeyInfo") -> Iterator[dg.DagsterRun]:
        """Runs under way whose step waits for a place, and those that stay in the queue for want of one."""
        if pool.pending_run_ids:
            stepping = dg.RunsFilter(run_ids=list(pool.pending_run_ids), statuses=list(IN_FLIGHT))
            yield from self._instance.get_runs(stepping)
        queued = self._instance.get_runs(
            dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]), limit=_LOOKED_AT, ascending=True
        )
        limits = self._limits_without_this_run() if queued else None
        for run in queued:
            needs = run.run_op_concurrency
            begins_there = needs and POOL in needs.root_key_counts and not needs.has_unconstrained_root_nodes
            if begins_there and limits and not limits.is_blocked(run):
                yield run

    def _limits_without_this_run(self) -> TagConcurrencyLimitsCounter:
        """What else than the pool keeps runs in the queue, once this one has ended."""
        queue = self._instance.get_concurrency_config().run_queue_config
        active = self._instance.get_runs(dg.RunsFilter(statuses=ACTIVE_RUN_STATUSES))
        others = [run for run in active if run.run_id != self._run.run_id]
        return TagConcurrencyLimitsCounter(queue.tag_concurrency_limits if queue else [], others)

    def _could_work(self, other: dg.DagsterRun) -> bool:
        """Whether it would not only wait in this run's stead: Shopify does one operation of a shop at a time."""
        if EXPORT_TAG in other.tags:
            return False
        shops = self._shops(other)
        return not shops or takes_a_file(other) or bool(shops - self._shops(self._run))

    def _shops(self, run: dg.DagsterRun) -> set[str]:
        return set(shops_of(run.tags, self._instance.get_dynamic_partitions(str(SHOPS.name))))


def _taken(pool: "ConcurrencyKeyInfo") -> set[tuple[str, str]]:
    """The steps that hold a place or have one assigned: nobody else gets it, though its run is slow or dead.

    Once it holds the place it is counted among both.
    """
    assigned = {(step.run_id, step.step_key) for step in pool.pending_steps if step.assigned_timestamp is not None}
    return assigned | {(slot.run_id, slot.step_key) for slot in pool.claimed_slots}
