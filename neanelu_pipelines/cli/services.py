"""Dagster's services for one home: code server, webserver, daemon, and the guard that keeps them together.

Belongs here: their command lines, ports, logs, the lock that lets only one family of them run in a home, waiting for
the UI. Does not belong here: what is said to a person (`dev`).

Two homes may start at the same moment, so a port is never looked for and used later: it is taken when it is found, and
kept. The UI's socket listens from then on and is handed to the webserver; only that one can answer there.
"""

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from neanelu_pipelines.cli.guard import Plan, Service
from neanelu_pipelines.cli.kinship import children_now, end_family, inherit_orphans
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.errors import NeaneluError

HOST = "127.0.0.1"
DEFAULT_PORT = 3000
LOCATION = "neanelu"
_START_PATIENCE = 180.0
_END_PATIENCE = 30.0


class ServicesError(NeaneluError):
    """Dagster's services cannot be started, or ended by themselves."""


@dataclass(frozen=True)
class Services:
    """Running services: the guard's process and the UI's address."""

    guard: "subprocess.Popen[str]"
    address: str
    logs: Path


@contextmanager
def running_services(world: World, *, port: int | None, stop_server: bool) -> Iterator[Services]:
    """Start the services, wait until the UI answers, and end all of it at the end of the block.

    Args:
        world: the installation.
        port: the UI's port, which must be free; None takes the usual one or, if that is taken, a free one.
        stop_server: whether the embedded server ends with the services.

    Raises:
        ServicesError: they run in this home already, the port is taken, or a service does not start.
    """
    # The embedded server may be our child: whoever started it ends it, and not by signals.
    spared = children_now()
    inherit_orphans()
    environment = {**os.environ, **world.dagster_environment()}
    with _only_one(world) as lock, _reserved_port() as code_port:
        _end_what_was_left(world)
        with _listener(port) as listener:
            services = _launch(world, environment, listener, code_port, lock=lock, stop_server=stop_server)
        try:
            _note(world, services.address)
            _wait_for_ui(services)
            yield services
        finally:
            _end(services, spared | _server(world))


def _end_what_was_left(world: World) -> None:
    """End runs that nobody is at any more: they would hold places in the pools."""
    from neanelu_pipelines.cli.orchestra import dagster_instance, end_dead_runs, end_orphaned_runs

    with dagster_instance(world) as instance:
        end_dead_runs(instance, world.database, shared=world.embedded is None)
        if world.embedded is not None:  # Then no other machine's Dagster has its runs in this storage.
            end_orphaned_runs(instance, world.database)


def _launch(
    world: World,
    environment: dict[str, str],
    listener: socket.socket,
    code_port: int,
    *,
    lock: int,
    stop_server: bool,
) -> Services:
    logs = world.dagster_home / "logs"
    logs.mkdir(exist_ok=True)
    plan = Plan(_services(world, listener, code_port, logs), str(world.home) if stop_server else None)
    with (logs / "guard.log").open("ab") as log:
        # The guard holds the lock as long as anything of it is left, also when this process is killed.
        guard = subprocess.Popen(
            [sys.executable, "-m", "neanelu_pipelines.cli.guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            start_new_session=True,
            pass_fds=[lock, listener.fileno()],
        )
    if guard.stdin is not None:
        guard.stdin.write(plan.dump() + "\n")
        guard.stdin.flush()
    return Services(guard, f"http://{HOST}:{listener.getsockname()[1]}", logs)


def _services(world: World, listener: socket.socket, code_port: int, logs: Path) -> list[Service]:
    workspace = world.dagster_home / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server:\n      host: {HOST}\n      port: {code_port}\n      location_name: {LOCATION}\n",
        encoding="utf-8",
    )
    python = [sys.executable, "-m"]
    code = ["dagster", "code-server", "start", "--host", HOST, "--port", str(code_port)]
    code += ["--module-name", "neanelu_pipelines.definitions", "--location-name", LOCATION]
    code += ["--use-python-environment-entry-point", "--log-level", "warning"]
    host, port = listener.getsockname()
    web = ["neanelu_pipelines.cli.webserver", str(listener.fileno())]
    web += ["--host", host, "--port", str(port), "--workspace", str(workspace)]
    daemon = ["dagster._daemon", "run", "--workspace", str(workspace)]
    return [
        Service("code server", python + code, str(logs / "code-server.log"), ready_port=code_port),
        Service("webserver", python + web, str(logs / "webserver.log"), inherits=listener.fileno()),
        Service("daemon", python + daemon, str(logs / "daemon.log")),
    ]


@contextmanager
def _only_one(world: World) -> Iterator[int]:
    """Hold the home's lock; it is inherited by the guard, so a dying family still holds it."""
    handle = os.open(world.dagster_home / "dev.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServicesError(_already(world)) from None
        yield handle
    finally:
        # Closing is not enough to free it while the guard has it too; that is what it is for.
        os.close(handle)


def _note(world: World, address: str) -> None:
    note = {"address": address, "pid": os.getpid()}
    (world.dagster_home / "dev.json").write_text(json.dumps(note), encoding="utf-8")


def whereabouts(world: World) -> str | None:
    """Where the home's services run; None if they do not, whatever a note says: the lock is the kernel's."""
    lock = world.dagster_home / "dev.lock"
    if not lock.exists():
        return None
    with lock.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _noted(world)
    return None


def _noted(world: World) -> str:
    try:
        note = json.loads((world.dagster_home / "dev.json").read_text(encoding="utf-8"))
        return f"at {note['address']} (process {note['pid']})"
    except (OSError, ValueError, KeyError):
        return "in another process"


def _already(world: World) -> str:
    where = _noted(world)
    return f"The Dagster UI of {world.home} is running already, {where}. Use that one, or end it with Ctrl-C there."


def _listener(port: int | None) -> socket.socket:
    """The UI's socket, listening: on that port, or on the usual one or any."""
    for candidate in (DEFAULT_PORT, 0) if port is None else (port,):
        with suppress(OSError):
            return socket.create_server((HOST, candidate))
    if port is None:
        raise ServicesError(f"This machine has no free port on {HOST} for the UI.")
    raise ServicesError(f"Port {port} is taken: choose another with --port, or leave --port away.")


@contextmanager
def _reserved_port() -> Iterator[int]:
    """A port that gRPC, which always shares its own, can open beside us, and nobody who looks for a free one gets."""
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reservation.bind((HOST, 0))
        yield int(reservation.getsockname()[1])


def _wait_for_ui(services: Services) -> None:
    deadline = time.monotonic() + _START_PATIENCE
    while not _answers(services.address):
        if services.guard.poll() is not None:
            raise ServicesError(why_ended(services))
        if time.monotonic() > deadline:
            raise ServicesError(
                f"The UI does not answer at {services.address} after {_START_PATIENCE:.0f} s; see {services.logs}."
            )
        time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=2) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def why_ended(services: Services) -> str:
    """What is known of an end that nobody asked for."""
    line = services.guard.stdout.readline() if services.guard.stdout is not None else ""
    if not line:
        return f"Dagster's services ended; see {services.logs}."
    ended = json.loads(line)
    name = str(ended["ended"])
    log = services.logs / f"{name.replace(' ', '-')}.log"
    return f"Dagster's {name} ended with status {ended['code']}, so everything was stopped; see {log}."


def _server(world: World) -> frozenset[psutil.Process]:
    """The embedded server as it is now: it may have been started again meanwhile."""
    pid = world.embedded.status().pid if world.embedded is not None else None
    with suppress(psutil.NoSuchProcess):
        return frozenset() if pid is None else frozenset({psutil.Process(pid)})
    return frozenset()


def _end(services: Services, spared: frozenset[psutil.Process]) -> None:
    if services.guard.stdin is not None:
        services.guard.stdin.close()
    try:
        services.guard.wait(_END_PATIENCE)
    except subprocess.TimeoutExpired:
        services.guard.kill()
        services.guard.wait()
    # Nothing is left if the guard ended by itself; if it was killed, its orphans are ours now.
    end_family(patience=2.0, spare=spared)
