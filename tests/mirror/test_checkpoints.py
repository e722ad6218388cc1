"""Checkpoints: moved by complete loads only, whatever the order of windows; nothing before them is missing."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neanelu_pipelines.mirror import checkpoints, ledger
from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror.asking import WHOLE, Reach
from neanelu_pipelines.mirror.merge import Merge
from neanelu_pipelines.shopify.bulk.ledger import opened
from neanelu_pipelines.shopify.windows import Window, WindowError, joined, month
from tests.mirror.office import LAST, NOW, OVERLAP, MakeOffice, Office, window

if TYPE_CHECKING:
    from neanelu_pipelines.mirror.reports import LoadRun

EXAMPLES = 4
MONTHS = [f"{year}-{number:02}" for year in (2024, 2025) for number in range(1, 13)]


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


def test_what_the_token_did_not_show_is_asked_for_once_it_has_the_scope(office: Office) -> None:
    """Old orders that are not shown are not known to be there; the checkpoint moves, and says what it lacks."""
    office.may("read_orders")
    office.sync()
    office.clock.tick(hours=1)
    office.change(1, "fragil")
    office.clock.tick(hours=1)
    load = office.fetch(LAST)
    assert [bool(window.since) for window in office.windows(load)] == [True], "it would show the same again"
    office.merge(load)
    [unseen] = office.checkpoint().unseen
    assert (unseen.since, unseen.until) == (None, office.clock.now + timedelta(seconds=1))
    assert office.through() == office.clock.now

    office.may("read_orders", "read_all_orders")
    load = office.fetch(LAST)
    assert [window.since for window in office.windows(load)] == [None]
    office.merge(load)
    assert office.checkpoint().unseen == ()
    assert office.here() == office.there()


def test_a_load_that_dies_before_it_is_complete_moves_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.sync()
    office.clock.tick(hours=1)
    office.change(1, "fragil")
    office.clock.tick(hours=1)
    load = office.fetch(LAST)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    for owner, name in ((Merge, "in_one_transaction"), (checkpoints, "_rejected_moments")):
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


_HOURS = st.none() | st.integers(0, 12)


_ACTION = st.one_of(
    st.tuples(st.just("change"), st.integers(0, 23)),
    st.tuples(st.just("sync"), st.just(LAST)),
    st.tuples(
        st.sampled_from(["sync", "fetch"]),
        st.tuples(_HOURS, _HOURS)
        .filter(lambda ends: ends[0] is None or ends[1] is None or ends[0] < ends[1])
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
    groups: list[Reach] = []
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
