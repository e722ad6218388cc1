"""Homes for tests of the command: one shared by those that only use it, one each for those that start and kill."""

from collections.abc import Iterator

import pytest

from tests.cli.home import Home
from tests.conftest import MakeHome
from tests.homes import copy_of, new_home, remove_home


@pytest.fixture(scope="session")
def migrated_home() -> Iterator[Home]:
    """A home with the schema and no server running, to copy."""
    home = Home(new_home())
    try:
        home.run_alone("migrate")
        home.run_alone("database", "stop")
        yield home
    finally:
        remove_home(home.path)


@pytest.fixture(scope="module")
def home(migrated_home: Home) -> Iterator[Home]:
    """A home with the schema; its server does not run yet."""
    home = Home(copy_of(migrated_home.path))
    yield home
    remove_home(home.path)


@pytest.fixture
def empty_home(make_home: MakeHome) -> Home:
    """A home in which nothing has happened."""
    return Home(make_home())


@pytest.fixture
def begun_home(make_home: MakeHome) -> Home:
    """A home whose server was started before; it has no schema and does not run."""
    return Home(make_home(begun=True))
