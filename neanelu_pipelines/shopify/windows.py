"""Windows: stretches of time by whose changes a resource can be asked for, and the searches that ask for them.

Belongs here: what a window is, months, joining, cutting at the present, the search's text. Does not belong here: how
far a resource has come and what is asked for next (`mirror.checkpoints`), sending.

A window is half-open, [since, until): windows side by side ask for every row once. Shopify's moments have whole
seconds, and so have ours. A row that changes while windows are loaded moves to the window of its new moment; whichever
comes last, the newer row stays, so that any split, order and repetition of windows ends with the same rows.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.documents import between

_MONTH = re.compile(r"(\d{4})-(\d{2})(-01)?")
_DECEMBER = 12


class WindowError(NeaneluError):
    """A window that cannot be asked for."""


@dataclass(frozen=True)
class Window:
    """From `since` until before `until`, whole seconds with a time zone; None where it has no such end."""

    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.since, self.until):
            if moment is not None and (moment.tzinfo is None or moment.microsecond):
                raise WindowError(f"A window's ends are whole seconds with a time zone; {moment.isoformat()} is not.")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise WindowError(f"The window {self} is empty: it ends before it begins.")

    def __str__(self) -> str:
        since, until = (moment.isoformat() if moment else "" for moment in (self.since, self.until))
        return f"[{since}, {until})"

    def widened(self, overlap: timedelta) -> "Window":
        """The window with its lower end earlier by `overlap`: for rows that a search found later than they changed."""
        return self if self.since is None else replace(self, since=_floor(self.since - overlap))

    def cut(self, now: datetime) -> "Window | None":
        """What of the window is not the future; None if all of it is."""
        now = _floor(now)
        if self.since is not None and self.since >= now:
            return None
        return self if self.until is not None and self.until <= now else replace(self, until=now)

    def as_json(self) -> list[str | None]:
        """The two ends as text, for the ledger."""
        return [moment.isoformat() if moment else None for moment in (self.since, self.until)]

    @classmethod
    def of_json(cls, ends: list[str | None]) -> "Window":
        """What `as_json` wrote."""
        since, until = (datetime.fromisoformat(end) if end else None for end in ends)
        return cls(since, until)


def month(key: str) -> Window:
    """The month `2025-03`, also by its first day (`2025-03-01`), in UTC.

    Raises:
        WindowError: it is neither.
    """
    found = _MONTH.fullmatch(key)
    try:
        year, number = (int(found[1]), int(found[2])) if found else (0, 0)
        first = datetime(year, number, 1, tzinfo=UTC)
        after = datetime(year + number // _DECEMBER, number % _DECEMBER + 1, 1, tzinfo=UTC)
    except ValueError as error:
        raise WindowError(f"{key!r} is no month; write it like 2025-03.") from error
    return Window(first, after)


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same stretches of time in as few windows as possible, in order: consecutive months become one."""
    whole: list[Window] = []
    for window in sorted(windows, key=_begin):
        last = whole[-1] if whole else None
        if last is None or (last.until is not None and last.until < _begin(window)):
            whole.append(window)
        elif last.until is not None and (window.until is None or window.until > last.until):
            whole[-1] = replace(last, until=window.until)
    return tuple(whole)


def wanted(windows: Iterable[Window], *, overlap: timedelta, now: datetime) -> tuple[Window, ...]:
    """What to ask for at `now` to know of every change in these windows.

    Raises:
        WindowError: all of them lie in the future.
    """
    given = tuple(windows)
    there = [window.widened(overlap) for window in given if window.cut(now)]
    if not there:
        raise WindowError(f"Nothing can have changed yet in {', '.join(map(str, given))}: it is {_floor(now)} now.")
    return joined(cut for window in there if (cut := window.cut(now)))


def search(field: str, windows: Iterable[Window]) -> str | None:
    """A search for rows whose `field` lies in one of the windows; None where that is every row."""
    terms = [between(field, window.since, window.until) for window in windows]
    if None in terms or not terms:
        return None
    return terms[0] if len(terms) == 1 else " OR ".join(f"({term})" for term in terms)


def _begin(window: Window) -> datetime:
    return window.since or datetime.min.replace(tzinfo=UTC)


def _floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
