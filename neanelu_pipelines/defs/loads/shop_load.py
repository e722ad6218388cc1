"""One shop's load within a run, as far as it goes in one turn: artifact, staging with its checks, merge.

Belongs here: the three steps one after another, Dagster hearing of each as soon as it is done, and the end of a run.
Does not belong here: which shop's turn it is (`turns`), at which assets it is told (`telling`), what a step does
(`neanelu_pipelines.mirror`, `exports`).

Each partition's materialization is its own event, with its own figures, written when that shop's step is done: a run
that dies half-way, or a shop that fails, leaves the others' as they are.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import psycopg

from neanelu_pipelines.database.faults import words_of
from neanelu_pipelines.defs.artifacts.assets import ArtifactConfig, ask_shopify, comes_from_a_file, open_file
from neanelu_pipelines.defs.exports.reports import Outcomes, brought_figures
from neanelu_pipelines.defs.exports.shares import Brought, Share, Waits
from neanelu_pipelines.defs.loads.faults import INTERRUPTED, close_load, is_of_the_program, traceback_of
from neanelu_pipelines.defs.loads.figures import Metadata, artifact_figures, mirror_figures, staging_figures
from neanelu_pipelines.defs.loads.places import AT_LEAST, Place
from neanelu_pipelines.defs.loads.telling import Telling
from neanelu_pipelines.defs.loads.turns import Turn, take_turns
from neanelu_pipelines.defs.mirror.assets import count_rows, staged_lines
from neanelu_pipelines.defs.staging.checks import NEWEST_LOADS, Verdicts, newest_loads
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.reports import LoadRun

Event = dg.AssetMaterialization | dg.AssetObservation

_SHORTEST_PAUSE = 0.01


class RefusedError(NeaneluError):
    """A blocking check refuses what a shop has in staging; nothing of it is merged."""


class ShopLoads:
    """The loads of one run, and what is to be said of all of them at its end."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        config: ArtifactConfig,
        warehouse: Warehouse,
        resource: Resource,
        steps: AbstractSet[str],
        telling: Telling | None = None,
        wait: float | None = None,
    ) -> None:
        """`telling` says at which assets it is told, by default at those of the resource.

        `wait`: seconds for a bulk operation of Shopify, by default NEANELU_EXPORT_WAIT.
        """
        self._context = context
        self._config = config
        self._warehouse = warehouse
        self._resource = resource
        self._steps = steps
        self._telling = telling or Telling(resource, steps)
        self._wait = warehouse.settings.export_wait if wait is None else wait
        self._place = Place(context.instance, context.run)
        self._gives_way = False
        self.outcomes = Outcomes()
        self.verdicts = Verdicts()
        self.failures: dict[str, str] = {}
        """Why a shop was not loaded, by shop."""

    def of_all(self, turns: Sequence[Turn]) -> Iterator[Event | dg.AssetCheckResult]:
        """Let each shop have its turns; then say what is to be said of all of them.

        Raises:
            dg.Failure: shops were not loaded; what the others came to stays.
        """
        try:
            say = self._context.log.warning
            yield from take_turns(turns, self.attempt, self.give_up, say, self.give_way_if_wanted)
        except BaseException:
            # Canceled, or Dagster asks for no more: nobody goes on with what is open.
            self.close_open(turns)
            raise
        if tags := self.outcomes.run_tags():
            self._context.instance.add_run_tags(self._run_id, tags)
        if verdict := self.outcomes.scope_check(self._telling.scope_at):
            yield verdict
        yield from self.verdicts.results(self._telling.checked_at)
        yield from self._newest_loads()
        fail_if_any(self.failures, len(turns))

    def _newest_loads(self) -> Iterator[dg.AssetCheckResult]:
        """The verdict on all shops, also on those that this run was not about."""
        at = self._telling.checked_at
        if dg.AssetCheckKey(at, NEWEST_LOADS) in self._context.selected_asset_check_keys:
            with suppress(psycopg.Error):  # What ended the shops' loads, and is to be told, may be the database.
                yield newest_loads(self._warehouse, self._resource, at)

    def attempt(self, turn: Turn) -> Generator[Event, None, float | None]:
        """Take a shop as far as it goes; when to go on with it, or None if nothing is left to do."""
        turn.is_waiting = False
        if "artifacts" in self._steps and turn.load is None:
            due = yield from self._artifact(turn)
            if turn.load is None:
                return due
        load = turn.load or self._current(turn)
        turn.load = load
        if "staging" in self._steps and not turn.is_staged:
            yield from self._stage(turn, load)
        if "mirror" in self._steps:
            yield from self._merge(turn, load)
        self._context.log.info("%s: done, %.2f s of work.", turn.shop, turn.seconds)
        return None

    def give_up(self, turn: Turn, fault: Exception) -> Iterator[Event]:
        """Say at the shop's own partitions why it was not loaded; the others go on."""
        words, metadata = self._why(turn, fault)
        close_load(self._warehouse, turn.load, words)
        self.failures[turn.shop] = words
        # Our own errors speak for themselves; of a bug one wants to know where it is.
        self._context.log.error("%s: %s", turn.shop, words, exc_info=None if isinstance(fault, NeaneluError) else fault)
        yield from self._telling.nothing(turn, words, metadata)

    def _why(self, turn: Turn, fault: Exception) -> tuple[str, dict[str, dg.MetadataValue | str]]:
        """Why a shop was not loaded: the words, and what else there is to look at."""
        words = words_of(fault)
        metadata: dict[str, dg.MetadataValue | str] = {"outcome": "failed"}
        if is_of_the_program(fault):
            words = f"{words} (This is a fault of the program, not of the shop's data: please report its traceback.)"
        if not isinstance(fault, NeaneluError):
            metadata["traceback"] = dg.MetadataValue.text(traceback_of(fault))
        if turn.load or turn.export:
            metadata["ledger_run_id"] = str(turn.load.run_id if turn.load else turn.export)
        if part := self._part_of(turn):
            metadata["partial_result"] = dg.MetadataValue.path(part)
            words = f"{words} It is in {part}."
        return words, metadata

    def _part_of(self, turn: Turn) -> str | None:
        """Where the part is that came of a failed export."""
        if turn.load is None and turn.export is not None:
            from neanelu_pipelines.defs.exports.bring import partial_result

            with suppress(psycopg.Error, NeaneluError):
                return partial_result(self._warehouse.database, turn.export)
        return None

    def close_open(self, turns: Iterable[Turn]) -> None:
        """Leave no load as running when the run ends before its turns do; exports that wait for Shopify go on."""
        for turn in turns:
            if turn.shop not in self.failures:
                close_load(self._warehouse, turn.load, INTERRUPTED)

    def _artifact(self, turn: Turn) -> Generator[Event, None, float | None]:
        share: Share | None = None
        with turn.at_work():
            if comes_from_a_file(self._config, self._warehouse, turn):
                turn.load = open_file(self._config, self._warehouse, turn.shop, self._resource, self._run_id)
            else:
                share = ask_shopify(self._config, self._warehouse, turn, self._resource, self._context.run)
        if isinstance(share, Waits):
            if (due := self._worth_waiting(turn, share)) is not None:
                turn.is_waiting = True
                return due
            share = replace(share, gave_way=self._gives_way)
        self.outcomes.note(turn.shop, share)
        if isinstance(share, Brought):
            turn.load = share.load
        if turn.load is None:
            words, metadata = self.outcomes.why_nothing_came(turn.shop)
            self._context.log.warning(words)
            yield from self._telling.nothing(turn, words, metadata)
            return None
        figures: Metadata = artifact_figures(turn.load)
        if isinstance(share, Brought):
            figures = artifact_figures(replace(turn.load, seconds=turn.seconds))
            figures = {**figures, **brought_figures(share, turn.requests, turn.points)}
        yield from self._telling.artifact(turn, figures)
        return None

    def _worth_waiting(self, turn: Turn, share: Waits) -> float | None:
        """When to ask again, or None if the run may not wait so long; the sensor goes on with it then."""
        now = time.monotonic()
        if turn.waits_since is None:
            turn.waits_since = now
        pause = self._warehouse.settings.export_first_poll
        if share.due is not None:
            pause = max(_SHORTEST_PAUSE, (share.due - datetime.now(UTC)).total_seconds())
        in_time = now + pause <= turn.waits_since + self._wait
        return now + pause if in_time and not self._gives_way else None

    def give_way_if_wanted(self, left: Sequence[Turn]) -> None:
        """Stop waiting if that is all the run does, and somebody waits for its place who could work at once.

        Each shop has one more turn, and is left to the sensor if it still waits. A run that has work for another shop
        goes on waiting: it holds the place anyway. Two runs that look in the same moment may both give way to one.
        """
        patient = time.monotonic() - AT_LEAST
        only_waits = all(turn.is_waiting and (turn.waits_since or 0.0) <= patient for turn in left)
        if self._gives_way or not only_waits or not self._is_place_wanted():
            return
        self._gives_way = True
        for turn in left:
            turn.due = 0.0

    def _is_place_wanted(self) -> bool:
        try:
            return self._place.is_wanted()
        except Exception as fault:  # noqa: BLE001 - a storage that is away for a moment ends no load
            self._context.log.warning("Whether others wait for this run's place cannot be told now: %s", fault)
            return False

    def _current(self, turn: Turn) -> LoadRun:
        from neanelu_pipelines.mirror import river

        return river.current_load(
            self._warehouse.database,
            shop_domain=turn.shop,
            resource=self._resource.name,
            dagster_run_id=self._run_id,
        )

    def _stage(self, turn: Turn, load: LoadRun) -> Iterator[Event]:
        from neanelu_pipelines.mirror import river

        database, settings = self._warehouse.database, self._warehouse.settings
        with turn.at_work():
            report = river.stage(database, settings, load)
            checks = river.check(database, settings, load)
            rejections = river.rejections(database, load)
        turn.is_staged = True
        for table in self._resource.staging_tables:
            figures = staging_figures(load, report, report.tables.get(table, 0), rejections)
            yield from self._telling.staged(turn, table, figures)
        refused = self.verdicts.note(load, checks)
        if refused:
            raise RefusedError(refused)

    def _merge(self, turn: Turn, load: LoadRun) -> Iterator[Event]:
        from neanelu_pipelines.mirror import river

        with turn.at_work():
            if turn.merged is None:
                turn.merged = river.merge(self._warehouse.database, self._warehouse.settings, load)
            tables = turn.merged
            rows = {table: count_rows(self._warehouse, load, table) for table in self._resource.mirror_tables}
            lines = staged_lines(self._warehouse, load)
        figures = {
            table: mirror_figures(load, lines, tables[table], rows[table], turn.seconds)
            for table in self._resource.mirror_tables
        }
        yield from self._telling.merged(turn, figures)

    @property
    def _run_id(self) -> str:
        return self._context.run.run_id


def fail_if_any(failures: dict[str, str], shops: int) -> None:
    """End the run as failed if a shop was not loaded; what the others came to stays.

    Raises:
        dg.Failure: with the words of each shop's fault.
    """
    if not failures:
        return
    words = "; ".join(f"{shop}: {why}" for shop, why in failures.items())
    if shops == 1:
        words = next(iter(failures.values()))
    else:
        words = f"{len(failures)} of {shops} shops were not loaded. {words}"
    raise dg.Failure(description=words, metadata=dict(failures), allow_retries=False)
