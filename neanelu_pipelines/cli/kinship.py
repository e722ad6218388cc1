"""Keeping a family of processes together on Linux: who inherits orphans, who ends with whom, who is still there.

Belongs here: the three calls to the kernel behind `dev`. Does not belong here: which processes there are.
"""

import ctypes
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def inherit_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that none can escape `end_family`."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(how: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends the new process this signal when its parent is gone, however it went."""
    return lambda: _prctl(_PR_SET_PDEATHSIG, how)


def children_now() -> frozenset[psutil.Process]:
    """The direct children that there are at this moment."""
    return frozenset(psutil.Process().children())


def end_family(patience: float, *, spare: frozenset[psutil.Process] = frozenset()) -> int:
    """End all descendants: SIGTERM, up to `patience` seconds, then SIGKILL until none is left. How many were killed.

    The children in `spare` and their descendants go on (a server that was started for more than this).

    Runs that are under way get SIGTERM as well: they say so in Dagster's storage before they end.
    """
    for process in _family(spare):
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    deadline = time.monotonic() + patience
    while _family(spare) and time.monotonic() < deadline:
        time.sleep(0.05)
    killed = 0
    while family := _family(spare):
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
                killed += 1
        psutil.wait_procs(family, timeout=1)
    return killed


def _family(spare: frozenset[psutil.Process]) -> Sequence[psutil.Process]:
    """All living descendants but the spared; the dead ones are reaped on the way."""
    alive = []
    for process in _descendants(spare):
        with suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_ZOMBIE:
                with suppress(psutil.TimeoutExpired):
                    process.wait(0)
            else:
                alive.append(process)
    return alive


def _descendants(spare: frozenset[psutil.Process]) -> Iterator[psutil.Process]:
    for child in children_now() - spare:
        yield child
        with suppress(psutil.NoSuchProcess):
            yield from child.children(recursive=True)


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere processes are only ended by an orderly end of `dev`."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
