"""Syncs among faults: at the end, is the mirror the shop, row for row and column for column?

Belongs here: what goes wrong and when, trying again, the report. Does not belong here: a sync (`mortal`), what happens
in the shop (`changes`), the comparison (`agreement`).

    python -m benchmarks.faults --syncs 200 --seed 1

Each sync is a process of its own, of one resource of one shop. The sandbox troubles its requests, operations and
downloads by chance; the process, or PostgreSQL, is killed at a moment of chance; the shop changes between syncs. What
failed is tried again as Dagster would: the same step, the same run, a repeated run, or by the sensor that finds
exports under way. After each merge that shows the shop as it is now, and after a quiet round of all resources now and
then, the mirror is compared with the shop's own nodes. The server is one of the run's own: it is killed too.
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg

from benchmarks import changes
from benchmarks.agreement import Agreement, compare
from benchmarks.databases import DOMAIN, made_up
from benchmarks.expected import EXPECTED
from benchmarks.mortal import STEPS, Attempt, Desk, Nursery, Told
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.mirror.asking import export_query
from neanelu_pipelines.sandbox.admin import GeneratedShop, Pace, Sandbox
from neanelu_pipelines.shopify.bulk import ledger

SHOP = GeneratedShop(DOMAIN, seed=7, products=40, orders=60, customers=40, collections=6, metaobjects=12, files=12)
_FOREIGN = "{ locations { edges { node { id } } } }"
_RICH = ("products", "products", "orders", "customers", "collections", "inventory", "files")
"""Those with the most to go wrong are synced more often."""
_ENDS_WELL = frozenset({"merged", "looked"})
_LOOKED = frozenset({"removed", "nothing"})
_PATIENCE = 60.0
_RATES = (0.0, 0.1, 0.2, 0.35)
_SHOWN = 20


@dataclass
class Report:
    """What happened, and what was found."""

    syncs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    began_with: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    comparisons: int = 0
    agreement: Agreement = field(default_factory=Agreement)
    broken: list[str] = field(default_factory=list)
    """What no fault excuses: an error that is none of ours, a process that hangs, a quiet sync that fails."""
    seconds: list[float] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether the mirror was the shop each time, and nothing broke."""
        return not self.agreement.differences and not self.broken and self.comparisons > 0

    def as_data(self) -> dict[str, Any]:
        """For printing."""
        return {
            "syncs": self.syncs,
            "began with": dict(self.began_with),
            "outcomes": dict(self.outcomes),
            "kills": dict(self.kills),
            "changes of the shop": sum(self.happened.values()),
            "reasons": dict(self.reasons.most_common()),
            "median seconds": round(statistics.median(self.seconds), 2) if self.seconds else None,
            "comparisons": self.comparisons,
            "rows compared": self.agreement.rows,
            "cells compared": self.agreement.cells,
            "differences": len(self.agreement.differences),
            "first differences": self.agreement.differences[:_SHOWN],
            "broken": self.broken,
        }


@dataclass(frozen=True)
class _Blow:
    """A kill to come: so many seconds after the process tells of a step."""

    step: str
    seconds: float
    of: str


class Trial:
    """One run of many syncs."""

    def __init__(
        self,
        nursery: Nursery,
        database: Database,
        shop_id: UUID,
        sandbox: Sandbox,
        server: EmbeddedServer,
        clock: changes.Clock,
        seed: int,
    ) -> None:
        self._nursery = nursery
        self.database = database
        self.shop_id = shop_id
        self._sandbox = sandbox
        self._server = server
        self._dice = random.Random(seed)
        self.shop = sandbox.shop(DOMAIN)
        self._clock = clock
        self._shown: dict[str, datetime] = {}
        """By query: the newest moment of the shop whose export was merged."""
        self._failed: list[tuple[Attempt, str]] = []
        """Attempts to be tried again, and the last step each reached."""
        self.report = Report()

    def run(self, syncs: int, *, every: int, kill_server: bool, most_seconds: float) -> None:
        """So many syncs, with a quiet round after `every` of them and at the end; none after something was found."""
        end = time.monotonic() + most_seconds
        while self.report.syncs < syncs and time.monotonic() < end:
            self._one(kill_server=kill_server)
            if self._found():
                return
            if self.report.syncs % every == 0:
                self.settle()
        self.settle()

    def as_data(self) -> dict[str, Any]:
        """The report, and what the sandbox did to the requests."""
        return self.report.as_data() | {"troubles": dict(Counter(map(str, self._sandbox.faults.happened)))}

    def _found(self) -> bool:
        return bool(self.report.agreement.differences or self.report.broken)

    def _one(self, *, kill_server: bool) -> None:
        dice = self._dice
        self._clock.tick()
        if dice.random() < 0.6:  # noqa: PLR2004 - often, not always
            for _ in range(dice.randrange(1, 11)):
                self.report.happened[changes.change(self.shop, dice)] += 1
            self._clock.mark()
            self._clock.tick()
        attempt = self._next()
        self._sandbox.faults.random(dice.randrange(2**31), dice.choice(_RATES))
        bulk = self._sandbox.bulk(DOMAIN)
        bulk.pace = Pace(running=dice.choice((0.0, 0.0, 0.05, 0.2)))
        if dice.random() < 0.1:  # noqa: PLR2004 - now and then another app's operation is in the way
            bulk.pace = Pace(running=0.3)
            bulk.run(_FOREIGN, "2025-10", grouped=False, scopes=frozenset(SHOP.scopes))
        self._try(attempt, self._blow(attempt, kill_server=kill_server))
        self._sandbox.faults.clear()

    def _next(self) -> Attempt:
        """Something that is under way, something that failed, or something new."""
        dice = self._dice
        way = dice.choices(("fresh", "under way", "again", "remove"), (10, 5, 5, 1))[0]
        if way == "under way" and (found := self._under_way()):
            return found
        if way == "again" and self._failed:
            return self._again(*self._failed.pop(dice.randrange(len(self._failed))))
        if way == "remove":
            return replace(self._fresh("products"), begin="remove")
        return self._fresh(dice.choice((*EXPECTED, *_RICH)))

    def _fresh(self, resource: str, *, wait: float | None = None) -> Attempt:
        run = uuid.UUID(int=self._dice.getrandbits(128)).hex
        given = self._dice.choice((0.0, 0.05, 5.0, 5.0)) if wait is None else wait
        aside = self._dice.random() < 0.5  # noqa: PLR2004 - as often as not
        return Attempt(resource, export_query(resource), run, run, wait=given, side_by_side=aside)

    def _under_way(self) -> Attempt | None:
        with ledger.opened(self.database) as book:
            due = ledger.due_exports(book, datetime.now(UTC) + timedelta(days=1))
            if not due:
                return None
        chosen = self._dice.choice(due)
        return replace(self._fresh(chosen.resource), export=str(chosen.run_id))

    def _again(self, attempt: Attempt, reached: str) -> Attempt:
        """The failed step, the run from its beginning, or a new run that repeats it."""
        ways: list[Attempt] = [replace(attempt, export=None), replace(attempt, run=uuid.uuid4().hex, export=None)]
        if reached not in {"export", "remove"}:
            ways += [replace(attempt, begin=step) for step in STEPS[1 : STEPS.index(reached) + 1]]
        if reached == "remove":
            return replace(attempt, begin="remove")
        return self._dice.choice(ways)

    def _blow(self, attempt: Attempt, *, kill_server: bool) -> _Blow | None:
        dice = self._dice
        if dice.random() < 0.5:  # noqa: PLR2004 - as often as not
            return None
        steps = STEPS[STEPS.index(attempt.begin) :]
        kinds = ("sync",) * 8 + ("backend", "postmaster") * kill_server
        return _Blow(dice.choice(steps), dice.choice((0.02, 0.1, 0.3)) * dice.random(), dice.choice(kinds))

    def _try(self, attempt: Attempt, blow: _Blow | None, *, quiet: bool = False) -> bool:
        """One process; whether it merged."""
        self.report.syncs += not quiet
        self.report.began_with[attempt.begin if attempt.export is None else "export under way"] += not quiet
        started = time.perf_counter()
        told, reached = self._watch(attempt, blow)
        self.report.seconds.append(time.perf_counter() - started)
        self._after_blow()
        self.report.outcomes[told.what] += not quiet
        words = f"{self.report.syncs:4} {attempt.resource} from {attempt.begin}: {told.what} {told.words[:100]}"
        print("quiet" if quiet else "", words.replace("\n", " "), file=sys.stderr)
        if told.what in _ENDS_WELL:
            self._compare_if_current(attempt, told)
            return True
        if told.what in {"broke", "silent"}:
            self.report.broken.append(f"{attempt.resource} from {attempt.begin}: {told.what} {told.words}")
        if told.what == "failed":
            self.report.reasons[told.words[:70]] += 1
        self._failed.append((attempt, reached))
        return False

    def _watch(self, attempt: Attempt, blow: _Blow | None) -> tuple[Told, str]:
        """Until the process ends: how it did, and the last step that it reached."""
        self._nursery.begin(attempt)
        last, reached = Told("killed"), attempt.begin
        end = time.monotonic() + _PATIENCE
        due: float | None = None
        while True:
            told = self._nursery.hear((end if due is None else due) - time.monotonic())
            if told is None and due is not None and blow is not None:
                self._strike(blow, last.pid, reached)
                blow, due = None, None
            elif told is None:
                os.kill(last.pid, signal.SIGKILL)
                return Told("silent", words=f"for {_PATIENCE:.0f} seconds after {reached}"), reached
            elif told.what == "ended":
                return (last if last.what not in STEPS else Told("killed", words=told.words)), reached
            else:
                last = told
                if told.what in STEPS:
                    reached = told.what
                    due = time.monotonic() + blow.seconds if blow and blow.step == told.what else due

    def _strike(self, blow: _Blow, pid: int, reached: str) -> None:
        victim = pid if blow.of == "sync" else self._of_server(blow.of)
        if victim is not None:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
                self.report.kills[f"{blow.of} during {reached}"] += 1

    def _of_server(self, which: str) -> int | None:
        """The postmaster, or one of its processes that serves a connection."""
        postmaster = self._server.status().pid
        if which == "postmaster" or postmaster is None:
            return postmaster
        name = psycopg.conninfo.conninfo_to_dict(self.database.urls[Role.ADMIN])["dbname"]
        serving = [one.pid for one in psutil.Process(postmaster).children() if str(name) in _title(one)]
        return self._dice.choice(serving) if serving else None

    def _after_blow(self) -> None:
        """Wait for the server, or start it."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self.database.connect(Role.PIPELINE).close()
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                if not self._server.status().running:
                    self._server.start()
                time.sleep(0.02)
            else:
                return

    def _compare_if_current(self, attempt: Attempt, told: Told) -> None:
        """An older export says nothing of what is gone."""
        if told.as_of is None or told.words not in _LOOKED:
            return
        self._shown[attempt.query] = max(told.as_of, self._shown.get(attempt.query, told.as_of))
        if self._shown[attempt.query] >= self._clock.last_change(attempt.resource):
            self._compare(attempt.resource)

    def _compare(self, resource: str) -> None:
        self.report.comparisons += 1
        with self.database.connect(Role.ADMIN) as connection:
            found = compare(connection, self.shop_id, self.shop, resource)
        found.differences = [f"after sync {self.report.syncs}: {words}" for words in found.differences]
        self.report.agreement.add(found)

    def settle(self) -> None:
        """Without faults: what is under way to its end, everything once more, and all of it compared."""
        self._clock.tick()
        self._sandbox.bulk(DOMAIN).pace = Pace()
        while (found := self._under_way()) and not self.report.broken:
            self._try(replace(found, wait=_PATIENCE), None, quiet=True)
        for resource in EXPECTED:
            if not self._try(self._fresh(resource, wait=_PATIENCE), None, quiet=True):
                self.report.broken.append(f"A quiet sync of {resource} failed: {dict(self.report.reasons)}")
                return
        self._failed.clear()
        for resource in EXPECTED:
            self._compare(resource)


def _title(process: psutil.Process) -> str:
    """What a process of the server says it is at; nothing where it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@contextmanager
def trial(server: EmbeddedServer, database: Database, shop_id: UUID, seed: int) -> Iterator[Trial]:
    """A shop, an artifact store and a nursery, made for one run over a database on that server."""
    clock = changes.Clock()
    folder = Path(tempfile.mkdtemp(prefix="neanelu-faults-"))
    try:
        with Sandbox([SHOP], bucket=(100_000, 50_000), clock=clock) as sandbox:
            urls = {role.value: url for role, url in database.urls.items()}
            token = sandbox.token(DOMAIN)
            with Nursery(Desk(urls, str(shop_id), DOMAIN, token, sandbox.url_template, str(folder))) as nursery:
                yield Trial(nursery, database, shop_id, sandbox, server, clock, seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_server() -> Iterator[EmbeddedServer]:
    """A server that may be killed, in a home of its own."""
    folder = Path(tempfile.mkdtemp(prefix="neanelu-faults-home-"))
    folder.chmod(0o711)  # its account must be able to enter
    server = EmbeddedServer(folder / "home", 0)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree((folder / "home" / "server").resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Run and print one JSON object; exit status 0 only if the mirror was the shop each time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--syncs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=25, help="compare everything after so many syncs")
    parser.add_argument("--most-seconds", type=float, default=3600.0, help="end earlier, with a last quiet round")
    given = parser.parse_args(arguments)
    started = time.perf_counter()
    with (
        own_server() as server,
        made_up(server.database("postgres")) as bed,
        bed.fresh() as database,
        trial(server, database, bed.shop.id, given.seed) as made,
    ):
        made.run(given.syncs, every=given.every, kill_server=True, most_seconds=given.most_seconds)
        data = made.as_data()
    data |= {"seed": given.seed, "seconds": round(time.perf_counter() - started, 1)}
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    return 0 if made.report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
