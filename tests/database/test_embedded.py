"""The embedded server's everyday life: who logs in, what is kept where, ports, adoption, two homes, who it runs as."""

import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path

import psutil
import psycopg
import pytest

from neanelu_pipelines.database import home as home_module
from neanelu_pipelines.database.account import Account, EmbeddedServerError, server_account
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.database.installation import install
from tests.conftest import MakeHome
from tests.database.rows import scalar

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def ask(database: Database, query: str) -> object:
    with database.connect(Role.ADMIN) as connection:
        row = connection.execute(query).fetchone()
    return row and row[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_each_role_logs_in_as_itself(empty_database: Database) -> None:
    users: list[object] = []
    for role in Role:
        with empty_database.connect(role) as connection:
            users.append(scalar(connection, "SELECT current_user"))
    assert users == ["postgres", "neanelu_pipeline", "neanelu_tenant"]


def test_the_default_is_durable_local_and_checked(make_home: MakeHome) -> None:
    database = EmbeddedServer(make_home(), free_port()).start()
    with database.connect(Role.ADMIN) as connection:
        settings: dict[str, str] = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "default_toast_compression": "lz4",
        "server_encoding": "UTF8",
        "log_checkpoints": "off",
    }
    assert {name: settings[name] for name in wanted} == wanted
    assert str(settings["server_version"]).startswith("18.")


def test_romanian_letters_are_letters(empty_database: Database) -> None:
    assert ask(empty_database, "SELECT upper('găleată și țeavă')") == "GĂLEATĂ ȘI ȚEAVĂ"
    assert ask(empty_database, "SELECT to_tsvector('simple', '„găleată”')::text") == "'găleată':1"


def test_it_brings_every_extension(empty_database: Database) -> None:
    with empty_database.connect(Role.ADMIN) as connection:
        for name in ("citext", "pgcrypto", "pg_trgm", "btree_gin", "btree_gist", "vector"):
            connection.execute(f"CREATE EXTENSION {name}")


def test_unpacking_leaves_nothing_in_the_machines_temporary_folder(make_home: MakeHome) -> None:
    folder = make_home()
    folder.mkdir()
    before = set(Path("/tmp").iterdir())
    install(folder, server_account(folder))
    assert not [path for path in set(Path("/tmp").iterdir()) - before if path.name.startswith(".tmp")]
    assert [path.name.partition("-")[0] for path in folder.iterdir()] == ["postgresql"]


def test_passwords_are_random_private_and_nowhere_else(make_home: MakeHome) -> None:
    home = make_home(begun=True)
    server = EmbeddedServer(home, free_port())
    server.start()
    path = home / "server" / "passwords.json"
    passwords = json.loads(path.read_text())
    assert set(passwords) == {"postgres", "neanelu_pipeline", "neanelu_tenant", "neanelu_dagster"}
    assert len(set(passwords.values())) == 4
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_uid == os.geteuid()
    folder = server.status().folder
    kept = [folder / "start.log", folder / "postgresql.conf", *(folder / "log").glob("*"), *folder.glob("data/*.conf")]
    said = "".join(file.read_text() for file in kept)
    arguments = " ".join(" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    for password in passwords.values():
        assert password not in said
        assert password not in arguments
    assert "neanelu_pipeline" not in repr(server.database())


def test_a_wrong_password_is_refused(server: EmbeddedServer) -> None:
    url = server.database().urls[Role.ADMIN].replace("postgres:", "postgres:x")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)


def test_dagster_has_a_database_and_login_of_its_own(server: EmbeddedServer) -> None:
    assert server.dagster_url.startswith("postgresql+psycopg2://neanelu_dagster:")
    with psycopg.connect(server.dagster_url.replace("+psycopg2", "")) as connection:
        connection.execute("CREATE TABLE may_make_tables (id int)")
        assert connection.execute("SELECT current_database()").fetchone() == ("dagster",)
        connection.rollback()


def test_the_tenant_reaches_no_database_but_its_own(server: EmbeddedServer) -> None:
    server.start()
    for role in (Role.TENANT, Role.PIPELINE):
        with server.database().connect(role) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("neanelu",)
        for name in ("dagster", "postgres", "template1"):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                server.database(name).connect(role)


def test_starting_again_adopts_and_stopping_again_does_nothing(make_home: MakeHome) -> None:
    home = make_home(begun=True)
    first = EmbeddedServer(home, free_port())
    assert not first.status().running
    database = first.start()
    pid = first.status().pid
    second = EmbeddedServer(home, 54999)
    assert second.start().urls == database.urls
    assert second.status().pid == pid
    second.stop()
    second.stop()
    assert not first.status().running
    assert not psutil.pid_exists(pid or 0)


def test_a_taken_port_is_replaced_and_the_new_one_kept(make_home: MakeHome) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = int(taken.getsockname()[1])
        server = EmbeddedServer(make_home(begun=True), wanted)
        server.start()
        port = server.status().port
        assert port != wanted
        server.stop()
    # The first choice is free again, but connection strings that somebody copied go on working.
    database = server.start()
    assert server.status().port == port
    assert ask(database, "SHOW port") == str(port)
    server.stop()
    # Asked for another one, it takes that.
    other = free_port()
    again = EmbeddedServer(server.status().folder.parent, other)
    again.start()
    assert again.status().port == other


def test_two_homes_run_side_by_side(make_home: MakeHome) -> None:
    port = free_port()
    first, second = EmbeddedServer(make_home(begun=True), port), EmbeddedServer(make_home(begun=True), port)
    databases = [first.start(), second.start()]
    for number, database in enumerate(databases):
        with database.connect(Role.ADMIN) as connection:
            connection.execute("CREATE TABLE whose AS SELECT %s::int AS number", [number])
    assert [ask(database, "SELECT number FROM whose") for database in databases] == [0, 1]
    first.stop()
    assert ask(databases[1], "SELECT number FROM whose") == 1


def test_of_many_starts_at_once_one_starts_and_the_others_adopt(make_home: MakeHome) -> None:
    home = make_home()
    port = free_port()
    code = f"""
        from pathlib import Path
        from neanelu_pipelines.database.embedded import EmbeddedServer
        server = EmbeddedServer(Path({str(home)!r}), {port})
        server.start()
        print(server.status().pid)
    """
    commands = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    pids = {command.communicate()[0].strip() for command in commands}
    assert [command.returncode for command in commands] == [0, 0, 0]
    assert len(pids) == 1
    # It outlives the commands that started and adopted it, in a session of its own.
    server = EmbeddedServer(home, port)
    assert str(server.status().pid) in pids
    assert os.getsid(server.status().pid or 0) == server.status().pid
    assert len(postmasters(server)) == 1


def test_threads_of_one_process_may_start_it_at_once(make_home: MakeHome) -> None:
    server = EmbeddedServer(make_home(begun=True), free_port())
    threads = [threading.Thread(target=server.start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(postmasters(server)) == 1


def test_its_processes_get_nothing_of_our_environment(make_home: MakeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-de-test")
    server = EmbeddedServer(make_home(begun=True), free_port())
    server.start()
    try:
        environment = psutil.Process(server.status().pid or 0).environ()
    except psutil.AccessDenied:
        pytest.skip("this system does not let us read the environment of another account's process")
    assert "OPENAI_API_KEY" not in environment


@as_root
def test_root_runs_it_as_an_unprivileged_account(make_home: MakeHome) -> None:
    server = EmbeddedServer(make_home(begun=True), free_port())
    server.start()
    assert psutil.Process(server.status().pid or 0).username() in {"postgres", "nobody"}


@as_root
def test_roots_home_in_a_closed_folder_has_its_data_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="neanelu-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        monkeypatch.setattr(home_module, "ELSEWHERE", folder / "elsewhere")
        server = EmbeddedServer(closed / "home", free_port())
        try:
            database = server.start()
            assert server.status().folder.parent == folder / "elsewhere"
            assert (closed / "home" / "server" / "data" / "PG_VERSION").read_text() == "18\n"
            with database.connect(Role.ADMIN) as connection:
                connection.execute("CREATE TABLE kept ()")
            server.stop()
            assert ask(server.start(), "SELECT to_regclass('kept')::text") == "kept"
        finally:
            server.stop()
        # A container made anew has the home on its volume, and not what was elsewhere.
        shutil.rmtree(folder / "elsewhere")
        with pytest.raises(EmbeddedServerError, match="which is gone, and the data with it"):
            server.start()


def as_user(name: str, home: Path, port: int, then: str = "") -> subprocess.CompletedProcess[str]:
    """Start the server of `home` in a process that has become another user. It imports first: it may not read us."""
    code = f"""
        import os, pwd, encodings.idna, multiprocessing
        from pathlib import Path
        from neanelu_pipelines.database.connect import Role
        from neanelu_pipelines.database.embedded import EmbeddedServer
        from neanelu_pipelines.database.statements import statement
        from neanelu_pipelines.errors import NeaneluError
        import psycopg, psutil
        user = pwd.getpwnam({name!r})
        os.setgroups([]); os.setgid(user.pw_gid); os.setuid(user.pw_uid); os.chdir("/")
        server = EmbeddedServer(Path({str(home)!r}), {port})
        try:
            database = server.start()
            with database.connect(Role.PIPELINE) as connection:
                print(connection.execute("SELECT current_user").fetchone()[0])
            print(psutil.Process(server.status().pid).username())
            {then}
        except NeaneluError as error:
            print("refused:", error)
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=60
    )


@as_root
def test_an_ordinary_user_runs_it_as_himself_and_root_may_use_it_too(make_home: MakeHome) -> None:
    home, port = make_home(), free_port()
    user = pwd.getpwnam("nobody")
    home.mkdir()
    os.chown(home, user.pw_uid, user.pw_gid)
    done = as_user("nobody", home, port)
    assert done.stdout.split() == ["neanelu_pipeline", "nobody"], done.stderr
    assert (home / "server" / "passwords.json").stat().st_uid == user.pw_uid
    # Root adopts it, stops it and starts it: still as the home's owner, who can then go on with it.
    server = EmbeddedServer(home, port)
    server.start()
    server.stop()
    server.start()
    assert psutil.Process(server.status().pid or 0).username() == "nobody"
    server.stop()
    done = as_user("nobody", home, port, then="server.stop(); print('stopped')")
    assert done.stdout.split() == ["neanelu_pipeline", "nobody", "stopped"], done.stderr


@as_root
def test_somebody_elses_home_is_refused_in_words(make_home: MakeHome) -> None:
    home, port = make_home(begun=True), free_port()
    EmbeddedServer(home, port).start()
    done = as_user("nobody", home, port)
    assert "refused: Not permitted" in done.stdout, done.stderr
    assert "NEANELU_HOME" in done.stdout


@as_root
def test_an_account_that_cannot_reach_the_home_is_named(make_home: MakeHome) -> None:
    home = make_home(begun=True)
    server = EmbeddedServer(home, free_port())
    server.start()
    server.stop()
    home.parent.chmod(0o700)
    with pytest.raises(EmbeddedServerError, match=r"cannot enter .*chmod o\+x"):
        server.start()


def test_an_account_is_asked_of_the_system(tmp_path: Path) -> None:
    ourselves = Account("us", os.geteuid(), os.getegid())
    assert ourselves.may_enter(tmp_path)
    assert not ourselves.may_enter(tmp_path / "missing")


def postmasters(server: EmbeddedServer) -> list[int]:
    data = str(server.status().folder / "data")
    found = []
    for process in psutil.process_iter():
        try:
            arguments = process.cmdline()
        except psutil.Error:
            continue
        if data in arguments and arguments[0].endswith("/postgres"):
            found.append(process.pid)
    return found
