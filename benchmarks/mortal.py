"""A sync in a process of its own that may be killed at any moment, forked from one that has read all its modules.

Belongs here: both ends of it: starting such processes, what they do, what they tell on the way. Does not belong here:
when they are killed, and what is made of it (`faults`).

What a process does is what Dagster's steps do, in their order: the export from Shopify (`shopify.bulk`), staging and
checks, the merge (`mirror.river`), and what the export does not hold any more (`mirror.removals`). It tells each step
that it reaches, and how it ended.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import psycopg

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror import ledger, river
from neanelu_pipelines.mirror.removals.snapshots import remove_missing
from neanelu_pipelines.mirror.removals.work import snapshots_waiting
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.access import Secret, ShopAccess
from neanelu_pipelines.shopify.bulk import exports
from neanelu_pipelines.shopify.bulk.states import Pace
from neanelu_pipelines.shopify.client import AdminClient, Patience

STEPS = ("export", "stage", "merge", "remove")
_PACE = Pace(first_poll=0.02, longest_poll=0.05, busy=0.05, late_url=0.3, piece_bytes=16 * 1024)
_PATIENCE = Patience(tries=3, max_wait=3.0, timeout=5.0, max_reply_bytes=1_000_000)
_MOST_WORDS = 1500


@dataclass(frozen=True)
class Desk:
    """What every process needs; goes through a pipe, since it holds passwords and a token."""

    urls: dict[str, str]
    shop_id: str
    domain: str
    token: str
    endpoint: str
    artifacts: str


@dataclass(frozen=True)
class Attempt:
    """What one process is to do."""

    resource: str
    query: str
    run: str
    """Stands for Dagster's run."""
    first_run: str
    """The run that this one repeats, or itself."""
    export: str | None = None
    """An export under way to go on with, as the sensor does."""
    begin: str = "export"
    """The step to begin with."""
    wait: float = 5.0
    side_by_side: bool = False
    """Whether even a small load is merged in many transactions at once, as big ones are."""


@dataclass(frozen=True)
class Told:
    """What a process tells: the step it has reached, or how it ended."""

    what: str
    pid: int = 0
    words: str = ""
    as_of: datetime | None = None


class Nursery:
    """Forks a process for each attempt; a context manager."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: queue.Queue[Told] = queue.Queue()

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.mortal"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._write(asdict(self._desk))
        threading.Thread(target=self._listen, daemon=True, name="nursery").start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def begin(self, attempt: Attempt) -> None:
        """Start a process; one at a time."""
        self._write(asdict(attempt))

    def hear(self, seconds: float) -> Told | None:
        """The next thing that the process tells; None if it says nothing for so long. Its last one is `ended`."""
        try:
            return self._told.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None

    def _write(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        for line in self._process.stdout:
            told = Told(**json.loads(line))
            as_of = datetime.fromisoformat(str(told.as_of)) if told.as_of else None
            self._told.put(replace(told, as_of=as_of))


def _tell(what: str, words: str = "", **more: Any) -> None:
    # One short write: it arrives whole or, if the process is killed, not at all.
    line = {"what": what, "pid": os.getpid(), "words": words[:_MOST_WORDS], **more}
    os.write(1, (json.dumps(line) + "\n").encode())


def _raise_children() -> None:
    desk = Desk(**json.loads(sys.stdin.readline()))
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            _live(desk, Attempt(**json.loads(line)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        _tell("ended", str(os.waitstatus_to_exitcode(status)))


def _live(desk: Desk, attempt: Attempt) -> None:
    try:
        _sync(desk, attempt)
    except (NeaneluError, psycopg.OperationalError, psycopg.InterfaceError) as error:
        _tell("failed", f"{type(error).__name__}: {error}")
    except BaseException as error:  # noqa: BLE001 - whatever else it is, it is told
        _tell("broke", f"{type(error).__name__}: {error}")


def _sync(desk: Desk, attempt: Attempt) -> None:
    database = Database({Role(role): url for role, url in desk.urls.items()})
    settings = Settings(artifact_url=desk.artifacts, block_bytes=64 * 1024, max_removal_share=0.5, _env_file=None)
    river._BIG_LOAD_ROWS = 0 if attempt.side_by_side else 10**9  # both ways of merging, by chance
    access = ShopAccess(UUID(desk.shop_id), desk.domain, "2025-10", Secret(desk.token))
    with AdminClient(access, database=database, endpoint=desk.endpoint, patience=_PATIENCE) as client:
        if attempt.begin == "remove":
            _tell("remove")
            for waiting in snapshots_waiting(database):
                remove_missing(database, settings, waiting, client)
            _tell("looked")
            return
        load = _exported(database, client, desk, attempt)
        if load is None or not _merged(database, settings, load, attempt):
            return
        _tell("remove")
        done = remove_missing(database, settings, load, client)
    with ledger.opened(database) as book:
        _tell("merged", done.outcome, as_of=ledger.as_of(book, load).isoformat())


def _merged(database: Database, settings: Settings, load: LoadRun, attempt: Attempt) -> bool:
    _tell("stage")
    try:
        if attempt.begin != "merge":
            river.stage(database, settings, load)
            refused = [check.description for check in river.check(database, settings, load) if not check.passed]
            if refused:
                _tell("broke", f"Refused: {' '.join(refused)}")
                return False
        _tell("merge")
        river.merge(database, settings, load)
    except NeaneluError as error:
        if not error.transient:
            river.fail(database, load, str(error))
        raise
    return True


def _exported(database: Database, client: AdminClient, desk: Desk, attempt: Attempt) -> LoadRun | None:
    if attempt.begin != "export":
        return river.current_load(
            database, shop_domain=desk.domain, resource=attempt.resource, dagster_run_id=attempt.run
        )
    _tell("export")
    shop = UUID(desk.shop_id)
    export = (
        UUID(attempt.export)
        if attempt.export
        else exports.begin(
            database, shop_id=shop, resource=attempt.resource, query=attempt.query, dagster_run_id=attempt.run
        )
    )
    outcome = exports.advance(
        database,
        client,
        export,
        artifact_root=desk.artifacts,
        this_machine=True,
        wait=attempt.wait,
        pace=_PACE,
    )
    if outcome.status != "ready":
        _tell(outcome.status, outcome.message or "")
        return None
    load = river.take_load(database, export, dagster_run_id=attempt.run, first_run_id=attempt.first_run)
    if load is None:
        _tell("elsewhere")
    return load


if __name__ == "__main__":
    _raise_children()
