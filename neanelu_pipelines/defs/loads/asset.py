"""The load of one resource as Dagster runs it: all its assets are made by one step, for one shop or for several.

Belongs here: the step. Does not belong here: what is done for a shop (`shop_load`), in which order (`turns`).

One step, and not one for each of artifact, staging and mirror: with several shops in a run, steps would wait for the
slowest shop and a shop that fails would take the others along, or be shown as loaded. A part of the load can still be
materialized alone: all it needs stands in the database and the artifact store.
"""

from collections.abc import Iterator

import dagster as dg

from neanelu_pipelines.defs.artifacts.assets import ArtifactConfig, artifact_spec
from neanelu_pipelines.defs.exports.reports import SCOPE_CHECK, SCOPE_CHECK_DESCRIPTION
from neanelu_pipelines.defs.loads.keys import artifact_key, load_op_name, steps_of
from neanelu_pipelines.defs.loads.places import POOL
from neanelu_pipelines.defs.loads.shop_load import ShopLoads
from neanelu_pipelines.defs.loads.turns import Turn
from neanelu_pipelines.defs.mirror.assets import mirror_spec
from neanelu_pipelines.defs.shops.partitions import SHOPS, SHOPS_A_RUN
from neanelu_pipelines.defs.staging.assets import staging_spec
from neanelu_pipelines.defs.staging.checks import check_specs, checked_key
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.declarations import Resource


def load_asset(resource: Resource) -> dg.AssetsDefinition:
    """The assets of a resource: its artifact, its staging tables with their checks, its mirror tables."""

    @dg.multi_asset(
        name=load_op_name(resource.name),
        specs=[
            spec.replace_attributes(skippable=True)
            for spec in (
                artifact_spec(resource),
                *(staging_spec(resource, table) for table in resource.staging_tables),
                *(mirror_spec(resource, table) for table in resource.mirror_tables),
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(SCOPE_CHECK, asset=artifact_key(resource), description=SCOPE_CHECK_DESCRIPTION),
            *check_specs(checked_key(resource)),
        ],
        partitions_def=SHOPS,
        backfill_policy=dg.BackfillPolicy.multi_run(SHOPS_A_RUN),
        can_subset=True,
        pool=POOL,
    )
    def load(
        context: dg.AssetExecutionContext, config: ArtifactConfig, warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckResult]:
        turns = _turns(context.partition_keys)
        refuse_one_source_for_many(config, turns)
        loads = ShopLoads(context, config, warehouse, resource, steps_of(resource, context.selected_asset_keys))
        yield from loads.of_all(turns)

    return load


def _turns(shops: list[str]) -> list[Turn]:
    """One for each shop.

    Raises:
        dg.Failure: there is none. Dagster takes a range whose first shop comes after its last for an empty one, and a
            run that did nothing would count as a success.
    """
    if not shops:
        raise dg.Failure(
            description="The run's range of shops is empty: its first shop comes after its last in the order in which "
            "Dagster knows them. Launch it with the two the other way round.",
            allow_retries=False,
        )
    return [Turn(shop, (shop,)) for shop in shops]


def refuse_one_source_for_many(config: ArtifactConfig, turns: list[Turn]) -> None:
    """A file, or an export under way, is one shop's.

    Raises:
        dg.Failure: the run has several shops.
    """
    if len(turns) > 1 and (config.source or config.as_of or config.export):
        raise dg.Failure(
            description=f"One source was given for {len(turns)} shops. A file is one shop's: launch a run for it, or "
            "put each shop's file into its inbox and give no source.",
            allow_retries=False,
        )
