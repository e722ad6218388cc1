"""An office: a shop in the sandbox whose clock the test moves, its mirror, and the syncs between them.

Belongs here: what tests of checkpoints do and what a checkpoint promises. Does not belong here: single promises.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from neanelu_pipelines.mirror import checkpoints
from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror.asking import WHOLE, Reach, begin_export
from neanelu_pipelines.mirror.checkpoints import Checkpoint
from neanelu_pipelines.mirror.reports import LoadRun, TableCounts
from neanelu_pipelines.sandbox.admin import Sandbox
from neanelu_pipelines.sandbox.ids import gid
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.bulk.ledger import opened, read_export
from neanelu_pipelines.shopify.windows import Window
from tests.mirror.lines import River
from tests.shopify.bulk import Desk

NOW = datetime.now(UTC).replace(microsecond=0)


OVERLAP = 600


LAST = Reach(since_last=True)


def window(since: datetime | None, until: datetime | None) -> Reach:
    return Reach(windows=(Window(since, until),))


@dataclass
class Clock:
    """The shops' clock, and ours."""

    now: datetime = NOW

    def __call__(self) -> float:
        return self.now.timestamp()

    def tick(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@dataclass
class Office:
    """A shop in the sandbox and its mirror."""

    river: River
    sandbox: Sandbox
    desk: Desk
    clock: Clock
    settings: Settings = field(repr=False)

    @property
    def shop(self) -> Any:
        return self.sandbox.shop(self.desk.domain)

    def begin(self, reach: Reach = WHOLE, resource: str = "orders", dagster_run_id: str = "") -> UUID:
        return begin_export(
            self.river.database,
            self.settings,
            shop_id=self.desk.shop_id,
            resource=resource,
            reach=reach,
            dagster_run_id=dagster_run_id,
            now=self.clock.now,
        )

    def fetch(self, reach: Reach = WHOLE, resource: str = "orders") -> LoadRun:
        """The result in the artifact store, not staged yet."""
        run = self.begin(reach, resource)
        assert self.desk.advance(run).status == "ready"
        load = steps.take_load(self.river.database, run, dagster_run_id="", first_run_id=str(run))
        assert load is not None
        return load

    def merge(self, load: LoadRun) -> dict[str, TableCounts]:
        steps.stage(self.river.database, self.settings, load)
        return steps.merge(self.river.database, self.settings, load)

    def sync(self, reach: Reach = WHOLE, resource: str = "orders") -> dict[str, TableCounts]:
        return self.merge(self.fetch(reach, resource))

    def checkpoint(self, resource: str = "orders") -> Checkpoint:
        found = checkpoints.read(self.river.database, self.desk.domain, resource)
        assert found is not None
        return found

    def through(self, resource: str = "orders") -> datetime | None:
        return self.checkpoint(resource).through

    def may(self, *scopes: str) -> None:
        """The shop's token has these scopes, as far as is known here."""
        self.river.query("UPDATE shops SET scopes = %s WHERE id = %s RETURNING 1", list(scopes), self.desk.shop_id)

    def was_asked(self) -> bool:
        return checkpoints.read(self.river.database, self.desk.domain, "orders") is not None

    def windows(self, load: LoadRun | UUID) -> tuple[Window, ...]:
        with opened(self.river.database) as book:
            return read_export(book, load if isinstance(load, UUID) else load.run_id).windows

    def change(self, number: int, note: str) -> str:
        order = self.order(number)
        self.shop.update(order, note=note)
        return order

    def order(self, number: int) -> str:
        return gid("Order", self.shop.spec.first + number)

    def there(self) -> dict[str, tuple[datetime, str | None]]:
        """The orders of the shop: when each changed, and its note."""
        rows = self.shop.rows("orders", {})
        nodes = (rows.node(int(index)) for index in rows.indexes())
        return {node["id"]: (datetime.fromisoformat(node["updatedAt"]), node["note"]) for node in nodes}

    def here(self) -> dict[str, tuple[datetime, str | None]]:
        """The orders of the mirror."""
        rows = self.river.query(
            "SELECT shopify_gid, updated_at_shopify, note FROM shopify_orders WHERE shop_id = %s", self.desk.shop_id
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def assert_kept(self) -> None:
        """What a checkpoint promises: of all that last changed before it, the mirror has the change."""
        checkpoint, here = self.checkpoint(), self.here()
        promised = {
            order: row
            for order, row in self.there().items()
            if checkpoint.through and row[0] < checkpoint.through and not covered(checkpoint.owed, row[0])
        }
        assert promised == {order: row for order, row in here.items() if order in promised}


def covered(windows: tuple[Window, ...], moment: datetime) -> bool:
    return any(
        (one.since is None or one.since <= moment) and (one.until is None or moment < one.until) for one in windows
    )


MakeOffice = Callable[[], Office]
