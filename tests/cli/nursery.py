"""A process that has read the command's modules and forks one for each command: reading them is most of a command.

Belongs here: running a command so. Does not belong here: what is run, and what is expected of it.

What is forked is a process like any other: arguments, environment, folder, output and end are its own. Tests that
start and signal a command themselves show that it also reads its modules by itself.
"""

import atexit
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).resolve().parents[2]
_ORDER_BYTES = 128 * 1024


class Nursery:
    """Runs commands, one at a time. It ends with this process."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cli.nursery", str(theirs.fileno())],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        atexit.register(self._end)

    def run(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, timeout: float
    ) -> "subprocess.CompletedProcess[str]":
        """What `subprocess.run` would do with the command and these arguments; `timeout` in seconds."""
        pipes = os.pipe(), os.pipe()
        order = json.dumps([list(arguments), dict(environment), str(folder)]).encode()
        socket.send_fds(self._control, [order], [writing for _, writing in pipes])
        for _, writing in pipes:
            os.close(writing)
        child = int(self._control.recv(_ORDER_BYTES))
        try:
            out, err = _read_to_the_end([reading for reading, _ in pipes], timeout)
        except BaseException:
            os.kill(child, signal.SIGKILL)
            raise
        finally:
            for reading, _ in pipes:
                os.close(reading)
            status = int(self._control.recv(_ORDER_BYTES))
        return subprocess.CompletedProcess(list(arguments), status, out, err)

    @contextmanager
    def begun(self, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> Iterator[IO[str]]:
        """What a command that has begun says on stderr; at the end it is killed. Nothing else runs meanwhile."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        reading, writing = os.pipe()
        order = json.dumps([list(arguments), dict(environment), str(folder)]).encode()
        socket.send_fds(self._control, [order], [nothing, writing])
        os.close(nothing)
        os.close(writing)
        child = int(self._control.recv(_ORDER_BYTES))
        with os.fdopen(reading, encoding="utf-8") as said:
            try:
                yield said
            finally:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                self._control.recv(_ORDER_BYTES)  # now it is gone, and so is its number

    def _end(self) -> None:
        self._control.close()
        self._process.wait(30)


def _read_to_the_end(pipes: list[int], timeout: float) -> list[str]:
    said = dict.fromkeys(pipes, b"")
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as waiting:
        for pipe in pipes:
            waiting.register(pipe, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"after {timeout:.0f} seconds it said: {said}")
            for key, _ in ready:
                data = os.read(key.fd, 65536)
                said[key.fd] += data
                if not data:
                    waiting.unregister(key.fd)
    return [text.decode() for text in said.values()]


def _serve(control: socket.socket) -> None:
    """Fork a command for each order; returns when nobody can give one any more, and in the commands."""
    _read_modules()
    while True:
        order, handles, _, _ = socket.recv_fds(control, _ORDER_BYTES, 2)
        if not order:
            return
        child = os.fork()
        if child == 0:
            control.close()
            _become(*json.loads(order), *handles)
            return
        for handle in handles:
            os.close(handle)
        control.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        control.send(str(os.waitstatus_to_exitcode(status)).encode())


def _read_modules() -> None:
    """All that a load reads, but nothing that is made of settings."""
    import dagster_postgres  # noqa: F401
    from dagster._core.storage import noop_compute_log_manager  # noqa: F401

    import neanelu_pipelines.cli.main
    import neanelu_pipelines.cli.orchestra
    import neanelu_pipelines.defs.build  # noqa: F401

    # Else each command looks through all of it for garbage when it ends, and copies the memory to note that it did.
    gc.collect()
    gc.freeze()


def _become(arguments: list[str], environment: dict[str, str], folder: str, out: int, err: int) -> None:
    from neanelu_pipelines.cli import main

    for handle, number in ((out, 1), (err, 2)):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(main.__file__), *arguments]
    sys.modules["__main__"] = main
    main.main()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
