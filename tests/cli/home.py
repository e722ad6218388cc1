"""A home of a test's own and the command run in it, as a user would."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from tests.cli.nursery import Nursery

SHOP = "casa-verde.myshopify.com"


@dataclass(frozen=True)
class Home:
    """NEANELU_HOME and how to run the command in it."""

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        """Ours, without settings of whoever runs the tests. Bytecode may be kept: it is run dozens of times."""
        other = ("NEANELU_", "DAGSTER_", "PYTHONDONTWRITEBYTECODE")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(other)}
        return {**ours, "NEANELU_HOME": str(self.path)}

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run `neanelu` with these arguments to its end."""
        return _nursery().run(
            arguments, environment={**self.environment, **environment}, folder=self.path.parent, timeout=240
        )

    @contextmanager
    def killed(self, *arguments: str) -> Iterator[IO[str]]:
        """Run `neanelu` with these arguments until the end of the block, where it is killed; what stderr says."""
        with _nursery().begun(arguments, environment=self.environment, folder=self.path.parent) as said:
            yield said

    def run_alone(self, *arguments: str) -> None:
        """Run `neanelu` with these arguments in a process that reads all its modules itself; it must succeed."""
        subprocess.run([*COMMAND, *arguments], env=self.environment, cwd=self.path.parent, check=True, timeout=240)

    def json(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """The one object of `--json`; stdout must hold nothing else."""
        done = self.run(*arguments, "--json", **environment)
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return {**found, "exit": done.returncode, "stderr": done.stderr}


COMMAND = [sys.executable, "-m", "neanelu_pipelines.cli.main"]


@cache
def _nursery() -> Nursery:
    return Nursery()
