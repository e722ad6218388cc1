"""`neanelu dev` leaves nothing behind, however it ends; a second one in the same home is refused."""

import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.cli.home import COMMAND, Home
from tests.conftest import MakeHome
from tests.homes import copy_of, remove_home
from tests.scratch import users_of

pytestmark = pytest.mark.slow

PATIENCE = 120.0


@pytest.fixture
def dev(home: Home) -> Iterator["subprocess.Popen[str]"]:
    """A `neanelu dev` of the test's own, whose UI answers."""
    with start_dev(home) as process:
        yield process
        end(home, process)


@pytest.fixture(scope="module")
def lasting_home(migrated_home: Home) -> Iterator[Home]:
    """A home for those who leave a `neanelu dev` as they find it; its server runs before."""
    yield from copied(migrated_home)


@pytest.fixture(scope="module")
def lasting_dev(lasting_home: Home) -> Iterator["subprocess.Popen[str]"]:
    lasting_home.run("database", "url")
    with start_dev(lasting_home) as process:
        yield process
        process.terminate()
        process.wait(60)
        lasting_home.run("database", "stop")
        gone(lasting_home)


@pytest.fixture(scope="module")
def first_of_two(migrated_home: Home) -> Iterator[Home]:
    yield from copied(migrated_home)


@pytest.fixture(scope="module")
def second_of_two(migrated_home: Home) -> Iterator[Home]:
    yield from copied(migrated_home)


@pytest.fixture(scope="module")
def two(first_of_two: Home, second_of_two: Home) -> Iterator[dict[Home, "subprocess.Popen[str]"]]:
    """Two that were started at once, and what is left of them when tests have ended one."""
    started = {home: begin_dev(home) for home in (first_of_two, second_of_two)}
    try:
        for home, process in started.items():
            wait_for_ui(home, process)
        yield started
    finally:
        for process in started.values():
            if process.poll() is None:
                process.terminate()
        for home, process in started.items():
            process.wait(60)
            gone(home)


def copied(home: Home) -> Iterator[Home]:
    copy = Home(copy_of(home.path))
    yield copy
    remove_home(copy.path)


def end(home: Home, process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
    process.wait(60)
    gone(home)


def start_dev(home: Home) -> "subprocess.Popen[str]":
    process = begin_dev(home)
    wait_for_ui(home, process)
    return process


def begin_dev(home: Home) -> "subprocess.Popen[str]":
    with (home.path.parent / "dev.log").open("w") as out:
        return subprocess.Popen(
            [*COMMAND, "dev"], env=home.environment, stdout=out, stderr=out, text=True, cwd=home.path.parent
        )


def wait_for_ui(home: Home, process: "subprocess.Popen[str]") -> None:
    log = home.path.parent / "dev.log"
    deadline = time.monotonic() + PATIENCE
    while "UI is at" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def address_of(home: Home) -> str:
    words = (home.path.parent / "dev.log").read_text().split()
    return next(word.rstrip(";") for word in words if word.startswith("http://"))


def family(home: Home) -> list[psutil.Process]:
    """Every process that belongs to this home, whoever its parent is by now."""
    return users_of(home.path)


def gone(home: Home) -> float:
    """Wait until nothing of the home is left; how long that took, in seconds."""
    started = time.monotonic()
    while family(home):
        assert time.monotonic() - started < 60, [process.cmdline() for process in family(home)]
        time.sleep(0.1)
    return time.monotonic() - started


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=5) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except OSError:
        return False


def test_two_that_start_at_once_do_not_meet_on_one_port(two: dict[Home, "subprocess.Popen[str]"]) -> None:
    """Both find the usual port free; the one that gets it must not answer for the other."""
    addresses = {home: address_of(home) for home in two}
    assert len(set(addresses.values())) == 2
    for home, address in addresses.items():
        assert answers(address)
        assert int(address.rpartition(":")[2]) in listening(home)
    assert [process.poll() for process in two.values()] == [None, None]


def listening(home: Home) -> set[int]:
    """The ports on which processes of this home take connections."""
    ports = set()
    for process in family(home):
        with suppress(psutil.Error):
            connections = process.net_connections("tcp4")
            ports |= {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return ports


@pytest.mark.parametrize(("which", "how"), [("first_of_two", signal.SIGINT), ("second_of_two", signal.SIGKILL)])
def test_nothing_is_left_behind(
    request: pytest.FixtureRequest, two: dict[Home, "subprocess.Popen[str]"], which: str, how: signal.Signals
) -> None:
    home: Home = request.getfixturevalue(which)
    dev = two[home]
    address = address_of(home)
    assert answers(address)
    names = {" ".join(process.cmdline()[2:4]) for process in family(home)}
    assert len(family(home)) >= 6, names
    dev.send_signal(how)
    code = dev.wait(60)
    assert gone(home) < 30
    assert not answers(address)
    if how is signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 0
        assert "Stopped." in (home.path.parent / "dev.log").read_text()


def test_nothing_is_left_behind_when_the_guard_is_killed(home: Home, dev: "subprocess.Popen[str]") -> None:
    guard = next(process for process in family(home) if "neanelu_pipelines.cli.guard" in process.cmdline())
    guard.kill()
    assert dev.wait(60) == 1
    gone(home)
    assert "services ended" in (home.path.parent / "dev.log").read_text()


def test_a_service_that_dies_ends_everything_and_is_named(home: Home, dev: "subprocess.Popen[str]") -> None:
    daemon = next(process for process in family(home) if "dagster._daemon" in process.cmdline())
    daemon.kill()
    assert dev.wait(60) == 1
    gone(home)
    assert "Dagster's daemon ended with status -9" in (home.path.parent / "dev.log").read_text()


def test_a_second_start_in_the_same_home_is_refused(lasting_home: Home, lasting_dev: "subprocess.Popen[str]") -> None:
    second = lasting_home.run("dev")
    assert second.returncode == 1
    assert "running already" in second.stderr
    assert str(lasting_dev.pid) in second.stderr
    assert answers(address_of(lasting_home)), "the first one goes on"


def test_a_taken_port_is_refused_and_the_server_does_not_stay(
    make_home: MakeHome, lasting_home: Home, lasting_dev: "subprocess.Popen[str]"
) -> None:
    port = address_of(lasting_home).rpartition(":")[2]
    other = Home(make_home(begun=True))
    done = other.run("dev", "--port", port)
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert not family(other)


def test_what_the_services_get_holds_no_password(lasting_home: Home, lasting_dev: "subprocess.Popen[str]") -> None:
    home = lasting_home
    passwords = (home.path / "server" / "passwords.json").read_text().split('"')[3::4]
    assert passwords
    for process in family(home):
        for password in passwords:
            assert password not in " ".join(process.cmdline())
    for log in Path(home.path / "dagster").rglob("*"):
        if log.is_file():
            assert not [password for password in passwords if password in log.read_text(errors="replace")], log


def test_a_server_that_is_gone_is_started_again(lasting_home: Home, lasting_dev: "subprocess.Popen[str]") -> None:
    recorded = lasting_home.path / "server" / "data" / "postmaster.pid"
    postmaster = psutil.Process(int(recorded.read_text().split()[0]))
    postmaster.kill()
    deadline = time.monotonic() + 30
    log = lasting_home.path.parent / "dev.log"
    while "it is started again" not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    # Whoever adopted it may be slow to bury it.
    assert not postmaster.is_running() or postmaster.status() == psutil.STATUS_ZOMBIE
    assert int(recorded.read_text().split()[0]) != postmaster.pid
    assert lasting_dev.poll() is None
    assert answers(address_of(lasting_home)), "the services go on"


def test_a_server_that_was_running_before_goes_on(lasting_home: Home, lasting_dev: "subprocess.Popen[str]") -> None:
    """The last of those that it was there for."""
    lasting_dev.send_signal(signal.SIGHUP)
    assert lasting_dev.wait(60) == 0
    assert lasting_home.json("database", "stop")["was_running"] is True
    gone(lasting_home)
