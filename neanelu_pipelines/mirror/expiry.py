"""Artifacts past their time: deleted from the store, and the ledger says so. Runs past their time: all of them.

And what runs that are over left in the store without telling the ledger, and answers to people past their time.

Belongs here: which ones those are, and in which order it is done. Does not belong here: when that is done.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror import ledger
from neanelu_pipelines.mirror.forgotten import is_gone
from neanelu_pipelines.mirror.ledger import ResourceBusyError
from neanelu_pipelines.mirror.leftovers import ANSWERS, answers_in, folders, found_in
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.shopify.store import files_of

_T = TypeVar("_T")
_UNTOUCHED = timedelta(hours=1)
"""Whoever loads what is in the store begins long before that."""
_DEAD = timedelta(days=1)
"""A load that was not heard of for so long is over."""
_ENDED = "The process that ran this load ended before it did."
_FORGOTTEN = (
    "Nobody loaded it, and a customer was forgotten since it was read: its artifact is not kept. Load its source again."
)
_MOMENT = 0.2

KEPT = timedelta(days=1)
"""How long the lines that were made of events outlive their load: for a person who looks into it."""

ANSWERS_KEPT = timedelta(days=30)
"""How long the answer to a `customers/data_request` stays: Shopify gives a merchant 30 days to hand it over."""

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
    unlisted: list[str] = field(default_factory=list)
    """Folders that nobody can look into."""

    def delete(self, key: UUID, path: str, *, folder: bool = False) -> None:
        """Delete what is at the path, if anything is: whoever died before saying so may have deleted it."""
        try:
            filesystem, inside = files_of(path)
            if filesystem.exists(inside):
                filesystem.rm(inside, recursive=folder)
        except Exception as fault:
            if len(self.left) >= _MOST_LEFT:
                raise
            self.left[key] = f"{path} ({type(fault).__name__}: {fault})"

    def found(self, folder: str, listed: Callable[[str], list[_T]]) -> list[_T]:
        """What is listed of the folder."""
        try:
            return listed(folder)
        except Exception as fault:
            if len(self.unlisted) >= _MOST_LEFT:
                raise
            self.unlisted.append(f"{folder} ({type(fault).__name__}: {fault})")
            return []

    def report(self) -> None:
        """Say what is left, if anything is.

        Raises:
            FilesLeftError: something is.
        """
        if words := [*self.left.values(), *self.unlisted]:
            raise FilesLeftError(
                f"{len(words)} files or folders past their time could not be deleted, the others were: "
                f"{'; '.join(words[:3])}{'; …' if len(words) > 3 else ''}. "  # noqa: PLR2004
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
    _end_unloaded(database, now)
    return _delete_files(database, "ledger/expired_artifacts", now - KEPT)


def _end_unloaded(database: Database, now: datetime) -> None:
    """End loads that nobody goes on with: after a day; sooner if they may tell of somebody who was forgotten."""
    moments = {"untouched": now - _UNTOUCHED, "dead": now - _DEAD}
    with ledger.opened(database) as book:
        for run_id, shop_id, domain, resource, tells in book.execute(statement("ledger/unloaded"), moments).fetchall():
            load = LoadRun(run_id, shop_id, domain, resource, "", 0, "")
            # Under the lock nobody reads the file; if somebody does now, the next night looks again.
            with suppress(ResourceBusyError), ledger.resource_lock(book, load, _MOMENT):
                ledger.close_run(book, load, "failed", error=_FORGOTTEN if tells else _ENDED)
                book.execute(statement("ledger/abandon_steps"), {"run_ids": [run_id]})


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


@dataclass(frozen=True)
class Purged:
    """What was deleted."""

    runs: int
    files: int
    """That no row of the ledger named."""
    answers: int = 0
    """To people who asked what is known of them."""


def delete_past(database: Database, artifact_root: str, *, now: datetime, kept: timedelta) -> Purged:
    """Delete runs that ended before `kept`, with their steps, rejected lines and files. See `past_runs.sql`.

    Files go first, so that none is left that no row tells of: at once those that a run which is over left in the store
    without telling the ledger (pieces of a result, half a copy, a whole one); they are found by its id in their names.
    Files of runs that this ledger does not know are left alone, another may; unless their shop was forgotten, and its
    runs with it. Answers to people go after ANSWERS_KEPT, by the record of their request. Killed anywhere, the next one
    goes on.

    Raises:
        FilesLeftError: some files could not be deleted; all else is done.
        OSError: the artifact store is away.
    """
    files = _Deleting()
    _end_unloaded(database, now)
    answers = sum(
        _delete_answers(database, folder, files, now - ANSWERS_KEPT) for folder in folders(artifact_root, {ANSWERS})
    )
    left_behind = sum(_delete_left_behind(database, folder, files) for folder in folders(artifact_root))
    deleted = 0
    while past := _delete_some_past(database, now - kept, files):
        deleted += sum(key not in files.left for key in past)
    files.report()
    return Purged(deleted, left_behind, answers)


def _delete_answers(database: Database, folder: str, files: _Deleting, before: datetime) -> int:
    """The answers in a folder that were given before that moment; of a shop that was forgotten, all."""
    if not (found := files.found(folder, answers_in)):
        return 0
    with ledger.opened(database) as book:
        asked = {"ids": [key for key, _ in found], "before": before}
        past = {key for (key,) in book.execute(statement("redaction/answers_past"), asked).fetchall()}
        gone = is_gone(book, folder.split("/")[-2])
    going = [(key, name) for key, name in found if gone or key in past]
    for key, name in going:
        files.delete(key, f"{folder}/{name}")
    return sum(key not in files.left for key, _ in going)


def _delete_left_behind(database: Database, folder: str, files: _Deleting) -> int:
    """What is in a folder, of runs that are over, and is not one of the files that the ledger names."""
    if not (found := files.found(folder, found_in)):
        return 0
    with ledger.opened(database) as book:
        ids = [one.run_id for one in found]
        runs = book.execute(statement("ledger/runs_standing"), {"run_ids": ids}).fetchall()
        unknown = set(ids) - {key for key, _, _ in runs} if is_gone(book, folder.split("/")[-2]) else set()
    over: dict[UUID, list[str]] = {key: names for key, is_over, names in runs if is_over} | {key: [] for key in unknown}
    deleted = 0
    for one in found:
        if one.run_id in over and one.name not in over[one.run_id]:
            files.delete(one.run_id, f"{folder}/{one.name}", folder=one.is_pieces)
            deleted += one.run_id not in files.left
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
