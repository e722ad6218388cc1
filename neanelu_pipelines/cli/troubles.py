"""What waits for somebody in the data itself: events, loads, checkpoints, exports, privacy requests.

Belongs here: one question to the database for each, and what to do about the answer. Does not belong here: the
installation (`doctor`), how it is printed (`doctor`, `status`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from neanelu_pipelines.database.statements import statement

_NAMED = 3
"""So many are named; of the others it is said that there are more."""
_LONGEST_REASON = 160


@dataclass(frozen=True)
class Trouble:
    """One thing that was asked; `found` is empty where nothing waits."""

    what: str
    found: str
    remedy: str
    fine: str
    """What is said where nothing waits."""
    grave: bool = False
    """Whether it may not stay so."""


Rows = Sequence[dict[str, Any]]


def troubles(connection: psycopg.Connection) -> Iterator[Trouble]:
    """Each of them, in trouble or not."""
    for name, told in _QUESTIONS:
        with connection.cursor(row_factory=dict_row) as cursor:
            yield told(cursor.execute(statement(name)).fetchall())


def _events_waiting(rows: Rows) -> Trouble:
    [row] = rows
    return Trouble(
        "webhooks waiting",
        f"{row['events']:,} wait, the oldest for {row['minutes']:,} minutes" if row["minutes"] else "",
        "start `neanelu dev`: the sensor webhooks_waiting processes them; or materialize the asset webhook_events",
        f"{row['events']:,} have just come" if row["events"] else "none",
    )


def _events_aside(rows: Rows) -> Trouble:
    return Trouble(
        "webhooks set aside",
        _listed(rows, lambda row: f"{row['events']:,} {row['topic']} of {row['shop']} ({_short(row['reason'])})"),
        "`neanelu webhooks list` has the reasons; mend them and run `neanelu webhooks retry`, close them with `neanelu "
        "webhooks dismiss`, or leave them: what most of them told comes with the next whole sync; of deleted orders, "
        "and of those older than 60 days, only with a token that has read_all_orders; that the app was uninstalled, "
        "and what the mirror has no table for, is not told again",
        "none",
    )


def _loads_failed(rows: Rows) -> Trouble:
    return Trouble(
        "loads of the last day",
        _listed(rows, lambda row: f"{row['resource']} of {row['shop']} failed ({_short(row['error'])})"),
        "mend what it says, then load or sync that resource again",
        "each that failed was followed by a complete one",
    )


def _checkpoints(rows: Rows) -> Trouble:
    return Trouble(
        "checkpoints",
        _listed(rows, lambda row: f"{row['resource']} of {row['shop']} is in error ({_short(row['error'])})"),
        "`neanelu sync --shop … --resource …`: a complete sync moves it on",
        "none is in error",
    )


def _refusals(rows: Rows) -> Trouble:
    return Trouble(
        "removals",
        _listed(rows, lambda row: str(row["reason"])),
        "each says what to do; where rows are missing, look first whether the shop really lost them",
        "no export was refused",
    )


def _redactions(rows: Rows) -> Trouble:
    return Trouble(
        "privacy requests",
        _listed(rows, _request),
        "those that wait or are hindered: materialize the asset redactions (`neanelu dev` does so by itself); those "
        "aside: mend what the reason says, then `neanelu webhooks retry`, or close them with `neanelu webhooks "
        "dismiss`; pipeline.redactions says what is left",
        "all are answered",
        grave=any(row["grave"] for row in rows),
    )


def _request(row: dict[str, Any]) -> str:
    told = f"{row['requests']:,} {row['kind']}: {row['status']} since {row['since']:%Y-%m-%d}"
    return f"{told} ({_short(row['reason'])})" if row["reason"] else told


_QUESTIONS: tuple[tuple[str, Callable[[Rows], Trouble]], ...] = (
    ("cli/events_waiting", _events_waiting),
    ("cli/events_aside", _events_aside),
    ("cli/loads_failed", _loads_failed),
    ("cli/checkpoints_in_error", _checkpoints),
    ("removals/refused", _refusals),
    ("cli/redactions_open", _redactions),
)


def _listed(rows: Rows, words: Callable[[dict[str, Any]], str]) -> str:
    named = "; ".join(words(row) for row in rows[:_NAMED])
    return f"{named}; and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else named


def shortened(words: str, longest: int) -> str:
    """On one line, and of at most that many characters, and then "…"."""
    line = " ".join(words.split())
    return line if len(line) <= longest else f"{line[:longest]}…"


def _short(reason: str | None) -> str:
    return shortened(reason or "no reason was left", _LONGEST_REASON)
