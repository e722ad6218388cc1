"""A resource by shop and month: one asset whose run asks Shopify for all its months of a shop at once.

Belongs here: the asset and its job. Does not belong here: how a shop is loaded (`loads.shop_load`).

It stands beside the resource's artifact, staging and mirror, whose partitions are shops: a month is a share of what is
asked for, not of the tables. The load is the same, and so are its rows whatever the split, order and repetition.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.defs.artifacts.assets import ArtifactConfig, node_schema
from neanelu_pipelines.defs.catalogue.specs import OWNERS
from neanelu_pipelines.defs.exports.reports import SCOPE_CHECK, SCOPE_CHECK_DESCRIPTION
from neanelu_pipelines.defs.loads.asset import refuse_one_source_for_many
from neanelu_pipelines.defs.loads.keys import mirror_key, months_job_name, months_key, months_op_name
from neanelu_pipelines.defs.loads.places import POOL
from neanelu_pipelines.defs.loads.shop_load import ShopLoads
from neanelu_pipelines.defs.loads.turns import Turn
from neanelu_pipelines.defs.months.partitions import months_by_shop, months_definition, partition, windows_of
from neanelu_pipelines.defs.months.telling import MonthsTelling
from neanelu_pipelines.defs.staging.checks import check_specs
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.declarations import Resource

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

_STEPS = frozenset({"artifacts", "staging", "mirror"})


class MonthsConfig(dg.Config):
    """Nothing has to be set: the partitions say which months of which shops."""

    export: str | None = None
    """The ledger run of an export under way for these months, to go on with; the sensor exports_due sets it."""


@dataclass(frozen=True)
class MonthsDefinitions:
    """What Dagster has of one resource's months."""

    asset: dg.AssetsDefinition
    job: "UnresolvedAssetJobDefinition"
    first: str
    """The first month."""


def months_definitions(resource: Resource, first: str) -> MonthsDefinitions:
    """The asset and the job of a resource's months, from `first` on."""
    asset = months_asset(resource, first)
    job = dg.define_asset_job(
        months_job_name(resource.name),
        selection=dg.AssetSelection.assets(asset),
        description=f"Loads months of {resource.name} of a shop, or of several, into the mirror.",
        tags={"neanelu/resource": resource.name, "dagster/max_runtime": "21600"},
    )
    return MonthsDefinitions(asset, job, first)


def months_asset(resource: Resource, first: str) -> dg.AssetsDefinition:
    """The asset of a resource's months."""
    key = months_key(resource)

    @dg.multi_asset(
        name=months_op_name(resource.name),
        specs=[_spec(resource).replace_attributes(skippable=True)],
        check_specs=[
            dg.AssetCheckSpec(SCOPE_CHECK, asset=key, description=SCOPE_CHECK_DESCRIPTION),
            *check_specs(key),
        ],
        partitions_def=months_definition(first),
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,  # a run that brings nothing has no checks to tell of
        pool=POOL,
    )
    def load(
        context: dg.AssetExecutionContext, config: MonthsConfig, warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckResult]:
        asked = ArtifactConfig(export=config.export)
        turns = _turns(context.partition_keys, first)
        refuse_one_source_for_many(asked, turns)
        telling = MonthsTelling(resource, warehouse, first)
        # Dagster counts a backfill whose run stops waiting as failed, though a sensor goes on with the export.
        wait = warehouse.settings.months_wait
        yield from ShopLoads(context, asked, warehouse, resource, _STEPS, telling, wait).of_all(turns)

    return load


def _turns(keys: list[str], first: str) -> list[Turn]:
    """One for each shop, with all its months.

    Raises:
        dg.Failure: a month has not begun, or none was chosen.
    """
    try:
        turns = [
            Turn(shop, tuple(partition(shop, month) for month in months), windows_of(months, first=first))
            for shop, months in months_by_shop(keys).items()
        ]
    except NeaneluError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    if not turns:
        raise dg.Failure(description="There is no such month of a shop.", allow_retries=False)
    return turns


def _spec(resource: Resource) -> dg.AssetSpec:
    tables = ", ".join(f"`{mirror_key(resource, table).to_user_string()}`" for table in resource.mirror_tables)
    return dg.AssetSpec(
        months_key(resource),
        description=f"{resource.description}\n\nBy shop and month of {resource.window}, in UTC; the first month holds "
        "what is older, too, and the present one what there is of it so far: materialize it again later. All months of "
        "a shop in a run come by one bulk operation, into the same mirror as whole snapshots "
        f"({tables}, which are told of it). A row that changes moves to the month of its change. Only a whole snapshot "
        "shows what is gone.",
        group_name="artifacts",
        owners=[OWNERS["artifacts"]],
        kinds={"shopify", "json"},
        tags={"neanelu/resource": resource.name, "neanelu/rows": "per-shop"},
        metadata={"dagster/column_schema": node_schema(resource), "dagster/storage_kind": "file"},
    )
