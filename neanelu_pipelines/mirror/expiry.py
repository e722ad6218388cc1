"""Artifacts past their time: deleted from the store, and the ledger says so. Runs past their time: all of them.

Belongs here: which ones those are, and in which order it is done. Does not belong here: when that is done.
"""

from datetime import datetime, timedelta

from fsspec.core import url_to_fs

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import ledger

KEPT = timedelta(days=1)
"""How long the lines that were made of events outlive their load: for a person who looks into it."""

_BATCH = 500


def delete_expired(database: Database, *, now: datetime) -> int:
    """Delete the artifacts of ended loads that were made of events, or tell of somebody who was forgotten; how many.

    Killed anywhere, the next one goes on.

    Raises:
        OSError: the artifact store is away, or refuses.
    """
    return _delete_files(database, "ledger/expired_artifacts", now - KEPT)


def delete_old(database: Database, *, now: datetime, kept: timedelta) -> int:
    """Delete the artifacts of loads that ended before `kept`; how many. See `old_artifacts.sql` for those that stay.

    The ledger keeps its row of each, with its size and hash. Killed anywhere, the next one goes on.

    Raises:
        OSError: the artifact store is away, or refuses.
    """
    return _delete_files(database, "ledger/old_artifacts", now - kept)


def _delete_files(database: Database, which: str, before: datetime) -> int:
    deleted = 0
    parameters = {"before": before, "limit": _BATCH}
    with ledger.opened(database) as book:
        while found := book.execute(statement(which), parameters).fetchall():
            for _, path in found:
                _delete(path)
            book.execute(statement("ledger/artifacts_deleted"), {"ids": [key for key, _ in found]})
            deleted += len(found)
    return deleted


def _delete(path: str) -> None:
    filesystem, inside = url_to_fs(path)
    # It may be gone: deleted by whoever died before saying so.
    if filesystem.exists(inside):
        filesystem.rm(inside)


def delete_past(database: Database, *, now: datetime, kept: timedelta) -> int:
    """Delete runs that ended before `kept`, with their steps, rejected lines and files; how many. See `past_runs.sql`.

    Files go first, so that none is left that no row tells of. Killed anywhere, the next one goes on.

    Raises:
        OSError: the artifact store is away, or refuses.
    """
    deleted = 0
    while found := _delete_some_past(database, now - kept):
        deleted += found
    return deleted


def _delete_some_past(database: Database, before: datetime) -> int:
    with database.connect(Role.PIPELINE) as book:
        past = book.execute(statement("ledger/past_runs"), {"before": before, "limit": _BATCH}).fetchall()
        runs = {"run_ids": [key for (key,) in past]}
        for (path,) in book.execute(statement("ledger/files_of_runs"), runs).fetchall():
            _delete(path)
        for what in ("errors", "steps", "artifacts", "runs"):
            book.execute(statement(f"ledger/delete_{what}"), runs)
    return len(past)
