"""The moment of an export: which texts are one."""

from datetime import UTC, datetime, timedelta

import pytest

from neanelu_pipelines.defs.artifacts.moments import MomentError, parse_moment


def test_a_moment_keeps_its_offset() -> None:
    assert parse_moment(None) is None
    assert parse_moment("2026-01-31T14:00:00+02:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert parse_moment("2026-01-31T12:00:00Z") == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_clocks_may_differ_by_five_minutes() -> None:
    now = datetime.now(UTC)
    assert parse_moment((now + timedelta(minutes=4)).isoformat())
    with pytest.raises(MomentError, match="in the future"):
        parse_moment((now + timedelta(minutes=6)).isoformat())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yesterday", "not a moment"),
        ("", "not a moment"),
        ("2026-01-31", "time zone"),
        ("2026-01-31T12:00", "time zone"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(MomentError, match=words):
        parse_moment(text)
