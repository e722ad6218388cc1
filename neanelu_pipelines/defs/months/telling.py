"""What Dagster hears of months: each month's own partition, and the mirror's tables that changed with it.

Belongs here: those events and how many rows a month has. Does not belong here: the load (`loads.shop_load`).

The resource's artifact and staging stay untold: theirs are the files and rows of a whole shop.
"""

from collections.abc import Iterator, Mapping

import dagster as dg
from psycopg import sql

from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.loads.figures import Metadata
from neanelu_pipelines.defs.loads.keys import months_key
from neanelu_pipelines.defs.loads.telling import Telling, materialized
from neanelu_pipelines.defs.loads.turns import Turn
from neanelu_pipelines.defs.months.partitions import months_by_shop, partition
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.reports import LoadRun


class MonthsTelling(Telling):
    """What is told of loads of months. Lines and changes are those of the whole load, which had all months at once."""

    tells_staging = False

    def __init__(self, resource: Resource, warehouse: Warehouse, first: str) -> None:
        """`first` is the month that what is older belongs to."""
        super().__init__(resource, frozenset())
        self._warehouse = warehouse
        self._first = first
        self._artifacts: dict[str, Metadata] = {}

    @property
    def scope_at(self) -> dg.AssetKey:
        """The asset of the months."""
        return months_key(self._resource)

    @property
    def checked_at(self) -> dg.AssetKey:
        """The same."""
        return months_key(self._resource)

    @property
    def told_at(self) -> dg.AssetKey:
        """The same."""
        return months_key(self._resource)

    def artifact(self, turn: Turn, figures: Metadata) -> Iterator[dg.AssetMaterialization]:
        """Kept until the months are in the mirror: before, they are not materialized."""
        self._artifacts[turn.shop] = figures
        yield from ()

    def merged(self, turn: Turn, figures: Mapping[str, Metadata]) -> Iterator[dg.AssetMaterialization]:
        """The mirror's tables have these months."""
        yield from super().merged(turn, figures)
        assert turn.load is not None  # noqa: S101 - it has just been merged
        [months] = months_by_shop(turn.partitions).values()
        rows = self._rows(turn.load)
        whole = {**self._artifacts.get(turn.shop, {}), **figures[self._resource.root.table]}
        for month in months:
            own = {
                "window": dg.MetadataValue.text(month if month != self._first else f"{month} and before"),
                "months_of_load": dg.MetadataValue.text(f"{months[0]}..{months[-1]}"),
                "dagster/partition_row_count": dg.MetadataValue.int(rows.get(month, 0)),
            }
            yield from materialized(self.told_at, (partition(turn.shop, month),), {**whole, **own})

    def _rows(self, load: LoadRun) -> Mapping[str, int]:
        """How many rows the shop has in each month now, as the tenant sees it."""
        root = self._resource.root
        query = statement("defs/count_by_month").format(
            table=sql.Identifier(*root.table.split(".")), version=sql.Identifier(str(root.version))
        )
        with self._warehouse.database.tenant(load.shop_id) as connection:
            return dict(connection.execute(query, {"first": self._first}).fetchall())
