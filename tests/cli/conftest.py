"""Homes for tests of the command: one shared by those that only use it, one each for those that start and kill."""

from collections.abc import Iterator

import pytest

from tests.cli.home import Home, new_home


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home with the schema."""
    with new_home() as home:
        done = home.run("migrate")
        assert done.returncode == 0, done.stderr
        yield home


@pytest.fixture
def empty_home() -> Iterator[Home]:
    """A home in which nothing has happened."""
    with new_home() as home:
        yield home
