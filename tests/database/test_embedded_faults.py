"""What happens to the embedded server when things die, are stale or too new: clear words, nothing lost."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from neanelu_pipelines.database.account import EmbeddedServerError
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.database.home import NewerHomeError, ServerHome, locked
from tests.conftest import MakeHome
from tests.database.servers import rows_of, server_of, write_rows


def pid_of(server: EmbeddedServer) -> int:
    pid = server.status().pid
    assert pid, "it runs"
    return pid


def processes_of(home: Path) -> list[psutil.Process]:
    """Everything that runs on this home's files: servers, and what a first start runs."""
    folder = str((home / "server").resolve())
    found = []
    for process in psutil.process_iter():
        try:
            if folder in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def test_why_it_does_not_start_is_read_when_its_log_has_it(tmp_path: Path) -> None:
    """Another process writes the log, and may do it after the server has ended."""
    folder = ServerHome(tmp_path).folder
    log = folder / "log" / "postgresql-Tue.log"
    log.parent.mkdir(parents=True)
    (folder / "start.log").write_text("LOG:  redirecting log output to logging collector process\n")
    late = threading.Timer(0.5, log.write_text, ["FATAL:  could not create any TCP/IP sockets\n"])
    late.start()
    try:
        assert "could not create any TCP/IP sockets" in EmbeddedServer(tmp_path)._last_words({})
    finally:
        late.join()


def test_a_killed_server_recovers_with_all_that_was_committed(make_home: MakeHome) -> None:
    server = server_of(make_home(begun=True))
    for round_ in range(1, 4):
        write_rows(server.start(), 1000)
        pid = pid_of(server)
        os.kill(pid, signal.SIGKILL)
        assert rows_of(server.start()) == 1000 * round_
        assert server.status().pid != pid


def test_another_homes_server_is_not_taken_for_ones_own_though_its_passwords_fit(make_home: MakeHome) -> None:
    """A copy of a home has its passwords; two that start at once may find the same port free."""
    first, copy = (server_of(make_home(begun=True)) for _ in range(2))
    first.start()
    there = first.status().port
    assert there is not None
    copy._home.keep_port(copy._wanted_port, there)
    assert first._answers()
    assert not copy._answers()
    copy.start()
    assert copy.status().port != there


def test_nothing_is_left_of_a_killed_or_stopped_server(make_home: MakeHome) -> None:
    home = make_home(begun=True)
    server = server_of(home)
    server.start()
    killed = pid_of(server)
    os.kill(killed, signal.SIGKILL)
    # We are its parent here: a zombie would stay until somebody asks how it ended.
    wait_for(lambda: not psutil.pid_exists(killed))
    server.start()
    stopped = pid_of(server)
    server.stop()
    assert not psutil.pid_exists(stopped)
    assert processes_of(home) == []
    assert shared_memory_made_by(killed, stopped) == set()


def shared_memory_made_by(*pids: int) -> set[str]:
    """The System V segments that these processes made: the lock on a data directory is one."""
    listing = Path("/proc/sysvipc/shm")
    if not listing.exists():
        return set()
    rows = [line.split() for line in listing.read_text().splitlines()]
    maker = rows[0].index("cpid")
    return {row[1] for row in rows[1:] if int(row[maker]) in pids}


def test_orphans_of_a_killed_server_are_waited_for(make_home: MakeHome) -> None:
    """A backend that computes does not notice that its postmaster is gone: it still writes into the data directory."""
    home = make_home(begun=True)
    server = server_of(home)
    server.start()
    pid = pid_of(server)
    children = psutil.Process(pid).children()
    orphan = next(child for child in children if "checkpointer" in " ".join(child.cmdline()))
    orphan.suspend()
    os.kill(pid, signal.SIGKILL)
    code = f"""
        from pathlib import Path
        from neanelu_pipelines.database.embedded import EmbeddedServer
        EmbeddedServer(Path({str(home)!r}), 0).start()
    """
    starting = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    with pytest.raises(subprocess.TimeoutExpired):
        starting.wait(3)
    assert not server.status().running
    orphan.resume()
    assert starting.wait(30) == 0
    assert server.status().running
    server.stop()


@pytest.mark.parametrize("what", ["another_program", "another_server", "nobody", "empty", "torn"])
def test_a_stale_pid_file_does_not_keep_it_from_starting(make_home: MakeHome, what: str) -> None:
    home = make_home(begun=True)
    server = server_of(home)
    write_rows(server.start(), 10)
    pid_file = server.status().folder / "data" / "postmaster.pid"
    text = pid_file.read_text()
    os.kill(pid_of(server), signal.SIGKILL)
    wait_for(lambda: "postgres" not in str(processes_of(home)))
    with other_process(what, make_home, like=pid_file) as pid:
        pid_file.write_text(stale(what, text, pid))
        assert rows_of(server.start()) == 10
        assert len([p for p in processes_of(home) if p.name() == "postgres" and p.ppid() == os.getpid()]) == 1
        server.stop()
        # It was never taken for ours: it lives.
        assert what not in {"another_program", "another_server"} or psutil.pid_exists(pid)


def stale(what: str, text: str, pid: int) -> str:
    if what == "empty":
        return ""
    if what == "torn":
        return text[:3]
    return "\n".join([str(pid), *text.splitlines()[1:]]) + "\n"


@contextmanager
def other_process(what: str, make_home: MakeHome, like: Path) -> Iterator[int]:
    """A process that the stale file's number belongs to now; of the server's own user, whom PostgreSQL believes."""
    if what == "another_server":
        other = server_of(make_home(begun=True))
        other.start()
        yield other.status().pid or 0
        return
    account = like.stat()
    us = account.st_uid == os.geteuid()
    process = subprocess.Popen(["sleep", "60"], user=None if us else account.st_uid)
    if what == "nobody":
        process.kill()
        process.wait()
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def test_a_server_whose_pid_file_is_not_yet_written_is_waited_for(make_home: MakeHome) -> None:
    """Another command's server, started a moment ago: its lock is there, its number is not."""
    home = make_home(begun=True)
    server = server_of(home)
    server.start()
    pid = pid_of(server)
    pid_file = server.status().folder / "data" / "postmaster.pid"
    aside = pid_file.with_name("aside")
    pid_file.rename(aside)
    code = f"""
        from pathlib import Path
        from neanelu_pipelines.database.embedded import EmbeddedServer
        server = EmbeddedServer(Path({str(home)!r}), 0)
        server.start()
        print(server.status().pid)
    """
    starting = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    assert starting.poll() is None
    aside.rename(pid_file)
    assert starting.communicate(timeout=20)[0].strip() == str(pid)


@pytest.mark.parametrize("seed", range(4))
def test_a_first_start_killed_at_any_moment_is_completed_by_the_next(make_home: MakeHome, seed: int) -> None:
    home = make_home()
    code = f"""
        from pathlib import Path
        from neanelu_pipelines.database.embedded import EmbeddedServer
        print("go", flush=True)
        EmbeddedServer(Path({str(home)!r}), 0).start()
    """
    killed = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
    assert killed.stdout
    killed.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 2.5))
    killed.kill()
    killed.communicate()
    server = server_of(home)
    write_rows(server.start(), 5)
    assert rows_of(server.start()) == 5
    server.stop()
    wait_for(lambda: processes_of(home) == [])
    # What the killed one left is gone, at the latest with the next start from rest.
    server.start()
    left = {path.name.split("-")[0] for path in server.status().folder.iterdir()}
    assert left <= {"data", "postgresql", "postgresql.conf", "log", "format", "alive"} | {
        "passwords.json",
        "port.json",
        "start.log",
    }


def test_killing_the_command_leaves_the_server_running(make_home: MakeHome) -> None:
    home = make_home(begun=True)
    code = f"""
        import time
        from pathlib import Path
        from neanelu_pipelines.database.embedded import EmbeddedServer
        EmbeddedServer(Path({str(home)!r}), 0).start()
        print("up", flush=True)
        time.sleep(60)
    """
    command = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert command.stdout
    command.stdout.readline()
    server = server_of(home)
    pid = pid_of(server)
    # The terminal is closed: the whole group dies.
    os.killpg(command.pid, signal.SIGKILL)
    command.communicate()
    write_rows(server.start(), 5)
    assert server.status().pid == pid


@pytest.mark.parametrize(("file", "text"), [("format", "2\n"), ("data/PG_VERSION", "19\n")])
def test_a_home_made_by_a_newer_version_is_not_touched(make_home: MakeHome, file: str, text: str) -> None:
    home = make_home(begun=True)
    (home / "server" / file).write_text(text)
    before = fingerprint(home)
    with pytest.raises(NewerHomeError, match="Nothing was changed"):
        server_of(home).start()
    assert fingerprint(home) == before


def test_lost_passwords_are_said_and_not_replaced(make_home: MakeHome) -> None:
    home = make_home(begun=True)
    path = home / "server" / "passwords.json"
    kept = path.read_text()
    path.unlink()
    with pytest.raises(EmbeddedServerError, match=r"passwords.json is gone.*the data are whole"):
        server_of(home).start()
    assert not path.exists()
    path.write_text(kept)
    server_of(home).start()


def test_asking_for_the_status_never_keeps_it_from_starting(make_home: MakeHome) -> None:
    home = make_home(begun=True)
    server = server_of(home)
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            server_of(home).status()

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        for _ in range(3):
            server.start()
            server.stop()
    finally:
        enough.set()
        for thread in asking:
            thread.join()


def fingerprint(folder: Path) -> dict[str, tuple[int, int, str]]:
    return {
        str(path): (path.stat().st_mode, path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_lock_is_the_kernels(make_home: MakeHome) -> None:
    """The one thing that all of the above rests on: every process of the server holds it, and nothing else does."""
    home = ServerHome(make_home(begun=True))
    handle = home.open_alive()
    try:
        assert locked(handle)
    finally:
        os.close(handle)
    server = server_of(home.home)
    server.start()
    handle = home.open_alive()
    try:
        assert not locked(handle)
        server.stop()
        assert locked(handle)
    finally:
        os.close(handle)
