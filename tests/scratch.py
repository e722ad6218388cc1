"""The folder for everything temporary that pytest's own folders cannot hold, and its end: nothing of it stays.

Servers run as an account of their own, which cannot enter pytest's folders. A run that was killed cannot clean up:
the next run finds what it left, ends what still runs in it and removes it.
"""

import getpass
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

IN_MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 * 2**30
"""Two workers' servers and homes need less than half of it."""


def base() -> Path:
    """What all runs of this user have in common.

    In memory where there is enough of it and nobody has said TMPDIR: homes and databases are thousands of small files,
    and on a disk the kernel is at work with them for longer than the tests are.
    """
    name = f"neanelu-tests-of-{getpass.getuser()}"
    if "TMPDIR" not in os.environ and IN_MEMORY.is_dir():
        remove_leftovers(IN_MEMORY / name)
        if has_room(IN_MEMORY, ENOUGH_BYTES):
            return IN_MEMORY / name
    return Path(tempfile.gettempdir()) / name


def has_room(folder: Path, needed: int) -> bool:
    """Whether this file system in memory has `needed` bytes, the machine them to spare, and programs may run in it."""
    found = os.statvfs(folder)
    free = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available // 2)
    return free >= needed and not found.f_flag & os.ST_NOEXEC


@contextmanager
def scratch(below: Path) -> Iterator[Path]:
    """A folder of this process's own in `below`, which temporary files and folders go to meanwhile, also children's."""
    remove_leftovers(below)
    folder = below / _mark(psutil.Process())
    folder.mkdir(parents=True)
    for made in (below, folder):
        made.chmod(0o711)
    before = os.environ.get("TMPDIR")
    _use(str(folder))
    try:
        yield folder
    finally:
        _use(before)
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # another run is using it
            below.rmdir()


def remove_leftovers(below: Path) -> None:
    """End and remove what runs that were killed have left in `below`."""
    for folder in below.glob("*"):
        if folder.name in _marks_of_the_living():
            continue
        for process in users_of(folder):
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(users_of(folder), timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def users_of(folder: Path) -> list[psutil.Process]:
    """Processes that were started for `folder` or something in it: their arguments or NEANELU_HOME name it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = process.cmdline()
            with suppress(psutil.AccessDenied):  # root in a container may not look at a server's environment
                words.append(process.environ().get("NEANELU_HOME", ""))
        except psutil.Error:
            continue
        if any(str(folder) in word for word in words):
            found.append(process)
    return found


def _mark(process: psutil.Process) -> str:
    return f"{process.pid}-{process.create_time():.0f}"


def _marks_of_the_living() -> set[str]:
    marks = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            marks.add(_mark(process))
    return marks


def _use(folder: str | None) -> None:
    if folder is None:
        os.environ.pop("TMPDIR", None)
    else:
        os.environ["TMPDIR"] = folder
    tempfile.tempdir = None
