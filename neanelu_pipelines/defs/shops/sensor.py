"""Keeping the shops' partitions in step with the table `shops`.

Belongs here: comparing what is with what should be. Does not belong here: calls to Shopify, and anything that takes
longer than one query.

The rules, each from somebody's bad night:

* a database that cannot be read fails the tick and changes nothing;
* an answer without any shop removes nothing: a shop that is removed keeps its row, and only a redaction deletes it, so
  an empty table is rather a database that is new, restored or wrong. After the redaction of the only shop its partition
  stays until there is another shop;
* a partition with a run in flight stays until the run has ended.

What a removed partition had materialized stays in Dagster's event log, which cannot forget single partitions
(`wipe_asset_partitions` is not implemented in Dagster's open-source storages): a shop that is added again shows it, so
it is to be loaded anew as a whole, not by what is missing only.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

import dagster as dg

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.warehouse import Warehouse

IN_FLIGHT = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)

ONE_PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Dagster's tags on a run: its partition, or its first and last."""

WAITING = "waiting for runs in flight"
"""The cursor while a departure is pending: no digest, so the next tick looks again."""


@dg.sensor(
    name="shops_partitions",
    description="Adds a partition for each newly installed shop and removes those of shops that have left. A shop that "
    "is added again still shows what it had materialized, though a redaction emptied its mirror: load all of it anew.",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    tags={"neanelu/room": "shops"},
)
def shop_sensor(
    context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.SensorResult | dg.SkipReason:
    """One query; the cursor is a digest of its answer, so that an unchanged answer asks nothing further."""
    shops = read_shops(warehouse)
    if not shops:
        return dg.SkipReason("The table shops is empty: nothing to add, and nothing is removed on that ground.")
    digest = hashlib.sha256(json.dumps(sorted(shops.items())).encode()).hexdigest()
    if context.cursor == digest:
        return dg.SkipReason(f"Nothing has changed among {len(shops)} shops.")
    known = set(context.instance.get_dynamic_partitions(str(SHOPS.name)))
    installed = {domain for domain, is_installed in shops.items() if is_installed}
    added = sorted(installed - known)
    leaving = known - installed
    busy = in_flight(context.instance, leaving)
    removed = sorted(leaving - busy)
    context.log.info("Shops: %d added, %d removed, %d wait for their runs.", len(added), len(removed), len(busy))
    return dg.SensorResult(
        dynamic_partitions_requests=[
            *([SHOPS.build_add_request(added)] if added else []),
            *([SHOPS.build_delete_request(removed)] if removed else []),
        ],
        cursor=WAITING if busy else digest,
    )


def read_shops(warehouse: Warehouse) -> dict[str, bool]:
    """Every shop's domain and whether it is installed."""
    with warehouse.database.connect(Role.PIPELINE, autocommit=True) as connection:
        return dict(connection.execute(statement("defs/shops")).fetchall())


def in_flight(instance: dg.DagsterInstance, domains: Iterable[str]) -> set[str]:
    """Those of the domains whose partition is part of a run that has not ended."""
    wanted = set(domains)
    if not wanted:
        return set()
    known = list(instance.get_dynamic_partitions(str(SHOPS.name)))
    runs = instance.get_runs(dg.RunsFilter(statuses=list(IN_FLIGHT)))
    return wanted & {shop for run in runs for shop in shops_of(run.tags, known)}


def shops_of(tags: Mapping[str, str], known: Sequence[str]) -> Collection[str]:
    """The shops that a run is about: one, or a range of neighbours in the order in which Dagster knows them.

    Of shop and month (`shop|month`) a key is its shop's.
    """
    if ONE_PARTITION in tags:
        return [_shop_of(tags[ONE_PARTITION])]
    if RANGE_START not in tags or RANGE_END not in tags:
        return []
    first, last = _shop_of(tags[RANGE_START]), _shop_of(tags[RANGE_END])
    if first == last:
        return [first]
    if first not in known or last not in known:
        return known  # It cannot be told: then it may be any of them.
    return known[known.index(first) : known.index(last) + 1]


def _shop_of(partition: str) -> str:
    return partition.partition("|")[0]
