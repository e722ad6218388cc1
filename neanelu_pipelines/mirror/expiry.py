"""Artifacts past their time: deleted from the store, and the ledger says so. Runs past their time: all of them.

Belongs here: which ones those are, and in which order it is done. Does not belong here: when that is done.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from fsspec.core import url_to_fs

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror import ledger
from neanelu_pipelines.mirror.ledger import ResourceBusyError
from neanelu_pipelines.mirror.reports import LoadRun

_UNTOUCHED = timedelta(hours=1)
"""Whoever loads what is in the store begins long before that."""
_ENDED = "Nobody loaded it, and a customer was forgotten since it was read: its artifact is not kept. Load its source again."
_MOMENT = 0.2

KEPT = timedelta(days=1)
"""How long the lines that were made of events outlive their load: for a person who looks into it."""

_BATCH = 500
_MOST_LEFT = 20
"""If so many files cannot be deleted, none can: the store is away, and it would be asked for each."""


class FilesLeftError(NeaneluError):
    """Some files could not be deleted; all the others were."""


@dataclass
class _Deleting:
    """Deletes files, and goes on where one cannot be deleted: it would stop every later night at the same place."""

    left: dict[UUID, str] = field(default_factory=dict)
    """What stays with its file, and why."""

    def delete(self, key: UUID, path: str) -> None:
        """Delete what is at the path, if anything is: whoever died before saying so may have deleted it."""
        try:
            filesystem, inside = url_to_fs(path)
            if filesystem.exists(inside):
                filesystem.rm(inside)
        except Exception as fault:
            if len(self.left) >= _MOST_LEFT:
                raise
            self.left[key] = f"{path} ({type(fault).__name__}: {fault})"

    def report(self) -> None:
        """Say what is left, if anything is.

        Raises:
            FilesLeftError: something is.
        """
        if self.left:
            raise FilesLeftError(
                f"{len(self.left)} files past their time could not be deleted, the others were: "
                f"{'; '.join(list(self.left.values())[:3])}{'; …' if len(self.left) > 3 else ''}. "  # noqa: PLR2004
                "Let whoever runs this delete them, or delete them yourself: the next night tries again."
            )


def delete_expired(database: Database, *, now: datetime) -> int:
    """Delete the artifacts of ended loads that were made of events, or tell of somebody who was forgotten; how many.

    What may tell of somebody, because it was read before, is ended if nobody loads it. Killed anywhere, the next one
    goes on.

    Raises:
        FilesLeftError: some files could not be deleted; all else is done.
        OSError: the artifact store is away.
    """
    _end_unloaded(database, now - _UNTOUCHED)
    return _delete_files(database, "ledger/expired_artifacts", now - KEPT)


def _end_unloaded(database: Database, before: datetime) -> None:
    """End loads that nobody began, or went on with, and that may tell of somebody who was forgotten."""
    with ledger.opened(database) as book:
        rows = book.execute(statement("ledger/unloaded_of_forgotten"), {"before": before}).fetchall()
        for run_id, shop_id, domain, resource in rows:
            load = LoadRun(run_id, shop_id, domain, resource, "", 0, "")
            # Under the lock nobody reads the file; if somebody does now, the next night looks again.
            with suppress(ResourceBusyError), ledger.resource_lock(book, load, _MOMENT):
                ledger.close_run(book, load, "failed", error=_ENDED)


def delete_old(database: Database, *, now: datetime, kept: timedelta) -> int:
    """Delete the artifacts of loads that ended before `kept`; how many. See `old_artifacts.sql` for those that stay.

    The ledger keeps its row of each, with its size and hash. Killed anywhere, the next one goes on.

    Raises:
        FilesLeftError: some files could not be deleted; all else is done.
        OSError: the artifact store is away.
    """
    return _delete_files(database, "ledger/old_artifacts", now - kept)


def _delete_files(database: Database, which: str, before: datetime) -> int:
    deleted = 0
    files = _Deleting()
    with ledger.opened(database) as book:
        while found := book.execute(statement(which), _next(before, files)).fetchall():
            for key, path in found:
                files.delete(key, path)
            gone = [key for key, _ in found if key not in files.left]
            book.execute(statement("ledger/artifacts_deleted"), {"ids": gone})
            deleted += len(gone)
    files.report()
    return deleted


def _next(before: datetime, files: _Deleting) -> dict[str, object]:
    return {"before": before, "limit": _BATCH, "left": list(files.left)}


def delete_past(database: Database, *, now: datetime, kept: timedelta) -> int:
    """Delete runs that ended before `kept`, with their steps, rejected lines and files; how many. See `past_runs.sql`.

    Files go first, so that none is left that no row tells of. Killed anywhere, the next one goes on.

    Raises:
        FilesLeftError: some files could not be deleted; all else is done.
        OSError: the artifact store is away.
    """
    deleted = 0
    files = _Deleting()
    while past := _delete_some_past(database, now - kept, files):
        deleted += sum(key not in files.left for key in past)
    files.report()
    return deleted


def _delete_some_past(database: Database, before: datetime, files: _Deleting) -> list[UUID]:
    """The runs that were looked at; those of which a file is left stay."""
    with database.connect(Role.PIPELINE) as book:
        past = [key for (key,) in book.execute(statement("ledger/past_runs"), _next(before, files)).fetchall()]
        for key, path in book.execute(statement("ledger/files_of_runs"), {"run_ids": past}).fetchall():
            files.delete(key, path)
        runs = {"run_ids": [key for key in past if key not in files.left]}
        for what in ("errors", "steps", "artifacts", "runs"):
            book.execute(statement(f"ledger/delete_{what}"), runs)
    return past
