"""The process between `neanelu dev` and Dagster's services: it ends them when `dev` is gone, however it went.

Belongs here: starting the services, noticing an end, ending everything. Does not belong here: which services
(`services`), talking to a person (`dev`).

Run as `python -m neanelu_pipelines.cli.guard` in a session of its own. The first line of stdin is a `Plan` as JSON;
after that stdin stays open as long as `dev` lives, and its end is the sign to stop: the kernel closes it whatever
happened to `dev`. One line of JSON goes to stdout for each service that ended by itself.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from neanelu_pipelines.cli.kinship import end_family, end_with_parent, inherit_orphans

PATIENCE = 15.0
"""Seconds that services and runs have to end by themselves."""


@dataclass(frozen=True)
class Service:
    """One process: its name, its command line and where its output goes."""

    name: str
    command: list[str]
    log: str
    ready_port: int | None = None
    """The next service starts when something listens here."""
    inherits: int | None = None
    """The number of an open socket of the guard's that is this service's."""


@dataclass(frozen=True)
class Plan:
    """What the guard has to start, in order, and whether the embedded server ends with it."""

    services: list[Service]
    stop_server_of: str | None = None
    """The home whose embedded server `dev` had to start."""

    def dump(self) -> str:
        """As one line of JSON. It holds no secret: those are in the environment."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, line: str) -> "Plan":
        """The plan of that line."""
        raw = json.loads(line)
        return cls([Service(**service) for service in raw["services"]], raw["stop_server_of"])


class Stopped(Exception):  # noqa: N818 - it is no error
    """`dev` is gone or asked us to stop, or a service ended."""


def main() -> None:
    """Start, watch, end."""
    inherit_orphans()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    plan = Plan.parse(sys.stdin.readline())
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for service in plan.services:
            running[service.name] = _start(service)
            if service.inherits is not None:
                # Ours would keep the port open when the service has gone.
                os.close(service.inherits)
            while service.ready_port is not None and not _listens(service.ready_port):
                _watch(running)
        while True:
            _watch(running)
    except Stopped as stopped:
        if stopped.args:
            _report(str(stopped))
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        end_family(PATIENCE)
        _stop_server(plan)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def _start(service: Service) -> subprocess.Popen[bytes]:
    with Path(service.log).open("ab") as log:
        return subprocess.Popen(
            service.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[] if service.inherits is None else [service.inherits],
            preexec_fn=end_with_parent(),  # noqa: PLW1509 - this process has one thread
        )


def _watch(running: dict[str, "subprocess.Popen[bytes]"]) -> None:
    """Wait a moment; raise `Stopped` if stdin has ended or a service is gone."""
    readable, _, _ = select.select([0], [], [], 0.2)
    if readable and not os.read(0, 1):
        raise Stopped
    for name, process in running.items():
        code = process.poll()
        if code is not None:
            raise Stopped(json.dumps({"ended": name, "code": code}))


def _report(line: str) -> None:
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody listens any more; what has to be ended still has to be.
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of this process


def _stop_server(plan: Plan) -> None:
    if plan.stop_server_of is not None:
        from neanelu_pipelines.database.embedded import EmbeddedServer

        EmbeddedServer(Path(plan.stop_server_of)).stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        reached = probe.connect_ex(("127.0.0.1", port)) == 0
    if not reached:
        time.sleep(0.1)
    return reached


if __name__ == "__main__":
    main()
