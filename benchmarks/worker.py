"""One load in a process of its own, so that its time and its memory are its own.

Belongs here: both ends of it. `python -m benchmarks.worker` reads a job from standard input (it holds passwords, which
have no place among a process's arguments) and writes the outcome as the last line of its output. Does not belong
here: which jobs there are.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from uuid import UUID

import psutil

from benchmarks.contender import Contender, Result, Shop
from benchmarks.databases import settle
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.errors import NeaneluError

_ROOT = Path(__file__).resolve().parent.parent
_CONTENDERS = {
    "ours": ("benchmarks.ours", "OURS"),
    "floor": ("benchmarks.floor", "FLOOR"),
    "elt": ("benchmarks.elt", "ELT"),
    "dlt": ("benchmarks.dlt_merge", "DLT"),
    "dlt-flat": ("benchmarks.dlt_merge", "DLT_FLAT"),
}
CONTENDERS = tuple(_CONTENDERS)


class UnknownContenderError(NeaneluError):
    """A name that no contender has, or one whose library is not installed."""


class ContenderFailedError(NeaneluError):
    """A contender's process ended with an error; the message ends with what it said."""


@dataclass(frozen=True)
class Outcome:
    """What a load cost: its result, and the most memory that its process held, in bytes."""

    result: Result
    peak_rss: int


def contender(name: str) -> Contender:
    """The contender of that name; what it needs is imported now.

    Raises:
        UnknownContenderError: there is none, or what it needs is not installed.
    """
    if name not in _CONTENDERS:
        raise UnknownContenderError(f"There is no contender {name!r}; known are: {', '.join(CONTENDERS)}.")
    module, attribute = _CONTENDERS[name]
    try:
        found = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise UnknownContenderError(
            f"The contender {name!r} needs {error.name}: pip install 'neanelu-pipelines[bench]', or leave it out."
        ) from error
    if not isinstance(found, Contender):
        raise TypeError(f"{module}.{attribute} is no contender")
    return found


def load(name: str, database: Database, shop: Shop, path: Path, *, prepare: bool) -> Outcome:
    """Let a contender load the file in a new process; `prepare` readies a fresh database for it first, untimed.

    Raises:
        ContenderFailedError: it did not get through.
    """
    job = {
        "contender": name,
        "urls": {role.value: url for role, url in database.urls.items()},
        "shop": {"id": str(shop.id), "domain": shop.domain},
        "path": str(path.absolute()),
        "prepare": prepare,
    }
    search = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": search},
    )
    if done.returncode:
        raise ContenderFailedError(f"{name} failed on {path.name}:\n{done.stderr.strip()[-2000:]}")
    outcome = json.loads(done.stdout.strip().splitlines()[-1])
    return Outcome(Result(outcome["seconds"], outcome["bytes"], outcome["rows"]), outcome["peak_rss"])


def _main() -> None:
    job = json.load(sys.stdin)
    database = Database({Role(role): url for role, url in job["urls"].items()})
    shop = Shop(UUID(job["shop"]["id"]), job["shop"]["domain"])
    chosen = contender(job["contender"])
    if job["prepare"]:
        chosen.prepare(database)
    settle(database)
    result = chosen.run(database, shop, Path(job["path"]))
    print(json.dumps({"seconds": result.seconds, "bytes": result.bytes, "rows": result.rows, "peak_rss": peak_rss()}))


def peak_rss() -> int:
    """The most memory that this process has held, in bytes.

    VmHWM begins at zero with this program; ru_maxrss would count what the parent held when it forked.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except FileNotFoundError:
        pass
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    _main()
