"""Taking a run from its query to its artifact, step by step, in any process and as often as it takes.

Belongs here: asking Shopify, fetching, storing, and writing each step down before and after it. Does not belong here:
what follows from an answer (`states`).

Each step is written down where a process that comes after can go on: that a start is about to be sent before it is
sent, the operation's id as soon as it is known, the pieces of a result as they come in.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.bulk import kinds, ledger, pages
from neanelu_pipelines.shopify.bulk.fetch import Fetcher, ForbiddenUrlError, ResultTooLargeError, UrlRefusedError
from neanelu_pipelines.shopify.bulk.ledger import Export, StoredResult
from neanelu_pipelines.shopify.bulk.operation import MARK_BYTES, Operation, marked, operations_in, read_operation
from neanelu_pipelines.shopify.bulk.outcome import Outcome, outcome_of
from neanelu_pipelines.shopify.bulk.pieces import DamagedPieceError, Shelf, Whole, salvaged_as
from neanelu_pipelines.shopify.bulk.states import (
    COMPLETED,
    Blocked,
    Event,
    Fetched,
    Lost,
    Move,
    NotStarted,
    Pace,
    Phase,
    Refused,
    Salvaged,
    Seen,
    Started,
    Starting,
    State,
    UrlRefused,
    after,
    next_move,
)
from neanelu_pipelines.shopify.bulk.verify import problem_with
from neanelu_pipelines.shopify.documents import IN_ORDER, document, probe
from neanelu_pipelines.shopify.faults import AccessDenied, Permanent, Transient, Unavailable
from neanelu_pipelines.shopify.linter import require_bulk_query
from neanelu_pipelines.shopify.windows import Window

Asks = pages.Asks

_SEVERAL_AT_ONCE = "2026-01"
"""The first version that runs several of an app's bulk operations in a shop, and lists them."""
_IN_PROGRESS = "OPERATION_IN_PROGRESS"


class ArtifactStoreError(NeaneluError):
    """The artifact store does not take the result (it is full, or out of reach); the run is as it was."""

    transient = True


def begin(
    database: Database,
    *,
    shop_id: UUID,
    resource: str,
    query: str,
    dagster_run_id: str = "",
    first_run_id: str = "",
    name: str = "given",
    windows: Sequence[Window] = (),
    sought: str | None = None,
    reach: Mapping[str, Any] | None = None,
    whole_with: str | None = None,
) -> UUID:
    """Write a run of `query` to the ledger; nothing is sent yet. One that is under way is gone on with instead.

    Args:
        database: where the ledger is.
        shop_id: the shop.
        resource: what the result will be loaded as.
        query: without variables (`documents.inlined`); with a cursor it is asked page by page, with a type once for
            each type that there is.
        dagster_run_id: Dagster's run; repeating its step goes on with what it began, or has even brought in.
        first_run_id: the Dagster run that it repeats, or itself.
        name: what to call the query in an error.
        windows: what the query searches for; none: everything.
        sought: what runs under way are told apart by, where the query itself says when it was asked (default: it).
        reach: what the query was made for, kept as it is for whoever has to ask the same again.
        whole_with: the scope without which Shopify shows a part only; it is written down if the shop lacks it now.

    Raises:
        BulkQueryError: the query breaks a rule.
        NoExportError: there is no such shop.
    """
    if not pages.is_paged(query):
        sent = kinds.query_of(query, name) if kinds.takes_turns(query) else query
        require_bulk_query(sent, name=name, spare=MARK_BYTES)
    with ledger.opened(database) as book:
        return ledger.open_export(
            book,
            shop_id=shop_id,
            resource=resource,
            query=query,
            dagster_run=dagster_run_id,
            first_run=first_run_id,
            windows=windows,
            sought=sought,
            reach=reach,
            whole_with=whole_with,
        )


def advance(
    database: Database,
    client: Asks,
    run_id: UUID,
    *,
    artifact_root: str,
    this_machine: bool = False,
    wait: float = 0.0,
    pace: Pace | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Take the run as far as it goes; wait for Shopify for at most `wait` seconds in all.

    Args:
        database: where the ledger is.
        client: the shop's.
        run_id: the run, from `begin`.
        artifact_root: where artifacts are kept, a path or an fsspec URL.
        this_machine: whether the API is on this machine (the sandbox), so that results may be, too.
        wait: seconds; 0 does what can be done now.
        pace: how often to ask, how long to wait for what.
        sleep: how to wait.

    Raises:
        ExportBusyError: another process is at it.
        ArtifactStoreError: the store does not take the result.
        Transient: Shopify cannot be reached; the run is as it was, and `advance` may be called again.
        Permanent: Shopify refuses; the run is closed as failed.
    """
    with ledger.locked(database, run_id) as book:
        export = ledger.read_export(book, run_id)
        target = _target_of(export, artifact_root)
        try:
            if pages.is_paged(export.query) and next_move(export.state, _now()) is Move.START:
                with _storing(target):
                    return outcome_of(pages.fetch(book, client, export, target))
            return _Run(book, client, export, target, pace or Pace(), sleep, this_machine=this_machine).go(wait)
        except ledger.NoExportError:
            Shelf(target).forget(target, salvaged_as(target))  # It was ended from outside, or its shop forgotten.
            raise


class _Run:
    def __init__(
        self,
        book: Connection,
        client: Asks,
        export: Export,
        target: str,
        pace: Pace,
        sleep: Callable[[float], None],
        *,
        this_machine: bool,
    ) -> None:
        self._book = book
        self._client = client
        self._export = export
        self._pace = pace
        self._sleep = sleep
        self._fetcher = Fetcher(
            this_machine=this_machine, most_bytes=pace.most_bytes, piece_bytes=pace.piece_bytes, sleep=sleep
        )
        self._target = target
        self._shelf = Shelf(self._target, export.kinds.bytes if export.kinds else 0)
        self._probed = False
        self._url: str | None = None
        """Of the result, when it was last told; only in memory."""

    def go(self, wait: float) -> Outcome:
        """Move by move, until it ends or the time is up."""
        try:
            return self._go(time.monotonic() + wait)
        finally:
            if next_move(self._export.state, _now()) is Move.STOP:
                Shelf(self._target).clear()  # What is worth keeping has a name of its own by now.

    def _go(self, deadline: float) -> Outcome:
        while (move := next_move(self._export.state, _now())) is not Move.STOP:
            if move is Move.WAIT:
                due = self._export.state.due or _now()
                pause = max(0.0, (due - _now()).total_seconds())
                if time.monotonic() + pause > deadline:
                    return outcome_of(self._export)
                self._sleep(pause)
            else:
                self._do(move)
        return outcome_of(self._export)

    def _do(self, move: Move) -> None:
        moves = {
            Move.START: self._start,
            Move.FIND: self._find,
            Move.POLL: self._poll,
            Move.FETCH: self._fetch,
            Move.SALVAGE: self._salvage,
        }
        try:
            moves[move]()
        except Permanent as fault:
            reason = "ACCESS_DENIED" if isinstance(fault, AccessDenied) else type(fault).__name__
            self._happened(Refused(reason, str(fault)))
            raise

    def _start(self) -> None:
        """Ask for one row of the same search first: what the search does not do only shows there."""
        if self._export.kinds is None and kinds.takes_turns(self._export.query):
            self._learn_kinds()
            return
        if not self._probed and (asked := probe(self._export.asked)):
            self._client.execute(asked)
            self._probed = True
        self._happened(Starting())
        sent = marked(self._export.asked, self._export.mark)
        try:
            # Always say how to group: the default depends on the version. Ungrouped results come sooner.
            how = {"query": sent, "groupObjects": self._export.resource in IN_ORDER}
            reply = self._client.execute(document("operations/start"), how)
        except Transient as fault:
            if isinstance(fault, Unavailable) and fault.sent:
                self._happened(Lost())  # It may have been carried out: it is looked for next.
                return
            self._happened(NotStarted(fault.retry_after or self._pace.first_poll))
            raise
        answer = reply.data.get("bulkOperationRunQuery") or {}
        operation = read_operation(answer.get("bulkOperation"))
        self._happened(Started(operation) if operation else self._refusal(answer.get("userErrors") or []))

    def _learn_kinds(self) -> None:
        begun = _now()
        listed = pages.asked(self._client, document(f"kinds/{self._export.resource}"))
        self._go_on_with(kinds.told((node for page in listed for node in page), begun))

    def _go_on_with(self, known: kinds.Kinds) -> None:
        """The next kind's turn; or, if there is none, all of it is there."""
        self._url = None
        if known.current is None:
            self._put_together(known)
            return
        self._export = replace(self._export, kinds=known, state=State())
        self._shelf = Shelf(self._target, known.bytes)
        ledger.keep_state(self._book, self._export)

    def _put_together(self, known: kinds.Kinds) -> None:
        """What was verified kind by kind is one artifact: as long as its parts are, and their pieces undamaged."""
        self._export = replace(self._export, kinds=known)
        shelf = Shelf(self._target)
        with _storing(self._target):
            try:
                whole = known.joined(shelf)
            except DamagedPieceError as problem:
                self._happened(Refused("INCOMPLETE", str(problem), transient=True))
                return
            shelf.publish(self._target)
        self._export = replace(self._export, state=kinds.ready(known, self._export.state))
        ledger.keep_state(self._book, self._export, _stored(self._target, whole))

    def _refusal(self, errors: list[Mapping[str, Any]]) -> Event:
        words = " ".join(str(error.get("message")) for error in errors)
        if not any(error.get("code") == _IN_PROGRESS for error in errors) and "already in progress" not in words:
            return Refused("USER_ERROR", f"Shopify refuses the bulk query: {words or 'it does not say why.'}")
        named = operations_in(words)
        for operation_id in named:
            found = self._ask("operations/recognize", operation_id)
            if found and found.run_id == self._export.mark:
                return Started(found)
        return Blocked(tuple(named))

    def _find(self) -> None:
        """The start was sent, or nearly: an operation whose query bears our mark is the one."""
        found = next((one for one in self._newest() if one.run_id == self._export.mark), None)
        self._happened(Started(found) if found else NotStarted())

    def _newest(self) -> list[Operation]:
        """Where Shopify runs several at once, ours may not be the last that was started."""
        if self._export.api_version < _SEVERAL_AT_ONCE:
            told = [self._client.execute(document("operations/newest")).data.get("currentBulkOperation")]
        else:
            # Asked for in two ways, because the documentation does not agree on which end comes first.
            lists = self._client.execute(document("operations/several")).data
            told = [node for name in ("newest", "listed") for node in (lists.get(name) or {}).get("nodes") or ()]
        return [operation for node in told if (operation := read_operation(node))]

    def _poll(self) -> None:
        assert self._export.state.operation_id  # noqa: S101 - RUNNING has one
        self._happened(self._seen(self._ask("operations/poll", self._export.state.operation_id)))

    def _ask(self, name: str, operation_id: str) -> Operation | None:
        return read_operation(self._client.execute(document(name), {"id": operation_id}).data.get("node"))

    def _seen(self, operation: Operation | None) -> Seen:
        if operation:
            ended_well = operation.status == COMPLETED
            self._url = operation.url if ended_well else operation.partial_url or operation.url
        return Seen(operation)

    def _fetch(self) -> None:
        state = self._export.state
        nothing = state.objects == 0 and not state.bytes
        if self._url is None and not nothing:
            self._poll()  # The url is kept nowhere: it is asked for.
            return
        with ledger.step(self._book, self._export) as told, _storing(self._target):
            try:
                if self._url is not None:
                    self._fetcher.fetch(self._url, self._shelf, state.bytes)
                whole = self._shelf.join()
            except (UrlRefusedError, ForbiddenUrlError, ResultTooLargeError, DamagedPieceError) as problem:
                self._happened(self._trouble(problem))
                told["problem"] = str(problem)
                return
            told.update(bytes=whole.bytes, lines=whole.lines, sha256=whole.sha256, source=state.operation_id)
            if wrong := problem_with(whole, state):
                told["problem"] = wrong
                self._incomplete(wrong)
            elif self._export.kinds:
                self._go_on_with(kinds.turned(self._export.kinds, state, whole))
            else:
                self._shelf.publish(self._target)
                self._happened(Fetched(), _stored(self._target, whole))

    def _incomplete(self, problem: str) -> None:
        self._happened(Fetched(problem))
        if self._export.state.phase is Phase.FETCHING:
            self._shelf.clear()
            self._url = None

    def _trouble(self, problem: Exception) -> Event:
        self._url = None
        if isinstance(problem, UrlRefusedError):
            return UrlRefused()
        if isinstance(problem, DamagedPieceError):
            return Fetched(str(problem))
        return Refused("TOO_LARGE" if isinstance(problem, ResultTooLargeError) else "FORBIDDEN_URL", str(problem))

    def _salvage(self) -> None:
        """Keep what there is, apart from whole results. Losing it must not hide why the operation failed."""
        fetched = self._export.state.status == COMPLETED
        if self._url is None and not fetched:
            self._poll()
            return
        with _storing(self._target):
            try:
                if self._url is not None and not fetched:
                    self._fetcher.fetch(self._url, self._shelf, None)
                whole = self._shelf.join()
            except (UrlRefusedError, ForbiddenUrlError, ResultTooLargeError, DamagedPieceError) as problem:
                self._happened(self._trouble(problem))
                return
            if ledger.may_tell_of_forgotten(self._book, self._export):  # And no load takes them out of it.
                self._happened(Salvaged(kept=False))
                return
            self._shelf.publish(salvaged_as(self._target))
        self._happened(Salvaged(), _stored(salvaged_as(self._target), whole))

    def _happened(self, event: Event, stored: StoredResult | None = None) -> None:
        """Write down what follows; of one kind's trouble, which kind's."""
        state = after(self._export.state, event, _now(), self._pace)
        if self._export.kinds:
            state = self._export.kinds.named(state, self._export.state)
        self._export = replace(self._export, state=state)
        ledger.keep_state(self._book, self._export, stored)


def _target_of(export: Export, artifact_root: str) -> str:
    return f"{artifact_root.rstrip('/')}/{export.domain}/{export.resource}/{export.run_id}.jsonl"


@contextmanager
def _storing(target: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        words = f"The result cannot be kept in the artifact store ({target}): {error}."
        raise ArtifactStoreError(f"{words} What came in stays there; mend it and go on.") from error


def _stored(path: str, whole: Whole) -> StoredResult:
    return StoredResult(path, whole.bytes, whole.lines, whole.sha256)


def _now() -> datetime:
    return datetime.now(UTC)
