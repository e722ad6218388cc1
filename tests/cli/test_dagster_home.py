"""What a command leaves in Dagster's home, and how it is known that the services run."""

import fcntl
import json
import os
from pathlib import Path

import pytest

from neanelu_pipelines.cli.doctor import dagster_ui
from neanelu_pipelines.cli.services import whereabouts
from neanelu_pipelines.cli.world import World, dagster_yaml
from neanelu_pipelines.settings import Settings


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(Settings(home=tmp_path, _env_file=None))
    world.prepare_dagster_home()
    return world


def test_dagster_yaml_that_is_this_versions_is_left_alone(world: World) -> None:
    path = world.dagster_home / "dagster.yaml"
    before = path.stat()
    world.prepare_dagster_home()
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_dagster_yaml_is_replaced_so_that_who_reads_it_has_the_old_or_the_new_one(world: World) -> None:
    path = world.dagster_home / "dagster.yaml"
    path.write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    with path.open(encoding="utf-8") as reader:
        world.prepare_dagster_home()
        assert reader.read() == "telemetry: {enabled: false}\n"
    assert path.read_bytes() == dagster_yaml().read_bytes()
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_file_says_that_it_is_overwritten_and_where_to_tune() -> None:
    head = dagster_yaml().read_text(encoding="utf-8").partition("\nstorage:")[0]
    assert "is lost" in head
    assert "DAGSTER_HOME of your own" in head


def test_services_run_as_long_as_somebody_holds_their_lock_whatever_the_note_says(world: World) -> None:
    assert whereabouts(world) is None
    note = {"address": "http://127.0.0.1:3000", "pid": os.getpid()}
    (world.dagster_home / "dev.json").write_text(json.dumps(note), encoding="utf-8")
    with (world.dagster_home / "dev.lock").open("w") as held:
        assert whereabouts(world) is None, "the number of a process that died is given to another"
        assert dagster_ui(world).found.startswith("not running")
        fcntl.flock(held, fcntl.LOCK_EX)
        assert whereabouts(world) == f"at http://127.0.0.1:3000 (process {os.getpid()})"
        assert dagster_ui(world).found.startswith("running at http://127.0.0.1:3000")
