"""The embedded server's data directory: its first initialisation, its configuration, its postmaster.pid.

Belongs here: what is true of one data directory while no command waits for it. Does not belong here: starting and
stopping (`embedded`), where the programs come from (`installation`).
"""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from neanelu_pipelines.database.account import Account, write_whole
from neanelu_pipelines.database.installation import Installation, InstallationError, refusal

_MB = 1024 * 1024
# Below this a parallel query may not find its shared memory in /dev/shm (containers often give it 64 MB).
_ENOUGH_SHARED_MEMORY = 1024 * _MB


@dataclass(frozen=True)
class PidFile:
    """What postmaster.pid says; `pid` is 0 when it is empty or torn."""

    pid: int
    port: int | None


def initialise(data: Path, installation: Installation, account: Account, password: str) -> None:
    """Make a data directory: beside its place and then renamed, so that a half-made one is never taken for one.

    Raises:
        InstallationError: initdb fails; nothing is left.
    """
    with tempfile.TemporaryDirectory(dir=data.parent, prefix="init-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        secret = folder / "password"
        write_whole(secret, password, owner=account, mode=0o600)
        account.own(folder)
        done = account.run(
            [
                installation.program("initdb"),
                *("-D", folder / "data", "--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256"),
                # The order of code points, the same on every machine, with letters that are letters in Romanian too.
                *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"),
                *("--lc-messages=C", "--data-checksums", "--no-instructions"),
            ],
            installation.environment,
        )
        if done.returncode != 0:
            raise InstallationError(refusal("PostgreSQL cannot make its data directory", done.stdout, folder))
        (folder / "data").rename(data)


def remove_leftovers(root: Path, keep: Installation) -> None:
    """Remove what killed initialisations left, and the programs of earlier versions of the wheel."""
    for pattern in ("extract-*", "init-*", "postgresql-*"):
        for folder in root.glob(pattern):
            if folder != keep.prefix and folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)


def configuration(port: int, log: Path, free_disk: int, overrides: Mapping[str, str]) -> str:
    """The text of postgresql.conf: durable, on 127.0.0.1 only, sized by this machine's memory and disk."""
    memory = psutil.virtual_memory().total
    shared = min(max(memory // 8, 128 * _MB), 2048 * _MB)
    parameters = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "100",
        "password_encryption": "scram-sha-256",
        # Iterations slow down whoever guesses passwords; ours are 192 random bits, and every connection would pay.
        "scram_iterations": "1",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "wal_compression": "lz4",
        "max_wal_size": _megabytes(min(max(free_disk // 10, 256 * _MB), 4096 * _MB)),
        "min_wal_size": "80MB",
        "checkpoint_timeout": "15min",
        "default_toast_compression": "lz4",
        "shared_buffers": _megabytes(shared),
        # PostgreSQL would take no more than 16 MB: two connections that merge fill them before they are written.
        "wal_buffers": _megabytes(min(shared // 32, 64 * _MB)),
        "effective_cache_size": _megabytes(memory // 2),
        "work_mem": _megabytes(min(max(memory // 256, 8 * _MB), 64 * _MB)),
        "maintenance_work_mem": _megabytes(min(max(memory // 32, 64 * _MB), 512 * _MB)),
        "dynamic_shared_memory_type": _shared_memory_type(),
        "random_page_cost": "1.1",
        "jit": "off",
        # PostgreSQL always knows GMT by itself; UTC it reads from the machine's files, which a small image may lack.
        "timezone": "UTC" if Path("/usr/share/zoneinfo/UTC").exists() else "GMT",
        "logging_collector": "on",
        "log_directory": str(log),
        "log_filename": "postgresql-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_checkpoints": "off",
        "lc_messages": "C",
        # Without DETAIL and CONTEXT: they quote what was to be stored, and it may be somebody's address.
        "log_error_verbosity": "terse",
        "log_line_prefix": "%m [%p] %q%u@%d %a ",
        "log_timezone": "GMT",
        **overrides,
    }
    lines = [f"{name} = '{_quoted(value)}'" for name, value in parameters.items()]
    head = (
        "# Written anew at each start of the embedded server. For settings of your own: ALTER SYSTEM overrides these."
    )
    return "\n".join([head, *lines, ""])


def read_pid_file(data: Path) -> PidFile | None:
    """What postmaster.pid says, or None if there is none."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    pid = int(lines[0]) if lines and lines[0].strip().isdecimal() else 0
    port = int(lines[3]) if len(lines) > 3 and lines[3].strip().isdecimal() else None  # noqa: PLR2004 - the 4th line
    return PidFile(pid, port)


def is_postmaster(pid: int, data: Path | None) -> bool:
    """Whether that process is a PostgreSQL server (of this data directory, if one is given) and lives.

    By its command line, which anyone may read: what else one could ask needs rights that root in a container lacks.
    """
    try:
        arguments = psutil.Process(pid).cmdline() if pid > 0 else []
    except psutil.Error:
        return False
    if not arguments or Path(arguments[0]).name != "postgres":
        return False
    return data is None or str(data) in arguments


def remove_stale_pid_file(data: Path) -> None:
    """Remove a postmaster.pid that would keep PostgreSQL from starting though no server is behind it.

    The caller holds the lock that every process of a running server holds. One whose process is gone is left to
    PostgreSQL, which also looks whether that server's shared memory is still in use; it gives up, however, when
    the number now belongs to another process, or when the file is empty.
    """
    recorded = read_pid_file(data)
    if recorded and (recorded.pid == 0 or psutil.pid_exists(recorded.pid)):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _megabytes(size: int) -> str:
    return f"{size // _MB}MB"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _shared_memory_type() -> str:
    try:
        return "posix" if shutil.disk_usage("/dev/shm").total >= _ENOUGH_SHARED_MEMORY else "mmap"  # noqa: S108
    except OSError:
        return "mmap"
