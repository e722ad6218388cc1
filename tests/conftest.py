"""Fixtures that every room's tests use: a real server, a database of one's own in it, and the shared material.

Belongs here: what more than one room needs. Does not belong here: made-up data and helpers of a single room.
"""

import gc
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from psycopg import sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from tests.homes import copy_of, new_home, remove_home
from tests.recycling import AsMade, emptied
from tests.scratch import base, scratch

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"

# Small and quick: most tests ask what the statements do. Durability is tested where servers are started for it.
QUICK = {
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "5min",
}

_done_with: list[str] = []
"""Databases of the session's server that no test needs any more."""

_as_made: list[str] = []
"""Databases with the whole schema that a test has used and that are empty again."""


TOGETHER = ("tests/cli/test_commands.py", "tests/cli/test_dev.py", "tests/ui/test_ui.py")
"""What the tests of these files share takes long to make: each file goes to one worker, before anything else does."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Other tests go one by one to whoever is free."""
    from xdist.scheduler import LoadScopeScheduling

    class FilesTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if file in TOGETHER else nodeid

    return FilesTogether(config, log)


def pytest_collection_finish() -> None:
    """What was imported stays: nobody need look through it for garbage again and again."""
    gc.collect()
    gc.freeze()


class MakeHome(Protocol):
    """What the fixture `make_home` gives."""

    def __call__(self, *, begun: bool = False) -> Path: ...


@pytest.fixture(scope="session", autouse=True)
def _scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    tmp_path_factory.getbasetemp()  # pytest's own folders stay where they are
    with scratch(base()):
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """One server for the session (for each worker of it). A test that kills it calls `server.start()` again."""
    home = new_home()
    try:
        server = EmbeddedServer(home, 0, overrides=QUICK)
        server.start()
        yield server
    finally:
        remove_home(home)


@pytest.fixture(scope="session")
def _begun_home() -> Iterator[Path]:
    """A home whose server was started once, with nothing in it, to copy."""
    home = new_home()
    server = EmbeddedServer(home, 0)
    server.start()
    server.stop()
    yield home
    remove_home(home)


@pytest.fixture
def make_home(request: pytest.FixtureRequest) -> Iterator[MakeHome]:
    """Makes homes for servers of the test's own; they are stopped and removed after it.

    `begun=True`: one whose server was started and stopped before, quicker than a first start.
    """
    homes: list[Path] = []

    def make(*, begun: bool = False) -> Path:
        homes.append(copy_of(request.getfixturevalue("_begun_home")) if begun else new_home())
        return homes[-1]

    yield make
    for home in homes:
        remove_home(home)


@pytest.fixture
def empty_database(server: EmbeddedServer) -> Iterator[Database]:
    """A database of this test's own, with nothing in it."""
    with _new_database(server) as database:
        yield database


@pytest.fixture
def database(server: EmbeddedServer, _template: str, _made: AsMade) -> Iterator[Database]:
    """A database of this test's own, with the whole schema and nothing in it."""
    name = _as_made.pop() if _as_made else _create(server, _template)
    yield server.database(name)
    with suppress(psycopg.Error), server.database(name).connect(Role.ADMIN, autocommit=True) as connection:
        if emptied(connection, _made):
            _as_made.append(name)
            return
    _done_with.append(name)


@pytest.fixture(scope="session")
def _made(server: EmbeddedServer, _template: str) -> AsMade:
    """What a database looks like that no test has used; not the template, which is cloned while nobody looks at it."""
    name = _create(server, _template)
    _as_made.append(name)
    with server.database(name).connect(Role.ADMIN, autocommit=True) as connection:
        return AsMade.of(connection)


@pytest.fixture(scope="session")
def _template(server: EmbeddedServer) -> str:
    """A database with the whole schema, made once, to clone from."""
    from neanelu_pipelines.database.migrations import migrate

    name = _create(server, None)
    migrate(server.database(name))
    return name


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the documents and data that tests of conformance read; it is not part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not here: the material that this test compares with is not part of the project")
    return SHARED


@contextmanager
def _new_database(server: EmbeddedServer, template: str | None = None) -> Iterator[Database]:
    name = _create(server, template)
    yield server.database(name)
    _done_with.append(name)


def _create(server: EmbeddedServer, template: str | None) -> str:
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    with _admin(server) as connection:
        # Only now: the server waits a tenth of a second for connections that have just been closed.
        while _done_with:
            name_done = sql.Identifier(_done_with[-1])
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name_done))
            _done_with.pop()
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template or "template0")
            )
        )
    return name


def _admin(server: EmbeddedServer) -> psycopg.Connection:
    try:
        return server.database("postgres").connect(Role.ADMIN, autocommit=True)
    except psycopg.OperationalError:
        server.start()  # A test has left it dead.
        return server.database("postgres").connect(Role.ADMIN, autocommit=True)
