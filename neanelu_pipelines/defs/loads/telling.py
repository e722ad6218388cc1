"""What Dagster hears of a shop's load: each step's materializations, and what is said where nothing came.

Belongs here: which assets and partitions are told what. Does not belong here: the steps (`shop_load`), the figures'
names (`figures`).
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar

import dagster as dg

from neanelu_pipelines.defs.loads.figures import Metadata
from neanelu_pipelines.defs.loads.keys import artifact_key, mirror_key, staging_key
from neanelu_pipelines.defs.loads.turns import Turn
from neanelu_pipelines.defs.staging.checks import checked_key
from neanelu_pipelines.mirror.declarations import Resource

_DATA_VERSION = "dagster/data_version"


class Telling:
    """What is told of loads of whole shops, at the assets that a run makes."""

    tells_staging: ClassVar[bool] = True
    """Whether the staging's tables are assets of the run."""

    def __init__(self, resource: Resource, steps: AbstractSet[str]) -> None:
        """`steps` are those that the run takes (`keys.steps_of`)."""
        self._resource = resource
        self._steps = steps

    @property
    def scope_at(self) -> dg.AssetKey:
        """The asset with the check of the token's scope."""
        return artifact_key(self._resource)

    @property
    def checked_at(self) -> dg.AssetKey:
        """The asset with the checks of the staging."""
        return checked_key(self._resource)

    @property
    def told_at(self) -> dg.AssetKey:
        """The asset at which what went wrong is told: the first of those that the run was to make."""
        if "artifacts" in self._steps:
            return artifact_key(self._resource)
        if "staging" in self._steps:
            return self.checked_at
        return mirror_key(self._resource, self._resource.mirror_tables[0])

    def artifact(self, turn: Turn, figures: Metadata) -> Iterator[dg.AssetMaterialization]:
        """The result is in the artifact store."""
        version = str(figures["sha256"].value)
        yield from materialized(artifact_key(self._resource), turn.partitions, figures, data_version=version)

    def staged(self, turn: Turn, table: str, figures: Metadata) -> Iterator[dg.AssetMaterialization]:
        """A staging table is filled."""
        if self.tells_staging:
            yield from materialized(staging_key(self._resource, table), turn.partitions, figures)

    def merged(self, turn: Turn, figures: Mapping[str, Metadata]) -> Iterator[dg.AssetMaterialization]:
        """The mirror's tables have it; figures by table."""
        for table in self._resource.mirror_tables:
            yield from materialized(mirror_key(self._resource, table), (turn.shop,), figures[table])

    def nothing(
        self, turn: Turn, words: str, metadata: Mapping[str, dg.MetadataValue | str]
    ) -> Iterator[dg.AssetObservation]:
        """Nothing is materialized, and why."""
        for partition in turn.partitions:
            yield dg.AssetObservation(self.told_at, partition=partition, description=words, metadata=metadata)


def materialized(
    key: dg.AssetKey, partitions: tuple[str, ...], figures: Metadata, *, data_version: str | None = None
) -> Iterator[dg.AssetMaterialization]:
    """An event for each partition, with the same figures."""
    tags = {_DATA_VERSION: data_version} if data_version else {}
    for partition in partitions:
        yield dg.AssetMaterialization(key, partition=partition, metadata=figures, tags=tags)
