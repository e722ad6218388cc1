"""Work on the items of a stream on several processors, with the results in the stream's order.

Belongs here: the threads that the passes over an artifact share. Does not belong here: what is done with an item. The
libraries that do the work (Polars, Arrow, NumPy) let go of Python's lock meanwhile.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

_AT_ONCE = 2
_TAKEN = 4

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


def side_by_side(work: Callable[[*Arguments], Result], items: Iterable[tuple[*Arguments]]) -> Iterator[Result]:
    """`work(*item)` for each item, two at a time, in the order of the items; they are taken only as they are needed.

    Two, because every item in work costs memory, and PostgreSQL has its share of the processors to do. Two more are
    taken meanwhile: there is one to go on with while whoever reads is busy with a result.
    """
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="side by side") as pool:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(work, *item))
            if len(waiting) == _TAKEN:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
