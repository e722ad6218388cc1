"""The load of one declared resource: its assets and the job that makes them.

Belongs here: putting them together. Does not belong here: anything about one resource in particular.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.defs.loads.asset import load_asset
from neanelu_pipelines.defs.loads.keys import load_job_name
from neanelu_pipelines.mirror.declarations import Resource

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


@dataclass(frozen=True)
class LoadDefinitions:
    """What Dagster has of one resource."""

    asset: dg.AssetsDefinition
    job: "UnresolvedAssetJobDefinition"


def load_definitions(resource: Resource) -> LoadDefinitions:
    """The assets and the job of one resource."""
    asset = load_asset(resource)
    job = dg.define_asset_job(
        load_job_name(resource.name),
        selection=dg.AssetSelection.assets(asset),
        description=f"Loads {resource.name} of a shop, or of several: artifact, staging with its checks, mirror.",
        tags={"neanelu/resource": resource.name, "dagster/max_runtime": "21600"},
    )
    return LoadDefinitions(asset, job)
