"""The load of one declared resource: its three steps and the job that runs them.

Belongs here: putting the steps together. Does not belong here: anything about one resource in particular.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.defs.artifacts.assets import artifact_asset
from neanelu_pipelines.defs.loads.keys import load_job_name
from neanelu_pipelines.defs.mirror.assets import mirror_assets
from neanelu_pipelines.defs.staging.assets import staging_assets
from neanelu_pipelines.mirror.declarations import Resource

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


@dataclass(frozen=True)
class LoadDefinitions:
    """What Dagster has of one resource."""

    assets: tuple[dg.AssetsDefinition, ...]
    job: "UnresolvedAssetJobDefinition"


def load_definitions(resource: Resource) -> LoadDefinitions:
    """The assets and the job of one resource."""
    assets = (artifact_asset(resource), staging_assets(resource), mirror_assets(resource))
    job = dg.define_asset_job(
        load_job_name(resource.name),
        selection=dg.AssetSelection.assets(*assets),
        description=f"Loads {resource.name} of one shop: artifact, staging with its checks, mirror.",
        tags={"neanelu/resource": resource.name, "dagster/max_runtime": "21600"},
    )
    return LoadDefinitions(assets, job)
