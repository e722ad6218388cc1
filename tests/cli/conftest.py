"""Homes for tests of the command: one shared by those that only use it, one each for those that start and kill."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cli.home import Home
from tests.conftest import MakeHome
from tests.homes import copy_of, new_home, remove_home

BEGIN_STORAGE_AND_STOP = """
from neanelu_pipelines.cli.orchestra import dagster_instance
from neanelu_pipelines.cli.world import open_world

world = open_world()
world.database
with dagster_instance(world) as instance:
    instance.get_runs(limit=1)
world.embedded.stop()
"""


@pytest.fixture(scope="session")
def migrated_home() -> Iterator[Home]:
    """A home with the schema, Dagster's storage and no server running, to copy."""
    home = Home(new_home())
    try:
        home.run_alone("migrate")
        subprocess.run([sys.executable, "-c", BEGIN_STORAGE_AND_STOP], env=home.environment, check=True, timeout=240)
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
