"""Homes for tests of the command: one shared by those that only use it, one each for those that start and kill."""

from collections.abc import Iterator

import pytest

from tests.cli.home import Home
from tests.conftest import MakeHome
from tests.homes import new_home, remove_home


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home with the schema."""
    home = Home(new_home())
    try:
        done = home.run("migrate")
        assert done.returncode == 0, done.stderr
        yield home
    finally:
        remove_home(home.path)


@pytest.fixture
def empty_home(make_home: MakeHome) -> Home:
    """A home in which nothing has happened."""
    return Home(make_home())


@pytest.fixture
def begun_home(make_home: MakeHome) -> Home:
    """A home whose server was started before; it has no schema and does not run."""
    return Home(make_home(begun=True))
