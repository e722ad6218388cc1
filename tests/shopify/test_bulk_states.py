"""What a run of a bulk operation does next: for any course of events, and against a model of Shopify with crashes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neanelu_pipelines.shopify.bulk.operation import (
    MARK_BYTES,
    Operation,
    marked,
    operations_in,
    read_operation,
    run_of,
)
from neanelu_pipelines.shopify.bulk.pieces import Shelf
from neanelu_pipelines.shopify.bulk.states import (
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

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PACE = Pace(first_poll=1, longest_poll=8, busy=5, late_url=20, longest_life=3600, most_bytes=1000)
GID = "gid://shopify/BulkOperation/1"
STATUSES = ["CREATED", "RUNNING", "COMPLETED", "FAILED", "CANCELING", "CANCELED", "EXPIRED", "SOMETHING_NEW"]

operations = st.builds(
    Operation,
    id=st.just(GID),
    status=st.sampled_from(STATUSES),
    error_code=st.sampled_from([None, "ACCESS_DENIED", "INTERNAL_SERVER_ERROR", "TIMEOUT"]),
    created_at=st.just(START),
    objects=st.integers(0, 3),
    bytes=st.sampled_from([None, 10, 2000]),
    url=st.sampled_from([None, "https://example.com/whole"]),
    partial_url=st.sampled_from([None, "https://example.com/part"]),
)
events = st.one_of(
    st.just(Starting()),
    st.builds(Started, operations),
    st.builds(Seen, st.none() | operations),
    st.just(NotStarted(1.0)),
    st.just(Lost()),
    st.just(Blocked(("gid://shopify/BulkOperation/9",))),
    st.builds(Fetched, st.sampled_from([None, "Bytes are missing."])),
    st.just(UrlRefused()),
    st.just(Salvaged()),
    st.just(Refused("ShopClosed", "The shop is gone.")),
)


@given(st.lists(st.tuples(events, st.floats(0, 60)), max_size=40))
def test_whatever_happens(course: list[tuple[Event, float]]) -> None:
    state, now = State(), START
    for event, seconds in course:
        now += timedelta(seconds=seconds)
        before, state = state, after(state, event, now, PACE)
        if before.phase in {Phase.READY, Phase.FAILED}:
            assert state == before
        if state.phase is Phase.READY and before.phase is not Phase.READY:
            assert event == Fetched(None)
            assert state.status == "COMPLETED"
        if state.phase is Phase.FAILED:
            assert state.reason
            assert state.message
        if before.operation_id:
            assert state.operation_id == GID
            assert next_move(state, now + timedelta(days=1)) not in {Move.START, Move.FIND}
        if next_move(state, now) is Move.WAIT:
            assert state.due is not None
            assert state.due > now


# Against a model ------------------------------------------------------------------------------------------------------


@dataclass
class Shop:
    """Shopify, as far as a run can see it: how many operations it was made to start, and how they go."""

    ending: str
    polls_left: int
    url_late: int
    refusals: int
    bad_fetches: int
    busy: int
    started: int = 0
    log: list[str] = field(default_factory=list)

    def start(self) -> Event:
        if self.busy:
            self.busy -= 1
            return Blocked(("gid://shopify/BulkOperation/9",))
        self.started += 1
        return Started(self.tell())

    def find(self) -> Event:
        return Started(self.tell()) if self.started else NotStarted()

    def tell(self) -> Operation:
        if self.polls_left > 0:
            self.polls_left -= 1
            return Operation(GID, "RUNNING", created_at=START)
        told = Operation(GID, self.ending, created_at=START, objects=2, bytes=10)
        if self.url_late > 0:
            self.url_late -= 1
            return told
        return (
            replace(told, url="https://x.example/a") if self.ending == "COMPLETED" else replace(told, partial_url="u")
        )

    def fetch(self) -> Event:
        if self.refusals:
            self.refusals -= 1
            return UrlRefused()
        if self.bad_fetches:
            self.bad_fetches -= 1
            return Fetched("Lines are missing.")
        return Fetched()


shops = st.builds(
    Shop,
    ending=st.sampled_from(["COMPLETED", "COMPLETED", "FAILED", "CANCELED", "EXPIRED"]),
    polls_left=st.integers(0, 4),
    url_late=st.integers(0, 2),
    refusals=st.integers(0, 1),
    bad_fetches=st.integers(0, 1),
    busy=st.integers(0, 2),
)


@given(shops, st.lists(st.sampled_from(["", "", "dies before", "dies after", "answer lost"]), max_size=30))
def test_a_run_that_dies_anywhere_starts_one_operation_and_ends(shop: Shop, deaths: list[str]) -> None:
    """`state` is what the ledger holds: what was not written down is forgotten when the process dies."""
    state, now = State(), START
    for step in range(200):
        move = next_move(state, now)
        if move is Move.STOP:
            break
        if move is Move.WAIT:
            assert state.due is not None
            now = state.due
            continue
        death = deaths[step] if step < len(deaths) else ""
        if death == "dies before":
            continue
        if move is Move.START:
            state = after(state, Starting(), now, PACE)
        answers = {
            Move.START: shop.start,
            Move.FIND: shop.find,
            Move.POLL: lambda: Seen(shop.tell()),
            Move.FETCH: shop.fetch,
            Move.SALVAGE: Salvaged,
        }
        event = answers[move]()
        if death == "answer lost" and move is Move.START:
            event = Lost()
        if death != "dies after":
            state = after(state, event, now, PACE)
    assert state.phase in {Phase.READY, Phase.FAILED}
    assert shop.started == 1
    if shop.ending == "COMPLETED":
        assert state.phase is Phase.READY
    else:
        assert (state.phase, state.reason) == (Phase.FAILED, shop.ending)


# Cases ----------------------------------------------------------------------------------------------------------------


def seen(state: State, status: str, now: datetime = START, **told: object) -> State:
    return after(state, Seen(Operation(GID, status, created_at=START, **told)), now, PACE)  # type: ignore[arg-type]


RUNNING = State(Phase.RUNNING, operation_id=GID, created_at=START)


@pytest.mark.parametrize("status", STATUSES)
def test_the_answer_to_a_start_says_no_more_than_that_it_exists(status: str) -> None:
    told = Started(Operation(GID, status, created_at=START, url="u"))
    state = after(State(Phase.STARTING), told, START, PACE)
    assert (state.phase, state.operation_id, state.status) == (Phase.RUNNING, GID, None)


def test_no_rows_is_a_success_when_it_is_said_twice() -> None:
    once = seen(RUNNING, "COMPLETED")
    assert (once.phase, next_move(once, START)) == (Phase.RUNNING, Move.WAIT)
    assert seen(once, "COMPLETED").phase is Phase.FETCHING
    assert seen(once, "COMPLETED", objects=2).phase is Phase.RUNNING


def test_a_result_with_rows_does_not_become_an_empty_one() -> None:
    counted = seen(RUNNING, "COMPLETED", objects=2, roots=1, bytes=10, url="u")
    state = seen(counted, "COMPLETED")
    assert (state.phase, state.objects, state.roots, state.bytes) == (Phase.RUNNING, 2, 1, 10)


def test_a_url_of_a_canceled_operation_is_no_success() -> None:
    state = seen(RUNNING, "CANCELED", objects=2, url="u")
    assert (state.phase, state.reason, state.transient) == (Phase.SALVAGING, "CANCELED", False)


def test_partial_data_may_come_late_and_not_for_ever() -> None:
    state = seen(RUNNING, "FAILED", error_code="TIMEOUT")
    assert (state.phase, state.message) == (
        Phase.RUNNING,
        f"Shopify's operation {GID} failed (TIMEOUT). Nothing of it is merged.",
    )
    assert seen(state, "FAILED", partial_url="u", error_code="TIMEOUT").phase is Phase.SALVAGING
    late = seen(state, "FAILED", START + timedelta(seconds=21), error_code="TIMEOUT")
    assert (late.phase, late.reason, late.transient) == (Phase.FAILED, "TIMEOUT", True)


def test_a_missing_scope_is_not_tried_again() -> None:
    state = seen(RUNNING, "FAILED", error_code="ACCESS_DENIED", partial_url="u")
    assert (state.reason, state.transient) == ("ACCESS_DENIED", False)


def test_a_result_with_objects_and_without_a_url_is_incomplete() -> None:
    state = seen(RUNNING, "COMPLETED", objects=2)
    assert state.phase is Phase.RUNNING
    late = seen(state, "COMPLETED", START + timedelta(seconds=21), objects=2)
    assert (late.phase, late.reason) == (Phase.FAILED, "INCOMPLETE")


def test_a_result_with_bytes_and_without_a_url_is_waited_for_and_incomplete() -> None:
    """It once was polled for without a pause, for ever: no objects, but bytes, is not nothing."""
    state = seen(RUNNING, "COMPLETED", bytes=10)
    assert next_move(seen(state, "COMPLETED", bytes=10), START) == Move.WAIT
    late = seen(state, "COMPLETED", START + timedelta(seconds=21), bytes=10)
    assert (late.phase, late.reason) == (Phase.FAILED, "INCOMPLETE")


def test_no_operation_was_made_days_ahead() -> None:
    """What it shows would outdate all that comes until then."""
    ahead = Operation(GID, "RUNNING", created_at=START + timedelta(days=2000))
    assert after(RUNNING, Seen(ahead), START, PACE).created_at == START
    assert after(State(Phase.STARTING), Started(ahead), START, PACE).created_at == START


@pytest.mark.parametrize(("said", "moment"), [("ieri", None), (7, None), ("2026-03-01T10:00:00", "2026-03-01T10:00Z")])
def test_what_is_no_time_is_none(said: object, moment: str | None) -> None:
    found = read_operation({"id": GID, "createdAt": said})
    assert found
    assert found.created_at == (datetime.fromisoformat(moment) if moment else None)


def test_too_large_a_result_is_refused_before_it_is_fetched() -> None:
    assert seen(RUNNING, "COMPLETED", objects=2, bytes=1001, url="u").reason == "TOO_LARGE"


def test_pauses_grow_to_their_limit() -> None:
    state, pauses = RUNNING, []
    for _ in range(9):
        state = seen(state, "RUNNING")
        assert state.due
        pauses.append((state.due - START).total_seconds())
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.5, 8)


def test_an_operation_that_never_ends_is_given_up() -> None:
    assert seen(RUNNING, "RUNNING", START + timedelta(hours=2)).reason == "NEVER_ENDED"


def test_an_operation_that_shopify_forgets_is_missed_a_few_times_first() -> None:
    state = RUNNING
    for _ in range(3):
        state = after(state, Seen(None), START, PACE)
        assert state.phase is Phase.RUNNING
    assert after(state, Seen(None), START, PACE).reason == "GONE"
    assert after(seen(state, "RUNNING"), Seen(None), START, PACE).phase is Phase.RUNNING


def test_the_mark_names_the_run() -> None:
    run = run_of(marked("{ a }", (one := uuid4())))
    assert run == one
    assert len(marked("", one)) == MARK_BYTES
    assert run_of("{ a }") is None
    assert run_of("# neanelu run 000000000000000000000000000000000000\n{ a }") is None


def test_the_operations_in_a_message_are_found() -> None:
    message = f"A bulk query operation … already in progress: {GID}, gid://shopify/BulkOperation/22."
    assert operations_in(message) == [GID, "gid://shopify/BulkOperation/22"]


def test_an_operation_shows_no_url() -> None:
    told = read_operation({"id": GID, "status": "COMPLETED", "objectCount": "12", "url": "https://x/?Signature=s3cret"})
    assert told is not None
    assert told.objects == 12
    assert "s3cret" not in repr(told)


@pytest.mark.parametrize("found", [None, {}, {"id": 3}, []])
def test_what_is_no_operation_is_none(found: object) -> None:
    assert read_operation(found) is None


# Recorded -------------------------------------------------------------------------------------------------------------


def recorded_runs(folder: Path) -> Iterator[dict[str, Any]]:
    """Every operation that was recorded from its polls to its result."""

    def walk(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            if isinstance(value.get("result"), dict) and "terminalOperation" in value and "statusPolls" in value:
                yield value
            for item in value.values():
                yield from walk(item)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)

    for path in sorted(folder.glob("*.json")):
        yield from walk(json.loads(path.read_text(encoding="utf-8")))


def test_recorded_operations_end_with_a_result_that_is_whole(shared: Path) -> None:
    count = 0
    for run in recorded_runs(shared / "data/shopify/bulk/captures"):
        told = [poll["response"]["data"]["bulkOperation"] for poll in run["statusPolls"]]
        state = RUNNING
        for answer in [*told, run["terminalOperation"]]:
            assert next_move(state, START) is not Move.STOP
            state = after(state, Seen(read_operation(answer)), START, Pace())
        assert state.phase is Phase.FETCHING
        body = run["result"].get("body")
        if isinstance(body, str) and len(body.encode()) == run["result"].get("byteLength"):
            shelf = Shelf(f"memory://recorded/{state.bytes}.jsonl")
            shelf.put(0, body.encode())
            assert problem_with(shelf.join(), state) is None
            count += 1
    assert count >= 2


def test_the_recorded_refusal_names_the_operation_in_the_way(shared: Path) -> None:
    path = shared / "data/shopify/bulk/captures/bulk-operation-run-query-operation-in-progress.json"
    capture = json.loads(path.read_text(encoding="utf-8"))
    (error,) = capture["secondRun"]["response"]["data"]["bulkOperationRunQuery"]["userErrors"]
    first = capture["firstRun"]["response"]["data"]["bulkOperationRunQuery"]["bulkOperation"]
    assert operations_in(error["message"]) == [first["id"]]
    sent = capture["firstRun"]["variables"]["query"]
    assert first["query"] == sent, "Shopify keeps a query with its comments: what our mark relies on"
    assert sent.startswith("#")
