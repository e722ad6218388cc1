"""Folders to be NEANELU_HOME, which the account that a server runs as can enter, and their end."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from neanelu_pipelines.database.embedded import EmbeddedServer


def new_home() -> Path:
    """The path of a home that does not exist yet, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="home-"))
    folder.chmod(0o711)
    return folder / "home"


def copy_of(home: Path) -> Path:
    """Another home like this one, whose server must not run. PostgreSQL's programs, which nobody writes, they share."""
    copy = new_home()
    copy.mkdir()
    inside = [*home.iterdir(), *(home / "server").iterdir()]
    programs = [path.relative_to(home) for path in inside if path.name.startswith("postgresql-")]
    others = [path.relative_to(home) for path in inside if path.name != "server"]
    for how, paths in (("-al", programs), ("-a", [path for path in others if path not in programs])):
        subprocess.run(["cp", how, "--parents", *paths, copy], cwd=home, check=True)
    return copy


def remove_home(home: Path) -> None:
    """Stop a home's server and remove all of it, also what is elsewhere, and its folder."""
    EmbeddedServer(home).stop()
    shutil.rmtree((home / "server").resolve(), ignore_errors=True)
    shutil.rmtree(home.parent, ignore_errors=True)
