"""A disk that is too small or fills up: the embedded server says so, and nothing is lost."""

import os
import pkgutil
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from neanelu_pipelines.database.account import EmbeddedServerError
from tests.conftest import MakeHome
from tests.database.servers import rows_of, server_of, write_rows


@pytest.fixture
def small_disk(make_home: MakeHome) -> Iterator[Path]:
    """A home on a disk of 300 MB."""
    home = make_home()
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300m,mode=0711", "none", str(home)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root, with the right to mount, can make a disk small enough to fill")
    yield home
    server_of(home).stop()
    subprocess.run(["umount", "-l", home], check=True)


def fill(folder: Path, leave: int) -> Path:
    """A file that takes all of the disk but `leave` bytes."""
    path = folder / "filler"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - leave)
    return path


def test_a_disk_too_small_to_begin_is_said_before_anything_is_written(small_disk: Path) -> None:
    fill(small_disk, 100 * 2**20)
    with pytest.raises(EmbeddedServerError, match=r"The disk is full: PostgreSQL needs 250 MB.*NEANELU_HOME"):
        server_of(small_disk).start()
    assert not list((small_disk / "server").glob("postgresql-*"))


@pytest.mark.parametrize(
    ("step", "megabytes"),
    [
        ("neanelu_pipelines.database.embedded.install", 0),
        ("neanelu_pipelines.database.embedded.install", 60),
        ("neanelu_pipelines.database.cluster.initialise", 20),
        ("neanelu_pipelines.database.embedded.EmbeddedServer._run", 0),
        ("neanelu_pipelines.database.embedded.EmbeddedServer._make_logins_and_databases", 1),
    ],
)
def test_a_disk_that_fills_up_during_the_first_start_is_said(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, step: str, megabytes: int
) -> None:
    fillers = []
    real = pkgutil.resolve_name(step)

    def on_a_filling_disk(*arguments: object, **named: object) -> object:
        fillers.append(fill(small_disk, megabytes * 2**20))
        return real(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(step, on_a_filling_disk)
        with pytest.raises(EmbeddedServerError, match="disk is full"):
            server_of(small_disk).start()
    assert len(fillers) == 1
    fillers[0].unlink()
    write_rows(server_of(small_disk).start(), 5)


def test_a_disk_that_fills_up_later_loses_nothing(small_disk: Path) -> None:
    server = server_of(small_disk)
    write_rows(server.start(), 5)
    filler = fill(small_disk, 2**20)
    with pytest.raises(psycopg.Error):
        write_rows(server.database(), 10_000_000)
    server.stop()
    filler.unlink()
    assert rows_of(server.start()) == 5
