"""The embedded server: one PostgreSQL per home, started, adopted, stopped.

Belongs here: the life of the server's processes. Does not belong here: its files in the home (`home`), its data
directory and configuration (`cluster`), its programs (`installation`), whether it is used at all (`server`).

What makes two servers on one data directory impossible is the file `alive`: the postmaster inherits a lock on it, and
so do all its children; the kernel frees it when the last of them is gone, however it died. Process ids are a hint.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from neanelu_pipelines.database import cluster
from neanelu_pipelines.database.account import Account, EmbeddedServerError, explain, owner_of, write_whole
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.home import PATIENCE, ServerHome, locked
from neanelu_pipelines.database.installation import Installation, install, refusal
from neanelu_pipelines.database.statements import statement

APPLICATION_DATABASE = "neanelu"
DAGSTER_DATABASE = "dagster"

_SERVERS_OWN_DATABASES = ("postgres", "template1")
_DAGSTER_LOGIN = "neanelu_dagster"
_LOGINS = {Role.ADMIN: "postgres", Role.PIPELINE: "neanelu_pipeline", Role.TENANT: "neanelu_tenant"}
_PROGRAMS_BYTES = 120 * 2**20  # while they are extracted; then 75
_DATA_BYTES = 130 * 2**20  # empty databases and some WAL
_PORTS_TRIED = 5
_LAST_WORDS_SECONDS = 3


class _PortTakenError(Exception):
    """Somebody took the port between our look and PostgreSQL's."""


@dataclass(frozen=True)
class ServerStatus:
    """What there is to say of a home's server without touching it."""

    running: bool
    pid: int | None
    port: int | None
    folder: Path
    log: Path


class EmbeddedServer:
    """The PostgreSQL server of one home.

    `port` is the one to use if it is free; `overrides` are PostgreSQL parameters for postgresql.conf.
    """

    def __init__(self, home: Path, port: int = 54318, *, overrides: Mapping[str, str] | None = None) -> None:
        self._home = ServerHome(home)
        self._wanted_port = port
        self._overrides = dict(overrides or {})

    def start(self) -> Database:
        """Start the server, or adopt it if it runs, and make its logins and databases. The application's database.

        The server outlives this process. Safe to call any number of times, from any number of processes.

        Raises:
            EmbeddedServerError: it cannot be started; the message says what to do.
        """
        try:
            with self._home.one_at_a_time():
                self._home.refuse_newer()
                self._home.refuse_without_passwords()
                if not self._adopt():
                    self._launch()
                self._make_logins_and_databases()
                return self.database()
        except OSError as error:
            raise EmbeddedServerError(explain(error)) from error
        except psycopg.Error as error:
            raise EmbeddedServerError(refusal("PostgreSQL cannot be used", str(error), self._home.folder)) from error

    def stop(self) -> None:
        """Stop the server: its clients are cut off, nothing committed is lost. Does nothing if it does not run.

        Raises:
            EmbeddedServerError: it belongs to somebody else, or does not end.
        """
        if not self._home.exists:
            return
        try:
            with self._home.one_at_a_time():
                postmaster = self._ask_to_end()
                handle = self._home.open_alive()
                try:
                    self._wait_until_free(handle)
                finally:
                    os.close(handle)
                if postmaster is not None:
                    _wait_until_ended(postmaster)
        except OSError as error:
            raise EmbeddedServerError(explain(error)) from error

    def status(self) -> ServerStatus:
        """Whether it runs, where, and where its files are.

        Raises:
            EmbeddedServerError: the home is somebody else's.
        """
        try:
            pid = self._postmaster() if self._home.exists else None
            port = self._port() if pid else None
        except OSError as error:
            raise EmbeddedServerError(explain(error)) from error
        return ServerStatus(pid is not None, pid, port, self._home.folder, self._home.log)

    def database(self, name: str = APPLICATION_DATABASE) -> Database:
        """A database of this server, by name; the server must have been started once."""
        return Database({role: self._url(login, name) for role, login in _LOGINS.items()})

    @property
    def dagster_url(self) -> str:
        """SQLAlchemy's URL of the database for Dagster's own storage (dagster-postgres needs psycopg2 named in it)."""
        return self._url(_DAGSTER_LOGIN, DAGSTER_DATABASE).replace("postgresql://", "postgresql+psycopg2://", 1)

    def _url(self, login: str, name: str) -> str:
        return f"postgresql://{login}:{self._home.password(login)}@127.0.0.1:{self._port()}/{name}"

    def _port(self) -> int:
        recorded = cluster.read_pid_file(self._home.data)
        return (recorded and recorded.port) or self._home.kept_port(self._wanted_port)

    # -- one that runs ----------------------------------------------------------------------------------------------

    def _postmaster(self) -> int | None:
        """The process id of this home's running server."""
        recorded = cluster.read_pid_file(self._home.data)
        if recorded is None:
            return None
        handle = self._home.open_alive()
        try:
            ours = not locked(handle, shared=True)
        finally:
            os.close(handle)
        # A server started by hand, with pg_ctl, holds no lock: that one must name this data directory.
        return recorded.pid if cluster.is_postmaster(recorded.pid, None if ours else self._home.data) else None

    def _adopt(self) -> bool:
        """Wait for a server that runs, or is about to, until it answers; whether there is one."""
        if not self._home.exists:
            return False
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._postmaster() is not None:
                if self._answers():
                    return True
            elif self._is_free():
                return False
            # Else it has not yet written its process id, or its last processes are about to end.
            time.sleep(0.05)
        raise EmbeddedServerError(
            f"Processes of the server of {self._home.home} are there but do not answer. See {self._home.log}; "
            f"end the processes that have {self._home.folder / 'alive'} open, then run this again."
        )

    def _is_free(self) -> bool:
        handle = self._home.open_alive()
        try:
            return locked(handle, shared=True)
        finally:
            os.close(handle)

    def _ask_to_end(self) -> psutil.Process | None:
        pid = self._postmaster()
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if pid is not None:
                postmaster = psutil.Process(pid)
                os.kill(pid, signal.SIGINT)
                return postmaster
        return None

    def _wait_until_free(self, handle: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while not locked(handle, shared=True) or self._postmaster() is not None:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"The server of {self._home.home} is still stopping after {PATIENCE / 60:.0f} minutes: "
                    f"see {self._home.log}."
                )
            time.sleep(0.02)

    def _answers(self) -> bool:
        """Whether this home's server answers: at its port may be another's, whose passwords are the same in a copy."""
        try:
            with self._admin() as connection:
                row = connection.execute(statement("database/data_directory")).fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and os.path.realpath(row[0]) == os.path.realpath(self._home.data)

    def _admin(self) -> psycopg.Connection:
        return psycopg.connect(self._url("postgres", "postgres"), connect_timeout=5, autocommit=True)

    # -- a new one ----------------------------------------------------------------------------------------------------

    def _launch(self) -> None:
        account = self._home.account()
        self._home.make(account)
        self._need_room()
        installation = install(self._home.folder, account)
        cluster.remove_leftovers(self._home.folder, keep=installation)
        if not self._home.data.exists():
            cluster.initialise(self._home.data, installation, account, self._home.password("postgres"))
        port = self._home.kept_port(self._wanted_port)
        for _ in range(_PORTS_TRIED):
            try:
                self._run(installation, account, _free_port(port))
            except _PortTakenError:
                port = 0
            else:
                return
        raise EmbeddedServerError("No free port was found for PostgreSQL: set NEANELU_DATABASE_PORT to one.")

    def _need_room(self) -> None:
        """Do not begin what cannot end: what is already there needs no room."""
        folder = self._home.folder
        needed = 0 if self._home.data.exists() else _DATA_BYTES
        needed += 0 if any(folder.glob("postgresql-*")) else _PROGRAMS_BYTES
        if needed and shutil.disk_usage(folder).free < needed:
            raise EmbeddedServerError(
                f"The disk is full: PostgreSQL needs {needed // 2**20} MB in {folder} to begin with. "
                "Make room, or set NEANELU_HOME to a folder on another disk."
            )

    def _run(self, installation: Installation, account: Account, port: int) -> None:
        folder = self._home.folder
        self._home.keep_port(self._wanted_port, port)
        text = cluster.configuration(port, self._home.log, shutil.disk_usage(folder).free, self._overrides)
        write_whole(folder / "postgresql.conf", text, owner=owner_of(self._home.home), mode=0o644)
        read = self._log_sizes()
        alive = self._home.open_alive()
        try:
            self._take(alive)
            cluster.remove_stale_pid_file(self._home.data)
            with (folder / "start.log").open("w+", encoding="utf-8") as output:
                process = subprocess.Popen(
                    [
                        installation.program("postgres"),
                        *("-D", self._home.data, "-c", f"config_file={folder / 'postgresql.conf'}"),
                    ],
                    user=None if account.is_us else account.uid,
                    group=None if account.is_us else account.gid,
                    extra_groups=None if account.is_us else [],
                    env=dict(installation.environment),
                    cwd="/",
                    umask=0o077,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=[alive],
                    start_new_session=True,
                )
        finally:
            os.close(alive)
        # It is our child as long as we live; whenever it ends, somebody has to ask for its exit status.
        threading.Thread(target=process.wait, name="postmaster", daemon=True).start()
        self._wait_until_ready(process, read)

    def _take(self, alive: int) -> None:
        """Take the server's lock, which is free, but for the moment in which another command may ask about it."""
        deadline = time.monotonic() + 10
        while not locked(alive):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"A server of {self._home.home} was started meanwhile: run this again.")
            time.sleep(0.01)

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", read: Mapping[Path, int]) -> None:
        began = time.time()
        while time.time() - began < PATIENCE:
            if self._answers():
                return
            if process.poll() is not None:
                said = self._last_words(read)
                if "could not bind" in said or "could not create any TCP/IP sockets" in said:
                    raise _PortTakenError
                raise EmbeddedServerError(refusal("PostgreSQL does not start", said, self._home.folder))
            time.sleep(0.03)
        raise EmbeddedServerError(f"PostgreSQL is not ready after {PATIENCE / 60:.0f} minutes: see {self._home.log}.")

    def _log_sizes(self) -> dict[Path, int]:
        return {log: log.stat().st_size for log in self._home.log.glob("*.log")}

    def _last_words(self, read: Mapping[Path, int]) -> str:
        """What the server said at this start; its log is written by another process, which may need a moment longer."""
        until = time.monotonic() + _LAST_WORDS_SECONDS
        while True:
            said = self._said(read)
            if "FATAL:" in said or "PANIC:" in said or time.monotonic() > until:
                return said
            time.sleep(0.03)

    def _said(self, read: Mapping[Path, int]) -> str:
        """What was said before the log was open, and in it after what was `read` already."""
        said = (self._home.folder / "start.log").read_text(encoding="utf-8", errors="replace")
        for log, size in self._log_sizes().items():
            known = read.get(log, 0)
            # One of a week ago is begun anew.
            said += log.read_bytes()[known if size >= known else 0 :][-4000:].decode("utf-8", errors="replace")
        return said

    def _make_logins_and_databases(self) -> None:
        with self._admin() as connection:
            connection.execute(statement("database/create_server_roles"))
            for login in (_LOGINS[Role.PIPELINE], _LOGINS[Role.TENANT], _DAGSTER_LOGIN):
                # Hashed here: the password itself never reaches the server or its log.
                verifier = connection.pgconn.encrypt_password(
                    self._home.password(login).encode(), login.encode(), b"scram-sha-256"
                )
                connection.execute(
                    statement("database/set_role_password").format(
                        role=sql.Identifier(login), verifier=sql.Literal(verifier.decode())
                    )
                )
            for name, owner in ((APPLICATION_DATABASE, "postgres"), (DAGSTER_DATABASE, _DAGSTER_LOGIN)):
                create_database(connection, name, owner)
            for name in (DAGSTER_DATABASE, *_SERVERS_OWN_DATABASES):
                connection.execute(statement("database/close_database").format(database=sql.Identifier(name)))


def create_database(connection: psycopg.Connection, name: str, owner: str) -> None:
    """Make a database if there is none of that name.

    Raises:
        psycopg.errors.InsufficientPrivilege: the login may not.
    """
    found = connection.execute(statement("database/database_exists"), {"name": name}).fetchone()
    if found and found[0]:
        return
    names = {"database": sql.Identifier(name), "owner": sql.Identifier(owner)}
    # Somebody else may make it at the same moment.
    with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        connection.execute(statement("database/create_database").format(**names))


def _free_port(wanted: int) -> int:
    """`wanted` if nobody listens on it, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            # As PostgreSQL does: a port whose last connections are still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise EmbeddedServerError("This machine has no free port on 127.0.0.1 for PostgreSQL.")


def _wait_until_ended(process: psutil.Process) -> None:
    """Wait for the end of a process that is ending; if it is our child, ask for its exit status, so that none stays.

    The kernel closes a process's files, and so frees its locks, a moment before the process is gone.
    """
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.005)
    with suppress(ChildProcessError):
        os.waitpid(process.pid, 0)
