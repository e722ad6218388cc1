"""Checkpoints: moved by complete loads only, whatever the order of windows; nothing before them is missing."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lines import River

from neanelu_pipelines.mirror import checkpoints, ledger
from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror.asking import WHOLE, Reach, begin_export
from neanelu_pipelines.mirror.checkpoints import Checkpoint
from neanelu_pipelines.mirror.reports import LoadRun, TableCounts
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.sandbox.ids import gid
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.bulk.ledger import opened, read_export
from neanelu_pipelines.shopify.windows import Window, WindowError, joined, month
from tests.shopify.bulk import Desk
from tests.shopify.conftest import make_shop

NOW = datetime.now(UTC).replace(microsecond=0)
OVERLAP = 600
EXAMPLES = 4
LAST = Reach(since_last=True)
MONTHS = [f"{year}-{number:02}" for year in (2024, 2025) for number in range(1, 13)]


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


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[tuple[Sandbox, Clock, Iterator[str]]]:
    """One server with a shop for each test, or example of one."""
    clock = Clock()
    shops = [
        GeneratedShop(f"comenzi-{number}.myshopify.com", seed=number, products=4, orders=24, customers=4)
        for number in range(40 + EXAMPLES)
    ]
    with Sandbox(shops, bucket=(1e6, 1e6), clock=clock) as sandbox:
        yield sandbox, clock, iter(sandbox.domains)


@pytest.fixture
def new_office(river: River, _sandbox: tuple[Sandbox, Clock, Iterator[str]]) -> MakeOffice:
    sandbox, clock, domains = _sandbox
    own = river.settings.model_copy(update={"sync_overlap": OVERLAP})

    def make() -> Office:
        clock.now = NOW
        domain = next(domains)
        shop_id = make_shop(river.database, domain)
        root = Path(own.artifact_root)
        desk = Desk(river.database.urls, sandbox.url_template, sandbox.token(domain), shop_id, root, domain)
        return Office(river, sandbox, desk, clock, own)

    return make


@pytest.fixture
def office(new_office: MakeOffice) -> Office:
    return new_office()


def test_a_snapshot_and_then_what_changed_since(office: Office) -> None:
    office.sync()
    assert office.through() == NOW
    assert office.here() == office.there()

    office.clock.tick(hours=1)
    order = office.change(3, "de sunat înainte")
    office.clock.tick(hours=1)
    load = office.fetch(LAST)
    counts = office.merge(load)

    assert office.windows(load) == (Window(NOW - timedelta(seconds=OVERLAP), office.clock.now),)
    assert (counts["shopify_orders"].inserted, counts["shopify_orders"].updated) == (0, 1)
    assert office.here()[order][1] == "de sunat înainte"
    assert office.here() == office.there()
    assert office.through() == office.clock.now


def test_a_backfill_of_years_is_one_operation_and_stops_at_a_gap(office: Office) -> None:
    before, months = window(None, datetime(2024, 1, 1, tzinfo=UTC)), Reach(windows=tuple(map(month, MONTHS)))
    load = office.fetch(months)
    office.merge(load)

    begun, ended = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert office.windows(load) == (Window(begun - timedelta(seconds=OVERLAP), ended),)
    assert (
        set(office.here()) == {order for order, (at, _) in office.there().items() if at >= begun} < set(office.there())
    )
    assert (office.through(), office.checkpoint().ahead) == (None, office.windows(load))
    assert office.windows(office.begin(LAST)) == ()  # without a checkpoint everything is asked for

    office.sync(before)
    assert (office.through(), office.checkpoint().ahead) == (ended, ())
    assert office.here() == office.there()


def test_the_whole_may_not_be_known_by_a_window(office: Office) -> None:
    """What a window's load finds unchanged stays as old as it was: an export from before is not older than them."""
    late = office.fetch()
    office.clock.tick(minutes=5)
    office.sync(window(None, None))
    with opened(office.river.database) as book:
        assert ledger.shown_through(book, late) is None
        office.merge(late)
        assert ledger.shown_through(book, late) == NOW
    assert office.through() == office.clock.now


def test_windows_can_be_asked_for_only_where_that_is_declared_and_something_has_happened(office: Office) -> None:
    with pytest.raises(WindowError, match="locations"):
        office.begin(window(None, NOW), "locations")
    with pytest.raises(WindowError, match="Nothing can have changed"):
        office.begin(window(NOW + timedelta(days=1), None))
    office.sync(LAST, "locations")
    assert office.windows(office.fetch(LAST, "locations")) == ()
    assert office.through("locations") == NOW


def test_a_run_that_is_repeated_later_joins_its_own_export(office: Office) -> None:
    office.sync()
    office.clock.tick(hours=1)
    this_month = window(NOW - timedelta(days=3), NOW + timedelta(days=27))
    first = {reach: office.begin(reach, dagster_run_id="one") for reach in (WHOLE, LAST, this_month)}
    assert len(set(first.values())) == 3

    office.clock.tick(hours=1)
    for reach, run in first.items():
        assert office.begin(reach, dagster_run_id="two") == run, reach


def test_a_load_that_dies_before_it_is_complete_moves_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.sync()
    office.clock.tick(hours=1)
    office.change(1, "fragil")
    office.clock.tick(hours=1)
    load = office.fetch(LAST)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    for owner, name in ((steps.Merge, "in_one_transaction"), (checkpoints, "_rejected_moments")):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, die)
            with pytest.raises(KeyboardInterrupt):
                office.merge(load)
        assert (office.through(), office.checkpoint().status) == (NOW, "running"), name

    steps.merge(office.river.database, office.settings, load)
    assert (office.through(), office.checkpoint().status) == (office.clock.now, "idle")
    assert office.here() == office.there()


def test_an_older_load_never_moves_it_back(office: Office) -> None:
    office.sync(window(None, NOW - timedelta(days=100)))
    early = office.fetch()
    office.clock.tick(hours=2)
    office.change(5, "nou")
    office.sync()
    office.merge(early)

    assert office.through() == office.clock.now
    assert office.checkpoint().ahead == ()
    office.assert_kept()


def test_what_is_under_way_and_what_failed_stands_beside_it(office: Office) -> None:
    office.begin()
    assert (office.through(), office.checkpoint().status) == (None, "running")
    office.sync()
    assert (office.through(), office.checkpoint().status) == (NOW, "idle")

    office.clock.tick(hours=1)
    load = office.fetch(LAST)
    steps.fail(office.river.database, load, "the artifact is damaged")
    failed = office.checkpoint()
    assert (failed.through, failed.status, failed.error) == (NOW, "error", "the artifact is damaged")

    office.begin(LAST)
    assert (office.checkpoint().status, office.checkpoint().error) == ("running", "the artifact is damaged")
    office.sync(LAST)
    assert (office.through(), office.checkpoint().status, office.checkpoint().error) == (office.clock.now, "idle", None)


def test_a_file_moves_no_checkpoint(office: Office) -> None:
    load = office.fetch()
    steps.load_file(
        office.river.database,
        office.settings,
        shop_domain=office.desk.domain,
        resource="orders",
        source=load.artifact_path,
    )
    assert office.through() is None


def refuse_order(office: Office) -> str:
    order = office.order(2)
    office.shop.update(order, displayFinancialStatus="CINE_STIE")
    return order


def refuse_line_item(office: Office) -> str:
    order = office.order(2)
    item = office.shop.node(order)["lineItems"][0]["id"]
    office.shop.update(item, quantity=10**12)
    return order


def mend(office: Office, order: str) -> None:
    """A later release takes the row as it is: in the shop nothing moved."""
    for gid_, edit in list(office.shop.overlay.edits.items()):
        edits = {name: value for name, value in edit.items() if name not in {"displayFinancialStatus", "quantity"}}
        office.shop.overlay.edits = {**office.shop.overlay.edits, gid_: edits}
    assert order in office.there()


@pytest.mark.parametrize("refuse", [refuse_order, refuse_line_item])
def test_what_was_rejected_is_asked_for_again(office: Office, refuse: Callable[[Office], str]) -> None:
    office.sync()
    changed = office.clock.tick(hours=1)
    order = refuse(office)
    office.clock.tick(hours=5)
    office.sync(LAST)

    owed = Window(changed, changed + timedelta(seconds=1))
    assert (office.through(), office.checkpoint().owed) == (office.clock.now, (owed,))
    office.assert_kept()

    mend(office, order)
    latest = Window(office.clock.now - timedelta(seconds=OVERLAP), office.clock.tick(hours=1))
    load = office.fetch(LAST)
    assert office.windows(load) == (owed, latest)
    office.merge(load)
    assert (office.through(), office.checkpoint().owed) == (office.clock.now, ())
    assert office.here() == office.there()


def test_a_row_that_was_rejected_and_changes_is_owed_no_more(office: Office) -> None:
    order = refuse_order(office)
    for reach in (WHOLE, LAST):
        office.clock.tick(hours=1)
        office.sync(reach)
        assert len(office.checkpoint().owed) == 1

    office.shop.update(order, displayFinancialStatus="PAID")
    office.clock.tick(hours=1)
    office.sync(LAST)
    assert office.checkpoint().owed == ()
    assert office.here() == office.there()


def test_what_is_rejected_deep_below_a_product_is_owed_with_the_product(office: Office) -> None:
    product = office.shop.rows("products", {}).node(0)
    office.shop.update(product["variants"][0]["id"], price="1000000000000.00")
    office.clock.tick(minutes=30)
    media = next(one["id"] for one in office.shop.rows("products", {}).node(1)["media"])
    office.shop.update(media, mediaContentType="MIROS")
    office.clock.tick(hours=1)
    office.sync(resource="products")

    at = [NOW, NOW + timedelta(minutes=30)]
    assert office.checkpoint("products").owed == tuple(Window(one, one + timedelta(seconds=1)) for one in at)
    assert office.through("products") == office.clock.now


def test_where_nobody_can_tell_what_was_rejected_nothing_counts(office: Office) -> None:
    office.sync()
    office.clock.tick(hours=1)
    office.change(1, "atenție")
    office.clock.tick(hours=1)
    load = office.fetch(LAST)
    lines = Path(load.artifact_path).read_bytes().splitlines(keepends=True)
    Path(load.artifact_path).write_bytes(b"".join([*lines[:-1], b"{" + lines[-1][1:-2] + b"\n"]))
    office.merge(load)

    told = office.checkpoint()
    assert (told.through, told.status, told.owed) == (NOW, "error", ())
    assert "nobody can tell" in str(told.error)
    office.sync(LAST)
    assert (office.through(), office.checkpoint().status) == (office.clock.now, "idle")
    assert office.here() == office.there()


def test_many_stretches_are_asked_for_as_one(office: Office) -> None:
    for number in range(21):
        office.shop.update(office.order(number), displayFinancialStatus="CINE_STIE")
        office.clock.tick(hours=1)
    office.sync()
    owed = Window(NOW, NOW + timedelta(hours=20, seconds=1))
    assert office.checkpoint().owed == (owed,)

    office.clock.tick(hours=1)
    latest = Window(NOW + timedelta(hours=21, seconds=-OVERLAP), office.clock.now)
    assert office.windows(office.fetch(LAST)) == (owed, latest)


_HOURS = st.none() | st.integers(0, 12)
_ACTION = st.one_of(
    st.tuples(st.just("change"), st.integers(0, 23)),
    st.tuples(st.just("sync"), st.just(LAST)),
    st.tuples(
        st.sampled_from(["sync", "fetch"]),
        st.tuples(_HOURS, _HOURS)
        .filter(lambda ends: None in ends or ends[0] < ends[1])
        .map(lambda ends: window(*(None if one is None else NOW + timedelta(hours=one) for one in ends))),
    ),
    st.tuples(st.just("merge"), st.integers(0, 3)),
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(_ACTION, st.integers(0, 3)), min_size=2, max_size=5))
def test_nothing_before_a_checkpoint_is_missing_whatever_was_asked_for_when(
    new_office: MakeOffice, actions: list[tuple[tuple[str, Any], int]]
) -> None:
    office = new_office()
    waiting: list[LoadRun] = []
    highest = None
    for (what, which), hours in [*actions, (("sync", LAST), 1), (("merge", 0), 0)]:
        if what == "change":
            office.change(which, f"schimbat la {office.clock.now}")
        elif what == "merge" and waiting:
            office.merge(waiting.pop(which % len(waiting)))
        elif what in {"sync", "fetch"}:
            with suppress(WindowError):
                load = office.fetch(which)
                waiting.append(load)
                if what == "sync":
                    office.merge(waiting.pop())
        if what in {"sync", "merge"} and office.was_asked():
            office.assert_kept()
            through = office.through()
            assert highest is None or (through is not None and through >= highest)
            highest = through
        office.clock.tick(hours=hours)
    for load in waiting:
        office.merge(load)
    office.clock.tick(minutes=1)
    office.sync(LAST)
    assert office.through() == office.clock.now
    assert office.here() == office.there()


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(3, 12), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_months_in_any_split_and_order_come_to_the_same(new_office: MakeOffice, sizes: list[int], dice: Any) -> None:
    office = new_office()
    keys = ["2023-11", "2023-12", *MONTHS]
    groups, size = [], 0
    while keys:
        size = sizes[len(groups) % len(sizes)] * 2
        groups.append(Reach(windows=joined(map(month, keys[:size]))))
        keys = keys[size:]
    groups.append(window(None, datetime(2023, 11, 1, tzinfo=UTC)))
    dice.shuffle(groups)
    for reach in [*groups, groups[0]]:
        office.sync(reach)

    assert office.through() == datetime(2026, 1, 1, tzinfo=UTC)
    assert office.checkpoint().ahead == ()
    assert office.here() == office.there()
