"""Whose turn it is among the shops of one run, who is tried again, and who is given up.

Belongs here: the order of turns. Does not belong here: what is done in a turn (`shop_load`).

Shops are loaded one after another, each for itself: nobody's fault takes another's result with it. While Shopify is at
work for one, the others have their turns; so the waiting of a whole batch takes as long as the longest wait.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from neanelu_pipelines.defs.loads.faults import RETRIES, interruptible, is_transient
from neanelu_pipelines.mirror.reports import LoadRun, TableCounts

if TYPE_CHECKING:
    from uuid import UUID

    from neanelu_pipelines.shopify.windows import Window

Event = TypeVar("Event")


@dataclass
class Turn:
    """A shop's place in the run, and how far it has come."""

    shop: str
    partitions: tuple[str, ...]
    """The partitions of Dagster that its load materializes."""
    windows: "tuple[Window, ...]" = ()
    """Of Shopify only what changed in these is asked for; without one, what the run's configuration says."""
    retries: int = 0
    due: float = 0.0
    """When it is the shop's turn again, by time.monotonic()."""
    waits_since: float | None = None
    """Since when Shopify is waited for, by the same clock; None before the shop was first asked for."""
    is_waiting: bool = False
    """Whether it is due for nothing but to ask Shopify again."""
    load: LoadRun | None = None
    """What is being loaded, once it is known."""
    export: "UUID | None" = None
    """Shopify's export that was last begun or gone on with for it: its run in the ledger."""
    is_staged: bool = False
    merged: dict[str, TableCounts] | None = None
    """What the merge did, by table, once it is done: what is only counted after it may be tried again by itself."""
    requests: int = 0
    """Sent to Shopify for it so far."""
    points: float = 0.0
    """What these cost."""
    seconds: float = 0.0
    """Spent on the load itself: without Dagster's own work, and without waiting for a turn."""

    def began(self, export: "UUID") -> None:
        """Remember the export that is under way."""
        self.export = export

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Count the time of the block as the load's, and let it be interrupted."""
        started = time.perf_counter()
        try:
            with interruptible():
                yield
        finally:
            self.seconds += time.perf_counter() - started


def take_turns(
    turns: Sequence[Turn],
    attempt: Callable[[Turn], Generator[Event, None, float | None]],
    give_up: Callable[[Turn, Exception], Iterator[Event]],
    say: Callable[[str], None],
    before_pause: Callable[[Sequence[Turn]], None] = lambda _left: None,
) -> Iterator[Event]:
    """Let each shop have its turns until it is loaded or given up.

    Args:
        turns: the shops.
        attempt: takes a shop as far as it goes; its value is when to go on (time.monotonic()), or None: it is done.
        give_up: what to say of a shop whose fault is permanent, or still there after three retries.
        say: hears of retries.
        before_pause: hears which shops are left when it is nobody's turn yet; it may make theirs due.
    """
    waiting = list(turns)
    while waiting:
        if all(one.due > time.monotonic() for one in waiting):
            before_pause(waiting)
        turn = min(waiting, key=lambda one: one.due)
        waiting.remove(turn)
        time.sleep(max(0.0, turn.due - time.monotonic()))
        try:
            due = yield from attempt(turn)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other shops go on; give_up tells it
            if not is_transient(fault) or turn.retries >= RETRIES.max_retries:
                yield from give_up(turn, fault)
                continue
            turn.retries += 1
            pause = float(RETRIES.calculate_delay(turn.retries))
            due = time.monotonic() + pause
            say(f"{turn.shop}: retry {turn.retries} of {RETRIES.max_retries} in {pause:.1f} s: {fault}")
        if due is not None:
            turn.due = due
            waiting.append(turn)
