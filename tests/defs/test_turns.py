"""Turns among the shops of a run: each for itself, retries, waiting."""

import time
from collections.abc import Generator, Iterator, Sequence

import psycopg
import pytest

from neanelu_pipelines.defs.loads.faults import RETRIES
from neanelu_pipelines.defs.loads.turns import Turn, take_turns
from neanelu_pipelines.errors import NeaneluError

SHOPS = ("a", "b", "c")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(RETRIES), "calculate_delay", lambda _, retry: 0.001 * retry)


class Work:
    """What each turn of a shop does: raise a fault, wait for some seconds (a number), or be done ("done")."""

    def __init__(self, **plan: list[Exception | float | str]) -> None:
        self.plan = plan
        self.taken: list[str] = []
        self.said: list[str] = []

    def attempt(self, turn: Turn) -> Generator[str, None, float | None]:
        self.taken.append(turn.shop)
        step = self.plan.get(turn.shop, ["done"]).pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            return time.monotonic() + step
        yield f"{turn.shop} done"
        return None

    def give_up(self, turn: Turn, fault: Exception) -> Iterator[str]:
        yield f"{turn.shop} given up: {fault}"

    def run(self) -> list[str]:
        return list(take_turns([Turn(shop, (shop,)) for shop in SHOPS], self.attempt, self.give_up, self.said.append))


def test_one_shops_fault_is_its_own() -> None:
    work = Work(b=[NeaneluError("a bad file")])
    assert work.run() == ["a done", "b given up: a bad file", "c done"]


def test_a_bug_is_not_tried_again_and_stops_nobody() -> None:
    work = Work(a=[KeyError("column")])
    assert work.run() == ["a given up: 'column'", "b done", "c done"]


def test_a_transient_fault_is_tried_again_after_the_others() -> None:
    gone = psycopg.OperationalError("gone")
    work = Work(a=[gone, "done"])
    assert work.run() == ["b done", "c done", "a done"]
    assert len(work.said) == 1
    assert "retry 1 of 3" in work.said[0]


def test_after_three_retries_a_shop_is_given_up() -> None:
    gone = psycopg.OperationalError("gone")
    work = Work(b=[gone] * 9)
    assert work.run()[-1] == "b given up: gone"
    assert work.taken.count("b") == 4


def test_all_begin_before_anybody_is_waited_for_and_the_waits_run_beside_each_other() -> None:
    work = Work(a=[0.2, "done"], b=[0.1, "done"], c=[0.2, "done"])
    started = time.monotonic()
    assert work.run() == ["b done", "a done", "c done"]
    assert work.taken[:3] == ["a", "b", "c"]
    assert 0.2 <= time.monotonic() - started < 0.4


def test_who_is_left_is_told_when_it_is_nobodys_turn_and_may_be_made_due() -> None:
    work = Work(a=[60.0, "done"], c=[60.0, "done"])
    left: list[list[str]] = []

    def before_pause(turns: Sequence[Turn]) -> None:
        left.append(sorted(turn.shop for turn in turns))
        for turn in turns:
            turn.due = 0.0

    turns = [Turn(shop, (shop,)) for shop in SHOPS]
    assert sorted(take_turns(turns, work.attempt, work.give_up, work.said.append, before_pause)) == [
        "a done",
        "b done",
        "c done",
    ]
    assert left == [["a", "c"]]


def test_what_ends_the_run_ends_it() -> None:
    class EndedError(BaseException):
        pass

    def attempt(turn: Turn) -> Generator[str, None, float | None]:
        yield turn.shop
        raise EndedError

    with pytest.raises(EndedError):
        list(take_turns([Turn("a", ("a",)), Turn("b", ("b",))], attempt, lambda *_: iter(()), print))
