"""A load from its bytes to the merged mirror, step by step: artifact, staging, checks, merge.

Belongs here: the steps that Dagster's assets and `neanelu load` call, each of which can run in a process of its own,
be killed and run again, because all it needs stands in PostgreSQL and the artifact store. Does not belong here: how
a step does its work.
"""

import dataclasses
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.faults import words_of
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror import artifacts, checkpoints, forgotten, ledger, recording, staging_area, standing
from neanelu_pipelines.mirror.changes import wanted_lines
from neanelu_pipelines.mirror.counts import counts_checks, cut_off_words
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.extents import Extent, extent_of
from neanelu_pipelines.mirror.joins import shown_by
from neanelu_pipelines.mirror.merge import Merge
from neanelu_pipelines.mirror.reports import (
    LoadReport,
    LoadRun,
    Rejection,
    StageReport,
    StagingCheck,
    TableCounts,
)
from neanelu_pipelines.mirror.resources import resource_named
from neanelu_pipelines.mirror.selection import asked_parts
from neanelu_pipelines.mirror.staging import Stager, stage_artifact
from neanelu_pipelines.mirror.standing import Standing
from neanelu_pipelines.mirror.transactions import pipeline_transactions, tenant_transactions
from neanelu_pipelines.mirror.verdicts import judge
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError

_ARTIFACT = "artifact"
_BIG_LOAD_ROWS = 5000


class StagingRefusedError(NeaneluError):
    """The staged rows did not pass their checks; nothing was merged."""


def open_load(
    database: Database,
    settings: Settings,
    *,
    shop_domain: str,
    resource: str,
    source: str | None = None,
    as_of: datetime | None = None,
    snapshot: bool = True,
    whole: Collection[tuple[str, str]] = (),
    dagster_run_id: str | None = None,
    shared: Connection | None = None,
) -> LoadRun:
    """Begin a load: a row in the ledger, then the source's bytes in the artifact store, hashed.

    `source` is a path or an fsspec URL; without one, the newest file of the shop's inbox. `as_of` is the moment whose
    state of the shop it shows (default: now); it decides between rows that carry no newer time of change themselves.
    A `snapshot` shows the whole resource: rows that it leaves as they are, are as new as it is. Events do not. Of the
    lines in `whole` (their parent's node type, their own) there are none where the source holds none; without it that
    is known of the results of the resource's own query only.

    Raises:
        UnknownShopError, UnknownResourceError, EmptyInboxError, ArtifactUnreadableError, ForgottenShopError: as they
            say.
    """
    resource_named(resource)
    started = time.perf_counter()
    with ledger.opened(database, shared) as book:
        shop = ledger.find_shop(book, shop_domain)
        forgotten.refuse_older(book, shop_domain, as_of)
        if source is None:
            source = artifacts.newest_in_inbox(settings.artifact_root, shop_domain=shop_domain, resource=resource)
        run_id = ledger.open_run(
            book,
            shop,
            resource,
            source=artifacts.shown(source),
            as_of=as_of or datetime.now(UTC),
            dated=as_of is not None,
            snapshot=snapshot,
            whole=whole,
            dagster_run=dagster_run_id or "",
        )
        load = LoadRun(run_id, shop.shop_id, shop_domain, resource, "", 0, "")
        with failing(database, load):
            load = _store(book, settings, load, source)
    return dataclasses.replace(load, seconds=time.perf_counter() - started)


def _store(book: Connection, settings: Settings, load: LoadRun, source: str) -> LoadRun:
    with ledger.step(book, load, _ARTIFACT) as step:
        stored = artifacts.store(
            settings.artifact_root, source, shop_domain=load.shop_domain, resource=load.resource, run_id=load.run_id
        )
        load = dataclasses.replace(load, artifact_path=stored.path, bytes=stored.bytes, sha256=stored.sha256)
        ledger.add_artifact(book, load)
        step.metadata.update(source=artifacts.shown(source), bytes=stored.bytes, sha256=stored.sha256)
    return load


def current_load(database: Database, *, shop_domain: str, resource: str, dagster_run_id: str | None = None) -> LoadRun:
    """The load to go on with, for a step that runs in another process: this Dagster run's own, or the newest.

    Raises:
        NoLoadError: there is none.
    """
    with ledger.opened(database) as book:
        return ledger.find_load(book, shop_domain, resource, dagster_run_id or "")


def take_load(database: Database, run_id: UUID, *, dagster_run_id: str, first_run_id: str) -> LoadRun | None:
    """Go on with an export that came from Shopify as with any load; None if another run does, or it has ended."""
    with ledger.opened(database) as book:
        return ledger.take_load(book, run_id, dagster_run_id=dagster_run_id, first_run_id=first_run_id)


def stage(database: Database, settings: Settings, load: LoadRun, shared: Connection | None = None) -> StageReport:
    """Stage the artifact's lines that can change something; may be run again at any time before the merge.

    Raises:
        ArtifactUnreadableError: the artifact is damaged as a whole; the load is closed as failed.
        LoadEndedError: the load has ended.
    """
    with ledger.opened(database, shared) as book, ledger.resource_lock(book, load, settings.lock_wait):
        if standing.take_up(book, load) is Standing.COMPLETED:
            raise ledger.LoadEndedError(f"Load {load.run_id} was merged already: to load the same, load its source.")
        standing.abandon_others(book, load)
        try:
            return _stage(database, book, settings, load)
        except ArtifactUnreadableError as error:
            # Trying again would read the same bytes.
            ledger.close_run(book, load, "failed", error=str(error))
            raise


def _stage(database: Database, book: Connection, settings: Settings, load: LoadRun) -> StageReport:
    resource = resource_named(load.resource)
    shop = ledger.find_shop(book, load.shop_domain)
    started = time.perf_counter()
    with ledger.step(book, load, ledger.STAGE) as step:
        staging_area.clear(book, resource, load)
        ledger.clear_errors(book, load)
        base = ledger.last_merge(book, load)
        parameters = _parameters(book, load)
        with wanted_lines(database, settings, resource, shop, load) as wanted:
            report, stager = stage_artifact(database, settings, resource, shop, load, wanted, parameters["as_of"])
        marked = 0
        if any(report.tables.values()):
            empty = wanted is None
            marked = _judge(database, settings, book, resource, parameters, report, stager, mirror_is_empty=empty)
        forgotten.settle(book, resource, parameters, report, marked)
        report.seconds = time.perf_counter() - started
        total = report.total
        step.records = total.read
        complete = total.rejected == 0 and not stager.torn
        step.metadata.update(
            report=dataclasses.asdict(report),
            extent=extent_of(
                resource,
                stager.selection,
                ledger.whole_parts(book, load),
                asked_parts(resource, ledger.query_of(book, load)),
                complete=complete,
            ),
            base=base,
        )
        ledger.count_artifact_rows(book, load, total.read)
    return report


def _is_big(rows: int, settings: Settings) -> bool:
    """Whether a load is worth several connections, and may have them."""
    return rows >= _BIG_LOAD_ROWS and settings.merge_workers > 1


def _judge(
    database: Database,
    settings: Settings,
    book: Connection,
    resource: Resource,
    parameters: dict[str, Any],
    report: StageReport,
    stager: Stager,
    *,
    mirror_is_empty: bool,
) -> int:
    """Judge what was staged; how many rows tell of somebody who was forgotten."""
    rows = sum(report.tables.values())
    with book.transaction(), pipeline_transactions(database, rows) as begin:
        staging_area.plan_for(book, rows)
        marked = forgotten.mark(book, resource, parameters)
        report.notes += judge(
            book,
            resource,
            parameters,
            report.nodes,
            mirror_is_empty=mirror_is_empty,
            identities_agree=stager.identities_agree,
            partial=stager.selection.partial,
            marked=marked,
            begin=begin if _is_big(rows, settings) else None,
            workers=settings.merge_workers,
        )
    return marked


def check(
    database: Database, settings: Settings, load: LoadRun, shared: Connection | None = None
) -> list[StagingCheck]:
    """The verdicts on what was staged, before anything is merged."""
    with ledger.opened(database, shared) as book:
        return _check(book, settings, load)


def _check(book: Connection, settings: Settings, load: LoadRun) -> list[StagingCheck]:
    report = _staged_report(book, load)
    return [*counts_checks(report, settings), staging_area.is_complete(book, report, load)]


def merge(
    database: Database, settings: Settings, load: LoadRun, shared: Connection | None = None
) -> dict[str, TableCounts]:
    """Merge what was staged, and close the load.

    If the staged rows are not all there (a crash empties unlogged tables), or another load was merged since they were
    compared with the mirror, they are staged again from the artifact first: never merge what is left of them. What was
    merged already is not merged again; the counts are those of then. The `shared` connection has staged, too: as long
    as it lives the server has not crashed, and what was staged need not be counted.

    Raises:
        StagingRefusedError: a check failed; nothing was merged and the load is closed as failed.
        LoadEndedError: the load has ended otherwise, and does not count as complete.
    """
    resource = resource_named(load.resource)
    with ledger.opened(database, shared) as book, ledger.resource_lock(book, load, settings.lock_wait):
        stands = standing.take_up(book, load)
        if stands is Standing.COMPLETED:
            return _merged(book, load)
        if stands is Standing.RUNNING and _is_staged(book, load, unlost=shared is not None):
            checks = counts_checks(_staged_report(book, load), settings)
        else:
            _stage(database, book, settings, load)
            checks = _check(book, settings, load)
        failed = [verdict for verdict in checks if verdict.refuses]
        if failed:
            message = " ".join(verdict.description for verdict in failed)
            ledger.close_run(book, load, "failed", error=message)
            raise StagingRefusedError(f"Load {load.run_id} ({load.resource} of {load.shop_domain}): {message}")
        return _merge(database, book, settings, resource, load)


def _merged(book: Connection, load: LoadRun) -> dict[str, TableCounts]:
    metadata = ledger.step_metadata(book, load, ledger.MERGE) or {"tables": {}}
    return {table: TableCounts(**counts) for table, counts in metadata["tables"].items()}


def _is_staged(book: Connection, load: LoadRun, *, unlost: bool) -> bool:
    """Whether the mirror is still what the staged rows were compared with, and they are all there."""
    metadata = ledger.step_metadata(book, load, ledger.STAGE)
    if metadata is None or metadata["base"] != ledger.last_merge(book, load):
        return False
    return unlost or staging_area.is_complete(book, StageReport.of(metadata), load).passed


def _merge(
    database: Database, book: Connection, settings: Settings, resource: Resource, load: LoadRun
) -> dict[str, TableCounts]:
    metadata = ledger.step_metadata(book, load, ledger.STAGE) or {}
    extent = metadata["extent"]
    staged = metadata["report"]["tables"]
    rows = sum(staged.values())
    with ledger.step(book, load, ledger.MERGE) as step, tenant_transactions(database, load, rows) as begin:
        # A load that an earlier release has staged says nothing of these two.
        partial, mixed = (frozenset(extent.get(name, ())) for name in ("partial", "mixed"))
        recording.make_room(book, resource, load)
        whole = Extent(extent["columns"], frozenset(extent["owned"]), extent["complete"], partial, mixed)
        work = Merge(resource, whole, _parameters(book, load), staged)
        if not rows:
            counts = work.nothing()
        elif _is_big(rows, settings):
            counts = work.side_by_side(begin, settings.merge_workers)
        else:
            counts = work.in_one_transaction(begin)
        for table, skipped in metadata["report"]["skipped"].items():
            if table in counts:
                counts[table].unchanged += skipped
        step.records = sum(table.inserted + table.updated + table.deleted for table in counts.values())
        step.metadata["tables"] = {table: dataclasses.asdict(count) for table, count in counts.items()}
    report = StageReport.of(metadata)
    with book.transaction():
        cut_off, words = report.cut_off, cut_off_words(report)
        ledger.close_run(book, load, "completed", records=report.total.read, error=words, cut_off=cut_off)
        checkpoints.advance(book, resource, load)
    _tidy_up(database, book, resource, load, counts)
    if report.forgotten:
        forgotten.let_go(book, load)
    return counts


def _tidy_up(
    database: Database, book: Connection, resource: Resource, load: LoadRun, counts: dict[str, TableCounts]
) -> None:
    """Empty the staging tables, and meanwhile refresh the mirror's statistics."""
    with ThreadPoolExecutor(1, thread_name_prefix="analyze") as pool:
        analyzed = pool.submit(staging_area.analyze_mirror, database, resource, counts)
        staging_area.clear(book, resource, load)
        analyzed.result()


def _parameters(book: Connection, load: LoadRun) -> dict[str, Any]:
    others = {other for entity in resource_named(load.resource).entities for other, _ in entity.also_told_by}
    return {shown_by(other): ledger.shown_through(book, load, other) for other in others} | {
        "run_id": load.run_id,
        "shop_id": load.shop_id,
        "as_of": ledger.as_of(book, load),
        "said_as_of": ledger.said_as_of(book, load),
        "shown_through": ledger.shown_through(book, load),
    }


def _staged_report(book: Connection, load: LoadRun) -> StageReport:
    metadata = ledger.step_metadata(book, load, ledger.STAGE)
    if metadata is None:
        raise ledger.NoLoadError(f"Load {load.run_id} has no completed staging: materialize its staging tables first.")
    return StageReport.of(metadata)


def fail(database: Database, load: LoadRun, message: str) -> None:
    """Close a load as failed, with the reason."""
    with ledger.opened(database) as book:
        ledger.close_run(book, load, "failed", error=message)


@contextmanager
def failing(database: Database, load: LoadRun) -> Iterator[None]:
    """Around the steps of a load that nobody goes on with: whatever ends them early closes the load as failed."""
    try:
        yield
    except BaseException as error:
        # The server may be gone. Then the next load closes this one, and why it ended matters more than that.
        with suppress(psycopg.Error):
            fail(database, load, words_of(error))
        raise


def rejections(database: Database, load: LoadRun, shared: Connection | None = None) -> list[Rejection]:
    """Why lines of this load were rejected, the commonest reason first."""
    with ledger.opened(database, shared) as book:
        return ledger.rejections(book, load)


def load_file(
    database: Database,
    settings: Settings,
    *,
    shop_domain: str,
    resource: str,
    source: str,
    as_of: datetime | None = None,
    snapshot: bool = True,
    whole: Collection[tuple[str, str]] = (),
) -> LoadReport:
    """A whole load in this process, without Dagster: what the benchmarks time and most tests call."""
    started = time.perf_counter()
    with ledger.opened(database) as book:
        load = open_load(
            database,
            settings,
            shop_domain=shop_domain,
            resource=resource,
            source=source,
            as_of=as_of,
            snapshot=snapshot,
            whole=whole,
            shared=book,
        )
        with failing(database, load):
            staged = stage(database, settings, load, book)
            tables = merge(database, settings, load, book)
        rejected = rejections(database, load, book)
    seconds = time.perf_counter() - started
    checks = counts_checks(staged, settings)
    return LoadReport(load.run_id, "completed", seconds, staged, checks, tables, rejected)
