"""Windows: months, joining, cutting at the present, and searches that the linter and the sandbox take as they are."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neanelu_pipelines.sandbox.admin import search as sandbox
from neanelu_pipelines.sandbox.shop.overlay import stamp
from neanelu_pipelines.sandbox.shop.table import ListRows
from neanelu_pipelines.shopify.documents import document, inlined
from neanelu_pipelines.shopify.linter import lint
from neanelu_pipelines.shopify.windows import Window, WindowError, joined, month, search, wanted

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
MOST = 40
_ENDS = st.none() | st.integers(0, MOST)


def at(hour: int) -> datetime:
    return FIRST + timedelta(hours=hour)


def window(ends: tuple[int | None, int | None]) -> Window:
    since, until = ends
    return Window(None if since is None else at(since), None if until is None else at(until))


WINDOWS = st.lists(
    st.tuples(_ENDS, _ENDS).filter(lambda ends: ends[0] is None or ends[1] is None or ends[0] < ends[1]).map(window),
    min_size=1,
    max_size=6,
)


def covers(windows: tuple[Window, ...] | list[Window], moment: datetime) -> bool:
    return any(
        (one.since is None or one.since <= moment) and (one.until is None or moment < one.until) for one in windows
    )


def test_a_month_is_its_days_in_utc_however_it_is_written() -> None:
    assert month("2025-02") == month("2025-02-01")
    assert month("2025-12") == Window(datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    assert month("2024-02").until == datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("key", ["2025-13", "2025-00", "2025", "2025-02-15", "0000-01", "9999-12", "maine"])
def test_what_is_no_month_is_refused(key: str) -> None:
    with pytest.raises(WindowError, match="no month"):
        month(key)


def test_consecutive_months_are_one_window_and_one_search() -> None:
    years = joined(month(f"{year}-{number:02}") for year in (2025, 2024) for number in range(1, 13))

    assert years == (Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),)
    assert search("updated_at", years) == "updated_at:>='2024-01-01T00:00:00Z' AND updated_at:<'2026-01-01T00:00:00Z'"


def test_a_window_needs_whole_seconds_a_zone_and_an_inside() -> None:
    for since, until in ((datetime(2025, 1, 1), None), (FIRST.replace(microsecond=1), None), (FIRST, FIRST)):  # noqa: DTZ001
        with pytest.raises(WindowError):
            Window(since, until)


def test_it_is_the_same_window_in_any_zone_and_in_the_ledger() -> None:
    bucharest = timezone(timedelta(hours=2))
    local = Window(FIRST.astimezone(bucharest), None)

    assert local == Window(FIRST, None) == Window.of_json(local.as_json())
    assert search("updated_at", [local]) == "updated_at:>='2026-01-01T00:00:00Z'"


@settings(deadline=None, max_examples=40)
@given(WINDOWS, st.integers(0, 3), st.integers(1, MOST))
def test_what_is_asked_for_is_the_windows_and_the_overlap_up_to_now(
    given: list[Window], overlap: int, now: int
) -> None:
    hours = [at(hour) for hour in range(-5, MOST + 5)]
    if all(one.since is not None and one.since >= at(now) for one in given):
        with pytest.raises(WindowError, match="Nothing can have changed"):
            wanted(given, overlap=timedelta(0), now=at(now))
        return

    asked = wanted(given, overlap=timedelta(hours=overlap), now=at(now) + timedelta(milliseconds=300))

    begun = [one for one in given if one.since is None or one.since < at(now)]
    expected = [
        m for m in hours if m < at(now) and any(covers(begun, m + timedelta(hours=h)) for h in range(overlap + 1))
    ]
    expected = [m for m in expected if m < at(now)]
    assert {m for m in hours if covers(begun, m) and m < at(now)} <= {m for m in hours if covers(asked, m)}
    assert [m for m in hours if covers(asked, m)] == expected
    assert all(one.until < two.since for one, two in pairwise(asked))  # type: ignore[operator]


@settings(deadline=None, max_examples=40)
@given(WINDOWS)
def test_the_search_finds_exactly_the_rows_of_the_windows(given: list[Window]) -> None:
    hours = [at(hour) for hour in range(-1, MOST + 1)]
    rows = ListRows(
        "Order", [{"id": f"gid://shopify/Order/{i}", "updatedAt": stamp(m.timestamp())} for i, m in enumerate(hours)]
    )
    text = search("updated_at", joined(given))

    found = sandbox.search(rows, text)

    assert found.warnings == []
    assert [hours[i] for i in found.indexes] == [m for m in hours if covers(given, m)]
    assert lint(inlined(document("orders"), {"search": text})) == []
