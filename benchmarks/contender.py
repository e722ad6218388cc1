"""What a contender is: something that loads a file into a database, and what it cost.

Belongs here: the words that all contenders and all reports share. Does not belong here: any contender.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from neanelu_pipelines.database.connect import Database


@dataclass(frozen=True)
class Shop:
    """The shop whose catalogue is loaded."""

    id: UUID
    domain: str


@dataclass(frozen=True)
class Result:
    """One load: wall-clock seconds, bytes of JSONL, rows at the destination that it counted as written or read."""

    seconds: float
    bytes: int
    rows: int

    @property
    def rate(self) -> float:
        """Megabytes (10⁶ bytes) a second."""
        return self.bytes / self.seconds / 1e6


@dataclass(frozen=True)
class Contender:
    """`run` loads a file and times itself; `prepare`, untimed, makes a fresh database ready for it.

    What a contender imports is loaded before the clock starts: the comparison is of work, not of start-up.
    """

    name: str
    description: str
    run: Callable[[Database, Shop, Path], Result]
    prepare: Callable[[Database], None]
