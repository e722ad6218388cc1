"""What a test run leaves behind."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.scratch import base, has_room, remove_leftovers, scratch


def test_a_run_leaves_nothing(tmp_path: Path) -> None:
    below = tmp_path / "runs"
    outside = tempfile.gettempdir()
    with scratch(below) as folder:
        assert Path(tempfile.mkdtemp()).parent == folder
        remove_leftovers(below)
        assert folder.exists(), "a run that goes on is left alone"
    assert tempfile.gettempdir() == outside
    assert not below.exists()


def test_what_a_killed_run_left_is_ended_and_removed_by_the_next(tmp_path: Path) -> None:
    home = tmp_path / f"{os.getpid()}-1" / "neanelu-cli-x" / "home"
    home.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"],
        env={"NEANELU_HOME": str(home)},
        stdout=subprocess.PIPE,
    ) as left:
        assert left.stdout
        left.stdout.readline()
        remove_leftovers(tmp_path)
        assert left.wait(5) != 0
    assert not list(tmp_path.iterdir())


def test_memory_is_used_where_there_is_enough_and_nobody_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert has_room(tmp_path, 1)
    assert not has_room(tmp_path, 2**60)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert base().parent == tmp_path
