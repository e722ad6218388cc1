"""A home of a test's own and the command run in it, as a user would."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


COMMAND = [sys.executable, "-m", "neanelu_pipelines.cli.main"]
