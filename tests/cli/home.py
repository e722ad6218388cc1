"""A home of a test's own and the command run in it, as a user would."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neanelu_pipelines.database.embedded import EmbeddedServer

SHOP = "casa-verde.myshopify.com"


@dataclass(frozen=True)
class Home:
    """NEANELU_HOME and how to run the command in it."""

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        """Ours, without settings of whoever runs the tests."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("NEANELU_", "DAGSTER_"))}
        return {**ours, "NEANELU_HOME": str(self.path)}

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run `neanelu` with these arguments to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            env={**self.environment, **environment},
            cwd=self.path.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def json(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """The one object of `--json`; stdout must hold nothing else."""
        done = self.run(*arguments, "--json", **environment)
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return {**found, "exit": done.returncode, "stderr": done.stderr}


@contextmanager
def new_home() -> Iterator[Home]:
    """A home that the server's account can enter; its server is stopped and nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="neanelu-cli-"))
    folder.chmod(0o711)
    try:
        yield Home(folder / "home")
    finally:
        EmbeddedServer(folder / "home").stop()
        shutil.rmtree((folder / "home" / "server").resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


COMMAND = [sys.executable, "-m", "neanelu_pipelines.cli.main"]
