"""A made-up shop with its client and ledger, for the tests of bulk operations; also in processes that are to die.

Belongs here: what the tests and the processes they kill both do. Does not belong here: what is expected.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.mirror.river import take_load
from neanelu_pipelines.shopify.access import Secret, ShopAccess
from neanelu_pipelines.shopify.bulk import exports, ledger, pieces
from neanelu_pipelines.shopify.bulk.outcome import Outcome
from neanelu_pipelines.shopify.bulk.states import Pace
from neanelu_pipelines.shopify.client import AdminClient, Patience
from neanelu_pipelines.shopify.documents import document, inlined

PRODUCTS = inlined(document("products"), {"search": None})
PACE = Pace(first_poll=0.02, longest_poll=0.05, busy=0.05, late_url=2.0, piece_bytes=32 * 1024)
QUICK = Patience(tries=2, max_wait=3.0, timeout=5.0, max_reply_bytes=1_000_000)
WAIT = 20.0


@dataclass
class Desk:
    """All that a process needs to take a run further; may be sent to another process."""

    urls: Mapping[Role, str]
    endpoint: str
    token: str
    shop_id: UUID
    root: Path
    domain: str
    version: str = "2025-10"
    pace: Pace = field(default_factory=lambda: PACE)
    asks: tuple[str, str] = (PRODUCTS, "products")
    """The query, and the resource, of an export that dies."""

    @property
    def database(self) -> Database:
        return Database(dict(self.urls))

    def client(self) -> AdminClient:
        access = ShopAccess(self.shop_id, self.domain, self.version, Secret(self.token))
        return AdminClient(access, database=None, endpoint=self.endpoint, patience=QUICK)

    def begin(self, query: str = PRODUCTS, resource: str = "products", dagster_run_id: str = "") -> UUID:
        return exports.begin(
            self.database, shop_id=self.shop_id, resource=resource, query=query, dagster_run_id=dagster_run_id
        )

    def advance(self, run_id: UUID, *, client: exports.Asks | None = None, wait: float = WAIT) -> Outcome:
        with self.client() as own:
            return exports.advance(
                self.database,
                client or own,
                run_id,
                artifact_root=str(self.root),
                this_machine=True,
                wait=wait,
                pace=self.pace,
            )

    def export(self, query: str = PRODUCTS, resource: str = "products") -> Outcome:
        return self.advance(self.begin(query, resource))

    def take(self, run_id: UUID, dagster_run: str = "run") -> None:
        """As a load takes it up: the result is nobody else's then."""
        assert take_load(self.database, run_id, dagster_run_id=dagster_run, first_run_id=dagster_run)

    def rows(self, text: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.database.connect(Role.ADMIN) as connection:
            return connection.execute(text, parameters).fetchall()

    def run(self, run_id: UUID) -> tuple[Any, ...]:
        """Status, artifact kinds, whether the key is held, and everything the ledger says, as text."""
        ((status, key, text),) = self.rows(
            "SELECT status, idempotency_key, to_jsonb(r)::text FROM bulk_runs r WHERE id = %s", run_id
        )
        kinds = [
            kind for (kind,) in self.rows("SELECT artifact_type FROM bulk_artifacts WHERE bulk_run_id = %s", run_id)
        ]
        return status, kinds, key is not None, text


class Dies:
    """Kills this process, as nothing else can, at the n-th passing of a place; places are counted in order."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed: list[str] = []

    def __call__(self, place: str) -> None:
        self.passed.append(place)
        if len(self.passed) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str) -> None:
        """Before and after every call of `owner.name`."""
        real: Callable[..., Any] = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:
            self(f"before {name}")
            made = real(*given, **named)
            self(f"after {name}")
            return made

        setattr(owner, name, counted)


def export_and_die(desk: Desk, at: int) -> list[str]:
    """A whole export that dies at its n-th place; one that lives returns the places that it passed."""
    dies = Dies(at)
    dies.around(AdminClient, "execute")
    dies.around(ledger, "keep_state")
    dies.around(pieces.Shelf, "put")
    dies.around(pieces.Shelf, "join")
    dies.around(pieces.Shelf, "publish")
    desk.advance(desk.begin(*desk.asks))
    return dies.passed


class Mortals:
    """Processes that export and die, forked from one that has read all its modules."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.shopify.bulk"]
        self._nursery = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._ask(b64encode(pickle.dumps(self._desk)).decode())
        return self

    def __exit__(self, *_: object) -> None:
        self._nursery.communicate(timeout=30)

    def export(self, at: int) -> tuple[int, list[str]]:
        """How the process ended (-9: killed), and the places it passed if it lived."""
        ended, *places = json.loads(self._ask(str(at)))
        return ended, places

    def _ask(self, line: str) -> str:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(line + "\n")
        self._nursery.stdin.flush()
        return self._nursery.stdout.readline()


def nursery() -> None:
    """Forks an export for each line that comes in."""
    desk: Desk = pickle.loads(b64decode(sys.stdin.readline()))  # noqa: S301 - from the test itself
    _answer("ready")
    while line := sys.stdin.readline():
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, json.dumps(export_and_die(desk, int(line))).encode())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            places = json.loads(pipe.read() or "[]")
        _answer(json.dumps([os.waitstatus_to_exitcode(status), *places]))


def _answer(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    nursery()
